/*
 * wipe.c
 *		Memory that held what a visitor sent, overwritten before it is freed.
 *
 * A backend of a pool idles most of its life.  What it has freed, and what lies
 * below its stack pointer, stays readable to a debugger, in swap and in core
 * dumps until something else happens to overwrite it.  So the memory contexts of
 * a call are overwritten when they are reset or deleted, whether that is the
 * call's end or an error's, and the stack when the call ends.  doc/privacy.md,
 * "Memory", says what this does not reach.
 */
#include "postgres.h"

#include "access/xact.h"
#include "nodes/memnodes.h"
#include "utils/memutils.h"

#include "base/compat.h"
#include "base/wipe.h"

/*
 * How far below the callers of wipe_stack() calls reach that handle texts, and
 * how far below those of the callbacks at the end of a transaction, which have
 * fewer callers of their own.
 */
#define STACK_OF_CALL (4 * 1024)
#define STACK_OF_ERROR (32 * 1024)

/*
 * Bytes that are overwritten at once: above some 2 kB, C libraries use an
 * instruction that takes long to begin.
 */
#define PIECE 1920

/* Has a call begun in this transaction? */
static bool stack_used = false;

static inline void
overwrite(char *begin, size_t len)
{
	for (; len > PIECE; begin += PIECE, len -= PIECE)
		explicit_bzero(begin, PIECE);
	explicit_bzero(begin, len);
}

/*
 * Overwrite what was allocated in a context of the kind AllocSet.  Servers that
 * overwrite freed memory themselves are left alone: they check it first.
 */
static void
wipe_context(void *arg)
{
#ifdef MEMORY_CONTEXT_CHECKING
	(void) arg;
#else
	PktAllocSet *set = arg;

	for (PktAllocBlock *block = set->blocks; block != NULL; block = block->next)
	{
		char	   *begin = (char *) block + MAXALIGN(sizeof(PktAllocBlock));

		overwrite(begin, block->freeptr - begin);
	}
#endif
}

/*
 * wipe_at_end
 *		Have a context overwritten when it is reset or deleted.  Only for one that
 *		has no reset callback yet: what is overwritten would include it.
 */
void
wipe_at_end(MemoryContext context)
{
	MemoryContextCallback *callback;

	if (!IsA(context, AllocSetContext) || context->reset_cbs != NULL)
		return;
	callback = MemoryContextAlloc(context, sizeof(MemoryContextCallback));
	callback->func = wipe_context;
	callback->arg = context;
	MemoryContextRegisterResetCallback(context, callback);
}

/*
 * wiped_context_create
 *		A context that is overwritten.  name: a constant.
 */
MemoryContext
wiped_context_create(MemoryContext parent, const char *name)
{
	MemoryContext context = AllocSetContextCreateInternal(parent, name, ALLOCSET_DEFAULT_SIZES);

	wipe_at_end(context);
	return context;
}

/*
 * wiped_context_reset
 *		Reset such a context: what it gets afterwards is overwritten, too.
 */
void
wiped_context_reset(MemoryContext context)
{
	MemoryContextReset(context);
	wipe_at_end(context);
}

/*
 * wiped_call_begin
 *		Make a context for what a call reads from its arguments the current one.
 *		Gives it, to be ended by wiped_call_end().
 */
MemoryContext
wiped_call_begin(void)
{
	MemoryContext call = wiped_context_create(CurrentMemoryContext, "pk_tracking call");

	stack_used = true;
	MemoryContextSwitchTo(call);
	return call;
}

/*
 * wiped_call_end
 *		Overwrite and delete the context of a call.  The current context is
 *		another one.
 */
void
wiped_call_end(MemoryContext call)
{
	MemoryContextDelete(call);
}

/*
 * wipe_stack
 *		Overwrite the stack below the caller.
 */
pg_noinline void
wipe_stack(void)
{
	char		below[STACK_OF_CALL];

	overwrite(below, sizeof(below));
}

static pg_noinline void
wipe_stack_after_error(void)
{
	char		below[STACK_OF_ERROR];

	overwrite(below, sizeof(below));
}

/* An error may have left calls in their middle. */
static void
wipe_xact_callback(XactEvent event, void *arg)
{
	(void) arg;
	switch (event)
	{
		case XACT_EVENT_ABORT:
			if (stack_used)
				wipe_stack_after_error();
			/* FALLTHROUGH */
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_PREPARE:
			stack_used = false;
			break;
		default:
			break;
	}
}

static void
wipe_subxact_callback(SubXactEvent event, SubTransactionId mySubid, SubTransactionId parentSubid,
					  void *arg)
{
	(void) mySubid;
	(void) parentSubid;
	(void) arg;
	if (stack_used && event == SUBXACT_EVENT_ABORT_SUB)
		wipe_stack_after_error();
}

/* wipe_init: called once when the library loads. */
void
wipe_init(void)
{
	RegisterXactCallback(wipe_xact_callback, NULL);
	RegisterSubXactCallback(wipe_subxact_callback, NULL);
}
