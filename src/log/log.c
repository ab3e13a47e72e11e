/*
 * log.c
 *		Reads visits from the log and writes what has changed.
 *
 * The look-up is a direct index scan, because it must stop where no visit can
 * reach the window any more (design section 5), which SQL cannot say.  All
 * writing goes through SPI, so that constraints, triggers and partition
 * routing are the executor's.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/nbtree.h"
#include "access/relation.h"
#include "access/sysattr.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/sequence.h"
#include "commands/trigger.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "storage/lmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/catcache.h"
#include "utils/date.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "base/compat.h"
#include "base/errors.h"
#include "log/log.h"
#include "log/names.h"
#include "log/row_writer.h"
#include "log/writer_batch.h"

#define LOG_VERSION 1

/*
 * So many times in a row the log is looked up again because of a change.  Where
 * caches are discarded all the time (debug_discard_caches) it never ends.
 */
#define CHANGES_MAX 16

/* Steps of the published upper bound of visit lengths: doubled from an hour. */
#define LENGTH_STEP SECS_PER_HOUR

/* The columns of log_visit that Visit holds, and where they stand in the table. */
typedef enum VisitColumn
{
	COL_IDVISIT,
	COL_CONSENT,
	COL_IDVISITOR,
	COL_CONFIG_ID,
	COL_USER_ID,
	COL_FIRST,
	COL_LAST,
	COL_LAST_IDLINK_VA,
	COL_ENTRY_URL,
	COL_ENTRY_NAME,
	COL_EXIT_URL,
	COL_EXIT_NAME,
	COL_TOTAL_TIME,
	COL_TOTAL_ACTIONS,
	COL_TOTAL_INTERACTIONS,
	COL_COUNT_VISITS,
	COL_SINCE_FIRST,
	COL_SINCE_LAST,
	COL_SINCE_ORDER,
	COL_RETURNING,
	COL_PROFILABLE,
	COL_GOAL_BUYER,
	COL_REFERER_TYPE,
	COL_REFERER_NAME,
	COL_REFERER_KEYWORD,
	COL_REFERER_URL,
	COL_TOTAL_SEARCHES,
	COL_TOTAL_EVENTS,
	COL_GOAL_CONVERTED,
	COL_RESOLUTION,
	COL_CUSTOM_DIMENSIONS,
	COL_CUSTOM_VARIABLES,
	COL_COUNTRY,
	COL_REGION,
	COL_CITY,
	COL_LATITUDE,
	COL_LONGITUDE,
	N_COLUMNS
} VisitColumn;

static const char *const column_names[N_COLUMNS] = {
	"idvisit", "consent", "idvisitor", "config_id", "user_id",
	"visit_first_action_time", "visit_last_action_time", "last_idlink_va",
	"visit_entry_idaction_url", "visit_entry_idaction_name",
	"visit_exit_idaction_url", "visit_exit_idaction_name",
	"visit_total_time", "visit_total_actions", "visit_total_interactions",
	"visitor_count_visits", "visitor_seconds_since_first",
	"visitor_seconds_since_last", "visitor_seconds_since_order",
	"visitor_returning", "profilable", "visit_goal_buyer",
	"referer_type", "referer_name", "referer_keyword", "referer_url",
	"visit_total_searches", "visit_total_events", "visit_goal_converted",
	"config_resolution", "custom_dimensions", "custom_variables",
	"location_country", "location_region", "location_city",
	"location_latitude", "location_longitude"
};

/* Where the log is.  Looked up by name once, again after any change to it. */
static struct
{
	bool		valid;
	Oid			log_visit;
	Oid			log_action;
	Oid			log_link_visit_action;
	Oid			log_visit_length;
	Oid			by_visitor_id;
	Oid			by_config;
	Oid			seq_visit;
	Oid			seq_action;
	Oid			owner;
	RegProcedure hexid_eq;
	bool		has_user_code;	/* writing runs code that search_path could lead astray */
	AttrNumber	att[N_COLUMNS];
	AttrNumber	last_att;		/* the largest of them */
	Oid			names_index;	/* of the dictionary; invalid: none of the name */
	bool		plain;			/* may be written without the executor */
	Oid			conversions[2]; /* log_conversion, log_conversion_item: plain depends on them */
	RowShape	visit_shape;
	RowShape	action_shape;
	RowShape	name_shape;
	AttrNumber	name_att[3];	/* type, name, url_prefix of the dictionary */
}			log_info;

static bool log_version_checked = false;

/* The store that is open for writing, if its tables may be written row by row. */
typedef struct OpenLog
{
	Relation	visits;
	Relation	actions;		/* opened when needed */
	MemoryContext context;
	MemoryContextCallback forget;	/* an error closes no store */
	bool		visits_open;
	RowWriter	visit_writer;
	RowWriter	action_writer;
	struct OpenLog *outer;	/* of a call that this one is nested in */
} OpenLog;

static OpenLog *open_log = NULL;

/* How often relation_changed() has spoken of the log. */
static uint64 log_changes = 0;

/*
 * The longest visit of each site, as published.  Emptied when the table of
 * lengths changes; reading it again under a fresh snapshot is
 * log_longest_is_news().
 */
typedef struct LongestEntry
{
	int32		idsite;
	int64		seconds;
} LongestEntry;

#define LONGEST_SLOTS 1024		/* direct-mapped: memory is bounded */
static LongestEntry longest_cache[LONGEST_SLOTS];

static KeptPlan longest_plan = {
	.query = "SELECT pg_catalog.max(l.seconds) FROM pk_tracking.log_visit_length l"
	" WHERE l.idsite OPERATOR(pg_catalog.=) $1",
	.nargs = 1, .argtypes = {INT4OID}
};

static KeptPlan raise_plan = {
	.query = "INSERT INTO pk_tracking.log_visit_length (idsite, seconds) VALUES ($1, $2)",
	.nargs = 2, .argtypes = {INT4OID, INT8OID}
};

static KeptPlan joined_plan = {
	.query = "SELECT 1 FROM pk_tracking.log_link_visit_action l"
	" WHERE l.idvisit OPERATOR(pg_catalog.=) $1 AND l.matched_by OPERATOR(pg_catalog.=) $2"
	" UNION ALL SELECT 1 FROM pk_tracking.log_conversion c"
	" WHERE c.idvisit OPERATOR(pg_catalog.=) $1 AND c.matched_by OPERATOR(pg_catalog.=) $2 LIMIT 1",
	.nargs = 2, .argtypes = {INT8OID, INT2OID}
};

static KeptPlan version_plan = {
	.query = "SELECT pg_catalog.max(l.version) FROM pk_tracking.log_version l",
	.nargs = 0
};

static KeptPlan insert_visit_plan = {
	.query = "INSERT INTO pk_tracking.log_visit"
	" (idvisit, idsite, consent, idvisitor, config_id, user_id,"
	" visit_first_action_time, visit_last_action_time, last_idlink_va,"
	" visit_entry_idaction_url, visit_entry_idaction_name,"
	" visit_exit_idaction_url, visit_exit_idaction_name,"
	" visit_total_time, visit_total_actions, visit_total_interactions,"
	" visitor_count_visits, visitor_seconds_since_first,"
	" visitor_seconds_since_last, visitor_seconds_since_order,"
	" visitor_returning, profilable, location_ip, location_browser_lang,"
	" config_resolution, visitor_localtime,"
	" config_flash, config_java, config_quicktime, config_realplayer,"
	" config_pdf, config_windowsmedia, config_silverlight, config_cookie,"
	" referer_type, referer_name, referer_keyword, referer_url,"
	" location_continent, location_country, location_region, location_city,"
	" location_latitude, location_longitude, location_asn, location_organisation,"
	" config_os, config_os_version, config_browser_name, config_browser_version,"
	" config_browser_engine, config_client_type, config_device_type,"
	" config_device_brand, config_device_model,"
	" visit_total_searches, visit_total_events, visit_goal_buyer, visit_goal_converted,"
	" custom_dimensions, custom_variables)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15,"
	" $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30,"
	" $31, $32, $33, $34, $35, $36, $37, $38, $39, $40, $41, $42, $43, $44, $45,"
	" $46, $47, $48, $49, $50, $51, $52, $53, $54, $55, $56, $57, $58, $59, $60, $61)",
	.nargs = 61, .argtypes = {INT8OID, INT4OID, INT2OID, InvalidOid, InvalidOid, TEXTOID,
		TIMESTAMPTZOID, TIMESTAMPTZOID, INT8OID,
		INT8OID, INT8OID, INT8OID, INT8OID,
		INT4OID, INT4OID, INT4OID,
		INT4OID, INT4OID, INT4OID, INT4OID,
		INT2OID, INT2OID, INETOID, TEXTOID,
		TEXTOID, TIMEOID,
		INT2OID, INT2OID, INT2OID, INT2OID, INT2OID, INT2OID, INT2OID, INT2OID,
		INT2OID, TEXTOID, TEXTOID, TEXTOID,
		TEXTOID, TEXTOID, TEXTOID, TEXTOID,
		NUMERICOID, NUMERICOID, INT8OID, TEXTOID,
		TEXTOID, TEXTOID, TEXTOID, TEXTOID,
		TEXTOID, INT2OID, INT2OID,
		TEXTOID, TEXTOID,
		INT4OID, INT4OID, INT2OID, INT2OID,
		JSONBOID, JSONBOID}
};

