/*
 * relations.c
 *		The relations of the log: where they are and how they may be written.
 *
 * They are looked up once, and again after any change to them: tables by their
 * names, indexes by their keys.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "nodes/nodeFuncs.h"
#include "storage/lmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "base/compat.h"
#include "base/errors.h"
#include "base/hexid.h"
#include "base/plan.h"
#include "log/columns.h"
#include "log/relations.h"
#include "log/visit_length.h"

#define LOG_VERSION 2

/*
 * How often the log is looked up again in a row because it has changed
 * meanwhile.  With debug_discard_caches it would never end.
 */
#define CHANGES_MAX 16

LogRelations log_relations;

const IndexKeys log_indexes[N_LOG_INDEXES] = {
	[INDEX_VISIT_BY_NUMBER] = {"log_visit", 1, {"idvisit"}},
	[INDEX_VISIT_BY_VISITOR_ID] = {
		"log_visit", 3, {"idsite", "idvisitor", "visit_first_action_time"}
	},
	[INDEX_VISIT_BY_CONFIG] = {
		"log_visit", 3, {"idsite", "config_id", "visit_first_action_time"}
	},
	[INDEX_NAME] = {"log_action", 2, {"idsite", "idaction"}},
};

static bool log_version_checked = false;

/* How many invalidations of the log relation_changed() has received. */
static uint64 log_changes = 0;

static KeptPlan version_plan = {
	.query = "SELECT pg_catalog.max(l.version) FROM pk_tracking.log_version l",
	.nargs = 0
};

/* Invalidation: if a relation of the log has changed, look the log up again. */
static void
relation_changed(Datum arg pg_attribute_unused(), Oid relid)
{
	const LogRelations *r = &log_relations;

	if (relid == InvalidOid || relid == r->log_visit ||
		relid == r->log_action || relid == r->log_link_visit_action ||
		relid == r->conversions[0] || relid == r->conversions[1] ||
		relid == r->beside[0] || relid == r->beside[1] || relid == r->beside[2] ||
		relid == r->beside[3])
	{
		log_relations.valid = false;
		log_version_checked = false;
		log_changes++;
	}
	if (relid == InvalidOid || relid == r->log_visit_length)
	{
		log_relations.valid = false;
		log_changes++;
		visit_length_forget();
	}
}

/* relations_init: called once when the library loads. */
void
relations_init(void)
{
	CacheRegisterRelcacheCallback(relation_changed, (Datum) 0);
}

static Oid
find_relation(Oid namespace, const char *name)
{
	Oid			relid = get_relname_relid(name, namespace);

	if (!OidIsValid(relid))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation \"pk_tracking.%s\" does not exist", name),
				 errhint("Restore this part of the tracking log from a backup.")));
	return relid;
}

/* The index of the table that serves; InvalidOid if there is none. */
static Oid
find_index(Oid relid, LogIndex which)
{
	Relation	rel = table_open(relid, AccessShareLock);
	Relation	index = index_by_keys(rel, &log_indexes[which], AccessShareLock);
	Oid			result = InvalidOid;

	if (index != NULL)
	{
		result = RelationGetRelid(index);
		index_close(index, AccessShareLock);
	}
	table_close(rel, AccessShareLock);
	return result;
}

/* Likewise, but an error if there is none. */
static Oid
need_index(Oid relid, LogIndex which)
{
	Oid			result = find_index(relid, which);

	if (!OidIsValid(result))
		raise_missing_index(&log_indexes[which]);
	return result;
}

/*
 * Could this function do something that depends on search_path?  A function
 * in C does not, nor one that pins its own.
 */
static bool
depends_on_search_path(Oid funcid, void *context pg_attribute_unused())
{
	HeapTuple	tuple;
	Oid			language;
	bool		isnull;
	Datum		config;
	bool		pinned = false;

	if (funcid < FirstNormalObjectId)
		return false;
	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(funcid));
	if (!HeapTupleIsValid(tuple))
		return true;
	language = ((Form_pg_proc) GETSTRUCT(tuple))->prolang;
	config = SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_proconfig, &isnull);
	if (!isnull)
	{
		Datum	   *items;
		int			n;

		deconstruct_array(DatumGetArrayTypeP(config), TEXTOID, -1, false, TYPALIGN_INT,
						  &items, NULL, &n);
		for (int i = 0; i < n; i++)
			pinned |= strncmp(TextDatumGetCString(items[i]), "search_path=", 12) == 0;
	}
	ReleaseSysCache(tuple);
	return !pinned && language != ClanguageId && language != INTERNALlanguageId;
}

static bool
depends_walker(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (check_functions_in_node(node, depends_on_search_path, context))
		return true;
	return expression_tree_walker(node, depends_walker, context);
}

/*
 * relation_has_user_code
 *		Does writing to the table run a user's code whose effect depends on the
 *		caller's search_path?  Triggers, rules, CHECKs,
 *		defaults, generated columns, domains, index expressions.
 */
