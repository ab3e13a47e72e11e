/*
 * writer_batch.c
 *		The visits of a statement with many hits, in memory: read once, written
 *		once.
 *
 * A look-up finds what it would find in the log had every hit been written at
 * once.  What is known of a key (a visitor id or fingerprint of a site): the
 * visits of it that this statement has read or written, and, once the log has
 * been asked, down to which first action it has been read.  Where that is not
 * far enough for a look-up, the log is asked again, and what it has is weighed
 * against what is in memory.
 *
 * Actions are written whenever enough have come together, sorted as their
 * primary key has them; visits and names when the memory that the statement
 * may use is full, and at its end.
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

#include "log/writer_batch.h"
#include "settings/gucs.h"
#include "settings/settings.h"

#define ACTIONS_MAX 8192		/* rows that are sorted and written together */
#define WRITE_BATCH 500			/* rows that a table takes at once */
#define KNOWN_PER_KB 2			/* known names for each kB of bulk_memory: an eighth of it */
#define NEWEST_MAX 8			/* visits of a key that are read beforehand */

/* Spread the bits of a number (the finaliser of MurmurHash3). */
static inline uint64
mix64(uint64 n)
{
	n ^= n >> 33;
	n *= UINT64CONST(0xff51afd7ed558ccd);
	n ^= n >> 33;
	n *= UINT64CONST(0xc4ceb9fe1a85ec53);
	n ^= n >> 33;
	return n;
}

/* A visit that the statement has read or begun. */
typedef struct BulkVisit
{
	Visit		visit;			/* as it stands after the last hit */
	HeapTuple	begun;			/* the row that began, if it is not in the log yet */
	bool		changed;		/* since it was read, begun or written */
	bool		seldom_changed;
	bool		lost_continent; /* its country is another now */
	uint32		actions_of;		/* the batch that last_action belongs to */
	int			last_action;
} BulkVisit;

