/*
 * writer_batch.c
 *		Keeps the visits of a batch (the hits of a statement) in memory: each is
 *		read once and written once.
 *
 * A look-up finds what it would find in the log had every hit been written at
 * once.  Of a key (a visitor id or fingerprint of a site) the batch knows the
 * visits that it has read or written, and, once it has asked the log, down to
 * which first action it has read them.  Where that is not far enough for a
 * look-up, it asks the log again, and compares what the log has with what is in
 * memory.
 *
 * Actions are written whenever enough have come together, sorted as their
 * primary key has them; visits and names when the memory that the batch may use
 * is full, and at its end.  While a batch is open nobody else may write visits
 * of its sites: the caller holds their gates exclusively.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/rel.h"

#include "base/compat.h"
#include "log/names_internal.h"
#include "log/seen.h"
#include "log/visit_length.h"
#include "log/visit_read.h"
#include "log/writer.h"
#include "settings/gucs.h"

#define ACTIONS_MAX 8192		/* rows that are sorted and written together */
#define ROWS_AT_ONCE 500		/* rows that a table takes at once */

/* Of BULK_LOG, the memory that the batch may use: */
#define MET_NAMES_PER_KB 2		/* names whose number is remembered: an eighth */
#define SEEN_SHARE 32			/* the filter's part */
#define NEWEST_MAX 8			/* visits of a key that are read beforehand */

/* A visit that the batch has read or begun. */
typedef struct BatchVisit
{
	Visit		visit;			/* as it stands after the last hit */
	HeapTuple	begun;			/* its first row, if it is not in the log yet */
	bool		changed;		/* since it was read, begun or written */
	bool		seldom_changed;
	uint32		actions_of;		/* the round that last_action belongs to */
	int			last_action;
} BatchVisit;

/* What is known of a key. */
typedef struct KeyEntry
{
	HexId		mixed;			/* with site and kind */
	HexId		key;
	int32		idsite;
	char		status;
	bool		by_fingerprint; /* else by visitor id */
	bool		asked;			/* the log has been */
	bool		complete;		/* all that the log has is in memory */
	TimestampTz floor;			/* else: visits not in memory began at that
								 * time or before */
	int32		n;
	int32		size;			/* 1: the only one stands here */
	union
	{
		BatchVisit *one;
		BatchVisit **many;		/* by first action */
	}			visits;
} KeyEntry;

#define SH_PREFIX keys
#define SH_ELEMENT_TYPE KeyEntry
#define SH_KEY_TYPE HexId
#define SH_KEY mixed
#define SH_HASH_KEY(tb, k) ((uint32) mix64(k))
#define SH_EQUAL(tb, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

typedef struct VisitEntry
{
	int64		idvisit;
	char		status;
	BatchVisit *visit;
} VisitEntry;

#define SH_PREFIX visits
#define SH_ELEMENT_TYPE VisitEntry
#define SH_KEY_TYPE int64
#define SH_KEY idvisit
#define SH_HASH_KEY(tb, k) ((uint32) mix64((uint64) (k)))
#define SH_EQUAL(tb, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/* An action that is to be written. */
typedef struct BatchAction
{
	int64		idvisit;
	int64		idlink_va;
	HeapTuple	tuple;
	int			previous;		/* of the same visit in this round, -1: none */
} BatchAction;

/* A site whose visits are in memory. */
typedef struct BatchSite
{
	int32		idsite;
	bool		empty;			/* it had no visits before the batch */
	int64		log_reach;		/* seconds: the longest visit in the log */
	int64		reach;			/* of log and memory */
} BatchSite;

/* A site as it was when the batch came to it. */
typedef struct BegunSite
{
	int32		idsite;
	bool		no_visits;
	bool		no_names;
} BegunSite;

typedef struct Batch
{
	MemoryContext context;		/* until the end */
	MemoryContext rows;			/* visits and names, until they are written */
	MemoryContext actions_context;	/* a round of actions */

	keys_hash  *keys;
	visits_hash *by_idvisit;
	int			n_visits;
	int			size_visits;
	BatchVisit **visits;		/* in the order in which they came */
	int			n_sites;
	int			size_sites;
	BatchSite  *sites;

	/*
	 * What the sites had when the batch came to them, and a filter of the
	 * keys and names that the batch has written since: of others the log of a
	 * site that was empty has nothing, however often the batch has forgotten
	 * what it knew.
	 */
	int			n_begun;
	int			size_begun;
	BegunSite  *begun;
	Seen		seen;			/* created when there is an empty site */
	bool		flushed;		/* what was known has been forgotten at least
								 * once */

	int			n_actions;
	uint32		round;			/* of actions that are written together */
	BatchAction *actions;
} Batch;