bool
relation_has_user_code(Oid relid)
{
	Relation	rel = table_open(relid, AccessShareLock);
	TupleDesc	desc = CreateTupleDescCopyConstr(RelationGetDescr(rel));
	bool		result = rel->rd_rules != NULL;
	List	   *functions = NIL;
	List	   *indexes;
	ListCell   *lc;

	/* looking functions up may rebuild what hangs on rel: collect them first */
	for (int i = 0; rel->trigdesc != NULL && i < rel->trigdesc->numtriggers; i++)
	{
		Trigger    *t = &rel->trigdesc->triggers[i];

		if (TRIGGER_FOR_INSERT(t->tgtype) || TRIGGER_FOR_UPDATE(t->tgtype))
		{
			result |= t->tgqual != NULL;
			functions = lappend_oid(functions, t->tgfoid);
		}
	}
	foreach(lc, functions)
		result |= depends_on_search_path(lfirst_oid(lc), NULL);
	if (desc->constr != NULL)
	{
		for (int i = 0; i < desc->constr->num_check; i++)
			result |= depends_walker(stringToNode(desc->constr->check[i].ccbin), NULL);
		for (int i = 0; i < desc->constr->num_defval; i++)
			result |= depends_walker(stringToNode(desc->constr->defval[i].adbin), NULL);
	}
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (!att->attisdropped && att->atttypid >= FirstNormalObjectId)
			result |= get_typtype(att->atttypid) == TYPTYPE_DOMAIN;
	}
	indexes = RelationGetIndexList(rel);
	foreach(lc, indexes)
	{
		Relation	index = index_open(lfirst_oid(lc), AccessShareLock);

		result |= depends_walker((Node *) RelationGetIndexExpressions(index), NULL) ||
			depends_walker((Node *) RelationGetIndexPredicate(index), NULL);
		index_close(index, AccessShareLock);
	}
	list_free(indexes);
	table_close(rel, AccessShareLock);
	return result;
}

/* The attribute numbers of a table's columns; 0 for one that is missing. */
static void
read_attributes(AttrNumber *att, const ColumnTable *columns, Oid relid)
{
	for (int i = 0; i < columns->n; i++)
		att[i] = get_attnum(relid, columns->columns[i].name);
}

/*
 * relation_has_triggers
 *		Has the table rules, or triggers of users for what hits do, which is to
 *		insert and update?
 */
bool
relation_has_triggers(Oid relid)
{
	Relation	rel = table_open(relid, AccessShareLock);
	bool		result = rel->rd_rules != NULL;
	List	   *functions = NIL;
	ListCell   *lc;

	for (int i = 0; rel->trigdesc != NULL && i < rel->trigdesc->numtriggers; i++)
	{
		Trigger    *t = &rel->trigdesc->triggers[i];

		if (!t->tgisinternal && (TRIGGER_FOR_INSERT(t->tgtype) || TRIGGER_FOR_UPDATE(t->tgtype)))
			functions = lappend_oid(functions, t->tgfoid);
	}
	foreach(lc, functions)
		result |= !row_writer_marks(lfirst_oid(lc));
	table_close(rel, AccessShareLock);
	return result;
}

/* Can the log be written without a statement for each row? */
static void
read_shapes(LogRelations *r)
{
	r->plain = r->may_keep = false;
	if (r->has_user_code || !OidIsValid(r->names_index))
		return;
	row_shape_read(&r->visit_shape, &visit_columns, r->log_visit, r->owner);
	row_shape_read(&r->action_shape, &action_columns, r->log_link_visit_action, r->owner);
	row_shape_read(&r->name_shape, &name_columns, r->log_action, r->owner);
	r->plain = r->visit_shape.statements == NULL && r->action_shape.statements == NULL &&
		r->name_shape.statements == NULL;

	/* a user's trigger on conversions may want to see the visits */
	for (int i = 0; i < (int) lengthof(r->conversions); i++)
		r->plain &= !relation_has_triggers(r->conversions[i]) &&
			!relation_has_user_code(r->conversions[i]);
	r->may_keep = r->plain;
	for (int i = 0; i < (int) lengthof(r->beside); i++)
		r->may_keep &= !OidIsValid(r->beside[i]) || !relation_has_triggers(r->beside[i]);
}

/*
 * Errors if one of the table's first n columns, which are read here without the
 * executor, is not there or has another type.
 */
static void
check_columns(const ColumnTable *columns, int n, Oid relid)
{
	for (int i = 0; i < n; i++)
	{
		const Column *c = &columns->columns[i];
		AttrNumber	att = get_attnum(relid, c->name);

		if (att == InvalidAttrNumber)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("column \"%s\" of relation \"pk_tracking.%s\" does not exist",
							c->name, columns->relation)));
		if (!column_reads_as(c, get_atttype(relid, att)))
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("column \"%s\" must be of type %s", c->name,
							format_type_be(OidIsValid(column_type(c)) ? column_type(c) :
										   hexid_type_oid()))));
	}
}

/* The columns of log_visit that a Visit is read from. */
static void
read_visit_columns(LogRelations *r)
{
	const AttrNumber *att = r->visit_shape.att;

	r->last_att = 0;
	for (int i = 0; i < visit_columns.n_read; i++)
		r->last_att = Max(r->last_att, att[i]);
	r->att_idvisit = att[column_find(&visit_columns, "idvisit")];
	r->att_first = att[column_find(&visit_columns, "visit_first_action_time")];
	r->att_last = att[column_find(&visit_columns, "visit_last_action_time")];
	r->att_user_id = att[column_find(&visit_columns, "user_id")];
	r->att_profilable = att[column_find(&visit_columns, "profilable")];
}