#define INSERT_PARAM_CONTINENT 38	/* from 0 */

/*
 * The version that was decided upon is named by where it stands and who wrote
 * it: no row is changed that somebody else has changed in between.
 */
#define UPDATE_VISIT_SET \
	"UPDATE pk_tracking.log_visit SET" \
	" idvisitor = $4, user_id = $5, visit_last_action_time = $6," \
	" last_idlink_va = $7, visit_entry_idaction_url = $8," \
	" visit_entry_idaction_name = $9, visit_exit_idaction_url = $10," \
	" visit_exit_idaction_name = $11, visit_total_time = $12," \
	" visit_total_actions = $13, visit_total_interactions = $14, profilable = $15"
#define UPDATE_VISIT_WHERE \
	" WHERE ctid OPERATOR(pg_catalog.=) $1 AND idvisit OPERATOR(pg_catalog.=) $2" \
	" AND xmin OPERATOR(pg_catalog.=) $3"
#define UPDATE_VISIT_TYPES \
	TIDOID, INT8OID, XIDOID, InvalidOid, TEXTOID, TIMESTAMPTZOID, \
	INT8OID, INT8OID, INT8OID, INT8OID, INT8OID, INT4OID, \
	INT4OID, INT4OID, INT2OID

static KeptPlan update_visit_plan = {
	.query = UPDATE_VISIT_SET UPDATE_VISIT_WHERE,
	.nargs = 15, .argtypes = {UPDATE_VISIT_TYPES}
};

/* The same with what hits seldom change. */
static KeptPlan update_seldom_plan = {
	.query = UPDATE_VISIT_SET
	", referer_type = $16, referer_name = $17, referer_keyword = $18, referer_url = $19,"
	" visit_total_searches = $20, visit_total_events = $21, visit_goal_buyer = $22,"
	" visit_goal_converted = $23, visitor_seconds_since_order = $24,"
	" config_resolution = $25, custom_dimensions = $26, custom_variables = $27,"
	/* that of another country is not known */
	" location_continent = CASE WHEN location_country OPERATOR(pg_catalog.<>) $28"
	" THEN NULL ELSE location_continent END,"
	" location_country = $28, location_region = $29, location_city = $30,"
	" location_latitude = $31, location_longitude = $32,"
	" consent = $33, config_id = $34, visitor_returning = $35, visitor_count_visits = $36,"
	" visitor_seconds_since_first = $37, visitor_seconds_since_last = $38"
	UPDATE_VISIT_WHERE,
	.nargs = 38, .argtypes = {UPDATE_VISIT_TYPES, INT2OID, TEXTOID, TEXTOID, TEXTOID,
		INT4OID, INT4OID, INT2OID, INT2OID, INT4OID,
		TEXTOID, JSONBOID, JSONBOID,
		TEXTOID, TEXTOID, TEXTOID, NUMERICOID, NUMERICOID,
		INT2OID, InvalidOid, INT2OID, INT4OID, INT4OID, INT4OID}
};

static KeptPlan insert_action_plan = {
	.query = "INSERT INTO pk_tracking.log_link_visit_action"
	" (idlink_va, idvisit, idvisitor, server_time, idaction_url, idaction_name,"
	" idaction_url_ref, idaction_name_ref, idsite, pageview_position,"
	" time_spent_ref_action, consent, matched_by, decision, idpageview)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
	.nargs = 15, .argtypes = {INT8OID, INT8OID, InvalidOid, TIMESTAMPTZOID, INT8OID, INT8OID,
		INT8OID, INT8OID, INT4OID, INT4OID,
		INT4OID, INT2OID, INT2OID, INT2OID, TEXTOID}
};

/* The same with what a plain page view has not. */
static KeptPlan insert_wide_action_plan = {
	.query = "INSERT INTO pk_tracking.log_link_visit_action"
	" (idlink_va, idvisit, idvisitor, server_time, idaction_url, idaction_name,"
	" idaction_url_ref, idaction_name_ref, idsite, pageview_position,"
	" time_spent_ref_action, consent, matched_by, decision, idpageview,"
	" custom_float, idaction_event_category, idaction_event_action,"
	" idaction_content_name, idaction_content_piece, idaction_content_target,"
	" idaction_content_interaction, idaction_product_sku, idaction_product_name,"
	" idaction_product_cat, idaction_product_cat2, idaction_product_cat3,"
	" idaction_product_cat4, idaction_product_cat5, product_price,"
	" search_cat, search_count, time_network, time_server, time_transfer,"
	" time_dom_processing, time_dom_completion, time_on_load,"
	" custom_dimensions, custom_variables)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15,"
	" $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30,"
	" $31, $32, $33, $34, $35, $36, $37, $38, $39, $40)",
	.nargs = 40, .argtypes = {INT8OID, INT8OID, InvalidOid, TIMESTAMPTZOID, INT8OID, INT8OID,
		INT8OID, INT8OID, INT4OID, INT4OID,
		INT4OID, INT2OID, INT2OID, INT2OID, TEXTOID,
		NUMERICOID, INT8OID, INT8OID,
		INT8OID, INT8OID, INT8OID, INT8OID, INT8OID, INT8OID,
		INT8OID, INT8OID, INT8OID, INT8OID, INT8OID, NUMERICOID,
		TEXTOID, INT4OID, INT4OID, INT4OID, INT4OID,
		INT4OID, INT4OID, INT4OID,
		JSONBOID, JSONBOID}
};

/*
 * Page performance that comes after its page view: the newest of that page
 * view id among the visit's latest actions.  A page view is what has a URL and
 * a title, or their 0, and is no event.
 */
static KeptPlan update_timings_plan = {
	.query = "UPDATE pk_tracking.log_link_visit_action SET"
	" time_network = coalesce($3, time_network), time_server = coalesce($4, time_server),"
	" time_transfer = coalesce($5, time_transfer),"
	" time_dom_processing = coalesce($6, time_dom_processing),"
	" time_dom_completion = coalesce($7, time_dom_completion),"
	" time_on_load = coalesce($8, time_on_load)"
	" WHERE idvisit OPERATOR(pg_catalog.=) $1 AND idlink_va OPERATOR(pg_catalog.=)"
	" (SELECT r.idlink_va FROM (SELECT a.idlink_va, a.idpageview, a.idaction_url,"
	" a.idaction_name, a.idaction_event_category FROM pk_tracking.log_link_visit_action a"
	" WHERE a.idvisit OPERATOR(pg_catalog.=) $1"
	" ORDER BY a.idlink_va USING OPERATOR(pg_catalog.>) LIMIT " CppAsString2(LOG_TIMINGS_LOOK_BACK) ") r"
	" WHERE r.idpageview OPERATOR(pg_catalog.=) $2 AND r.idaction_url IS NOT NULL"
	" AND r.idaction_name IS NOT NULL AND r.idaction_event_category IS NULL"
	" ORDER BY r.idlink_va USING OPERATOR(pg_catalog.>) LIMIT 1)",
	.nargs = 8, .argtypes = {INT8OID, TEXTOID, INT4OID, INT4OID, INT4OID, INT4OID, INT4OID, INT4OID}
};