/* Nothing has been read, nothing is to be written. */
static void
begin_rows(Log *log)
{
	Batch	   *b = log->batch;
	MemoryContext old = MemoryContextSwitchTo(b->rows);

	b->keys = keys_create(b->rows, 1024, NULL);
	b->by_idvisit = visits_create(b->rows, 1024, NULL);
	b->n_visits = b->n_sites = 0;
	b->size_visits = 1024;
	b->visits = palloc_array(BatchVisit *, b->size_visits);
	b->size_sites = 4;
	b->sites = palloc_array(BatchSite, b->size_sites);
	batch_names_begin(log->batch_names, b->rows);
	MemoryContextSwitchTo(old);
}

/*
 * batch_open
 *		From now on until the log is closed, keep what is read and written in
 *		memory.  The log is open to be written row by row, and nothing has been
 *		written.
 */
void
batch_open(Log *log)
{
	MemoryContext context = AllocSetContextCreate(log->context, "pk_tracking batch",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	Batch	   *b = palloc0_object(Batch);

	b->context = context;
	/* nothing here is freed by itself, so that it need not be rounded up */
	b->rows = GenerationContextCreate(context, "pk_tracking batch visits",
									  0, 64 * 1024, 1024 * 1024);
	b->actions_context = AllocSetContextCreate(context, "pk_tracking batch actions",
											   ALLOCSET_DEFAULT_SIZES);
	b->actions = palloc_array(BatchAction, ACTIONS_MAX);
	b->size_begun = 8;
	b->begun = palloc_array(BegunSite, b->size_begun);
	log->batch = b;
	log->batch_names = batch_names_create((uint32) (BULK_LOG / 1024) * MET_NAMES_PER_KB);
	log->rows->at_once = ROWS_AT_ONCE;
	begin_rows(log);
	MemoryContextSwitchTo(old);
}

/* What the site had when the batch came to it, found out then; good until the next site. */
static const BegunSite *
begun_site(Log *log, int32 idsite)
{
	Batch	   *b = log->batch;
	BegunSite  *site;

	for (int i = 0; i < b->n_begun; i++)
	{
		if (b->begun[i].idsite == idsite)
			return &b->begun[i];
	}
	if (b->n_begun == b->size_begun)
	{
		b->size_begun *= 2;
		b->begun = repalloc_array(b->begun, BegunSite, b->size_begun);
	}
	site = &b->begun[b->n_begun++];
	site->idsite = idsite;
	site->no_visits = visit_site_is_empty(log, idsite);
	site->no_names = !names_any_of_site(log, idsite);
	if ((site->no_visits || site->no_names) && b->seen.n_bits == 0)
		seen_create(&b->seen, b->context, BULK_LOG / SEEN_SHARE);
	return site;
}

static BatchSite *
find_site(Log *log, int32 idsite)
{
	Batch	   *b = log->batch;
	BatchSite  *site;

	for (int i = 0; i < b->n_sites; i++)
	{
		if (b->sites[i].idsite == idsite)
			return &b->sites[i];
	}
	if (b->n_sites == b->size_sites)
	{
		b->size_sites *= 2;
		b->sites = repalloc_array(b->sites, BatchSite, b->size_sites);
	}
	site = &b->sites[b->n_sites];
	site->idsite = idsite;
	site->log_reach = site->reach = visit_length_newest(idsite);
	site->empty = begun_site(log, idsite)->no_visits;
	b->n_sites++;
	return site;
}

static BatchVisit *
find_visit(const Batch *b, int64 idvisit)
{
	VisitEntry *e = visits_lookup(b->by_idvisit, idvisit);

	return e == NULL ? NULL : e->visit;
}

/* A site's number and a kind, mixed into a key, so that one table serves all. */
static inline HexId
mix_key(int32 idsite, bool by_fingerprint, HexId key)
{
	return key ^ mix64(((uint64) (uint32) idsite << 1) | by_fingerprint);
}

/* The key's entry; it stays where it is until the next key is looked for. */
static KeyEntry *
find_key(Batch *b, int32 idsite, bool by_fingerprint, HexId key)
{
	HexId		mixed = mix_key(idsite, by_fingerprint, key);
	KeyEntry   *e;
	bool		found;

	/*
	 * keys of one site and kind never mix to the same number; others may, so
	 * compare
	 */
	for (;; mixed++)
	{
		e = keys_insert(b->keys, mixed, &found);
		if (!found || (e->idsite == idsite && e->by_fingerprint == by_fingerprint && e->key == key))
			break;
	}
	if (!found)
	{
		e->key = key;
		e->idsite = idsite;
		e->by_fingerprint = by_fingerprint;
		e->asked = e->complete = false;
		e->n = 0;
		e->size = 1;
	}
	return e;
}

static inline BatchVisit **
visits_of(KeyEntry *e)
{
	return e->size == 1 ? &e->visits.one : e->visits.many;
}

/* Note that the visit has the key. */
static void
add_to_key(Batch *b, bool by_fingerprint, HexId key, BatchVisit *v)
{
	KeyEntry   *e = find_key(b, v->visit.idsite, by_fingerprint, key);
	BatchVisit **visits = visits_of(e);
	int			i;

	seen_note(&b->seen, mix_key(v->visit.idsite, by_fingerprint, key));
	for (i = e->n - 1; i >= 0 && visits[i]->visit.first >= v->visit.first; i--)
	{
		if (visits[i] == v)
			return;
	}
	if (e->n == e->size)
	{
		BatchVisit **more = MemoryContextAlloc(b->rows, 2 * e->size * sizeof(BatchVisit *));

		memcpy(more, visits, e->n * sizeof(BatchVisit *));
		if (e->size > 1)
			pfree(visits);
		e->visits.many = visits = more;
		e->size *= 2;
	}
	for (i = e->n++; i > 0 && visits[i - 1]->visit.first > v->visit.first; i--)
		visits[i] = visits[i - 1];
	visits[i] = v;
}

static void
add_to_keys(Batch *b, BatchVisit *v)
{
	if (v->visit.has_idvisitor)
		add_to_key(b, false, v->visit.idvisitor, v);
	if (v->visit.has_config_id)
		add_to_key(b, true, v->visit.config_id, v);
}

/* Take over what a hit has made of a visit; what it points to is short-lived. */
static void
keep_visit(Batch *b, BatchVisit *bv, const Visit *v)
{
	ItemPointerData tid = bv->visit.tid;
	TransactionId xmin = bv->visit.xmin;

	columns_keep_visit(&bv->visit, v, b->rows);
	bv->visit.seldom_changed = false;

	/*
	 * a visit that is read says which version it is; one that a hit brings is
	 * older
	 */
	bv->visit.tid = tid;
	bv->visit.xmin = xmin;
}

static BatchVisit *
new_visit(Batch *b, const Visit *v)
{
	BatchVisit *bv = MemoryContextAllocZero(b->rows, sizeof(BatchVisit));
	VisitEntry *e;
	bool		found;

	keep_visit(b, bv, v);
	e = visits_insert(b->by_idvisit, v->idvisit, &found);
	Assert(!found);
	e->visit = bv;
	if (b->n_visits == b->size_visits)
	{
		b->size_visits *= 2;
		b->visits = repalloc_huge(b->visits, b->size_visits * sizeof(BatchVisit *));
	}
	b->visits[b->n_visits++] = bv;
	return bv;
}

/* A visit that stands in the log, and in memory from now on. */
static BatchVisit *
take_from_log(Batch *b, const Visit *v)
{
	BatchVisit *bv = find_visit(b, v->idvisit);

	if (bv == NULL)
	{
		bv = new_visit(b, v);
		bv->visit.tid = v->tid;
		bv->visit.xmin = v->xmin;
		add_to_keys(b, bv);
	}
	return bv;
}

/* Ask the log for the key's newest visits. */
static void
ask_log(Log *log, const BatchSite *site, const Lookup *lookup)
{
	Batch	   *b = log->batch;
	Visit		newest[NEWEST_MAX];
	KeyEntry   *e;
	TimestampTz floor = 0;
	bool		complete = true;
	int			n = 0;

	if (!site->empty ||
		(b->flushed && seen_maybe(&b->seen, mix_key(site->idsite, lookup->by_config, lookup->key))))
		n = visit_read_newest(log, site->idsite, lookup, NEWEST_MAX, newest, &floor, &complete);
	for (int i = 0; i < n; i++)
		(void) take_from_log(b, &newest[i]);
	e = find_key(b, site->idsite, lookup->by_config, lookup->key);
	e->asked = true;
	e->complete = complete;
	e->floor = floor;
}

static bool
batch_read_visit(Log *log, int64 idvisit, Visit *visit)
{
	BatchVisit *bv = find_visit(log->batch, idvisit);

	if (bv != NULL)
	{
		*visit = bv->visit;
		return true;
	}
	if (!visit_read_by_number(log, idvisit, visit))
		return false;
	(void) take_from_log(log->batch, visit);
	return true;
}

static bool
is_in_memory(Log *log, int64 idvisit)
{
	return find_visit(log->batch, idvisit) != NULL;
}

/* Has the visit the key of the look-up?  It may have been given another id since it was noted. */
static inline bool
has_key(const Visit *v, const Lookup *lookup)
{
	if (lookup->by_config)
		return v->has_config_id && v->config_id == lookup->key;
	return v->has_idvisitor && v->idvisitor == lookup->key;
}

/* The most preferred visit in memory that the look-up finds; NULL if there is none. */
static BatchVisit *
lookup_in_memory(KeyEntry *known, const Lookup *lookup, int64 reach)
{
	BatchVisit **visits = visits_of(known);
	BatchVisit *best = NULL;

	for (int i = known->n - 1; i >= 0; i--)
	{
		const Visit *v = &visits[i]->visit;

		if (v->first > lookup->upper)
			continue;
		if (lookup->bounded && v->first + reach < lookup->lower)
			break;
		if (best != NULL && v->first + reach < best->visit.last)
			break;
		if (!has_key(v, lookup))
			continue;
		if (v->last > lookup->upper || (lookup->bounded && v->last < lookup->lower))
			continue;
		if (best != NULL &&
			!visit_preferred(v->last, v->idvisit, &best->visit, lookup->older_first))
			continue;
		if (lookup->unclaimed && v->profilable != 0)
			continue;
		if (lookup->user_filter != NULL && v->user_id != NULL &&
			strcmp(v->user_id, lookup->user_filter) != 0)
			continue;
		best = visits[i];
	}
	return best;
}

/* The most preferred visit that log and memory have. */
static int
batch_lookup(Log *log, int32 idsite, const Lookup *lookup, int max pg_attribute_unused(),
			 Visit *found)
{
	Batch	   *b = log->batch;
	KeyEntry   *known = find_key(b, idsite, lookup->by_config, lookup->key);
	BatchSite  *site = find_site(log, idsite);
	int64		log_reach = site->log_reach * USECS_PER_SEC;
	BatchVisit *best;

	Assert(max == 1);
	if (!known->asked)
	{
		ask_log(log, site, lookup);
		known = find_key(b, idsite, lookup->by_config, lookup->key);
	}
	best = lookup_in_memory(known, lookup, site->reach * USECS_PER_SEC);

	/* could the log have a better one that has not been read? */
	if (!known->complete &&
		!(lookup->bounded && known->floor + log_reach < lookup->lower) &&
		!(best != NULL && known->floor + log_reach < best->visit.last))
	{
		Visit		other;

		if (visit_lookup_but(log, idsite, lookup, 1, &other, is_in_memory) == 1 &&
			(best == NULL ||
			 visit_preferred(other.last, other.idvisit, &best->visit, lookup->older_first)))
			best = take_from_log(b, &other);
	}

	if (best == NULL)
		return 0;
	*found = best->visit;
	return 1;
}

/* What log and memory have. */
static bool
batch_newest_before(Log *log, int32 idsite, HexId idvisitor, TimestampTz before,
					TimestampTz not_before, Visit *found)
{
	Batch	   *b = log->batch;
	Lookup		by_id = {.key = idvisitor};
	KeyEntry   *known = find_key(b, idsite, false, idvisitor);
	const Visit *best = NULL;
	Visit		other;

	if (!known->asked)
	{
		ask_log(log, find_site(log, idsite), &by_id);
		known = find_key(b, idsite, false, idvisitor);
	}
	for (int i = known->n - 1; i >= 0; i--)
	{
		const Visit *v = &visits_of(known)[i]->visit;

		if (v->first >= before || !has_key(v, &by_id))
			continue;
		if (v->first < not_before || (best != NULL && v->first < best->first))
			break;
		if (best == NULL || v->idvisit > best->idvisit)
			best = v;
	}

	/* could the log have a later one that has not been read? */
	if (!known->complete && known->floor >= not_before &&
		(best == NULL || best->first <= known->floor) &&
		visit_newest_before_but(log, idsite, idvisitor, before, not_before, &other, is_in_memory) &&
		(best == NULL || other.first > best->first ||
		 (other.first == best->first && other.idvisit > best->idvisit)))
		best = &other;

	if (best == NULL)
		return false;
	*found = *best;
	return true;
}

static void
batch_insert_visit(Log *log, const Visit *visit, const NewVisit *new)
{
	Batch	   *b = log->batch;
	BatchVisit *bv = new_visit(b, visit);
	Datum		values[KEPT_PLAN_ARGS];
	char		nulls[KEPT_PLAN_ARGS];
	MemoryContext old;

	visit_values(visit, new, values, nulls);
	old = MemoryContextSwitchTo(b->rows);
	bv->begun = row_writer_form(rows_of_visits(log), values, nulls, visit_columns.n);
	MemoryContextSwitchTo(old);
	add_to_keys(b, bv);
}

static bool
batch_update_visit(Log *log, const Visit *v)
{
	Batch	   *b = log->batch;
	BatchVisit *bv = find_visit(b, v->idvisit);
	BatchSite  *site = find_site(log, v->idsite);
	int64		length = (v->last - v->first) / USECS_PER_SEC;
	bool		other_id;

	if (bv == NULL)
		elog(ERROR, "visit was not read");
	if (length > site->reach)
		site->reach = visit_length_step(length);
	other_id = v->has_idvisitor != bv->visit.has_idvisitor || v->idvisitor != bv->visit.idvisitor ||
		v->has_config_id != bv->visit.has_config_id || v->config_id != bv->visit.config_id;
	bv->seldom_changed |= v->seldom_changed;
	bv->changed = true;
	keep_visit(b, bv, v);
	if (other_id)
		add_to_keys(b, bv);
	return true;
}

/* A visit's row as it is to be written over another. */
static HeapTuple
changed_row(RowWriter *w, const BatchVisit *bv, HeapTuple row)
{
	int			n = bv->seldom_changed ? visit_columns.n_some : visit_columns.n_every;
	const void *sources[N_SOURCES] = {[SOURCE_VISIT] = &bv->visit};
	Datum		values[KEPT_PLAN_ARGS];
	char		nulls[KEPT_PLAN_ARGS];

	columns_values(&visit_columns, n, sources, values, nulls);
	return row_writer_change(w, row, w->shape->att, values, nulls, n);
}

/* Write a visit that is in the log over what stands there. */
static void
overwrite(RowWriter *w, BatchVisit *bv)
{
	Visit	   *v = &bv->visit;
	HeapTuple	row = row_writer_read(w, &v->tid, v->xmin);
	bool		ok = false;

	if (row != NULL)
	{
		row = changed_row(w, bv, row);
		ok = row_writer_update(w, &v->tid, row);
		v->tid = row->t_self;
		v->xmin = GetCurrentTransactionId();
	}
	if (!ok)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("could not track the hits because another session changed a visit"),
				 errhint("Track the hits again.")));
	bv->changed = bv->seldom_changed = false;
}

