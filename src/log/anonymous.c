/*
 * anonymous.c
 *		The CHECKs of the log's tables: what a row may hold without consent; and
 *		what anonymise_visits() makes of each column.
 *
 * A row whose consent is 2 (undecided) or 3 (refused) belongs to nobody: it
 * holds no id, no address, nothing that the visitor named, and says of the
 * visitor's past nothing but that it is not known.  The CHECKs call these
 * functions for such rows only; an identified row costs a comparison.
 *
 * They are functions of the whole row, because each statement parses the
 * CHECKs of its table again: written as expressions they accounted for a fifth
 * of a hit's cost.  They are in C, because a function in C does not depend on
 * the search_path of its caller.
 */
#include "postgres.h"

#include <sys/socket.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/inet.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

#include "base/compat.h"
#include "base/ip.h"

PG_FUNCTION_INFO_V1(pkt_anonymous_visit);
PG_FUNCTION_INFO_V1(pkt_anonymous_action);
PG_FUNCTION_INFO_V1(pkt_anonymous_conversion);
PG_FUNCTION_INFO_V1(pkt_anonymous_item);

PG_FUNCTION_INFO_V1(pkt_anonymous_columns);

#define ANONYMOUS_ORDER_DIGITS 10

/* What a column of an anonymous row may hold.  NULL is right for each but ANONYMOUS_CONSENT. */
typedef enum ColumnRule
{
	ANONYMOUS_CONSENT,			/* 2 or 3 */
	MUST_BE_NULL,
	ZERO,
	ONE,
	BLANK_ADDRESS,				/* no bit set, of either family, no netmask */
	ANONYMOUS_ORDER,			/* "0" (a cart), or ## and a number */
	ANYTHING
} ColumnRule;

/* What anonymise_visits() makes of a column of a visit that it changes. */
typedef enum ColumnFate
{
	KEPT,
	BY_RULE,					/* what the rule asks for */
	CLEARED,					/* NULL */
	WITHOUT_QUERY				/* a URL, or the number of one: its query and
								 * fragment are cut off */
} ColumnFate;

/*
 * Every column of the four tables has its place here; sql/anonymise.sql compares
 * with the catalog.  group: the word by which anonymise_visits() is told to change
 * the column, NULL if it stays.  Columns with a rule come first: the CHECKs look
 * at no more.
 *
 * at is the position in the row where the column was found last, from 0.  It is
 * kept from one statement to the next, because each calls the function once or
 * twice only, and checked at each use, because a table may be altered.
 */
typedef struct RuledColumn
{
	const char *name;
	ColumnRule	rule;
	const char *group;
	ColumnFate	fate;
	int			at;
} RuledColumn;

#define RULED(name, rule, group) {name, rule, group, BY_RULE, 0}
#define CHANGED(name, group, fate) {name, ANYTHING, group, fate, 0}
#define STAYS(name) {name, ANYTHING, NULL, KEPT, 0}

