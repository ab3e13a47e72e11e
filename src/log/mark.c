/*
 * mark.c
 *		Marks of older days that were changed, for the roll-ups.
 *
 * Whoever changes rows of a day that is over leaves a mark in the same
 * transaction: the engine with the hit (mark_note), everybody else by a trigger
 * on the tables of the log (pkt_mark_changes).  Marks are only inserted, so
 * nobody waits.  Hits of today leave none.
 *
 * Roll-ups also hold the previous day of each day's visitors, so the later days
 * of a visitor are marked with a changed one; mark_rows() in mark.sql looks
 * them up.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/proc.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/hexid.h"
#include "base/plan.h"
#include "base/spi.h"
#include "log/later_visits.h"
#include "log/mark.h"
#include "log/mark_days.h"
#include "log/visit_length.h"

PG_FUNCTION_INFO_V1(pkt_mark_changes);

/* The current day of a time zone, as last asked for. */
typedef struct Today
{
	pg_tz	   *tz;
	TimestampTz begins;
	TimestampTz ends;
} Today;

#define TODAYS 8				/* time zones that are remembered */
static Today todays[TODAYS];

/* What a call of the engine has changed. */
typedef struct Mark
{
	int32		idsite;
	int64		idvisit;
	TimestampTz from;
	TimestampTz to;
	bool		has_id[2];		/* the visitors whose later days change, too */
	HexId		id[2];
} Mark;

/* Marks are of so much time: midnights are at its multiples, in any time zone. */
#define STEP (15 * USECS_PER_MINUTE)

/* How long after it a change touches a later day (rollup_visit.visitor_ages). */
#define FOLLOWED (368 * USECS_PER_DAY)

/*
 * So many are kept apart.  Of a batch that has more, all days of its sites from
 * the first changed one on count as changed.
 */
#define MARKS_MAX 32

typedef struct Marks
{
	int			n;
	bool		all_later;
	Mark		list[MARKS_MAX];
} Marks;

/*
 * Marks the later visits that have had the id: $1 site, $2 id, $3 the visit that was
 * changed, $4 to $5 when others may have begun that have rows from $6 on.
 */
static void
make_later(KeptPlan *plan, StringInfo sql)
{
	static const Oid types[] = {INT4OID, InvalidOid, INT8OID, TIMESTAMPTZOID, TIMESTAMPTZOID,
	TIMESTAMPTZOID};

	appendStringInfo(sql,
					 "INSERT INTO pk_tracking.rollup_mark (idsite, begins, ends)"
					 " SELECT $1, LEAST(w.begins, (SELECT pg_catalog.min(a.server_time)"
					 " FROM pk_tracking.log_link_visit_action a"
					 " WHERE a.idvisit OPERATOR(pg_catalog.=) w.idvisit)), w.ends"
					 " FROM (SELECT v.idvisit, v.visit_first_action_time AS begins,"
					 " GREATEST(v.visit_first_action_time, v.visit_last_action_time) AS ends"
					 " FROM pk_tracking.log_other_id o JOIN pk_tracking.log_visit v"
					 " ON v.idvisit OPERATOR(pg_catalog.=) o.idvisit"
					 " WHERE o.idsite OPERATOR(pg_catalog.=) $1 AND o.idvisitor OPERATOR(%s.=) $2"
					 " AND v.visit_first_action_time OPERATOR(pg_catalog.>=) $4"
					 " AND v.visit_first_action_time OPERATOR(pg_catalog.<) $5) w"
					 " WHERE w.idvisit OPERATOR(pg_catalog.<>) $3"
					 " AND w.ends OPERATOR(pg_catalog.>=) $6", hexid_schema());
	plan->nargs = lengthof(types);
	memcpy(plan->argtypes, types, sizeof(types));
}

static KeptPlan later_plan = {.make = make_later};

