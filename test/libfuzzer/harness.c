/*
 * harness.c
 *		The server's own functions around a fuzz target, without a server.
 *
 * The target is linked with all objects of a PostgreSQL that has sanitizers
 * (test/sanitize/server) and with those of the extension, so palloc(), ereport(),
 * numeric_in(), jsonb_in(), regular expressions and the like are the real ones.
 * What would look at the database is replaced in hits.c.
 */
#include "postgres.h"

#include <locale.h>
#include <unistd.h>

#include "catalog/pg_authid.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "storage/fd.h"
#include "tcop/dest.h"
#include "tcop/tcopprot.h"
#include "utils/catcache.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

#include "harness.h"

extern void _PG_init(void);
extern int	LLVMFuzzerInitialize(int *argc, char ***argv);
extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static MemoryContext input_context;

void
fuzz_broken(const char *format,...)
{
	va_list		args;

	fputs("BROKEN: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	abort();
}

void
fuzz_valid(const char *text)
{
	if (text != NULL && !pg_verify_mbstr(PG_UTF8, text, (int) strlen(text), true))
		fuzz_broken("invalid text \"%s\"", text);
}

char *
fuzz_string(const uint8_t *data, size_t len)
{
	char	   *str = palloc(len + 1);

	memcpy(str, data, len);
	str[len] = '\0';
	return str;
}

char *
fuzz_text(const uint8_t *data, size_t len)
{
	const uint8_t *nul = memchr(data, 0, len);

	if (nul != NULL)
		len = nul - data;
	return fuzz_string(data, pg_encoding_verifymbstr(PG_UTF8, (const char *) data, (int) len));
}

char *
fuzz_line(char **rest)
{
	char	   *line = *rest;
	size_t		len = strcspn(line, "\n");

	*rest = line + len + (line[len] == '\n' ? 1 : 0);
	/* of its own, so that a read behind its end is seen */
	return fuzz_string((const uint8_t *) line, len);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void) argc;
	(void) argv;
	MyProcPid = getpid();
	strlcpy(my_exec_path, PKT_POSTGRES, MAXPGPATH);
	(void) set_stack_base();
	MemoryContextInit();
	setlocale(LC_ALL, "C");
	setlocale(LC_CTYPE, "C.UTF-8");
	InitializeGUCOptions();
	SetConfigOption("log_min_messages", "panic", PGC_POSTMASTER, PGC_S_OVERRIDE);
	whereToSendOutput = DestNone;
	SetDatabaseEncoding(PG_UTF8);
	InitFileAccess();
	CreateCacheMemoryContext();
	CurrentResourceOwner = ResourceOwnerCreate(NULL, "fuzz");
	SetUserIdAndSecContext(BOOTSTRAP_SUPERUSERID, 0);
	/* what the library registers for the end of a transaction never comes */
	TopTransactionContext = CurTransactionContext = TopMemoryContext;
	_PG_init();
	input_context = AllocSetContextCreate(TopMemoryContext, "input", ALLOCSET_DEFAULT_SIZES);
	fuzz_begin();
	MemoryContextSwitchTo(input_context);
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	MemoryContextSwitchTo(input_context);
	PG_TRY();
	{
		fuzz_one(data, size);
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(input_context);
		error = CopyErrorData();
		FlushErrorState();
		if (!fuzz_may_raise(error->sqlerrcode))
			fuzz_broken("raised %s: %s (%s:%d)", unpack_sql_state(error->sqlerrcode),
						error->message, error->filename, error->lineno);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(TopMemoryContext);
	MemoryContextReset(input_context);
	return 0;
}
