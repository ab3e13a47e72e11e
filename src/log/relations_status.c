/*
 * relations_status.c
 *		What status() tells of the relations of the log: indexes that are missing,
 *		and tables that are written more slowly than they could be.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/sysattr.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "fmgr.h"
#include "funcapi.h"
#include "optimizer/optimizer.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "base/compat.h"
#include "identity/session_link.h"
#include "log/columns.h"
#include "log/relations.h"

PG_FUNCTION_INFO_V1(pkt_lookup_indexes);
PG_FUNCTION_INFO_V1(pkt_slow_tables);
PG_FUNCTION_INFO_V1(pkt_indexed_changes);

static Oid
relation_oid(const char *name)
{
	return get_relname_relid(name, get_namespace_oid("pk_tracking", false));
}

/* A row of pkt_lookup_indexes(); none if there is no such table. */
static void
put_index(ReturnSetInfo *rsinfo, const IndexKeys *keys)
{
	Oid			relid = relation_oid(keys->relation);
	Datum		values[3];
	bool		nulls[3] = {false, false, true};
	Relation	rel;
	Relation	index;

	if (!OidIsValid(relid))
		return;
	rel = table_open(relid, AccessShareLock);
	index = index_by_keys(rel, keys, AccessShareLock);
	values[0] = ObjectIdGetDatum(relid);
	values[1] = CStringGetTextDatum(index_key_list(keys));
	if (index != NULL)
	{
		values[2] = ObjectIdGetDatum(RelationGetRelid(index));
		nulls[2] = false;
		index_close(index, NoLock);
	}
	table_close(rel, NoLock);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/*
 * pkt_lookup_indexes
 *		SQL: what hits read by an index: table, columns, the index that serves
 *		(NULL: none).
 */
Datum
pkt_lookup_indexes(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < N_LOG_INDEXES; i++)
		put_index(rsinfo, &log_indexes[i]);
	for (int i = 0; i < SESSION_LINK_TABLES; i++)
		put_index(rsinfo, &session_link_indexes[i]);
	return (Datum) 0;
}

/*
 * Why the rows of the table are written by a statement each; NULL if they are
 * not.  columns: of a table whose columns are written here, else NULL.
 */
static const char *
why_slow(Oid relid, const ColumnTable *columns, Oid owner)
{
	RowShape	shape;

	if (relation_has_user_code(relid))
		return "code on it depends on search_path";
	if (columns == NULL)
		return relation_has_triggers(relid) ? "it has triggers or rules" : NULL;
	row_shape_read(&shape, columns, relid, owner);
	return shape.statements;
}

/*
 * pkt_slow_tables
 *		SQL: the tables of the log for which all hits are written by a statement
 *		for each row, and why.
 */
Datum
pkt_slow_tables(PG_FUNCTION_ARGS)
{
	static const struct
	{
		const char *name;
		const ColumnTable *columns;
	}			tables[] = {
		{"log_visit", &visit_columns}, {"log_link_visit_action", &action_columns},
		{"log_action", &name_columns}, {"log_conversion", NULL}, {"log_conversion_item", NULL}
	};
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Oid			log_visit = relation_oid("log_visit");
	Oid			owner = InvalidOid;
	HeapTuple	tuple;

	InitMaterializedSRF(fcinfo, 0);
	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(log_visit));
	if (!HeapTupleIsValid(tuple))
		return (Datum) 0;
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);

	for (int i = 0; i < (int) lengthof(tables); i++)
	{
		Oid			relid = relation_oid(tables[i].name);
		const char *why = OidIsValid(relid) ? why_slow(relid, tables[i].columns, owner) : NULL;
		Datum		values[2];
		bool		nulls[2] = {false, false};

		if (why == NULL)
			continue;
		values[0] = ObjectIdGetDatum(relid);
		values[1] = CStringGetTextDatum(why);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}

/* What most hits give another value; columns.c tells which columns are written. */
static const char *const changing_columns[] = {
	"visit_last_action_time", "last_idlink_va", "visit_exit_idaction_url",
	"visit_exit_idaction_name", "visit_total_time", "visit_total_actions",
	"visit_total_interactions"
};

/* The columns that the index needs, as their numbers and FirstLowInvalidHeapAttributeNumber. */
static Bitmapset *
index_columns(Relation index)
{
	Bitmapset  *columns = NULL;

	for (int i = 0; i < index->rd_index->indnatts; i++)
	{
		if (index->rd_index->indkey.values[i] != 0)
			columns = bms_add_member(columns, index->rd_index->indkey.values[i] -
									 FirstLowInvalidHeapAttributeNumber);
	}
	pull_varattnos((Node *) RelationGetIndexExpressions(index), 1, &columns);
	pull_varattnos((Node *) RelationGetIndexPredicate(index), 1, &columns);
	return columns;
}

/*
 * pkt_indexed_changes
 *		SQL: the indexes of log_visit on columns that hits change, and which
 *		columns these are.
 */
Datum
pkt_indexed_changes(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Oid			log_visit = relation_oid("log_visit");
	Relation	rel;
	List	   *indexes;
	ListCell   *lc;

	InitMaterializedSRF(fcinfo, 0);
	if (!OidIsValid(log_visit))
		return (Datum) 0;
	rel = table_open(log_visit, AccessShareLock);
	indexes = RelationGetIndexList(rel);
	foreach(lc, indexes)
	{
		Relation	index = index_open(lfirst_oid(lc), AccessShareLock);
		Bitmapset  *needed = index_columns(index);
		StringInfoData changed;
		Datum		values[2];
		bool		nulls[2] = {false, false};

		initStringInfo(&changed);
		for (int i = 0; i < (int) lengthof(changing_columns); i++)
		{
			AttrNumber	att = get_attnum(log_visit, changing_columns[i]);

			if (att != InvalidAttrNumber &&
				bms_is_member(att - FirstLowInvalidHeapAttributeNumber, needed))
				appendStringInfo(&changed, "%s%s", changed.len > 0 ? ", " : "",
								 changing_columns[i]);
		}
		values[0] = ObjectIdGetDatum(RelationGetRelid(index));
		if (changed.len > 0 && !pkt_summarises(index))
		{
			values[1] = CStringGetTextDatum(changed.data);
			tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
		}
		index_close(index, AccessShareLock);
	}
	table_close(rel, AccessShareLock);
	return (Datum) 0;
}