static KeptPlan other_id_plan = {
	.query = "INSERT INTO pk_tracking.log_other_id (idvisit, idvisitor, idsite)"
	" VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
	.nargs = 3,.argtypes = {INT8OID, InvalidOid, INT4OID}
};

/*
 * mark_today
 *		The beginning of the day that it is now in the time zone.  The clock is
 *		read when the transaction has its number: who has a number and finds that it
 *		is still today is among those that the builder waits for before it builds
 *		that day.
 */
TimestampTz
mark_today(pg_tz *tz)
{
	Today	   *t = &todays[((uintptr_t) tz >> 6) % TODAYS];
	TimestampTz now;
	DateADT		day;

	(void) GetTopTransactionId();
	now = GetCurrentTimestamp();
	if (likely(t->tz == tz && now >= t->begins && now < t->ends))
		return t->begins;
	day = mark_day(now, tz);
	t->tz = NULL;
	t->begins = mark_day_begin(day, tz);
	t->ends = mark_day_begin(day + 1, tz);
	t->tz = tz;
	return t->begins;
}

/* All days of the sites that the marks name, from the first one on. */
static void
join_marks(Marks *marks)
{
	int			n = 0;

	for (int i = 0; i < marks->n; i++)
	{
		int			k = 0;

		while (k < n && marks->list[k].idsite != marks->list[i].idsite)
			k++;
		if (k == n)
			marks->list[n++] = marks->list[i];
		marks->list[k].from = Min(marks->list[k].from, marks->list[i].from);
	}
	marks->n = n;
	marks->all_later = true;
}

/* The beginning of the time's step. */
static TimestampTz
step_begin(TimestampTz t)
{
	return t - (t % STEP + STEP) % STEP;
}

/* Does the list end with the same already?  Hits of one visit say the same again and again. */
static bool
same_again(const Marks *marks, const Mark *b)
{
	const Mark *a = &marks->list[marks->n - 1];

	return marks->n > 0 && a->idvisit == b->idvisit && a->from == b->from && a->to == b->to &&
		a->has_id[0] == b->has_id[0] && a->id[0] == b->id[0] && !b->has_id[1];
}

/*
 * mark_note
 *		The visit was changed, with rows of it between from and to, the first of
 *		which is before mark_today().  before: the visit as it was, NULL if it has
 *		begun; tz: the site's time zone.  The marks are written when the log is
 *		closed.
 */
void
mark_note(Log *log, const Visit *before, const Visit *visit, TimestampTz from, TimestampTz to,
		  pg_tz *tz)
{
	Marks	   *marks = log->marks;
	Mark		m;

	if (!mark_days_counted(visit->idsite, from, tz))
		return;
	m.idsite = visit->idsite;
	m.idvisit = visit->idvisit;
	m.from = step_begin(from);
	m.to = step_begin(to) + STEP - 1;
	m.has_id[0] = visit->has_idvisitor;
	m.id[0] = visit->idvisitor;
	m.has_id[1] = before != NULL && before->has_idvisitor &&
		!(visit->has_idvisitor && visit->idvisitor == before->idvisitor);
	m.id[1] = before != NULL ? before->idvisitor : 0;

	if (marks == NULL)
	{
		log->marks = marks = MemoryContextAlloc(log->context, sizeof(Marks));
		marks->n = 0;
		marks->all_later = false;
	}
	if (same_again(marks, &m))
		return;
	if (marks->n == MARKS_MAX)
	{
		if (log->batch == NULL)
			mark_write(log);
		else
			join_marks(marks);
		if (marks->n == MARKS_MAX)
			mark_write(log);
	}
	marks->list[marks->n++] = m;
	if (marks->all_later)
		join_marks(marks);
}

/*
 * Mark the days of the later visits of a visitor, for whom a year back is looked.  A
 * visit that becomes longer meanwhile than all before is marked by whoever does that.
 */