static RuledColumn visit_columns[] = {
	RULED("consent", ANONYMOUS_CONSENT, "visitor_id"),
	RULED("idvisitor", MUST_BE_NULL, "visitor_id"),
	RULED("config_id", MUST_BE_NULL, "fingerprint"),
	RULED("user_id", MUST_BE_NULL, "user_id"),
	RULED("location_ip", BLANK_ADDRESS, "address"),
	RULED("location_latitude", MUST_BE_NULL, "location"),
	RULED("location_longitude", MUST_BE_NULL, "location"),
	RULED("location_asn", MUST_BE_NULL, "address"),
	RULED("location_organisation", MUST_BE_NULL, "address"),
	RULED("custom_dimensions", MUST_BE_NULL, "dimensions"),
	RULED("custom_variables", MUST_BE_NULL, "dimensions"),
	RULED("visitor_returning", ZERO, "visitor_id"),
	RULED("visitor_count_visits", ONE, "visitor_id"),
	RULED("profilable", ZERO, "visitor_id"),
	RULED("visitor_seconds_since_first", ZERO, "visitor_id"),
	RULED("visitor_seconds_since_last", ZERO, "visitor_id"),
	RULED("visitor_seconds_since_order", ZERO, "visitor_id"),
	CHANGED("location_continent", "location", CLEARED),
	CHANGED("location_country", "location", CLEARED),
	CHANGED("location_region", "location", CLEARED),
	CHANGED("location_city", "location", CLEARED),
	CHANGED("location_browser_lang", "device", CLEARED),
	CHANGED("visitor_localtime", "device", CLEARED),
	CHANGED("config_client_type", "device", CLEARED),
	CHANGED("config_device_type", "device", CLEARED),
	CHANGED("config_cookie", "device", CLEARED),
	CHANGED("config_flash", "device", CLEARED),
	CHANGED("config_java", "device", CLEARED),
	CHANGED("config_pdf", "device", CLEARED),
	CHANGED("config_quicktime", "device", CLEARED),
	CHANGED("config_realplayer", "device", CLEARED),
	CHANGED("config_silverlight", "device", CLEARED),
	CHANGED("config_windowsmedia", "device", CLEARED),
	CHANGED("config_resolution", "device", CLEARED),
	CHANGED("config_os", "device", CLEARED),
	CHANGED("config_os_version", "device", CLEARED),
	CHANGED("config_browser_name", "device", CLEARED),
	CHANGED("config_browser_version", "device", CLEARED),
	CHANGED("config_browser_engine", "device", CLEARED),
	CHANGED("config_device_brand", "device", CLEARED),
	CHANGED("config_device_model", "device", CLEARED),
	CHANGED("referer_keyword", "url_queries", CLEARED),
	CHANGED("referer_url", "url_queries", WITHOUT_QUERY),
	CHANGED("visit_entry_idaction_url", "url_queries", WITHOUT_QUERY),
	CHANGED("visit_exit_idaction_url", "url_queries", WITHOUT_QUERY),
	STAYS("idvisit"),
	STAYS("idsite"),
	STAYS("visit_first_action_time"),
	STAYS("visit_last_action_time"),
	STAYS("last_idlink_va"),
	STAYS("visit_entry_idaction_name"),
	STAYS("visit_exit_idaction_name"),
	STAYS("visit_total_time"),
	STAYS("visit_total_actions"),
	STAYS("visit_total_interactions"),
	STAYS("visit_total_searches"),
	STAYS("visit_total_events"),
	STAYS("visit_goal_buyer"),
	STAYS("visit_goal_converted"),
	STAYS("referer_type"),
	STAYS("referer_name")
};

static RuledColumn action_columns[] = {
	RULED("consent", ANONYMOUS_CONSENT, "visitor_id"),
	RULED("idvisitor", MUST_BE_NULL, "visitor_id"),
	RULED("custom_dimensions", MUST_BE_NULL, "dimensions"),
	RULED("custom_variables", MUST_BE_NULL, "dimensions"),
	CHANGED("idaction_url", "url_queries", WITHOUT_QUERY),
	CHANGED("idaction_url_ref", "url_queries", WITHOUT_QUERY),
	CHANGED("idaction_content_target", "url_queries", WITHOUT_QUERY),
	CHANGED("idpageview", "visitor_id", CLEARED),
	STAYS("idlink_va"),
	STAYS("idvisit"),
	STAYS("idsite"),
	STAYS("server_time"),
	STAYS("matched_by"),
	STAYS("decision"),
	STAYS("idaction_name"),
	STAYS("idaction_name_ref"),
	STAYS("pageview_position"),
	STAYS("time_spent_ref_action"),
	STAYS("time_spent"),
	STAYS("custom_float"),
	STAYS("idaction_event_category"),
	STAYS("idaction_event_action"),
	STAYS("idaction_content_name"),
	STAYS("idaction_content_piece"),
	STAYS("idaction_content_interaction"),
	STAYS("idaction_product_sku"),
	STAYS("idaction_product_name"),
	STAYS("idaction_product_cat"),
	STAYS("idaction_product_cat2"),
	STAYS("idaction_product_cat3"),
	STAYS("idaction_product_cat4"),
	STAYS("idaction_product_cat5"),
	STAYS("product_price"),
	STAYS("search_cat"),
	STAYS("search_count"),
	STAYS("time_network"),
	STAYS("time_server"),
	STAYS("time_transfer"),
	STAYS("time_dom_processing"),
	STAYS("time_dom_completion"),
	STAYS("time_on_load")
};