static void
batch_settle_visit(Log *log, int64 idvisit)
{
	BatchVisit *bv = find_visit(log->batch, idvisit);
	RowWriter  *w = rows_of_visits(log);

	if (bv == NULL || (bv->begun == NULL && !bv->changed))
		return;
	if (bv->begun != NULL)
	{
		HeapTuple	row = bv->changed ? changed_row(w, bv, bv->begun) : bv->begun;

		row_writer_insert(w, &row, 1);
		bv->visit.tid = row->t_self;
		bv->visit.xmin = GetCurrentTransactionId();
		pfree(bv->begun);
		bv->begun = NULL;
		bv->changed = bv->seldom_changed = false;
	}
	else
		overwrite(w, bv);
	CommandCounterIncrement();
}

static int
compare_actions(const void *a, const void *b)
{
	const BatchAction *x = a;
	const BatchAction *y = b;

	if (x->idvisit != y->idvisit)
		return x->idvisit < y->idvisit ? -1 : 1;
	return x->idlink_va < y->idlink_va ? -1 : x->idlink_va > y->idlink_va;
}

/* Write all actions that are in memory. */
static void
write_actions(Log *log)
{
	Batch	   *b = log->batch;
	HeapTuple	rows[ROWS_AT_ONCE];
	int			n = b->n_actions;

	/* neighbours in the primary key are written together */
	qsort(b->actions, n, sizeof(BatchAction), compare_actions);
	for (int i = 0; i < n; i += ROWS_AT_ONCE)
	{
		int			m = Min(n - i, ROWS_AT_ONCE);

		CHECK_FOR_INTERRUPTS();
		for (int j = 0; j < m; j++)
			rows[j] = b->actions[i + j].tuple;
		row_writer_insert(rows_of_actions(log), rows, m);
	}
	b->n_actions = 0;
	b->round++;
	MemoryContextReset(b->actions_context);
	if (n > 0)
		CommandCounterIncrement();
}