static void
mark_later(Log *log, const Mark *m, HexId id)
{
	TimestampTz longest = Max(visit_length_bound(m->idsite) * USECS_PER_SEC, USECS_PER_DAY);
	Datum		values[6];
	LaterVisit *later;
	int			n;

	if (mark_days_looked(m->idsite, m->idvisit, id, m->from))
		return;
	n = later_visits(log, m->idsite, id, m->idvisit, m->from - longest, m->from + FOLLOWED,
					 m->from, &later);

	/*
	 * rows that came late are earlier than the first action, moved ones
	 * anywhere
	 */
	later_visits_widen(later, n);
	for (int i = 0; i < n; i++)
		mark_days_write(m->idsite, step_begin(later[i].first),
						step_begin(later[i].last) + STEP - 1);
	if (n > 0)
		pfree(later);
	if (!mark_days_had_id(m->idsite, id))
		return;
	values[0] = Int32GetDatum(m->idsite);
	values[1] = HexIdGetDatum(id);
	values[2] = Int64GetDatum(m->idvisit);
	values[3] = TimestampTzGetDatum(m->from - longest);
	values[4] = TimestampTzGetDatum(m->from + FOLLOWED);
	values[5] = TimestampTzGetDatum(m->from);
	if (plan_execute(&later_plan, values, NULL, 0, true) != SPI_OK_INSERT)
		elog(ERROR, "could not mark later days");
}

/*
 * mark_write
 *		Write what mark_note() was told of.  Visits that are in memory are
 *		written by then.
 */
void
mark_write(Log *log)
{
	Marks	   *marks = log->marks;

	if (marks == NULL || marks->n == 0)
		return;
	for (int i = 0; i < marks->n; i++)
	{
		const Mark *m = &marks->list[i];

		mark_days_write(m->idsite, m->from, marks->all_later ? GetCurrentTimestamp() : m->to);
		for (int k = 0; k < 2; k++)
		{
			if (m->has_id[k] && !marks->all_later)
				mark_later(log, m, m->id[k]);
		}
	}
	marks->n = 0;
}

/*
 * mark_other_id
 *		A hit has given the visit another visitor id; earlier actions keep the
 *		one that it had.  Note that they are found in this visit.
 */
void
mark_other_id(const Visit *before, const Visit *visit)
{
	Datum		values[3];

	if (!before->has_idvisitor || (visit->has_idvisitor && visit->idvisitor == before->idvisitor))
		return;
	values[0] = Int64GetDatum(visit->idvisit);
	values[1] = HexIdGetDatum(before->idvisitor);
	values[2] = Int32GetDatum(visit->idsite);
	if (plan_execute(&other_id_plan, values, NULL, 0, true) != SPI_OK_INSERT)
		elog(ERROR, "could not note a visitor id");
}

/* A table of the log, and what is to be done when its rows are changed by hand. */
typedef struct MarkedTable
{
	const char *name;
	const char *columns;		/* site, visitor, begin and end of what a row
								 * belongs to */
	const char *join;			/* r is the row */
	const char *begins;			/* of the mark that TRUNCATE leaves;
								 * -infinity: frozen days are gone, too */
	const char *inserted;		/* further statements */
	const char *updated;
	const char *deleted;
} MarkedTable;

/*
 * An action of another visitor id than its visit's is found by log_other_id.
 * Ids are compared as numbers, which needs no operator of theirs.  What became
 * anonymous leaves no id.
 */
#define OTHER_IDS_OF_ACTIONS \
	"INSERT INTO pk_tracking.log_other_id (idvisit, idvisitor, idsite)" \
	" SELECT DISTINCT r.idvisit, r.idvisitor, r.idsite FROM new_rows r" \
	" LEFT JOIN pk_tracking.log_visit v ON v.idvisit = r.idvisit" \
	" WHERE r.idvisitor IS NOT NULL AND v.idvisit IS NOT NULL" \
	" AND (v.idvisitor IS NULL OR v.idvisitor::int8 <> r.idvisitor::int8)" \
	" ON CONFLICT DO NOTHING"