static RuledColumn conversion_columns[] = {
	RULED("consent", ANONYMOUS_CONSENT, "visitor_id"),
	RULED("idvisitor", MUST_BE_NULL, "visitor_id"),
	RULED("idorder", MUST_BE_NULL, "order_id"),
	RULED("order_conflict", MUST_BE_NULL, "order_id"),
	RULED("location_latitude", MUST_BE_NULL, "location"),
	RULED("location_longitude", MUST_BE_NULL, "location"),
	RULED("visitor_returning", ZERO, "visitor_id"),
	RULED("visitor_count_visits", ONE, "visitor_id"),
	RULED("visitor_seconds_since_first", ZERO, "visitor_id"),
	RULED("visitor_seconds_since_order", ZERO, "visitor_id"),
	RULED("custom_dimensions", MUST_BE_NULL, "dimensions"),
	RULED("custom_variables", MUST_BE_NULL, "dimensions"),
	CHANGED("location_continent", "location", CLEARED),
	CHANGED("location_country", "location", CLEARED),
	CHANGED("location_region", "location", CLEARED),
	CHANGED("location_city", "location", CLEARED),
	CHANGED("config_browser_name", "device", CLEARED),
	CHANGED("config_client_type", "device", CLEARED),
	CHANGED("config_device_type", "device", CLEARED),
	CHANGED("config_device_brand", "device", CLEARED),
	CHANGED("config_device_model", "device", CLEARED),
	CHANGED("referer_keyword", "url_queries", CLEARED),
	CHANGED("url", "url_queries", WITHOUT_QUERY),
	CHANGED("idaction_url", "url_queries", WITHOUT_QUERY),
	STAYS("idvisit"),
	STAYS("idlink_va"),
	STAYS("server_time"),
	STAYS("buster"),
	STAYS("idsite"),
	STAYS("idgoal"),
	STAYS("items"),
	STAYS("pageviews_before"),
	STAYS("matched_by"),
	STAYS("referer_type"),
	STAYS("referer_name"),
	STAYS("revenue"),
	STAYS("revenue_subtotal"),
	STAYS("revenue_tax"),
	STAYS("revenue_shipping"),
	STAYS("revenue_discount")
};

static RuledColumn item_columns[] = {
	RULED("consent", ANONYMOUS_CONSENT, "visitor_id"),
	RULED("idvisitor", MUST_BE_NULL, "visitor_id"),
	RULED("idorder", ANONYMOUS_ORDER, "order_id"),
	STAYS("idvisit"),
	STAYS("server_time"),
	STAYS("idaction_sku"),
	STAYS("idaction_name"),
	STAYS("idaction_category"),
	STAYS("idaction_category2"),
	STAYS("idaction_category3"),
	STAYS("idaction_category4"),
	STAYS("idaction_category5"),
	STAYS("idsite"),
	STAYS("quantity"),
	STAYS("deleted"),
	STAYS("price")
};

typedef struct RuledTable
{
	const char *name;
	const char *constraint;
	RuledColumn *columns;
	int			n;
} RuledTable;

static const RuledTable visits = {
	"log_visit", "log_visit_anonymous", visit_columns, lengthof(visit_columns)
};
static const RuledTable actions = {
	"log_link_visit_action", "log_link_visit_action_anonymous", action_columns,
	lengthof(action_columns)
};
static const RuledTable conversions = {
	"log_conversion", "log_conversion_anonymous", conversion_columns, lengthof(conversion_columns)
};
static const RuledTable items = {
	"log_conversion_item", "log_conversion_item_anonymous", item_columns, lengthof(item_columns)
};

static bool
is_column(Form_pg_attribute column, const char *name)
{
	return !column->attisdropped && strcmp(NameStr(column->attname), name) == 0;
}