/* A relation of ours has changed: look the log up again. */
static void
relation_changed(Datum arg pg_attribute_unused(), Oid relid)
{
	if (relid == InvalidOid || relid == log_info.log_visit ||
		relid == log_info.log_action || relid == log_info.log_link_visit_action ||
		relid == log_info.by_visitor_id || relid == log_info.by_config ||
		relid == log_info.conversions[0] || relid == log_info.conversions[1])
	{
		log_info.valid = false;
		log_version_checked = false;
		log_changes++;
	}
	if (relid == InvalidOid || relid == log_info.log_visit_length)
	{
		log_info.valid = false;
		log_changes++;
		memset(longest_cache, 0, sizeof(longest_cache));
	}
}

/* Called once when the library loads. */
void
log_init(void)
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
				 errmsg("relation \"pk_tracking.%s\" is missing", name),
				 errhint("The log is made by pk_tracking.create_log().")));
	return relid;
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
 * Does writing to the table run code of somebody's that the caller's
 * search_path could lead astray?  Triggers, rules, CHECKs, defaults, generated
 * columns, domains, index expressions.
 */
static bool
has_user_code(Oid relid)
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

/* Can the log be written without a statement for each row? */
static void
read_shapes(Oid namespace)
{
	static const char *const conversions[] = {"log_conversion", "log_conversion_item"};
	static const char *const name_columns[] = {"type", "name", "url_prefix"};

	log_info.plain = false;
	for (int i = 0; i < (int) lengthof(conversions); i++)
		log_info.conversions[i] = find_relation(namespace, conversions[i]);
	log_info.names_index = get_relname_relid("log_action_key", namespace);
	if (log_info.has_user_code || !OidIsValid(log_info.names_index))
		return;
	row_shape_read(&log_info.visit_shape, &insert_visit_plan, log_info.log_visit, log_info.owner);
	row_shape_read(&log_info.action_shape, &insert_wide_action_plan, log_info.log_link_visit_action, log_info.owner);
	row_shape_read(&log_info.name_shape, names_insert_plan(), log_info.log_action, log_info.owner);
	log_info.plain = log_info.visit_shape.plain && log_info.action_shape.plain && log_info.name_shape.plain;
	for (int i = 0; i < (int) lengthof(name_columns); i++)
		log_info.name_att[i] = get_attnum(log_info.log_action, name_columns[i]);

	/* what somebody hangs on conversions may want to see the visits */
	for (int i = 0; i < (int) lengthof(conversions); i++)
	{
		Relation	rel = table_open(log_info.conversions[i], AccessShareLock);

		log_info.plain &= rel->trigdesc == NULL && rel->rd_rules == NULL;
		table_close(rel, AccessShareLock);
		log_info.plain &= !has_user_code(log_info.conversions[i]);
	}
}

/* One attempt of find_log(). */
static void
read_log_info(void)
{
	Oid			namespace;
	HeapTuple	tuple;
	Form_pg_class form;

	namespace = get_namespace_oid("pk_tracking", false);
	if (!OidIsValid(get_relname_relid("log_visit", namespace)))
		raise_missing_log();

	log_info.log_visit = find_relation(namespace, "log_visit");
	log_info.log_visit_length = find_relation(namespace, "log_visit_length");
	log_info.by_visitor_id = find_relation(namespace, "log_visit_idvisitor");
	log_info.by_config = find_relation(namespace, "log_visit_config_id");
	log_info.seq_visit = find_relation(namespace, "log_visit_idvisit_seq");
	log_info.seq_action = find_relation(namespace, "log_link_visit_action_idlink_va_seq");

	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(log_info.log_visit));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", log_info.log_visit);
	form = (Form_pg_class) GETSTRUCT(tuple);
	log_info.owner = form->relowner;
	if (form->relkind != RELKIND_RELATION)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"pk_tracking.log_visit\" is not an ordinary table")));
	ReleaseSysCache(tuple);

	log_info.log_action = find_relation(namespace, "log_action");
	log_info.log_link_visit_action = find_relation(namespace, "log_link_visit_action");
	log_info.has_user_code = has_user_code(log_info.log_visit) ||
		has_user_code(log_info.log_link_visit_action) ||
		has_user_code(log_info.log_action);
	read_shapes(namespace);
	log_info.hexid_eq = InvalidOid;
	log_info.last_att = 0;
	for (int i = 0; i < N_COLUMNS; i++)
	{
		AttrNumber	att = get_attnum(log_info.log_visit, column_names[i]);

		if (att == InvalidAttrNumber)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("column \"%s\" of \"pk_tracking.log_visit\" is missing", column_names[i])));
		log_info.att[i] = att;
		log_info.last_att = Max(log_info.last_att, att);
	}
}

/*
 * Fill log_info.  Errors: undefined_table if there is no log.  Looking it up
 * takes locks, and with them hears of changes: what was read before is old then.
 */
static void
find_log(void)
{
	uint64		started;
	int			attempts = 0;

	do
	{
		started = log_changes;
		read_log_info();
	} while (started != log_changes && ++attempts < CHANGES_MAX);
	log_info.valid = true;
}

/*
 * log_owner
 *		The role whose rights the engine uses: the owner of log_visit.
 *		Error undefined_table, with a hint, if there is no log.
 */
Oid
log_owner(void)
{
	if (!log_info.valid)
		find_log();
	return log_info.owner;
}

/*
 * log_has_user_code
 *		Does writing run code of somebody's that must not see the caller's
 *		search_path?  Asked with the store open: nobody can add such code then.
 */
bool
log_has_user_code(void)
{
	return log_info.has_user_code;
}

/* Is the log of the shape that this library writes?  Asked once per backend. */
static void
check_version(void)
{
	bool		isnull = true;
	int32		version = 0;

	if (plan_execute(&version_plan, NULL, NULL, 1, true) == SPI_OK_SELECT && SPI_processed == 1)
		version = DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	if (isnull || version != LOG_VERSION)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the log's tables have version %d, this library writes version %d",
						isnull ? 0 : version, LOG_VERSION),
				 errhint("Run ALTER EXTENSION pk_tracking UPDATE, then SELECT pk_tracking.upgrade_log().")));
	log_version_checked = true;
}

/* An error has taken the memory of an open store: the one around it is open again. */
static void
forget_store(void *arg)
{
	if (open_log == arg)
		open_log = ((OpenLog *) arg)->outer;
}

/*
 * log_open, log_close
 *		Open the log for an engine call (mode: RowExclusiveLock, or
 *		AccessShareLock to read only); the lock stays to the end of the
 *		transaction.
 */
void
log_open(Log *log, LOCKMODE mode)
{
	/* what is known counts only once the table is locked: an index may have gone */
	for (int attempts = 1;; attempts++)
	{
		if (!log_info.valid)
			find_log();
		log->visits = try_table_open(log_info.log_visit, mode);
		if (log->visits != NULL && mode == RowExclusiveLock)
		{
			LockRelationOid(log_info.log_link_visit_action, mode);
			LockRelationOid(log_info.log_action, mode);
		}
		if (log->visits != NULL && (log_info.valid || attempts == CHANGES_MAX))
			break;
		if (log->visits != NULL)
			table_close(log->visits, NoLock);
		else
			log_info.valid = false;
	}
	if (!log_version_checked)
		check_version();
	log->mode = mode;
	log->in_memory = false;
	log->by_visitor_id = log->by_config = NULL;
	log->context = CurrentMemoryContext;
	log->names = log->names_index = NULL;
	log->names_slot = NULL;

	log->rows = palloc0_object(OpenLog);
	log->rows->visits = log->visits;
	log->rows->context = log->context;
	log->rows->outer = open_log;
	log->rows->forget.func = forget_store;
	log->rows->forget.arg = log->rows;
	MemoryContextRegisterResetCallback(log->context, &log->rows->forget);
	/* a statement says best why it may not be executed */
	if (mode == RowExclusiveLock && log_info.plain && !XactReadOnly)
		open_log = log->rows;
	else
		open_log = NULL;
}

/*
 * log_open_batch
 *		Open the log to write the hits of a batch: what is read and written is
 *		kept in memory until log_close(), or until log_flush() finds it too much.
 *		False, and nothing open, if a table must be written by statements, for
 *		example because a user has put a trigger on it.  The caller holds the
 *		gates of all sites concerned exclusively.  After an error the log is
 *		forgotten with the memory context in which it was opened.
 */