/* What is known of a key. */
typedef struct KeyEntry
{
	HexId		mixed;			/* with site and kind */
	HexId		key;
	int32		idsite;
	char		status;
	bool		by_config;
	bool		asked;			/* the log has been */
	bool		complete;		/* all that it has is in memory */
	TimestampTz floor;			/* else: what is not began at that time or before */
	int32		n;
	int32		size;			/* 1: the one stands here */
	union
	{
		BulkVisit  *one;
		BulkVisit **many;		/* by first action */
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
	BulkVisit  *visit;
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

typedef struct NameEntry
{
	int64		idaction;		/* the site counted in */
	char		status;
	NewName    *name;
} NameEntry;

#define SH_PREFIX names
#define SH_ELEMENT_TYPE NameEntry
#define SH_KEY_TYPE int64
#define SH_KEY idaction
#define SH_HASH_KEY(tb, k) ((uint32) mix64((uint64) (k)))
#define SH_EQUAL(tb, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/* A name whose number is known, by two hashes of it. */
typedef struct KnownEntry
{
	uint64		hash1;			/* the site counted in */
	uint64		hash2;
	int64		idaction;
	char		status;
} KnownEntry;

#define SH_PREFIX known
#define SH_ELEMENT_TYPE KnownEntry
#define SH_KEY_TYPE uint64
#define SH_KEY hash1
#define SH_HASH_KEY(tb, k) ((uint32) (k))
#define SH_EQUAL(tb, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/* An action that is to be written. */
typedef struct BulkAction
{
	int64		idvisit;
	int64		idlink_va;
	HeapTuple	tuple;
	int			previous;		/* of the same visit in this batch, -1: none */
} BulkAction;

/* A site of the statement. */
typedef struct BulkSite
{
	int32		idsite;
	bool		empty;			/* nobody had visits there before the statement */
	int64		log_reach;		/* seconds: the longest visit in the log */
	int64		reach;			/* of log and memory */
} BulkSite;

/* A site as it was when the statement came to it. */
typedef struct BegunSite
{
	int32		idsite;
	bool		no_visits;
	bool		no_names;
} BegunSite;

typedef struct Bulk
{
	MemoryContext context;		/* until the end */
	MemoryContextCallback forget;	/* an error ends no batch */
	MemoryContext rows;			/* visits and names, until they are written */
	MemoryContext actions_context;	/* a batch of actions */
	Log		   *log;
	BulkTables	tables;
	RowWriter	visit_writer;
	RowWriter	action_writer;
	RowWriter	name_writer;

	keys_hash  *keys;
	visits_hash *by_idvisit;
	int			n_visits;
	int			size_visits;
	BulkVisit **visits;			/* in the order in which they came */
	int			n_sites;
	int			size_sites;
	BulkSite   *sites;

	/*
	 * What the sites had when the statement came to them, and a filter of the
	 * keys and names that it has written since: of others the log of a site
	 * that was empty has nothing, however often what is known was forgotten.
	 */
	int			n_begun;
	int			size_begun;
	BegunSite  *begun;
	uint64		n_met;			/* bits of the filter, a power of two; 0: none was needed */
	uint8	   *met;
	bool		flushed;		/* what was known has been forgotten at least once */
	names_hash *names;
	int			n_names;
	int			size_names;
	NewName   **new_names;
	known_hash *known_names;	/* until the end, but never more than its share of memory */

	int			n_actions;
	uint32		batch;
	BulkAction *actions;
} Bulk;

static Bulk *bulk = NULL;

/* What is known is forgotten: nothing has been read, nothing is to be written. */
static void
begin_rows(void)
{
	MemoryContext old = MemoryContextSwitchTo(bulk->rows);

	bulk->keys = keys_create(bulk->rows, 1024, NULL);
	bulk->by_idvisit = visits_create(bulk->rows, 1024, NULL);
	bulk->names = names_create(bulk->rows, 256, NULL);
	bulk->n_visits = bulk->n_sites = bulk->n_names = 0;
	bulk->size_visits = 1024;
	bulk->visits = palloc_array(BulkVisit *, bulk->size_visits);
	bulk->size_sites = 4;
	bulk->sites = palloc_array(BulkSite, bulk->size_sites);
	bulk->size_names = 256;
	bulk->new_names = palloc_array(NewName *, bulk->size_names);
	MemoryContextSwitchTo(old);
}

/* An error has taken its memory. */
static void
forget_bulk(void *arg)
{
	if (bulk == arg)
		bulk = NULL;
}

/*
 * batch_writer_begin
 *		From now on, until batch_writer_end() or an error, keep what is read and
 *		written in memory.  False if the log's tables must be written by
 *		statements, since somebody has put triggers or the like on them.  The
 *		caller has the gates of all sites concerned.
 */
bool
batch_writer_begin(Log *log)
{
	BulkTables	tables;
	MemoryContext context;
	MemoryContext old;

	if (bulk != NULL || !batch_writer_tables(log, &tables))
		return false;

	context = AllocSetContextCreate(CurrentMemoryContext, "pk_tracking bulk", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(context);
	bulk = palloc0_object(Bulk);
	bulk->context = context;
	bulk->forget.func = forget_bulk;
	bulk->forget.arg = bulk;
	MemoryContextRegisterResetCallback(context, &bulk->forget);
	/* nothing here is freed by itself, so that it need not be rounded up */
	bulk->rows = GenerationContextCreate(context, "pk_tracking bulk visits", 0, 64 * 1024, 1024 * 1024);
	bulk->actions_context = AllocSetContextCreate(context, "pk_tracking bulk actions", ALLOCSET_DEFAULT_SIZES);
	bulk->log = log;
	bulk->tables = tables;
	row_writer_open(&bulk->visit_writer, tables.visit_shape, tables.visits, WRITE_BATCH);
	row_writer_open(&bulk->action_writer, tables.action_shape, tables.actions, WRITE_BATCH);
	row_writer_open(&bulk->name_writer, tables.name_shape, tables.names, WRITE_BATCH);
	bulk->actions = palloc_array(BulkAction, ACTIONS_MAX);
	bulk->size_begun = 8;
	bulk->begun = palloc_array(BegunSite, bulk->size_begun);
	bulk->known_names = known_create(context, 1024, NULL);
	begin_rows();
	MemoryContextSwitchTo(old);
	return true;
}

bool
batch_writer_active(void)
{
	return bulk != NULL;
}

/* What the site had when the statement came to it, found out then; good until the next site. */
static const BegunSite *
begun_site(int32 idsite)
{
	BegunSite  *site;

	for (int i = 0; i < bulk->n_begun; i++)
	{
		if (bulk->begun[i].idsite == idsite)
			return &bulk->begun[i];
	}
	if (bulk->n_begun == bulk->size_begun)
	{
		bulk->size_begun *= 2;
		bulk->begun = repalloc_array(bulk->begun, BegunSite, bulk->size_begun);
	}
	site = &bulk->begun[bulk->n_begun++];
	site->idsite = idsite;
	site->no_visits = log_site_is_empty(bulk->log, idsite);
	site->no_names = !log_site_has_names(bulk->log, idsite);
	if ((site->no_visits || site->no_names) && bulk->met == NULL)
	{
		bulk->n_met = 1024;
		while (bulk->n_met * 2 / 8 <= (uint64) pkt_bulk_memory * 1024 / 32)
			bulk->n_met *= 2;
		bulk->met = MemoryContextAllocZero(bulk->context, bulk->n_met / 8);
	}
	return site;
}

/* Two bits of the filter for each key. */
static inline uint64
met_bit(HexId mixed, int i)
{
	return mix64(mixed + (uint64) i * UINT64CONST(0x9E3779B97F4A7C15)) & (bulk->n_met - 1);
}

static void
note_met(HexId mixed)
{
	for (int i = 0; i < 2 && bulk->met != NULL; i++)
		bulk->met[met_bit(mixed, i) / 8] |= (uint8) (1 << met_bit(mixed, i) % 8);
}

/* Can the statement have written visits of the key? */
static bool
may_have_met(HexId mixed)
{
	for (int i = 0; i < 2; i++)
	{
		if (!(bulk->met[met_bit(mixed, i) / 8] & (1 << met_bit(mixed, i) % 8)))
			return false;
	}
	return true;
}

static BulkSite *
find_site(int32 idsite)
{
	BulkSite   *site;

	for (int i = 0; i < bulk->n_sites; i++)
	{
		if (bulk->sites[i].idsite == idsite)
			return &bulk->sites[i];
	}
	if (bulk->n_sites == bulk->size_sites)
	{
		bulk->size_sites *= 2;
		bulk->sites = repalloc_array(bulk->sites, BulkSite, bulk->size_sites);
	}
	site = &bulk->sites[bulk->n_sites];
	site->idsite = idsite;
	site->log_reach = site->reach = log_newest_longest(idsite);
	site->empty = begun_site(idsite)->no_visits;
	bulk->n_sites++;
	return site;
}

static BulkVisit *
find_bulk_visit(int64 idvisit)
{
	VisitEntry *e = visits_lookup(bulk->by_idvisit, idvisit);

	return e == NULL ? NULL : e->visit;
}

/* A site's number and a kind, mixed into a key, so that one table serves all. */
static inline HexId
mix_key(int32 idsite, bool by_config, HexId key)
{
	return key ^ mix64(((uint64) (uint32) idsite << 1) | by_config);
}

/* The key's entry; it stays where it is until the next key is looked for. */
static KeyEntry *
find_key(int32 idsite, bool by_config, HexId key)
{
	HexId		mixed = mix_key(idsite, by_config, key);
	KeyEntry   *e;
	bool		found;

	/* the mixture is one to one within a site and kind; others are told apart */
	for (;; mixed++)
	{
		e = keys_insert(bulk->keys, mixed, &found);
		if (!found || (e->idsite == idsite && e->by_config == by_config && e->key == key))
			break;
	}
	if (!found)
	{
		e->key = key;
		e->idsite = idsite;
		e->by_config = by_config;
		e->asked = e->complete = false;
		e->n = 0;
		e->size = 1;
	}
	return e;
}

static inline BulkVisit **
visits_of(KeyEntry *e)
{
	return e->size == 1 ? &e->visits.one : e->visits.many;
}

/* Note that the visit has the key. */
static void
add_to_key(KeyEntry *e, BulkVisit *v)
{
	BulkVisit **visits = visits_of(e);
	int			i;

	for (i = e->n - 1; i >= 0 && visits[i]->visit.first >= v->visit.first; i--)
	{
		if (visits[i] == v)
			return;
	}
	if (e->n == e->size)
	{
		BulkVisit **more = MemoryContextAlloc(bulk->rows, 2 * e->size * sizeof(BulkVisit *));

		memcpy(more, visits, e->n * sizeof(BulkVisit *));
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
add_to_keys(BulkVisit *v)
{
	if (v->visit.has_idvisitor)
	{
		note_met(mix_key(v->visit.idsite, false, v->visit.idvisitor));
		add_to_key(find_key(v->visit.idsite, false, v->visit.idvisitor), v);
	}
	if (v->visit.has_config_id)
	{
		note_met(mix_key(v->visit.idsite, true, v->visit.config_id));
		add_to_key(find_key(v->visit.idsite, true, v->visit.config_id), v);
	}
}

/* A copy of the text, unless it is what was there. */
static char *
keep_text(const char *new, const char *old)
{
	if (new == NULL || new == old)
		return unconstify(char *, new);
	if (old != NULL && strcmp(new, old) == 0)
		return unconstify(char *, old);
	return MemoryContextStrdup(bulk->rows, new);
}

static void *
keep_varlena(const void *new, const void *old)
{
	void	   *copy;

	if (new == NULL || new == old)
		return unconstify(void *, new);
	if (old != NULL && VARSIZE_ANY(new) == VARSIZE_ANY(old) && memcmp(new, old, VARSIZE_ANY(new)) == 0)
		return unconstify(void *, old);
	copy = MemoryContextAlloc(bulk->rows, VARSIZE_ANY(new));
	memcpy(copy, new, VARSIZE_ANY(new));
	return copy;
}

/* Take over what a hit has made of a visit; what it points to is short-lived. */
static void
keep_visit(BulkVisit *bv, const Visit *v)
{
	Visit		old = bv->visit;
	Visit	   *kept = &bv->visit;

	*kept = *v;
	kept->seldom_changed = false;
	kept->tid = old.tid;
	kept->xmin = old.xmin;
	kept->user_id = keep_text(v->user_id, old.user_id);
	kept->referrer.name = keep_text(v->referrer.name, old.referrer.name);
	kept->referrer.keyword = keep_text(v->referrer.keyword, old.referrer.keyword);
	kept->referrer.url = keep_text(v->referrer.url, old.referrer.url);
	kept->resolution = keep_text(v->resolution, old.resolution);
	kept->custom_dimensions = keep_varlena(v->custom_dimensions, old.custom_dimensions);
	kept->custom_variables = keep_varlena(v->custom_variables, old.custom_variables);
	kept->country = keep_text(v->country, old.country);
	kept->region = keep_text(v->region, old.region);
	kept->city = keep_text(v->city, old.city);
	kept->latitude = keep_varlena(v->latitude, old.latitude);
	kept->longitude = keep_varlena(v->longitude, old.longitude);
}

static BulkVisit *
new_bulk_visit(const Visit *v)
{
	BulkVisit  *bv = MemoryContextAllocZero(bulk->rows, sizeof(BulkVisit));
	VisitEntry *e;
	bool		found;

	keep_visit(bv, v);
	e = visits_insert(bulk->by_idvisit, v->idvisit, &found);
	Assert(!found);
	e->visit = bv;
	if (bulk->n_visits == bulk->size_visits)
	{
		bulk->size_visits *= 2;
		bulk->visits = repalloc_huge(bulk->visits, bulk->size_visits * sizeof(BulkVisit *));
	}
	bulk->visits[bulk->n_visits++] = bv;
	return bv;
}

/* A visit that stands in the log, and in memory from now on. */
static BulkVisit *
read_visit(const Visit *v)
{
	BulkVisit  *bv = find_bulk_visit(v->idvisit);

	if (bv == NULL)
	{
		bv = new_bulk_visit(v);
		bv->visit.tid = v->tid;
		bv->visit.xmin = v->xmin;
		add_to_keys(bv);
	}
	return bv;
}

/* Ask the log for the key's newest visits. */
static void
ask_log(const BulkSite *site, const Lookup *lookup)
{
	Visit		newest[NEWEST_MAX];
	KeyEntry   *e;
	TimestampTz floor = 0;
	bool		complete = true;
	int			n = 0;

	if (!site->empty ||
		(bulk->flushed && may_have_met(mix_key(site->idsite, lookup->by_config, lookup->key))))
		n = log_newest_of_key(bulk->log, site->idsite, lookup, NEWEST_MAX, newest,
								&floor, &complete);
	for (int i = 0; i < n; i++)
		(void) read_visit(&newest[i]);
	e = find_key(site->idsite, lookup->by_config, lookup->key);
	e->asked = true;
	e->complete = complete;
	e->floor = floor;
}

/* bulk_known_visit: a visit as it stands in memory; false if it does not. */
bool
bulk_known_visit(int64 idvisit, Visit *visit)
{
	BulkVisit  *bv = find_bulk_visit(idvisit);

	if (bv != NULL)
		*visit = bv->visit;
	return bv != NULL;
}

/* bulk_note_visit: a visit that was read from the log by its number. */
void
bulk_note_visit(const Visit *visit)
{
	(void) read_visit(visit);
}

static bool
is_in_memory(int64 idvisit)
{
	return find_bulk_visit(idvisit) != NULL;
}

/*
 * bulk_lookup
 *		log_lookup() for a single visit: the most preferred that log and
 *		memory have.  What found points to stays until the next flush.
 */
int
bulk_lookup(Log *log, int32 idsite, const Lookup *lookup, Visit *found)
{
	KeyEntry   *known = find_key(idsite, lookup->by_config, lookup->key);
	BulkSite   *site = find_site(idsite);
	BulkVisit **visits;
	int64		reach = site->reach * USECS_PER_SEC;
	int64		log_reach = site->log_reach * USECS_PER_SEC;
	BulkVisit  *best = NULL;

	if (!known->asked)
	{
		ask_log(site, lookup);
		known = find_key(idsite, lookup->by_config, lookup->key);
	}
	visits = visits_of(known);

	for (int i = known->n - 1; i >= 0; i--)
	{
		const Visit *v = &visits[i]->visit;

		if (v->first > lookup->upper)
			continue;
		if (lookup->bounded && v->first + reach < lookup->lower)
			break;
		if (best != NULL && v->first + reach < best->visit.last)
			break;
		/* it may have been given another id since */
		if (lookup->by_config ? !v->has_config_id || v->config_id != lookup->key :
			!v->has_idvisitor || v->idvisitor != lookup->key)
			continue;
		if (v->last > lookup->upper || (lookup->bounded && v->last < lookup->lower))
			continue;
		if (best != NULL &&
			!log_preferred(v->last, v->idvisit, &best->visit, lookup->older_first))
			continue;
		if (lookup->user_filter != NULL && v->user_id != NULL &&
			strcmp(v->user_id, lookup->user_filter) != 0)
			continue;
		best = visits[i];
	}

	/* could the log have a better one that has not been read? */
	if (!known->complete &&
		!(lookup->bounded && known->floor + log_reach < lookup->lower) &&
		!(best != NULL && known->floor + log_reach < best->visit.last))
	{
		Visit		other;

		if (log_lookup_log(log, idsite, lookup, 1, &other, is_in_memory) == 1 &&
			(best == NULL || log_preferred(other.last, other.idvisit, &best->visit, lookup->older_first)))
			best = read_visit(&other);
	}

	if (best == NULL)
		return 0;
	*found = best->visit;
	return 1;
}

/*
 * bulk_begin_visit
 *		A visit that begins: values are those of its row, as its INSERT has them.
 */
void
bulk_begin_visit(const Visit *v, const NewVisit *extra, const Datum *values, const char *nulls, int n)
{
	BulkVisit  *bv = new_bulk_visit(v);
	const GeoLocation *where = &extra->location;
	MemoryContext old = MemoryContextSwitchTo(bulk->rows);
	Visit	   *kept = &bv->visit;

	bv->begun = row_writer_form(&bulk->visit_writer, values, nulls, n);

	/* as a row has them */
	kept->country = where->country[0] ? pstrdup(where->country) : NULL;
	kept->region = where->region[0] ? pstrdup(where->region) : NULL;
	kept->city = where->city[0] ? pstrdup(where->city) : NULL;
	if (where->has_coordinates)
	{
		kept->latitude = DatumGetNumeric(geoip_degrees(where->latitude));
		kept->longitude = DatumGetNumeric(geoip_degrees(where->longitude));
	}
	MemoryContextSwitchTo(old);
	add_to_keys(bv);
}

/* bulk_continue_visit: what a hit has made of a visit that goes on. */
bool
bulk_continue_visit(const Visit *v)
{
	BulkVisit  *bv = find_bulk_visit(v->idvisit);
	BulkSite   *site = find_site(v->idsite);
	int64		length = (v->last - v->first) / USECS_PER_SEC;
	bool		other_id;

	if (bv == NULL)
		elog(ERROR, "visit was not read");
	if (length > site->reach)
		site->reach = log_length_step(length);
	other_id = v->has_idvisitor != bv->visit.has_idvisitor || v->idvisitor != bv->visit.idvisitor ||
		v->has_config_id != bv->visit.has_config_id || v->config_id != bv->visit.config_id;
	if (v->country != NULL && bv->visit.country != NULL && strcmp(v->country, bv->visit.country) != 0)
		bv->lost_continent = true;
	bv->seldom_changed |= v->seldom_changed;
	bv->changed = true;
	keep_visit(bv, v);
	if (other_id)
		add_to_keys(bv);
	return true;
}

/* A visit's row as it is to be written over another. */
static HeapTuple
changed_row(const BulkVisit *bv, HeapTuple row)
{
	AttrNumber	att[KEPT_PLAN_ARGS];
	Datum		values[KEPT_PLAN_ARGS];
	char		nulls[KEPT_PLAN_ARGS];
	int			n = log_visit_changes(&bv->visit, bv->seldom_changed, bv->lost_continent,
										att, values, nulls);

	return row_writer_change(&bulk->visit_writer, row, att, values, nulls, n);
}

/* Write a visit that is in the log over what stands there. */
static void
overwrite(BulkVisit *bv)
{
	Visit	   *v = &bv->visit;
	HeapTuple	row = row_writer_read(&bulk->visit_writer, &v->tid, v->xmin);
	bool		ok = false;

	if (row != NULL)
	{
		row = changed_row(bv, row);
		ok = row_writer_update(&bulk->visit_writer, &v->tid, row);
		v->tid = row->t_self;
		v->xmin = GetCurrentTransactionId();
	}
	if (!ok)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("could not track the hits: a visit was changed by somebody else"),
				 errhint("Track them again.")));
	bv->changed = bv->seldom_changed = bv->lost_continent = false;
}

/*
 * bulk_write_visit
 *		Let this visit stand in the log as it is now.
 */
void
bulk_write_visit(int64 idvisit)
{
	BulkVisit  *bv = find_bulk_visit(idvisit);

	if (bv == NULL || (bv->begun == NULL && !bv->changed))
		return;
	if (bv->begun != NULL)
	{
		HeapTuple	row = bv->changed ? changed_row(bv, bv->begun) : bv->begun;

		row_writer_insert(&bulk->visit_writer, &row, 1);
		bv->visit.tid = row->t_self;
		bv->visit.xmin = GetCurrentTransactionId();
		pfree(bv->begun);
		bv->begun = NULL;
		bv->changed = bv->seldom_changed = bv->lost_continent = false;
	}
	else
		overwrite(bv);
	CommandCounterIncrement();
}

static int
compare_actions(const void *a, const void *b)
{
	const BulkAction *x = a;
	const BulkAction *y = b;

	if (x->idvisit != y->idvisit)
		return x->idvisit < y->idvisit ? -1 : 1;
	return x->idlink_va < y->idlink_va ? -1 : x->idlink_va > y->idlink_va;
}

/* bulk_write_actions: let all actions so far stand in the log. */
void
bulk_write_actions(void)
{
	HeapTuple	rows[WRITE_BATCH];
	int			n = bulk->n_actions;

	/* neighbours in the primary key are written together */
	qsort(bulk->actions, n, sizeof(BulkAction), compare_actions);
	for (int i = 0; i < n; i += WRITE_BATCH)
	{
		int			m = Min(n - i, WRITE_BATCH);

		CHECK_FOR_INTERRUPTS();
		for (int j = 0; j < m; j++)
			rows[j] = bulk->actions[i + j].tuple;
		row_writer_insert(&bulk->action_writer, rows, m);
	}
	bulk->n_actions = 0;
	bulk->batch++;
	MemoryContextReset(bulk->actions_context);
	if (n > 0)
		CommandCounterIncrement();
}

/* bulk_add_action: an action's row, the first n columns of its INSERT. */
void
bulk_add_action(int64 idvisit, int64 idlink_va, const Datum *values, const char *nulls, int n)
{
	MemoryContext old;
	BulkAction *a;
	BulkVisit  *bv = find_bulk_visit(idvisit);

	if (bulk->n_actions == ACTIONS_MAX)
		bulk_write_actions();
	a = &bulk->actions[bulk->n_actions];
	a->idvisit = idvisit;
	a->idlink_va = idlink_va;
	old = MemoryContextSwitchTo(bulk->actions_context);
	a->tuple = row_writer_form(&bulk->action_writer, values, nulls, n);
	MemoryContextSwitchTo(old);
	a->previous = bv->actions_of == bulk->batch + 1 ? bv->last_action : -1;
	bv->actions_of = bulk->batch + 1;
	bv->last_action = bulk->n_actions++;
}

static bool
column_is_null(HeapTuple row, int parameter)
{
	return heap_attisnull(row, bulk->tables.action_shape->att[parameter],
						  RelationGetDescr(bulk->tables.actions));
}

/*
 * bulk_update_timings
 *		log_update_timings() for an action that is not written yet.  False if
 *		there is none: then all are written, and it is to be looked for in the
 *		log.
 */
bool
bulk_update_timings(int64 idvisit, const char *idpageview, const int32 *timings)
{
	BulkVisit  *bv = find_bulk_visit(idvisit);
	bool		any = bv->actions_of == bulk->batch + 1;

	for (int i = any ? bv->last_action : -1, n = 0; i >= 0 && n < LOG_TIMINGS_LOOK_BACK; i = bulk->actions[i].previous, n++)
	{
		BulkAction *a = &bulk->actions[i];
		AttrNumber	att[HIT_TIMINGS];
		Datum		values[HIT_TIMINGS];
		char		nulls[HIT_TIMINGS];
		int			n_sent = 0;
		bool		isnull;
		Datum		id;
		MemoryContext old;

		if (column_is_null(a->tuple, ACTION_PARAM_URL) || column_is_null(a->tuple, ACTION_PARAM_NAME) ||
			!column_is_null(a->tuple, ACTION_PARAM_EVENT_CATEGORY))
			continue;
		id = heap_getattr(a->tuple, bulk->tables.action_shape->att[ACTION_PARAM_IDPAGEVIEW],
						  RelationGetDescr(bulk->tables.actions), &isnull);
		if (isnull || strcmp(TextDatumGetCString(id), idpageview) != 0)
			continue;
		for (int t = 0; t < HIT_TIMINGS; t++)
		{
			if (timings[t] == NOT_SENT)
				continue;
			att[n_sent] = bulk->tables.action_shape->att[ACTION_PARAM_TIMINGS + t];
			values[n_sent] = Int32GetDatum(timings[t]);
			nulls[n_sent++] = ' ';
		}
		old = MemoryContextSwitchTo(bulk->actions_context);
		a->tuple = row_writer_change(&bulk->action_writer, a->tuple, att, values, nulls, n_sent);
		MemoryContextSwitchTo(old);
		return true;
	}
	if (any)
		bulk_write_actions();
	return false;
}

/*
 * bulk_known_name, bulk_remember_name
 *		The number of a name that this statement has met, by two hashes of the
 *		name; false if it has not, or has forgotten.
 */
bool
bulk_known_name(int32 idsite, uint64 hash1, uint64 hash2, int64 *idaction)
{
	KnownEntry *e = known_lookup(bulk->known_names, hash1 ^ mix64((uint32) idsite));

	if (e == NULL || e->hash2 != hash2)
		return false;
	*idaction = e->idaction;
	return true;
}

void
bulk_remember_name(int32 idsite, uint64 hash1, uint64 hash2, int64 idaction)
{
	KnownEntry *e;
	bool		found;

	if (bulk->known_names->members >= (uint32) pkt_bulk_memory * KNOWN_PER_KB)
		known_reset(bulk->known_names);
	e = known_insert(bulk->known_names, hash1 ^ mix64((uint32) idsite), &found);
	e->hash2 = hash2;
	e->idaction = idaction;
}

static int64
mix_name(int32 idsite, int64 idaction)
{
	return (int64) ((uint64) idaction ^ mix64((uint32) idsite));
}

/*
 * bulk_find_name
 *		Is there a name of that number in the dictionary, or on its way there,
 *		and is it the same?
 */
bool
bulk_find_name(int32 idsite, int64 idaction, int type, bool prefix,
			   const char *name, size_t len, bool *same)
{
	NameEntry  *e = names_lookup(bulk->names, mix_name(idsite, idaction));

	if (e != NULL && e->name->idsite == idsite && e->name->idaction == idaction)
	{
		*same = e->name->type == type && (e->name->prefix >= 0) == prefix &&
			e->name->len == len && memcmp(e->name->name, name, len) == 0;
		return true;
	}
	if (begun_site(idsite)->no_names &&
		!(bulk->flushed && may_have_met((HexId) mix_name(idsite, idaction))))
		return false;
	return log_find_name(bulk->log, idsite, idaction, type, prefix, name, len, same);
}

/* bulk_add_name: a name that is to be written. */
void
bulk_add_name(const NewName *name)
{
	MemoryContext old = MemoryContextSwitchTo(bulk->rows);
	NewName    *kept = palloc_object(NewName);
	NameEntry  *e;
	bool		found;

	note_met((HexId) mix_name(name->idsite, name->idaction));
	*kept = *name;
	kept->name = pnstrdup(name->name, name->len);
	e = names_insert(bulk->names, mix_name(name->idsite, name->idaction), &found);
	/* one of another site, by a chance of 2^-64: the dictionary may have it twice */
	e->name = kept;
	if (bulk->n_names == bulk->size_names)
	{
		bulk->size_names *= 2;
		bulk->new_names = repalloc_huge(bulk->new_names, bulk->size_names * sizeof(NewName *));
	}
	bulk->new_names[bulk->n_names++] = kept;
	MemoryContextSwitchTo(old);
}

/* One after the other, each batch in memory of its own. */
static void
write_names(void)
{
	HeapTuple	rows[WRITE_BATCH];
	int			n = 0;

	for (int i = 0; i < bulk->n_names; i++)
	{
		const NewName *name = bulk->new_names[i];
		Datum		values[5];
		char		nulls[6] = "     ";

		values[0] = Int64GetDatum(name->idaction);
		values[1] = Int32GetDatum(name->idsite);
		values[2] = Int16GetDatum(name->type);
		values[3] = Int16GetDatum(name->prefix);
		if (name->prefix < 0)
			nulls[3] = 'n';
		values[4] = PointerGetDatum(cstring_to_text_with_len(name->name, (int) name->len));
		rows[n++] = row_writer_form(&bulk->name_writer, values, nulls, 5);
		if (n == WRITE_BATCH || i == bulk->n_names - 1)
		{
			row_writer_insert(&bulk->name_writer, rows, n);
			MemoryContextReset(CurrentMemoryContext);
			n = 0;
		}
	}
}

static void
write_visits(void)
{
	HeapTuple	rows[WRITE_BATCH];
	int			n = 0;

	for (int i = 0; i < bulk->n_sites; i++)
	{
		if (bulk->sites[i].reach > bulk->sites[i].log_reach)
			log_publish_longest(bulk->sites[i].idsite, bulk->sites[i].reach);
	}
	for (int i = 0; i < bulk->n_visits; i++)
	{
		BulkVisit  *bv = bulk->visits[i];

		CHECK_FOR_INTERRUPTS();
		if (bv->begun != NULL)
			rows[n++] = bv->changed ? changed_row(bv, bv->begun) : bv->begun;
		else if (bv->changed)
			overwrite(bv);
		if (n == WRITE_BATCH || i == bulk->n_visits - 1)
		{
			if (n > 0)
				row_writer_insert(&bulk->visit_writer, rows, n);
			MemoryContextReset(CurrentMemoryContext);
			n = 0;
		}
	}
}

/* Write all that is to be written, and forget all that is known. */
static void
write_all(void)
{
	MemoryContext batch = AllocSetContextCreate(bulk->context, "pk_tracking bulk batch", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(batch);

	write_names();
	bulk_write_actions();
	write_visits();
	MemoryContextSwitchTo(old);
	MemoryContextDelete(batch);
	MemoryContextReset(bulk->rows);
	CommandCounterIncrement();
}

/*
 * batch_writer_flush
 *		To be called between two hits: writes everything if the memory that the
 *		statement may use is full.
 */
void
batch_writer_flush(void)
{
	if (MemoryContextMemAllocated(bulk->context, true) < (Size) pkt_bulk_memory * 1024)
		return;
	write_all();
	bulk->flushed = true;
	begin_rows();
}

/* batch_writer_end: write everything; from now on rows are written at once again. */
void
batch_writer_end(void)
{
	Bulk	   *b = bulk;

	write_all();
	bulk = NULL;
	row_writer_close(&b->visit_writer);
	row_writer_close(&b->action_writer);
	row_writer_close(&b->name_writer);
	table_close(b->tables.actions, NoLock);
	table_close(b->tables.names, NoLock);
	MemoryContextDelete(b->context);
}