/* Write all actions, if any of the visit's are in memory. */
static void
batch_settle_actions(Log *log, int64 idvisit)
{
	BatchVisit *bv = find_visit(log->batch, idvisit);

	if (bv != NULL && bv->actions_of == log->batch->round + 1)
		write_actions(log);
}

static void
batch_insert_action(Log *log, const Visit *visit, const Action *action, const ActionKey *key)
{
	Batch	   *b = log->batch;
	BatchVisit *bv = find_visit(b, visit->idvisit);
	BatchAction *a;
	Datum		values[KEPT_PLAN_ARGS];
	char		nulls[KEPT_PLAN_ARGS];
	int			n = action_values(visit, action, key, values, nulls);
	MemoryContext old;

	if (b->n_actions == ACTIONS_MAX)
		write_actions(log);
	a = &b->actions[b->n_actions];
	a->idvisit = visit->idvisit;
	a->idlink_va = key->idlink_va;
	old = MemoryContextSwitchTo(b->actions_context);
	a->tuple = row_writer_form(rows_of_actions(log), values, nulls, n);
	MemoryContextSwitchTo(old);
	a->previous = bv->actions_of == b->round + 1 ? bv->last_action : -1;
	bv->actions_of = b->round + 1;
	bv->last_action = b->n_actions++;
}