bool
log_open_batch(Log *log)
{
	log_open(log, RowExclusiveLock);
	log->in_memory = batch_writer_begin(log);
	if (!log->in_memory)
		log_close(log);
	return log->in_memory;
}

/*
 * log_flush
 *		Call it between two hits: writes what a batch has in memory if that is
 *		more than pk_tracking.bulk_memory.
 */
void
log_flush(Log *log)
{
	if (log->in_memory)
		batch_writer_flush();
}

void
log_close(Log *log)
{
	OpenLog  *rows = log->rows;

	if (log->in_memory)
		batch_writer_end();
	if (rows->visits_open)
		row_writer_close(&rows->visit_writer);
	if (rows->actions != NULL)
	{
		row_writer_close(&rows->action_writer);
		table_close(rows->actions, NoLock);
	}
	open_log = rows->outer;
	if (log->by_visitor_id)
		index_close(log->by_visitor_id, NoLock);
	if (log->by_config)
		index_close(log->by_config, NoLock);
	if (log->names)
	{
		ExecDropSingleTupleTableSlot(log->names_slot);
		index_close(log->names_index, NoLock);
		table_close(log->names, NoLock);
	}
	table_close(log->visits, NoLock);
}

static int64
read_longest(int32 idsite)
{
	Datum		value = Int32GetDatum(idsite);
	bool		isnull = true;
	int64		seconds = 0;

	if (plan_execute(&longest_plan, &value, NULL, 1, true) == SPI_OK_SELECT && SPI_processed == 1)
	{
		Datum		d = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);

		if (!isnull)
			seconds = DatumGetInt64(d);
	}
	SPI_freetuptable(SPI_tuptable);
	return seconds;
}

static LongestEntry *
longest_slot(int32 idsite)
{
	return &longest_cache[(uint32) idsite % LONGEST_SLOTS];
}

/* Upper bound of the length of the site's visits, in seconds. */
static int64
longest(int32 idsite)
{
	LongestEntry *e = longest_slot(idsite);

	if (e->idsite != idsite)
	{
		int64		seconds = read_longest(idsite);

		/* reading may have processed an invalidation: fill the slot last */
		e->seconds = seconds;
		e->idsite = idsite;
	}
	return e->seconds;
}

/*
 * log_longest_is_news
 *		Read the bound anew; true if it is larger than the one that the last
 *		look-up stopped by, which may then have stopped too early.  A commit
 *		makes rows visible a moment before its invalidation arrives, so whoever
 *		is about to begin a visit asks here.
 */
bool
log_longest_is_news(Log *log, int32 idsite)
{
	int64		now;
	LongestEntry *e;

	/* the sites are ours alone then */
	if (batch_writer_active())
		return false;
	now = read_longest(idsite);
	e = longest_slot(idsite);
	e->seconds = now;
	e->idsite = idsite;
	return now > log->reach;
}

/* log_newest_longest: the bound, read anew. */
int64
log_newest_longest(int32 idsite)
{
	int64		now = read_longest(idsite);
	LongestEntry *e = longest_slot(idsite);

	e->seconds = now;
	e->idsite = idsite;
	return now;
}

/* log_length_step: the bound that is published for a visit of that length. */
int64
log_length_step(int64 length)
{
	int64		step = LENGTH_STEP;

	while (step < length)
		step *= 2;
	return step;
}

/* log_publish_longest: raise the bound before a visit of that length is written. */
void
log_publish_longest(int32 idsite, int64 length)
{
	Datum		values[2];
	int			level;

	values[0] = Int32GetDatum(idsite);
	values[1] = Int64GetDatum(log_length_step(length));
	/* rare enough to be pinned always; the table's trigger empties the cache, here too */
	level = pin_search_path();
	plan_execute(&raise_plan, values, NULL, 0, false);
	AtEOXact_GUC(true, level);
}

static NullableInt
get_int(TupleTableSlot *slot, VisitColumn column, bool is_int4)
{
	bool		isnull;
	Datum		d = slot_getattr(slot, log_info.att[column], &isnull);

	if (isnull)
		return no_int();
	return some_int(is_int4 ? DatumGetInt32(d) : DatumGetInt64(d));
}

static char *
get_text(TupleTableSlot *slot, VisitColumn column)
{
	bool		isnull;
	Datum		d = slot_getattr(slot, log_info.att[column], &isnull);

	return isnull ? NULL : TextDatumGetCString(d);
}

/* NULL if there is none, which is nearly always. */
static Jsonb *
get_jsonb(TupleTableSlot *slot, VisitColumn column)
{
	bool		isnull;
	Datum		d = slot_getattr(slot, log_info.att[column], &isnull);

	return isnull ? NULL : DatumGetJsonbPCopy(d);
}

static Numeric
get_numeric(TupleTableSlot *slot, VisitColumn column)
{
	bool		isnull;
	Datum		d = slot_getattr(slot, log_info.att[column], &isnull);

	return isnull ? NULL : DatumGetNumericCopy(d);
}

/* Make a Visit of a row; its text is copied to the current memory context. */
static void
visit_from_slot(TupleTableSlot *slot, int32 idsite, Visit *v)
{
	bool		isnull;
	Datum		d;

	slot_getsomeattrs(slot, log_info.last_att);

	v->idsite = idsite;
	v->idvisit = get_int(slot, COL_IDVISIT, false).value;
	v->consent = DatumGetInt16(slot_getattr(slot, log_info.att[COL_CONSENT], &isnull));
	v->idvisitor = DatumGetHexId(slot_getattr(slot, log_info.att[COL_IDVISITOR], &isnull));
	v->has_idvisitor = !isnull;
	v->config_id = DatumGetHexId(slot_getattr(slot, log_info.att[COL_CONFIG_ID], &isnull));
	v->has_config_id = !isnull;
	v->user_id = get_text(slot, COL_USER_ID);
	v->first = DatumGetTimestampTz(slot_getattr(slot, log_info.att[COL_FIRST], &isnull));
	v->last = DatumGetTimestampTz(slot_getattr(slot, log_info.att[COL_LAST], &isnull));
	v->last_idlink_va = get_int(slot, COL_LAST_IDLINK_VA, false);
	v->entry_url = get_int(slot, COL_ENTRY_URL, false);
	v->entry_name = get_int(slot, COL_ENTRY_NAME, false);
	v->exit_url = get_int(slot, COL_EXIT_URL, false);
	v->exit_name = get_int(slot, COL_EXIT_NAME, false);
	v->total_time = (int32) get_int(slot, COL_TOTAL_TIME, true).value;
	v->total_actions = (int32) get_int(slot, COL_TOTAL_ACTIONS, true).value;
	v->total_interactions = (int32) get_int(slot, COL_TOTAL_INTERACTIONS, true).value;
	v->count_visits = (int32) get_int(slot, COL_COUNT_VISITS, true).value;
	v->since_first = get_int(slot, COL_SINCE_FIRST, true);
	v->since_last = get_int(slot, COL_SINCE_LAST, true);
	v->since_order = get_int(slot, COL_SINCE_ORDER, true);
	v->returning = DatumGetInt16(slot_getattr(slot, log_info.att[COL_RETURNING], &isnull));
	v->profilable = DatumGetInt16(slot_getattr(slot, log_info.att[COL_PROFILABLE], &isnull));
	v->goal_buyer = DatumGetInt16(slot_getattr(slot, log_info.att[COL_GOAL_BUYER], &isnull));

	d = slot_getattr(slot, log_info.att[COL_REFERER_TYPE], &isnull);
	v->referrer.type = isnull ? REFERRER_DIRECT : (ReferrerType) DatumGetInt16(d);
	v->referrer.name = get_text(slot, COL_REFERER_NAME);
	v->referrer.keyword = get_text(slot, COL_REFERER_KEYWORD);
	v->referrer.url = get_text(slot, COL_REFERER_URL);
	v->seldom_changed = false;
	v->total_searches = (int32) get_int(slot, COL_TOTAL_SEARCHES, true).value;
	v->total_events = (int32) get_int(slot, COL_TOTAL_EVENTS, true).value;
	v->goal_converted = DatumGetInt16(slot_getattr(slot, log_info.att[COL_GOAL_CONVERTED], &isnull));
	v->resolution = get_text(slot, COL_RESOLUTION);
	v->custom_dimensions = get_jsonb(slot, COL_CUSTOM_DIMENSIONS);
	v->custom_variables = get_jsonb(slot, COL_CUSTOM_VARIABLES);
	v->country = get_text(slot, COL_COUNTRY);
	v->region = get_text(slot, COL_REGION);
	v->city = get_text(slot, COL_CITY);
	v->latitude = get_numeric(slot, COL_LATITUDE);
	v->longitude = get_numeric(slot, COL_LONGITUDE);

	v->tid = slot->tts_tid;
	d = slot_getsysattr(slot, MinTransactionIdAttributeNumber, &isnull);
	v->xmin = DatumGetTransactionId(d);
}