/* Position of the column in the row, from 0. */
static int
find_column(TupleDesc desc, RuledColumn *column)
{
	if (column->at < desc->natts && is_column(TupleDescAttr(desc, column->at), column->name))
		return column->at;
	for (int i = 0; i < desc->natts; i++)
	{
		if (is_column(TupleDescAttr(desc, i), column->name))
			return column->at = i;
	}
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("column \"%s\" does not exist", column->name)));
	return -1;					/* keep the compiler quiet */
}

/* No address at all: every bit zero, and no netmask that would hide one. */
static bool
is_blank_address(const inet *address)
{
	PktIp		ip = ip_from_inet(address);

	return ip_bits(address) == ip_maxbits(address) && ip_is_blank(&ip);
}

/* The order id of a cart, or the number that an anonymous order gets in place of its own. */
static bool
is_anonymous_order(const text *order)
{
	const char *id = VARDATA_ANY(order);
	int			len = VARSIZE_ANY_EXHDR(order);

	if (len == 1 && id[0] == '0')
		return true;
	if (len < 3 || len > 2 + ANONYMOUS_ORDER_DIGITS || id[0] != '#' || id[1] != '#')
		return false;
	for (int i = 2; i < len; i++)
	{
		if (id[i] < '0' || id[i] > '9')
			return false;
	}
	return true;
}

/* The number in a column of an integer type, or of a domain over one. */
static int64
get_number(Form_pg_attribute column, Datum value)
{
	switch (getBaseType(column->atttypid))
	{
		case INT2OID:
			return DatumGetInt16(value);
		case INT4OID:
			return DatumGetInt32(value);
		case INT8OID:
			return DatumGetInt64(value);
	}
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("column \"%s\" must be of type smallint, integer or bigint",
					NameStr(column->attname))));
	return 0;					/* keep the compiler quiet */
}

/*
 * Errors if the values of a column do not look in memory as those of the type
 * that create_log() gave it; like is another type whose values do.
 */
static void
check_type(Form_pg_attribute column, Oid type, Oid like, const char *name)
{
	Oid			base = getBaseType(column->atttypid);

	if (base != type && base != like)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" must be of type %s", NameStr(column->attname), name)));
}

static bool
obeys(ColumnRule rule, Form_pg_attribute column, Datum value, bool isnull)
{
	if (isnull)
		return rule != ANONYMOUS_CONSENT;
	switch (rule)
	{
		case ANONYMOUS_CONSENT:
			return get_number(column, value) == 2 || get_number(column, value) == 3;
		case MUST_BE_NULL:
			return false;
		case ZERO:
			return get_number(column, value) == 0;
		case ONE:
			return get_number(column, value) == 1;
		case BLANK_ADDRESS:
			check_type(column, INETOID, CIDROID, "inet");
			return is_blank_address(DatumGetInetPP(value));
		case ANONYMOUS_ORDER:
			check_type(column, TEXTOID, VARCHAROID, "text");
			return is_anonymous_order(DatumGetTextPP(value));
		case ANYTHING:
			return true;
	}
	return false;
}

/*
 * Errors like a CHECK, but names the column: what the server itself says of a CHECK
 * that is false has the row, with its ids, in DETAIL, and the server's log takes it.
 */
static void
refuse_row(const RuledTable *table, const RuledColumn *column)
{
	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("new row for relation \"%s\" violates check constraint \"%s\"",
					table->name, table->constraint),
			 column->rule == ANONYMOUS_CONSENT ?
			 errdetail("Column \"consent\" must be 0, 1, 2 or 3.") :
			 errdetail("Column \"%s\" has a value that a row without consent must not have.",
					   column->name),
			 err_generic_string(PG_DIAG_SCHEMA_NAME, "pk_tracking"),
			 err_generic_string(PG_DIAG_TABLE_NAME, table->name),
			 err_generic_string(PG_DIAG_CONSTRAINT_NAME, table->constraint)));
}