/* One attempt of relations_find(). */
static void
read_relations(LogRelations *r)
{
	Oid			namespace = get_namespace_oid("pk_tracking", false);
	HeapTuple	tuple;
	Form_pg_class form;

	if (!OidIsValid(get_relname_relid("log_visit", namespace)))
		raise_missing_log();

	r->log_visit = find_relation(namespace, "log_visit");
	r->log_visit_length = find_relation(namespace, "log_visit_length");
	r->seq_visit = find_relation(namespace, "log_visit_idvisit_seq");
	r->seq_action = find_relation(namespace, "log_link_visit_action_idlink_va_seq");

	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(r->log_visit));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", r->log_visit);
	form = (Form_pg_class) GETSTRUCT(tuple);
	r->owner = form->relowner;
	if (form->relkind != RELKIND_RELATION)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"pk_tracking.log_visit\" is not an ordinary table")));
	ReleaseSysCache(tuple);

	r->by_number = need_index(r->log_visit, INDEX_VISIT_BY_NUMBER);
	r->by_visitor_id = need_index(r->log_visit, INDEX_VISIT_BY_VISITOR_ID);
	r->by_config = need_index(r->log_visit, INDEX_VISIT_BY_CONFIG);
	r->log_action = find_relation(namespace, "log_action");
	r->log_link_visit_action = find_relation(namespace, "log_link_visit_action");
	r->conversions[0] = find_relation(namespace, "log_conversion");
	r->conversions[1] = find_relation(namespace, "log_conversion_item");
	r->beside[0] = get_relname_relid("log_excluded", namespace);
	r->beside[1] = get_relname_relid("ingest_run", namespace);
	r->beside[2] = get_relname_relid("rejected_hit", namespace);
	r->beside[3] = get_relname_relid("log_new_names", namespace);
	r->names_index = find_index(r->log_action, INDEX_NAME);
	r->has_user_code = relation_has_user_code(r->log_visit) ||
		relation_has_user_code(r->log_link_visit_action) ||
		relation_has_user_code(r->log_action);
	check_columns(&visit_columns, visit_columns.n_read, r->log_visit);
	check_columns(&name_columns, name_columns.n, r->log_action);
	read_attributes(r->visit_shape.att, &visit_columns, r->log_visit);
	read_shapes(r);
	read_visit_columns(r);
	r->att_type = get_attnum(r->log_action, "type");
	r->att_name = get_attnum(r->log_action, "name");
	r->att_prefix = get_attnum(r->log_action, "url_prefix");
	r->hexid_eq = InvalidOid;
}

/*
 * relations_find
 *		Fill log_relations.  Error undefined_table if there is no log.  Looking
 *		relations up takes locks, which processes invalidations: what was read
 *		before may be outdated then.
 */
void
relations_find(void)
{
	uint64		started;
	int			attempts = 0;

	do
	{
		started = log_changes;
		read_relations(&log_relations);
	} while (started != log_changes && ++attempts < CHANGES_MAX);
	log_relations.valid = true;
}

/* Does the log have the version that this library writes?  Checked once per backend. */
static void
check_version(void)
{
	bool		isnull = true;
	int32		version = 0;

	if (plan_execute(&version_plan, NULL, NULL, 1, true) == SPI_OK_SELECT && SPI_processed == 1)
		version = DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1,
											  &isnull));
	if (isnull || version != LOG_VERSION)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("tracking log has version %d, but this library supports version %d",
						isnull ? 0 : version, LOG_VERSION),
				 errhint("Run ALTER EXTENSION pk_tracking UPDATE,"
						 " then SELECT pk_tracking.upgrade_log().")));
	log_version_checked = true;
}

/*
 * relations_need_version
 *		Error object_not_in_prerequisite_state if the log has another version than
 *		this library writes.  Callers are connected to SPI.
 */
void
relations_need_version(void)
{
	if (!log_version_checked)
		check_version();
}

/*
 * relations_open
 *		Open and lock log_visit, and lock the tables of actions and names if the
 *		log is to be written.
 */
void
relations_open(Log *log, LOCKMODE mode)
{
	/*
	 * what was looked up counts only once the table is locked: an index may
	 * have been dropped
	 */
	for (int attempts = 1;; attempts++)
	{
		if (!log_relations.valid)
			relations_find();
		log->visits = try_table_open(log_relations.log_visit, mode);
		if (log->visits != NULL && mode == RowExclusiveLock)
		{
			LockRelationOid(log_relations.log_link_visit_action, mode);
			LockRelationOid(log_relations.log_action, mode);
		}
		if (log->visits != NULL && (log_relations.valid || attempts == CHANGES_MAX))
			break;
		if (log->visits != NULL)
			table_close(log->visits, NoLock);
		else
			log_relations.valid = false;
	}
	relations_need_version();
}