#define FORGET_OTHER_IDS_OF_ACTIONS \
	"DELETE FROM pk_tracking.log_other_id o USING old_rows r" \
	" WHERE o.idvisit = r.idvisit AND NOT EXISTS" \
	" (SELECT FROM pk_tracking.log_link_visit_action a" \
	" WHERE a.idvisit = o.idvisit AND a.idvisitor::int8 = o.idvisitor::int8)"

/* Before all rows, but finite. */
#define LONG_AGO "'4000-01-01 00:00+00 BC'"

static const MarkedTable marked_tables[] = {
	{"log_visit",
		"r.idsite, r.idvisitor::int8, r.visit_first_action_time,"
		" greatest(r.visit_first_action_time, r.visit_last_action_time)", "", "'-infinity'",
		NULL,
		"INSERT INTO pk_tracking.log_other_id (idvisit, idvisitor, idsite)"
		" SELECT o.idvisit, o.idvisitor, o.idsite"
		" FROM old_rows o JOIN new_rows n ON n.idvisit = o.idvisit"
		" WHERE o.idvisitor IS NOT NULL AND n.consent < 2"
		" AND n.idvisitor::int8 IS DISTINCT FROM o.idvisitor::int8"
		" AND EXISTS (SELECT FROM pk_tracking.log_link_visit_action a"
		" WHERE a.idvisit = o.idvisit AND a.idvisitor::int8 = o.idvisitor::int8)"
		" ON CONFLICT DO NOTHING",
		"DELETE FROM pk_tracking.log_other_id o USING old_rows r WHERE o.idvisit = r.idvisit"
	},
	{"log_link_visit_action",
		"r.idsite, r.idvisitor::int8, least(r.server_time, v.visit_first_action_time),"
		" greatest(r.server_time, v.visit_last_action_time)",
		" LEFT JOIN pk_tracking.log_visit v ON v.idvisit = r.idvisit", LONG_AGO,
		OTHER_IDS_OF_ACTIONS,
		FORGET_OTHER_IDS_OF_ACTIONS "; " OTHER_IDS_OF_ACTIONS,
		FORGET_OTHER_IDS_OF_ACTIONS
	},
	{"log_conversion",
		"r.idsite, NULL::int8, least(r.server_time, v.visit_first_action_time),"
		" greatest(r.server_time, v.visit_last_action_time)",
		" LEFT JOIN pk_tracking.log_visit v ON v.idvisit = r.idvisit", LONG_AGO,
		NULL, NULL, NULL
	},
	{"log_conversion_item",
		"r.idsite, NULL::int8, least(r.server_time, v.visit_first_action_time),"
		" greatest(r.server_time, v.visit_last_action_time)",
		" LEFT JOIN pk_tracking.log_visit v ON v.idvisit = r.idvisit", LONG_AGO,
		NULL, NULL, NULL
	},
};

/*
 * Of a statement that changed more rows than that, all days from the first one
 * on count as changed.
 */
#define ROWS_MAX 10000

/* The statement that fired the trigger may run where joins are restricted. */
static void
plan_freely(void)
{
	static const char *const names[] = {"enable_hashjoin", "enable_mergejoin", "enable_nestloop"};

	for (int i = 0; i < (int) lengthof(names); i++)
		(void) set_config_option(names[i], "on", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true,
								 0, false);
}

static void
run(const char *statement)
{
	int			rc = SPI_execute(statement, false, 0);

	if (rc < 0)
		elog(ERROR, "could not mark changed days: %s", SPI_result_code_string(rc));
}

/*
 * The rows that the statement has changed, as MarkedTable.columns has them.  Rows of
 * frozen days are deleted because of their age, and the roll-ups stay: nothing is
 * marked, nor are the visitors' later days, whose previous day stays.
 */