/* True if every column of the row in argument 0 obeys its rule, else an error. */
static Datum
check_row(FunctionCallInfo fcinfo, const RuledTable *table)
{
	HeapTupleHeader row = PG_GETARG_HEAPTUPLEHEADER(0);
	TupleDesc	desc = lookup_rowtype_tupdesc(HeapTupleHeaderGetTypeId(row),
											  HeapTupleHeaderGetTypMod(row));
	Datum	   *values = palloc_array(Datum, desc->natts);
	bool	   *isnull = palloc_array(bool, desc->natts);
	HeapTupleData tuple = {0};

	tuple.t_len = HeapTupleHeaderGetDatumLength(row);
	ItemPointerSetInvalid(&tuple.t_self);
	tuple.t_data = row;
	heap_deform_tuple(&tuple, desc, values, isnull);
	for (int i = 0; i < table->n && table->columns[i].rule != ANYTHING; i++)
	{
		RuledColumn *column = &table->columns[i];
		int			at = find_column(desc, column);

		if (!obeys(column->rule, TupleDescAttr(desc, at), values[at], isnull[at]))
			refuse_row(table, column);
	}
	ReleaseTupleDesc(desc);
	PG_RETURN_BOOL(true);
}

/*
 * pkt_anonymous_visit, pkt_anonymous_action, pkt_anonymous_conversion,
 * pkt_anonymous_item
 *		SQL: anonymous_visit(record) → boolean, and so on: true if a row of
 *		log_visit, log_link_visit_action, log_conversion or log_conversion_item
 *		is one that may be stored without consent.  Else error check_violation,
 *		which names a column but no value.
 */
Datum
pkt_anonymous_visit(PG_FUNCTION_ARGS)
{
	return check_row(fcinfo, &visits);
}

Datum
pkt_anonymous_action(PG_FUNCTION_ARGS)
{
	return check_row(fcinfo, &actions);
}

Datum
pkt_anonymous_conversion(PG_FUNCTION_ARGS)
{
	return check_row(fcinfo, &conversions);
}

Datum
pkt_anonymous_item(PG_FUNCTION_ARGS)
{
	return check_row(fcinfo, &items);
}

/* What an anonymous row must hold in the column, in words; NULL: anything. */
static const char *
rule_name(ColumnRule rule)
{
	switch (rule)
	{
		case ANONYMOUS_CONSENT:
			return "2 or 3";
		case MUST_BE_NULL:
			return "NULL";
		case ZERO:
			return "0 or NULL";
		case ONE:
			return "1 or NULL";
		case BLANK_ADDRESS:
			return "an address of zeros or NULL";
		case ANONYMOUS_ORDER:
			return "0, or ## and a number";
		case ANYTHING:
			break;
	}
	return NULL;
}

/* What anonymise_visits() makes of the column, in a word; NULL: it stays. */
static const char *
fate_name(const RuledColumn *column)
{
	if (column->fate == CLEARED)
		return "null";
	if (column->fate == WITHOUT_QUERY)
		return "without query";
	if (column->fate == KEPT)
		return NULL;
	switch (column->rule)
	{
		case ANONYMOUS_CONSENT:
			return "undecided";
		case ZERO:
			return "zero";
		case ONE:
			return "one";
		case BLANK_ADDRESS:
			return "zeros";
		case ANONYMOUS_ORDER:
			return "numbered";
		default:
			return "null";
	}
}

/*
 * pkt_anonymous_columns
 *		SQL: anonymous_columns() → (relation, column_name, what, becomes,
 *		must_be): every column of the log's four tables of rows; see
 *		src/subject/anonymise.sql.
 */
Datum
pkt_anonymous_columns(PG_FUNCTION_ARGS)
{
	static const RuledTable *const tables[] = {&visits, &actions, &conversions, &items};
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	for (int t = 0; t < (int) lengthof(tables); t++)
	{
		for (int i = 0; i < tables[t]->n; i++)
		{
			const RuledColumn *column = &tables[t]->columns[i];
			const char *texts[5] = {
				tables[t]->name, column->name, column->group, fate_name(column),
				rule_name(column->rule)
			};
			Datum		values[5] = {0};
			bool		nulls[5];

			for (int k = 0; k < 5; k++)
			{
				nulls[k] = texts[k] == NULL;
				if (!nulls[k])
					values[k] = CStringGetTextDatum(texts[k]);
			}
			tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
		}
	}
	return (Datum) 0;
}