/*
 * log_preferred
 *		Is visit a preferred to b?  The newest last action wins, then the newest
 *		visit, or the oldest.
 */
bool
log_preferred(TimestampTz last_a, int64 idvisit_a, const Visit *b, bool older_first)
{
	return last_a > b->last ||
		(last_a == b->last && (idvisit_a > b->idvisit) != older_first);
}

/* A scan of one of the look-up's indexes, under the newest snapshot. */
typedef struct VisitScan
{
	IndexScanDesc scan;
	TupleTableSlot *slot;
	Snapshot	snapshot;
} VisitScan;

/* Begin it: all visits of the site, those of a key, or those of it that began by upper. */
static void
begin_scan(VisitScan *s, Log *log, int32 idsite, bool by_config, int nkeys, HexId id, TimestampTz upper)
{
	Relation	index;
	ScanKeyData key[3];

	if (by_config)
	{
		if (log->by_config == NULL)
			log->by_config = index_open(log_info.by_config, log->mode);
		index = log->by_config;
	}
	else
	{
		if (log->by_visitor_id == NULL)
			log->by_visitor_id = index_open(log_info.by_visitor_id, log->mode);
		index = log->by_visitor_id;
	}

	if (!OidIsValid(log_info.hexid_eq))
	{
		Oid			op = get_opfamily_member(index->rd_opfamily[1], index->rd_opcintype[1],
											 index->rd_opcintype[1], BTEqualStrategyNumber);

		log_info.hexid_eq = get_opcode(op);
	}

	ScanKeyInit(&key[0], 1, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(idsite));
	ScanKeyInit(&key[1], 2, BTEqualStrategyNumber, log_info.hexid_eq, HexIdGetDatum(id));
	ScanKeyInit(&key[2], 3, BTLessEqualStrategyNumber, F_TIMESTAMPTZ_LE, TimestampTzGetDatum(upper));

	s->snapshot = RegisterSnapshot(GetLatestSnapshot());
	s->slot = table_slot_create(log->visits, NULL);
	s->scan = pkt_index_beginscan(log->visits, index, s->snapshot, nkeys);
	index_rescan(s->scan, key, nkeys, NULL, 0);
}

static void
end_scan(VisitScan *s)
{
	index_endscan(s->scan);
	ExecDropSingleTupleTableSlot(s->slot);
	UnregisterSnapshot(s->snapshot);
}

/*
 * log_lookup_log
 *		The max most preferred visits of the log that the look-up finds, best
 *		first, as committed now (or written by this transaction); but for those
 *		that are to be skipped.  Returns their number.
 *
 * Reads the visits of the key backwards by their first action and stops where
 * none can reach the window, or beat what was found: a visit whose first
 * action lies more than the longest visit before a time did not last to it.
 */
int
log_lookup_log(Log *log, int32 idsite, const Lookup *lookup, int max, Visit *visits,
				 bool (*skip) (int64 idvisit))
{
	VisitScan	s;
	int64		reach;
	int			found = 0;

	reach = longest(idsite);
	log->reach = Min(log->reach, reach);
	reach *= USECS_PER_SEC;

	begin_scan(&s, log, idsite, lookup->by_config, 3, lookup->key, lookup->upper);
	while (index_getnext_slot(s.scan, BackwardScanDirection, s.slot))
	{
		TupleTableSlot *slot = s.slot;
		bool		isnull;
		TimestampTz first;
		TimestampTz last;
		int64		idvisit;
		int			place;

		CHECK_FOR_INTERRUPTS();

		first = DatumGetTimestampTz(slot_getattr(slot, log_info.att[COL_FIRST], &isnull));
		if (lookup->bounded && first + reach < lookup->lower)
			break;
		if (found == max && first + reach < visits[max - 1].last)
			break;

		last = DatumGetTimestampTz(slot_getattr(slot, log_info.att[COL_LAST], &isnull));
		if (last > lookup->upper || (lookup->bounded && last < lookup->lower))
			continue;
		idvisit = DatumGetInt64(slot_getattr(slot, log_info.att[COL_IDVISIT], &isnull));
		if (found == max && !log_preferred(last, idvisit, &visits[max - 1], lookup->older_first))
			continue;
		if (lookup->user_filter != NULL)
		{
			Datum		d = slot_getattr(slot, log_info.att[COL_USER_ID], &isnull);

			if (!isnull && strcmp(TextDatumGetCString(d), lookup->user_filter) != 0)
				continue;
		}
		if (skip != NULL && skip(idvisit))
			continue;

		for (place = found; place > 0 && log_preferred(last, idvisit, &visits[place - 1], lookup->older_first); place--)
			;
		if (found < max)
			found++;
		memmove(&visits[place + 1], &visits[place], (found - place - 1) * sizeof(Visit));
		visit_from_slot(slot, idsite, &visits[place]);
	}
	end_scan(&s);
	return found;
}

/* log_lookup: the same, of the log and of what is on its way there. */
int
log_lookup(Log *log, int32 idsite, const Lookup *lookup, int max, Visit *visits)
{
	if (batch_writer_active())
	{
		Assert(max == 1);
		return bulk_lookup(log, idsite, lookup, visits);
	}
	return log_lookup_log(log, idsite, lookup, max, visits, NULL);
}

/*
 * log_newest_of_key
 *		The visits of the look-up's key, whatever their time, that began last:
 *		at most max, and as far back as the look-up has to see.  complete: the
 *		key has no others; else those began at *floor or before.
 */
int
log_newest_of_key(Log *log, int32 idsite, const Lookup *lookup, int max,
					Visit *visits, TimestampTz *floor, bool *complete)
{
	VisitScan	s;
	int64		reach = longest(idsite) * USECS_PER_SEC;
	int			n = 0;

	*complete = true;
	begin_scan(&s, log, idsite, lookup->by_config, 2, lookup->key, 0);
	while (index_getnext_slot(s.scan, BackwardScanDirection, s.slot))
	{
		bool		isnull;
		TimestampTz first = DatumGetTimestampTz(slot_getattr(s.slot, log_info.att[COL_FIRST], &isnull));

		CHECK_FOR_INTERRUPTS();
		if (n == max || (lookup->bounded && first + reach < lookup->lower))
		{
			*floor = first;
			*complete = false;
			break;
		}
		visit_from_slot(s.slot, idsite, &visits[n++]);
	}
	end_scan(&s);
	return n;
}

/* log_site_is_empty: has the site no visit that a look-up could find? */
bool
log_site_is_empty(Log *log, int32 idsite)
{
	bool		any = false;

	for (int by_config = 0; by_config <= 1 && !any; by_config++)
	{
		VisitScan	s;

		begin_scan(&s, log, idsite, by_config, 1, 0, 0);
		any = index_getnext_slot(s.scan, ForwardScanDirection, s.slot);
		end_scan(&s);
	}
	return !any;
}

/* Open the dictionary, if it is not. */
static void
open_names(Log *log)
{
	MemoryContext old;

	if (log->names != NULL)
		return;
	log->names = table_open(log_info.log_action, NoLock);
	log->names_index = index_open(log_info.names_index, log->mode);
	old = MemoryContextSwitchTo(log->context);
	log->names_slot = table_slot_create(log->names, NULL);
	MemoryContextSwitchTo(old);
}

/* log_site_has_names: is there any name of the site in the dictionary? */
bool
log_site_has_names(Log *log, int32 idsite)
{
	ScanKeyData key;
	IndexScanDesc scan;
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	bool		found;

	open_names(log);
	ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(idsite));
	scan = pkt_index_beginscan(log->names, log->names_index, snapshot, 1);
	index_rescan(scan, &key, 1, NULL, 0);
	found = index_getnext_slot(scan, ForwardScanDirection, log->names_slot);
	ExecClearTuple(log->names_slot);
	index_endscan(scan);
	UnregisterSnapshot(snapshot);
	return found;
}