/* The attribute number of a column of the actions. */
static AttrNumber
action_att(const RowWriter *w, const char *name)
{
	return w->shape->att[column_find(&action_columns, name)];
}

/* Is the row, which is not written yet, a page view with that page view id? */
static bool
is_page_view(const RowWriter *w, HeapTuple row, const char *idpageview)
{
	TupleDesc	desc = RelationGetDescr(w->rel);
	Datum		id;
	bool		isnull;

	if (heap_attisnull(row, action_att(w, "idaction_url"), desc) ||
		heap_attisnull(row, action_att(w, "idaction_name"), desc) ||
		!heap_attisnull(row, action_att(w, "idaction_event_category"), desc))
		return false;
	id = heap_getattr(row, action_att(w, "idpageview"), desc, &isnull);
	return !isnull && strcmp(TextDatumGetCString(id), idpageview) == 0;
}

/* The row with the timings that were sent. */
static HeapTuple
with_timings(RowWriter *w, HeapTuple row, const int32 *timings)
{
	int			first = column_find(&action_columns, "time_network");
	AttrNumber	att[HIT_TIMINGS];
	Datum		values[HIT_TIMINGS];
	char		nulls[HIT_TIMINGS];
	int			n = 0;

	for (int t = 0; t < HIT_TIMINGS; t++)
	{
		if (timings[t] == NOT_SENT)
			continue;
		att[n] = w->shape->att[first + t];
		values[n] = Int32GetDatum(timings[t]);
		nulls[n++] = ' ';
	}
	return row_writer_change(w, row, att, values, nulls, n);
}

