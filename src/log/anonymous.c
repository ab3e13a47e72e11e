/*
 * anonymous.c
 *		The CHECKs of the log's tables: what a row may hold without consent.
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
#include "utils/inet.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

#include "base/compat.h"
#include "base/ip.h"

PG_FUNCTION_INFO_V1(pkt_anonymous_visit);
PG_FUNCTION_INFO_V1(pkt_anonymous_action);
PG_FUNCTION_INFO_V1(pkt_anonymous_conversion);
PG_FUNCTION_INFO_V1(pkt_anonymous_item);

#define ANONYMOUS_ORDER_DIGITS 10

/* What a column of an anonymous row may hold.  NULL is right for each but ANONYMOUS_CONSENT. */
typedef enum ColumnRule
{
	ANONYMOUS_CONSENT,			/* 2 or 3 */
	MUST_BE_NULL,
	ZERO,
	ONE,
	BLANK_ADDRESS,				/* no bit set, of either family, no netmask */
	ANONYMOUS_ORDER				/* "0" (a cart), or ## and a number */
} ColumnRule;

/*
 * at is the position in the row where the column was found last, from 0.  It is
 * kept from one statement to the next, because each calls the function once or
 * twice only, and checked at each use, because a table may be altered.
 */
typedef struct RuledColumn
{
	const char *name;
	ColumnRule	rule;
	int			at;
} RuledColumn;

static RuledColumn visit_columns[] = {
	{"consent", ANONYMOUS_CONSENT, 0},
	{"idvisitor", MUST_BE_NULL, 0},
	{"config_id", MUST_BE_NULL, 0},
	{"user_id", MUST_BE_NULL, 0},
	{"location_ip", BLANK_ADDRESS, 0},
	{"location_latitude", MUST_BE_NULL, 0},
	{"location_longitude", MUST_BE_NULL, 0},
	{"location_asn", MUST_BE_NULL, 0},
	{"location_organisation", MUST_BE_NULL, 0},
	{"custom_dimensions", MUST_BE_NULL, 0},
	{"custom_variables", MUST_BE_NULL, 0},
	{"visitor_returning", ZERO, 0},
	{"visitor_count_visits", ONE, 0},
	{"profilable", ZERO, 0},
	{"visitor_seconds_since_first", ZERO, 0},
	{"visitor_seconds_since_last", ZERO, 0},
	{"visitor_seconds_since_order", ZERO, 0}
};

static RuledColumn action_columns[] = {
	{"consent", ANONYMOUS_CONSENT, 0},
	{"idvisitor", MUST_BE_NULL, 0},
	{"custom_dimensions", MUST_BE_NULL, 0},
	{"custom_variables", MUST_BE_NULL, 0}
};

static RuledColumn conversion_columns[] = {
	{"consent", ANONYMOUS_CONSENT, 0},
	{"idvisitor", MUST_BE_NULL, 0},
	{"idorder", MUST_BE_NULL, 0},
	{"order_conflict", MUST_BE_NULL, 0},
	{"location_latitude", MUST_BE_NULL, 0},
	{"location_longitude", MUST_BE_NULL, 0},
	{"visitor_returning", ZERO, 0},
	{"visitor_count_visits", ONE, 0},
	{"visitor_seconds_since_first", ZERO, 0},
	{"visitor_seconds_since_order", ZERO, 0},
	{"custom_dimensions", MUST_BE_NULL, 0},
	{"custom_variables", MUST_BE_NULL, 0}
};

static RuledColumn item_columns[] = {
	{"consent", ANONYMOUS_CONSENT, 0},
	{"idvisitor", MUST_BE_NULL, 0},
	{"idorder", ANONYMOUS_ORDER, 0}
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
	}
	return false;
}

/* Does every column of the row in argument 0 obey its rule? */
static Datum
check_row(FunctionCallInfo fcinfo, RuledColumn *columns, int n_columns)
{
	HeapTupleHeader row = PG_GETARG_HEAPTUPLEHEADER(0);
	TupleDesc	desc = lookup_rowtype_tupdesc(HeapTupleHeaderGetTypeId(row),
											  HeapTupleHeaderGetTypMod(row));
	Datum	   *values = palloc_array(Datum, desc->natts);
	bool	   *isnull = palloc_array(bool, desc->natts);
	HeapTupleData tuple = {0};
	bool		result = true;

	tuple.t_len = HeapTupleHeaderGetDatumLength(row);
	ItemPointerSetInvalid(&tuple.t_self);
	tuple.t_data = row;
	heap_deform_tuple(&tuple, desc, values, isnull);
	for (int i = 0; i < n_columns && result; i++)
	{
		int			at = find_column(desc, &columns[i]);

		result = obeys(columns[i].rule, TupleDescAttr(desc, at), values[at], isnull[at]);
	}
	ReleaseTupleDesc(desc);
	PG_RETURN_BOOL(result);
}

/*
 * pkt_anonymous_visit, pkt_anonymous_action, pkt_anonymous_conversion,
 * pkt_anonymous_item
 *		SQL: anonymous_visit(record) → boolean, and so on: whether a row of
 *		log_visit, log_link_visit_action, log_conversion or log_conversion_item
 *		is one that may be stored without consent.
 */
Datum
pkt_anonymous_visit(PG_FUNCTION_ARGS)
{
	return check_row(fcinfo, visit_columns, lengthof(visit_columns));
}

Datum
pkt_anonymous_action(PG_FUNCTION_ARGS)
{
	return check_row(fcinfo, action_columns, lengthof(action_columns));
}

Datum
pkt_anonymous_conversion(PG_FUNCTION_ARGS)
{
	return check_row(fcinfo, conversion_columns, lengthof(conversion_columns));
}

Datum
pkt_anonymous_item(PG_FUNCTION_ARGS)
{
	return check_row(fcinfo, item_columns, lengthof(item_columns));
}