/*
 * log_find_name
 *		Is there a name of that number in the dictionary, and is it the same?
 */
bool
log_find_name(Log *log, int32 idsite, int64 idaction, int type, bool prefix,
				const char *name, size_t len, bool *same)
{
	ScanKeyData key[2];
	IndexScanDesc scan;
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	bool		found;

	open_names(log);
	ScanKeyInit(&key[0], 1, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(idsite));
	ScanKeyInit(&key[1], 2, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(idaction));
	scan = pkt_index_beginscan(log->names, log->names_index, snapshot, 2);
	index_rescan(scan, key, 2, NULL, 0);
	found = index_getnext_slot(scan, ForwardScanDirection, log->names_slot);
	if (found)
	{
		bool		isnull;
		int16		its_type = DatumGetInt16(slot_getattr(log->names_slot, log_info.name_att[0], &isnull));
		text	   *its_name = DatumGetTextPP(slot_getattr(log->names_slot, log_info.name_att[1], &isnull));

		(void) slot_getattr(log->names_slot, log_info.name_att[2], &isnull);
		*same = its_type == type && !isnull == prefix && VARSIZE_ANY_EXHDR(its_name) == len &&
			memcmp(VARDATA_ANY(its_name), name, len) == 0;
		ExecClearTuple(log->names_slot);
	}
	index_endscan(scan);
	UnregisterSnapshot(snapshot);
	return found;
}

/*
 * batch_writer_tables
 *		Open the other tables of an open log to be written row by row; false if
 *		they cannot be written so.
 */
bool
batch_writer_tables(Log *log, BulkTables *tables)
{
	if (!log_info.plain || log->mode != RowExclusiveLock || XactReadOnly)
		return false;
	tables->visits = log->visits;
	tables->actions = table_open(log_info.log_link_visit_action, NoLock);
	tables->names = table_open(log_info.log_action, NoLock);
	tables->visit_shape = &log_info.visit_shape;
	tables->action_shape = &log_info.action_shape;
	tables->name_shape = &log_info.name_shape;
	return true;
}

/*
 * log_read_visit
 *		The newest version of a visit; false if there is no such row.
 */
bool
log_read_visit(Log *log, int32 idsite, int64 idvisit, Visit *visit)
{
	Relation	index;
	Snapshot	snapshot;
	TupleTableSlot *slot;
	ScanKeyData key;
	IndexScanDesc scan;
	bool		found;

	if (batch_writer_active() && bulk_known_visit(idvisit, visit))
		return true;
	index = index_open(pkt_primary_key_index(log->visits), log->mode);
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	slot = table_slot_create(log->visits, NULL);
	ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(idvisit));
	scan = pkt_index_beginscan(log->visits, index, snapshot, 1);
	index_rescan(scan, &key, 1, NULL, 0);
	found = index_getnext_slot(scan, ForwardScanDirection, slot);
	if (found)
		visit_from_slot(slot, idsite, visit);
	index_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	UnregisterSnapshot(snapshot);
	index_close(index, NoLock);
	if (found && batch_writer_active())
		bulk_note_visit(visit);
	return found;
}

/*
 * log_joined_by_fingerprint
 *		Was any action of the visit joined to it by a fingerprint?  Then it may
 *		hold hits of more people than one.
 */
bool
log_joined_by_fingerprint(Log *log pg_attribute_unused(), int64 idvisit)
{
	Datum		values[2];
	bool		result;

	if (batch_writer_active())
		bulk_write_actions();
	values[0] = Int64GetDatum(idvisit);
	values[1] = Int16GetDatum(MATCHED_FINGERPRINT);
	if (plan_execute(&joined_plan, values, NULL, 1, true) != SPI_OK_SELECT)
		elog(ERROR, "actions could not be read");
	result = SPI_processed > 0;
	SPI_freetuptable(SPI_tuptable);
	return result;
}

/* The writers of the open store. */
static RowWriter *
visit_rows(void)
{
	if (!open_log->visits_open)
	{
		MemoryContext old = MemoryContextSwitchTo(open_log->context);

		row_writer_open(&open_log->visit_writer, &log_info.visit_shape, open_log->visits, 1);
		open_log->visits_open = true;
		MemoryContextSwitchTo(old);
	}
	return &open_log->visit_writer;
}

static RowWriter *
action_rows(void)
{
	if (open_log->actions == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(open_log->context);

		open_log->actions = table_open(log_info.log_link_visit_action, NoLock);
		row_writer_open(&open_log->action_writer, &log_info.action_shape, open_log->actions, 1);
		MemoryContextSwitchTo(old);
	}
	return &open_log->action_writer;
}

/* The next numbers.  Taken when a hit is going to be written, not before. */
int64
log_next_idvisit(void)
{
	return nextval_internal(log_info.seq_visit, false);
}

int64
log_next_idlink_va(void)
{
	return nextval_internal(log_info.seq_action, false);
}

static Datum
nullable(NullableInt n, bool is_int4, char *null)
{
	*null = n.isnull ? 'n' : ' ';
	if (n.isnull)
		return (Datum) 0;
	return is_int4 ? Int32GetDatum((int32) n.value) : Int64GetDatum(n.value);
}

static Datum
text_or_null(const char *str, char *null)
{
	if (str == NULL)
	{
		*null = 'n';
		return (Datum) 0;
	}
	*null = ' ';
	return CStringGetTextDatum(str);
}

static Datum
pointer_or_null(const void *p, char *null)
{
	*null = p == NULL ? 'n' : ' ';
	return PointerGetDatum(p);
}

/* A number of the dictionary in a column where none is NULL. */
static Datum
idaction_or_null(int64 idaction, char *null)
{
	*null = idaction == 0 ? 'n' : ' ';
	return Int64GetDatum(idaction);
}

static Datum
sent_or_null(int32 n, char *null)
{
	*null = n == NOT_SENT ? 'n' : ' ';
	return Int32GetDatum(n);
}

/* A text that is "" where nothing is known. */
static Datum
known_text(const char *str, char *null)
{
	return text_or_null(str[0] ? str : NULL, null);
}

static Datum
device_text(const NewVisit *extra, const char *str, char *null)
{
	return text_or_null(str[0] || extra->as_matomo ? str : NULL, null);
}

static Datum
id_or_null(bool given, HexId id, char *null)
{
	*null = given ? ' ' : 'n';
	return given ? HexIdGetDatum(id) : (Datum) 0;
}

/* A flag as sent, as smallint. */
static Datum
flag(int32 n)
{
	return Int16GetDatum((int16) Max(Min(n, PG_INT16_MAX), PG_INT16_MIN));
}

/* A trigger of somebody's has swallowed a row. */
static void
not_written(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
			 errmsg("could not track the hit: its rows cannot be written"),
			 errhint("A trigger on the log's tables may suppress the insert.")));
}

/*
 * log_insert_visit
 *		Write a visit that has begun; visit->idvisit was given by
 *		log_next_idvisit().
 */