/*
 * Look for the page view among the actions that are in memory.  If it is not
 * there, write them all and look in the log.
 */
static void
batch_update_timings(Log *log, int64 idvisit, const char *idpageview, const int32 *timings)
{
	Batch	   *b = log->batch;
	BatchVisit *bv = find_visit(b, idvisit);
	bool		any = bv->actions_of == b->round + 1;
	RowWriter  *w = rows_of_actions(log);
	int			n = 0;

	for (int i = any ? bv->last_action : -1; i >= 0; i = b->actions[i].previous)
	{
		BatchAction *a = &b->actions[i];
		MemoryContext old;

		if (n++ == TIMINGS_LOOK_BACK)
			break;
		if (!is_page_view(w, a->tuple, idpageview))
			continue;
		old = MemoryContextSwitchTo(b->actions_context);
		a->tuple = with_timings(w, a->tuple, timings);
		MemoryContextSwitchTo(old);
		return;
	}
	if (any)
		write_actions(log);
	sql_update_timings(log, idvisit, idpageview, timings);
}

static bool
batch_find_name(Log *log, const LogName *name, bool *same)
{
	Batch	   *b = log->batch;

	if (batch_names_find(log->batch_names, name, same))
		return true;
	if (begun_site(log, name->idsite)->no_names &&
		!(b->flushed && seen_maybe(&b->seen, batch_names_key(name))))
		return false;
	return names_find(log, name, same);
}