static char *
changed_rows(const MarkedTable *table, bool old, bool new)
{
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT r.idsite, r.idvisitor, r.begins, r.ends FROM (");
	if (old)
		appendStringInfo(&sql, "SELECT %s FROM old_rows r%s", table->columns, table->join);
	if (old && new)
		appendStringInfoString(&sql, " UNION ALL ");
	if (new)
		appendStringInfo(&sql, "SELECT %s FROM new_rows r%s", table->columns, table->join);
	appendStringInfoString(&sql,
						   ") r (idsite, idvisitor, begins, ends)"
						   " LEFT JOIN pk_tracking.rollup_site s ON s.idsite = r.idsite"
						   " AND r.ends < s.frozen_before::timestamp AT TIME ZONE s.timezone"
						   " WHERE s.idsite IS NULL");
	return sql.data;
}

/* The trigger's own statements; SPI is connected and knows the transition tables. */
static void
mark_statement(const MarkedTable *table, TriggerEvent event)
{
	bool		old = !TRIGGER_FIRED_BY_INSERT(event);
	bool		new = !TRIGGER_FIRED_BY_DELETE(event);
	const char *further = !old ? table->inserted : new ? table->updated : table->deleted;
	char	   *rows;

	if (TRIGGER_FIRED_BY_TRUNCATE(event))
	{
		run(psprintf("INSERT INTO pk_tracking.rollup_mark VALUES (NULL, %s, 'infinity')",
					 table->begins));
		if (table->deleted != NULL)
			run("DELETE FROM pk_tracking.log_other_id");
		return;
	}
	if (further != NULL)
		run(further);
	rows = changed_rows(table, old, new);
	run(psprintf("SELECT FROM (%s) r LIMIT %d", rows, ROWS_MAX + 1));
	if (SPI_processed > ROWS_MAX)
		run(psprintf("INSERT INTO pk_tracking.rollup_mark (idsite, begins, ends)"
					 " SELECT r.idsite, min(r.begins), greatest(max(r.ends), clock_timestamp())"
					 " FROM (%s) r GROUP BY r.idsite", rows));
	else
		run(psprintf("SELECT pk_tracking_internal.mark_rows(array_agg(r.idsite),"
					 " array_agg(r.idvisitor), array_agg(r.begins), array_agg(r.ends))"
					 " FROM (%s) r HAVING count(*) > 0", rows));
}

/*
 * pkt_mark_changes
 *		SQL: trigger after each statement on a table of the log, with transition
 *		tables old_rows and new_rows.  Statements of the engine are passed over: it
 *		marks by itself.  Runs with the rights of the table's owner, as the triggers
 *		of foreign keys do, because who may change the log need not have rights on
 *		the marks.
 */
Datum
pkt_mark_changes(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	const MarkedTable *table = NULL;
	Oid			user;
	int			security;
	int			level;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_FOR_STATEMENT(trigger->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("pk_tracking_internal.mark_changes() must be called as a trigger")));
	if (plan_is_running())
		return PointerGetDatum(NULL);

	for (int i = 0; i < (int) lengthof(marked_tables); i++)
	{
		if (strcmp(marked_tables[i].name, RelationGetRelationName(trigger->tg_relation)) == 0)
			table = &marked_tables[i];
	}
	if (table == NULL)
		elog(ERROR, "\"%s\" is not a table of the log",
			 RelationGetRelationName(trigger->tg_relation));

	/*
	 * not the engine's view of the log: rows may be loaded while indexes are
	 * missing
	 */
	GetUserIdAndSecContext(&user, &security);
	SetUserIdAndSecContext(trigger->tg_relation->rd_rel->relowner,
						   security | SECURITY_LOCAL_USERID_CHANGE | SECURITY_NOFORCE_RLS);
	level = pin_search_path();
	plan_freely();
	spi_connect();
	if (SPI_register_trigger_data(trigger) < 0)
		elog(ERROR, "could not read the changed rows");
	mark_statement(table, trigger->tg_event);
	spi_finish();
	AtEOXact_GUC(true, level);
	SetUserIdAndSecContext(user, security);
	return PointerGetDatum(NULL);
}