void
log_insert_visit(Log *log pg_attribute_unused(), const Visit *v, const NewVisit *extra)
{
	const GeoLocation *where = &extra->location;
	const UserAgent *device = extra->device;
	Datum		values[KEPT_PLAN_ARGS];
	char		nulls[KEPT_PLAN_ARGS];
	int			i = 0;

	memset(nulls, ' ', sizeof(nulls));
	values[i++] = Int64GetDatum(v->idvisit);
	values[i++] = Int32GetDatum(v->idsite);
	values[i++] = Int16GetDatum(v->consent);
	values[i] = id_or_null(v->has_idvisitor, v->idvisitor, &nulls[i]), i++;
	values[i] = id_or_null(v->has_config_id, v->config_id, &nulls[i]), i++;
	values[i] = text_or_null(v->user_id, &nulls[i]), i++;
	values[i++] = TimestampTzGetDatum(v->first);
	values[i++] = TimestampTzGetDatum(v->last);
	values[i] = nullable(v->last_idlink_va, false, &nulls[i]), i++;
	values[i] = nullable(v->entry_url, false, &nulls[i]), i++;
	values[i] = nullable(v->entry_name, false, &nulls[i]), i++;
	values[i] = nullable(v->exit_url, false, &nulls[i]), i++;
	values[i] = nullable(v->exit_name, false, &nulls[i]), i++;
	values[i++] = Int32GetDatum(v->total_time);
	values[i++] = Int32GetDatum(v->total_actions);
	values[i++] = Int32GetDatum(v->total_interactions);
	values[i++] = Int32GetDatum(v->count_visits);
	values[i] = nullable(v->since_first, true, &nulls[i]), i++;
	values[i] = nullable(v->since_last, true, &nulls[i]), i++;
	values[i] = nullable(v->since_order, true, &nulls[i]), i++;
	values[i++] = Int16GetDatum(v->returning);
	values[i++] = Int16GetDatum(v->profilable);
	if (extra->location_ip.len == 0)
	{
		nulls[i] = 'n';
		values[i++] = (Datum) 0;
	}
	else
		values[i++] = InetPGetDatum(ip_to_inet(&extra->location_ip));
	values[i] = known_text(extra->browser_lang, &nulls[i]), i++;
	values[i] = text_or_null(v->resolution, &nulls[i]), i++;
	nulls[i] = extra->has_details ? ' ' : 'n';
	values[i++] = TimeADTGetDatum(extra->localtime);
	/* plugins: fla java qt realp pdf wma ag cookie */
	for (int p = 0; p < HIT_PLUGINS; p++)
	{
		nulls[i] = extra->has_details ? ' ' : 'n';
		values[i++] = flag(extra->plugins[p]);
	}

	values[i++] = Int16GetDatum((int16) v->referrer.type);
	values[i] = text_or_null(v->referrer.name, &nulls[i]), i++;
	values[i] = text_or_null(v->referrer.keyword, &nulls[i]), i++;
	values[i] = text_or_null(v->referrer.url, &nulls[i]), i++;

	values[i] = known_text(where->continent, &nulls[i]), i++;
	values[i] = known_text(where->country, &nulls[i]), i++;
	values[i] = known_text(where->region, &nulls[i]), i++;
	values[i] = known_text(where->city, &nulls[i]), i++;
	if (where->has_coordinates)
	{
		values[i++] = geoip_degrees(where->latitude);
		values[i++] = geoip_degrees(where->longitude);
	}
	else
	{
		nulls[i] = nulls[i + 1] = 'n';
		values[i] = values[i + 1] = (Datum) 0;
		i += 2;
	}
	nulls[i] = where->asn == 0 ? 'n' : ' ';
	values[i++] = Int64GetDatum(where->asn);
	values[i] = known_text(where->organisation, &nulls[i]), i++;

	values[i] = device_text(extra, device->config_os, &nulls[i]), i++;
	values[i] = device_text(extra, extra->as_matomo && !device->os_version[0] &&
							strcmp(device->config_os, "UNK") == 0 ? "UNK" : device->os_version, &nulls[i]), i++;
	values[i] = device_text(extra, device->config_browser_name, &nulls[i]), i++;
	values[i] = device_text(extra, device->browser_version, &nulls[i]), i++;
	values[i] = device_text(extra, device->browser_engine, &nulls[i]), i++;
	nulls[i] = device->client_type == CLIENT_UNKNOWN ? 'n' : ' ';
	values[i++] = Int16GetDatum(device->client_type);
	nulls[i] = device->device_type == DEVICE_UNKNOWN ? 'n' : ' ';
	values[i++] = Int16GetDatum(device->device_type);
	values[i] = device_text(extra, device->config_device_brand, &nulls[i]), i++;
	values[i] = device_text(extra, device->model, &nulls[i]), i++;

	values[i++] = Int32GetDatum(v->total_searches);
	values[i++] = Int32GetDatum(v->total_events);
	values[i++] = Int16GetDatum(v->goal_buyer);
	values[i++] = Int16GetDatum(v->goal_converted);
	values[i] = pointer_or_null(v->custom_dimensions, &nulls[i]), i++;
	values[i] = pointer_or_null(v->custom_variables, &nulls[i]), i++;
	Assert(i == insert_visit_plan.nargs);

	if (batch_writer_active())
	{
		bulk_begin_visit(v, extra, values, nulls, i);
		return;
	}
	if (open_log != NULL)
	{
		HeapTuple	row = row_writer_form(visit_rows(), values, nulls, i);

		row_writer_insert(visit_rows(), &row, 1);
		CommandCounterIncrement();
		return;
	}
	if (plan_execute(&insert_visit_plan, values, nulls, 0, false) != SPI_OK_INSERT || SPI_processed != 1)
		not_written();
}

/* What any hit changes, in the order of the update's parameters from $4. */
static const VisitColumn changed_columns[] = {
	COL_IDVISITOR, COL_USER_ID, COL_LAST, COL_LAST_IDLINK_VA,
	COL_ENTRY_URL, COL_ENTRY_NAME, COL_EXIT_URL, COL_EXIT_NAME,
	COL_TOTAL_TIME, COL_TOTAL_ACTIONS, COL_TOTAL_INTERACTIONS, COL_PROFILABLE,
	/* and what some do */
	COL_REFERER_TYPE, COL_REFERER_NAME, COL_REFERER_KEYWORD, COL_REFERER_URL,
	COL_TOTAL_SEARCHES, COL_TOTAL_EVENTS, COL_GOAL_BUYER, COL_GOAL_CONVERTED,
	COL_SINCE_ORDER, COL_RESOLUTION, COL_CUSTOM_DIMENSIONS, COL_CUSTOM_VARIABLES,
	COL_COUNTRY, COL_REGION, COL_CITY, COL_LATITUDE, COL_LONGITUDE,
	COL_CONSENT, COL_CONFIG_ID, COL_RETURNING, COL_COUNT_VISITS,
	COL_SINCE_FIRST, COL_SINCE_LAST
};

/* Their values.  Returns the number of columns. */
static int
changed_values(const Visit *v, bool seldom, Datum *values, char *nulls)
{
	int			i = 0;

	memset(nulls, ' ', lengthof(changed_columns));
	values[i] = id_or_null(v->has_idvisitor, v->idvisitor, &nulls[i]), i++;
	values[i] = text_or_null(v->user_id, &nulls[i]), i++;
	values[i++] = TimestampTzGetDatum(v->last);
	values[i] = nullable(v->last_idlink_va, false, &nulls[i]), i++;
	values[i] = nullable(v->entry_url, false, &nulls[i]), i++;
	values[i] = nullable(v->entry_name, false, &nulls[i]), i++;
	values[i] = nullable(v->exit_url, false, &nulls[i]), i++;
	values[i] = nullable(v->exit_name, false, &nulls[i]), i++;
	values[i++] = Int32GetDatum(v->total_time);
	values[i++] = Int32GetDatum(v->total_actions);
	values[i++] = Int32GetDatum(v->total_interactions);
	values[i++] = Int16GetDatum(v->profilable);
	if (seldom)
	{
		values[i++] = Int16GetDatum((int16) v->referrer.type);
		values[i] = text_or_null(v->referrer.name, &nulls[i]), i++;
		values[i] = text_or_null(v->referrer.keyword, &nulls[i]), i++;
		values[i] = text_or_null(v->referrer.url, &nulls[i]), i++;
		values[i++] = Int32GetDatum(v->total_searches);
		values[i++] = Int32GetDatum(v->total_events);
		values[i++] = Int16GetDatum(v->goal_buyer);
		values[i++] = Int16GetDatum(v->goal_converted);
		values[i] = nullable(v->since_order, true, &nulls[i]), i++;
		values[i] = text_or_null(v->resolution, &nulls[i]), i++;
		values[i] = pointer_or_null(v->custom_dimensions, &nulls[i]), i++;
		values[i] = pointer_or_null(v->custom_variables, &nulls[i]), i++;
		values[i] = text_or_null(v->country, &nulls[i]), i++;
		values[i] = text_or_null(v->region, &nulls[i]), i++;
		values[i] = text_or_null(v->city, &nulls[i]), i++;
		values[i] = pointer_or_null(v->latitude, &nulls[i]), i++;
		values[i] = pointer_or_null(v->longitude, &nulls[i]), i++;
		values[i++] = Int16GetDatum(v->consent);
		values[i] = id_or_null(v->has_config_id, v->config_id, &nulls[i]), i++;
		values[i++] = Int16GetDatum(v->returning);
		values[i++] = Int32GetDatum(v->count_visits);
		values[i] = nullable(v->since_first, true, &nulls[i]), i++;
		values[i] = nullable(v->since_last, true, &nulls[i]), i++;
		Assert(i == lengthof(changed_columns));
	}
	return i;
}