static void
batch_add_name(Log *log, const LogName *name)
{
	seen_note(&log->batch->seen, batch_names_key(name));
	batch_names_add(log->batch_names, name);
}

/* Write the visits.  Resets the current memory context after each ROWS_AT_ONCE rows. */
static void
write_visits(Log *log)
{
	Batch	   *b = log->batch;
	RowWriter  *w = rows_of_visits(log);
	HeapTuple	rows[ROWS_AT_ONCE];
	int			n = 0;

	for (int i = 0; i < b->n_sites; i++)
	{
		if (b->sites[i].reach > b->sites[i].log_reach)
			visit_length_publish(b->sites[i].idsite, b->sites[i].reach);
	}
	for (int i = 0; i < b->n_visits; i++)
	{
		BatchVisit *bv = b->visits[i];

		CHECK_FOR_INTERRUPTS();
		if (bv->begun != NULL)
			rows[n++] = bv->changed ? changed_row(w, bv, bv->begun) : bv->begun;
		else if (bv->changed)
			overwrite(w, bv);
		if (n == ROWS_AT_ONCE || i == b->n_visits - 1)
		{
			if (n > 0)
				row_writer_insert(w, rows, n);
			MemoryContextReset(CurrentMemoryContext);
			n = 0;
		}
	}
}

/* Write all that is to be written, and forget all that is known. */
static void
write_all(Log *log)
{
	Batch	   *b = log->batch;
	MemoryContext context = AllocSetContextCreate(b->context, "pk_tracking batch rows",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);

	batch_names_write(log->batch_names, rows_of_names(log), ROWS_AT_ONCE);
	write_actions(log);
	write_visits(log);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	MemoryContextReset(b->rows);
	CommandCounterIncrement();
}

static void
batch_flush(Log *log)
{
	Batch	   *b = log->batch;

	if (MemoryContextMemAllocated(b->context, true) < BULK_LOG)
		return;
	write_all(log);
	b->flushed = true;
	begin_rows(log);
}

static void
batch_close(Log *log)
{
	write_all(log);
	rows_close(log);
	MemoryContextDelete(log->batch->context);
	log->batch = NULL;
	log->batch_names = NULL;
}

const LogWriter writer_batch = {
	.alone = true,
	.lookup = batch_lookup,
	.newest_before = batch_newest_before,
	.read_visit = batch_read_visit,
	.insert_visit = batch_insert_visit,
	.update_visit = batch_update_visit,
	.insert_action = batch_insert_action,
	.update_timings = batch_update_timings,
	.find_name = batch_find_name,
	.add_name = batch_add_name,
	.settle_visit = batch_settle_visit,
	.settle_actions = batch_settle_actions,
	.flush = batch_flush,
	.close = batch_close,
};