/*
 * log_visit_changes
 *		What hits change in a visit's row: columns, values, nulls; of those that
 *		they seldom change only if that is said.  no_continent: its country is
 *		another now.  Returns the number of columns.
 */
int
log_visit_changes(const Visit *v, bool seldom, bool no_continent,
					AttrNumber *att, Datum *values, char *nulls)
{
	int			n = changed_values(v, seldom, values, nulls);

	for (int i = 0; i < n; i++)
		att[i] = log_info.att[changed_columns[i]];
	if (no_continent)
	{
		att[n] = log_info.visit_shape.att[INSERT_PARAM_CONTINENT];
		values[n] = (Datum) 0;
		nulls[n++] = 'n';
	}
	return n;
}

/* log_update_visit() row by row. */
static bool
overwrite_visit(const Visit *v)
{
	RowWriter  *w = visit_rows();
	ItemPointerData tid = v->tid;
	HeapTuple	row = row_writer_read(w, &tid, v->xmin);
	AttrNumber	att[KEPT_PLAN_ARGS];
	Datum		values[KEPT_PLAN_ARGS];
	char		nulls[KEPT_PLAN_ARGS];
	int			n;
	bool		isnull;
	bool		moved = false;

	if (row == NULL)
		return false;
	if (v->seldom_changed && v->country != NULL)
	{
		Datum		country = heap_getattr(row, log_info.att[COL_COUNTRY], RelationGetDescr(w->rel), &isnull);

		moved = !isnull && strcmp(TextDatumGetCString(country), v->country) != 0;
	}
	n = log_visit_changes(v, v->seldom_changed, moved, att, values, nulls);
	row = row_writer_change(w, row, att, values, nulls, n);
	if (!row_writer_update(w, &tid, row))
		return false;
	CommandCounterIncrement();
	return true;
}

/*
 * log_update_visit
 *		Write a visit that was continued.  False, and nothing written, if the
 *		version that was read is not the newest any more.  In REPEATABLE READ
 *		and SERIALIZABLE, serialization_failure if the transaction's snapshot
 *		does not show that version.
 */
bool
log_update_visit(Log *log pg_attribute_unused(), const Visit *v)
{
	KeptPlan   *plan = v->seldom_changed ? &update_seldom_plan : &update_visit_plan;
	Datum		values[KEPT_PLAN_ARGS];
	char		nulls[KEPT_PLAN_ARGS];
	int			n;
	int64		length = (v->last - v->first) / USECS_PER_SEC;

	if (batch_writer_active())
		return bulk_continue_visit(v);
	if (length > longest(v->idsite))
		log_publish_longest(v->idsite, length);
	if (open_log != NULL)
		return overwrite_visit(v);

	nulls[0] = nulls[1] = nulls[2] = ' ';
	values[0] = PointerGetDatum(&v->tid);
	values[1] = Int64GetDatum(v->idvisit);
	values[2] = TransactionIdGetDatum(v->xmin);
	n = 3 + changed_values(v, v->seldom_changed, values + 3, nulls + 3);
	Assert(n == plan->nargs);
	(void) n;

	if (plan_execute(plan, values, nulls, 0, true) != SPI_OK_UPDATE)
		elog(ERROR, "visit was not updated");
	return SPI_processed == 1;
}

/*
 * log_insert_action
 *		Write an action row: the narrow one of a plain page view, or all of its
 *		columns.
 */
void
log_insert_action(Log *log pg_attribute_unused(), const Visit *v, const Hit *hit, const Action *action,
					int64 idlink_va, MatchedBy matched_by, Reason reason)
{
	KeptPlan   *plan = action->wide ? &insert_wide_action_plan : &insert_action_plan;
	Datum		values[KEPT_PLAN_ARGS];
	char		nulls[KEPT_PLAN_ARGS];
	int			i = 0;

	memset(nulls, ' ', plan->nargs);
	values[i++] = Int64GetDatum(idlink_va);
	values[i++] = Int64GetDatum(v->idvisit);
	values[i] = id_or_null(v->has_idvisitor, v->idvisitor, &nulls[i]), i++;
	values[i++] = TimestampTzGetDatum(hit->at);
	values[i] = nullable(action->idaction_url, false, &nulls[i]), i++;
	values[i] = nullable(action->idaction_name, false, &nulls[i]), i++;
	values[i] = nullable(action->idaction_url_ref, false, &nulls[i]), i++;
	values[i] = nullable(action->idaction_name_ref, false, &nulls[i]), i++;
	values[i++] = Int32GetDatum(v->idsite);
	values[i] = nullable(action->pageview_position, true, &nulls[i]), i++;
	values[i++] = Int32GetDatum(action->time_spent_ref_action);
	values[i++] = Int16GetDatum(action->consent);
	values[i++] = Int16GetDatum(matched_by);
	values[i++] = Int16GetDatum(reason);
	values[i] = text_or_null(action->idpageview, &nulls[i]), i++;
	if (action->wide)
	{
		values[i] = pointer_or_null(action->custom_float, &nulls[i]), i++;
		values[i] = idaction_or_null(action->event_category, &nulls[i]), i++;
		values[i] = idaction_or_null(action->event_action, &nulls[i]), i++;
		values[i] = idaction_or_null(action->content_name, &nulls[i]), i++;
		values[i] = idaction_or_null(action->content_piece, &nulls[i]), i++;
		values[i] = idaction_or_null(action->content_target, &nulls[i]), i++;
		values[i] = idaction_or_null(action->content_interaction, &nulls[i]), i++;
		values[i] = idaction_or_null(action->product_sku, &nulls[i]), i++;
		values[i] = idaction_or_null(action->product_name, &nulls[i]), i++;
		for (int c = 0; c < ACTION_CATEGORIES; c++)
			values[i] = idaction_or_null(action->product_categories[c], &nulls[i]), i++;
		values[i] = pointer_or_null(action->product_price, &nulls[i]), i++;
		values[i] = text_or_null(action->search_cat, &nulls[i]), i++;
		values[i] = sent_or_null(action->search_count, &nulls[i]), i++;
		for (int t = 0; t < HIT_TIMINGS; t++)
			values[i] = sent_or_null(action->timings[t], &nulls[i]), i++;
		values[i] = pointer_or_null(action->custom_dimensions, &nulls[i]), i++;
		values[i] = pointer_or_null(action->custom_variables, &nulls[i]), i++;
	}
	Assert(i == plan->nargs);

	if (batch_writer_active())
	{
		bulk_add_action(v->idvisit, idlink_va, values, nulls, i);
		return;
	}
	if (open_log != NULL)
	{
		HeapTuple	row = row_writer_form(action_rows(), values, nulls, i);

		row_writer_insert(action_rows(), &row, 1);
		CommandCounterIncrement();
		return;
	}
	if (plan_execute(plan, values, nulls, 0, false) != SPI_OK_INSERT || SPI_processed != 1)
		not_written();
}

/*
 * log_update_timings
 *		Page performance of a page view that has been written before, named by
 *		its page view id; nothing if the visit has none of it.  What was not
 *		sent stays as it is.  The visit is locked.
 */
void
log_update_timings(Log *log pg_attribute_unused(), int64 idvisit, const char *idpageview, const int32 *timings)
{
	Datum		values[2 + HIT_TIMINGS];
	char		nulls[2 + HIT_TIMINGS];

	if (batch_writer_active() && bulk_update_timings(idvisit, idpageview, timings))
		return;
	memset(nulls, ' ', sizeof(nulls));
	values[0] = Int64GetDatum(idvisit);
	values[1] = CStringGetTextDatum(idpageview);
	for (int t = 0; t < HIT_TIMINGS; t++)
		values[2 + t] = sent_or_null(timings[t], &nulls[2 + t]);
	if (plan_execute(&update_timings_plan, values, nulls, 0, true) != SPI_OK_UPDATE)
		elog(ERROR, "page performance could not be written");
}
