/*
 * conversion_write.c
 *		Writes goals reached, orders, carts and their items.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/plan.h"
#include "base/text.h"
#include "log/columns.h"
#include "log/conversion_write.h"
#include "log/mark_days.h"
#include "log/names.h"
#include "log/writer.h"

/* What the hit says of a conversion; the rest of its row is copied from the visit. */
typedef struct ConversionRow
{
	int64		idvisit;
	NullableInt idlink_va;
	TimestampTz at;
	NullableInt idaction_url;
	int32		idgoal;
	NullableInt items;
	NullableInt pageviews_before;
	ReferrerType referer_type;
	const char *referer_name;
	const char *referer_keyword;
	const char *idorder;
	const char *order_conflict;
	const char *url;
	Numeric		revenue;
	Numeric		subtotal;
	Numeric		tax;
	Numeric		shipping;
	Numeric		discount;
	MatchedBy	matched_by;
} ConversionRow;

#define OF_ROW(member) .source = SOURCE_CONVERSION, .offset = offsetof(ConversionRow, member)

static const Column conversion_list[] = {
	{"idvisit", COLUMN_INT8, OF_ROW(idvisit)},
	{"idlink_va", COLUMN_INT8_OR_NULL, OF_ROW(idlink_va)},
	{"server_time", COLUMN_TIMESTAMPTZ, OF_ROW(at)},
	{"idaction_url", COLUMN_INT8_OR_NULL, OF_ROW(idaction_url)},
	{"idgoal", COLUMN_INT4, OF_ROW(idgoal)},
	{"items", COLUMN_INT4_OR_NULL, OF_ROW(items)},
	{"pageviews_before", COLUMN_INT4_OR_NULL, OF_ROW(pageviews_before)},
	{"referer_type", COLUMN_INT2_OF_INT, OF_ROW(referer_type)},
	{"referer_name", COLUMN_TEXT, OF_ROW(referer_name)},
	{"referer_keyword", COLUMN_TEXT, OF_ROW(referer_keyword)},
	{"idorder", COLUMN_TEXT, OF_ROW(idorder)},
	{"order_conflict", COLUMN_TEXT, OF_ROW(order_conflict)},
	{"url", COLUMN_TEXT, OF_ROW(url)},
	{"revenue", COLUMN_NUMERIC, OF_ROW(revenue)},
	{"revenue_subtotal", COLUMN_NUMERIC, OF_ROW(subtotal)},
	{"revenue_tax", COLUMN_NUMERIC, OF_ROW(tax)},
	{"revenue_shipping", COLUMN_NUMERIC, OF_ROW(shipping)},
	{"revenue_discount", COLUMN_NUMERIC, OF_ROW(discount)},
	{"matched_by", COLUMN_INT2_OF_INT, OF_ROW(matched_by)},
};

static const ColumnTable conversion_columns = {
	.relation = "log_conversion",.columns = conversion_list,.n = lengthof(conversion_list)
};

/* Columns that a conversion copies from the visit, as the visit stands then. */
static const char *const copied_columns[] = {
	"idsite", "consent", "idvisitor", "visitor_returning", "visitor_count_visits",
	"visitor_seconds_since_first", "visitor_seconds_since_order",
	"location_continent", "location_country", "location_region", "location_city",
	"location_latitude", "location_longitude", "config_browser_name", "config_client_type",
	"config_device_type", "config_device_brand", "config_device_model",
	"custom_dimensions", "custom_variables"
};

/* Add the list of the columns of conversions and of the visit, and buster. */
static void
append_columns(StringInfo sql)
{
	appendStringInfoString(sql, " (buster");
	for (int i = 0; i < conversion_columns.n; i++)
		appendStringInfo(sql, ", %s", conversion_list[i].name);
	for (int i = 0; i < (int) lengthof(copied_columns); i++)
		appendStringInfo(sql, ", %s", copied_columns[i]);
	appendStringInfoChar(sql, ')');
}

/*
 * Add the values of these columns; v is the visit.  It is locked, so that no
 * count is lost.  The parameter after those of the columns is whether the visit
 * may convert the goal again.  matched_by: the value of that column, NULL if it is
 * its parameter.
 */
static void
append_values(KeptPlan *plan, StringInfo sql, const char *matched_by)
{
	int			idgoal = column_find(&conversion_columns, "idgoal") + 1;

	plan->nargs = conversion_columns.n + 1;
	appendStringInfo(sql, "CASE WHEN $%d THEN (SELECT COALESCE(pg_catalog.max(o.buster), 0)"
					 " OPERATOR(pg_catalog.+) 1 FROM pk_tracking.log_conversion o"
					 " WHERE o.idvisit OPERATOR(pg_catalog.=) $1"
					 " AND o.idgoal OPERATOR(pg_catalog.=) $%d) ELSE 0 END",
					 plan->nargs, idgoal);
	plan->argtypes[plan->nargs - 1] = BOOLOID;
	for (int i = 0; i < conversion_columns.n; i++)
	{
		plan->argtypes[i] = column_type(&conversion_list[i]);
		if (matched_by != NULL && strcmp(conversion_list[i].name, "matched_by") == 0)
			appendStringInfo(sql, ", %s", matched_by);
		else
			appendStringInfo(sql, ", $%d", i + 1);
	}
	for (int i = 0; i < (int) lengthof(copied_columns); i++)
		appendStringInfo(sql, ", v.%s", copied_columns[i]);
}

/* A goal that one visit may convert once only: the second time nothing is written. */
static void
make_insert(KeptPlan *plan, StringInfo sql)
{
	appendStringInfoString(sql, "INSERT INTO pk_tracking.log_conversion");
	append_columns(sql);
	appendStringInfoString(sql, " SELECT ");
	append_values(plan, sql, NULL);
	appendStringInfoString(sql,
						   " FROM pk_tracking.log_visit v"
						   " WHERE v.idvisit OPERATOR(pg_catalog.=) $1"
						   " ON CONFLICT (idvisit, idgoal, buster) DO NOTHING RETURNING buster");
}

/*
 * The visit's cart becomes what the hit says: a newer cart, or an order.  That a
 * fingerprint brought hits to an anonymous cart stays known, because
 * log_joined_by_fingerprint() asks for it.
 */
static void
make_update_cart(KeptPlan *plan, StringInfo sql)
{
	char	   *matched_by;

	matched_by = psprintf("CASE WHEN c.consent OPERATOR(pg_catalog.>=) %d"
						  " AND c.matched_by OPERATOR(pg_catalog.=) %d"
						  " THEN c.matched_by ELSE $%d END",
						  STATE_UNDECIDED, MATCHED_FINGERPRINT,
						  column_find(&conversion_columns, "matched_by") + 1);

	appendStringInfoString(sql, "UPDATE pk_tracking.log_conversion AS c SET");
	append_columns(sql);
	appendStringInfoString(sql, " = ROW(");
	append_values(plan, sql, matched_by);
	appendStringInfoString(sql,
						   ") FROM pk_tracking.log_visit v"
						   " WHERE v.idvisit OPERATOR(pg_catalog.=) $1"
						   " AND c.idvisit OPERATOR(pg_catalog.=) $1"
						   " AND c.idgoal OPERATOR(pg_catalog.=) (-1)"
						   " AND c.buster OPERATOR(pg_catalog.=) 0"
						   " RETURNING c.buster");
}

static KeptPlan insert_plan = {.make = make_insert};
static KeptPlan update_cart_plan = {.make = make_update_cart};

/*
 * The order that has the id, and those of this visitor that have not got it.  An
 * id of a visitor is compared as a number, as the index has it.
 */
static KeptPlan known_order_plan = {
	.query = "SELECT true, c.idvisit, c.idvisitor FROM pk_tracking.log_conversion c"
	" WHERE c.idsite OPERATOR(pg_catalog.=) $1 AND c.idorder OPERATOR(pg_catalog.=) $2"
	" UNION ALL (SELECT false, c.idvisit, c.idvisitor FROM pk_tracking.log_conversion c"
	" WHERE c.idsite OPERATOR(pg_catalog.=) $1 AND c.order_conflict OPERATOR(pg_catalog.=) $2"
	" AND c.idvisitor::pg_catalog.int8 OPERATOR(pg_catalog.=) ANY ($3) LIMIT 1)"
	" UNION ALL (SELECT false, c.idvisit, c.idvisitor FROM pk_tracking.log_conversion c"
	" WHERE c.idvisit OPERATOR(pg_catalog.=) $4 AND c.idgoal OPERATOR(pg_catalog.=) 0"
	" AND c.order_conflict OPERATOR(pg_catalog.=) $2 LIMIT 1)",
	.nargs = 4,.argtypes = {INT4OID, TEXTOID, INT8ARRAYOID, INT8OID}
};

static KeptPlan take_over_plan = {
	.query = "UPDATE pk_tracking.log_conversion AS c SET idorder = NULL, order_conflict = c.idorder"
	" WHERE c.idsite OPERATOR(pg_catalog.=) $1 AND c.idorder OPERATOR(pg_catalog.=) $2"
	" RETURNING c.server_time",
	.nargs = 2,.argtypes = {INT4OID, TEXTOID}
};

/*
 * The items of the open cart: those that the hit does not name are deleted,
 * and all go over to the order, if it is one.
 */
static KeptPlan cart_items_plan = {
	.query = "UPDATE pk_tracking.log_conversion_item AS i SET server_time = $2, idorder = $3,"
	/* the visitor may have agreed meanwhile */
	" consent = $5, idvisitor = $6,"
	" deleted = i.deleted OR NOT i.idaction_sku OPERATOR(pg_catalog.=) ANY ($4)"
	" WHERE i.idvisit OPERATOR(pg_catalog.=) $1 AND i.idorder OPERATOR(pg_catalog.=) '0'"
	" AND ($3 OPERATOR(pg_catalog.<>) '0' OR"
	" (NOT i.deleted AND NOT i.idaction_sku OPERATOR(pg_catalog.=) ANY ($4)))",
	.nargs = 6,.argtypes = {INT8OID, TIMESTAMPTZOID, TEXTOID, INT8ARRAYOID, INT2OID, InvalidOid}
};

static KeptPlan items_plan = {
	.query = "INSERT INTO pk_tracking.log_conversion_item (idvisit, idvisitor, server_time, idsite,"
	" consent, idorder, idaction_sku, idaction_name, idaction_category, idaction_category2,"
	" idaction_category3, idaction_category4, idaction_category5, price, quantity)"
	" SELECT $1, $2, $3, $4, $5, $6, i.sku, i.name,"
	" i.c1, i.c2, i.c3, i.c4, i.c5, i.price, i.quantity"
	" FROM ROWS FROM (pg_catalog.unnest($7), pg_catalog.unnest($8), pg_catalog.unnest($9),"
	" pg_catalog.unnest($10), pg_catalog.unnest($11), pg_catalog.unnest($12),"
	" pg_catalog.unnest($13),"
	" pg_catalog.unnest($14), pg_catalog.unnest($15))"
	" AS i (sku, name, c1, c2, c3, c4, c5, price, quantity)"
	" ON CONFLICT (idvisit, idorder, idaction_sku) DO UPDATE SET"
	" idvisitor = excluded.idvisitor, server_time = excluded.server_time,"
	" consent = excluded.consent, idaction_name = excluded.idaction_name,"
	" idaction_category = excluded.idaction_category,"
	" idaction_category2 = excluded.idaction_category2,"
	" idaction_category3 = excluded.idaction_category3,"
	" idaction_category4 = excluded.idaction_category4,"
	" idaction_category5 = excluded.idaction_category5, price = excluded.price,"
	" quantity = excluded.quantity, deleted = false",
	.nargs = 15,.argtypes = {INT8OID, InvalidOid, TIMESTAMPTZOID, INT4OID, INT2OID, TEXTOID,
		INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID,
		INT8ARRAYOID,
	NUMERICARRAYOID, INT4ARRAYOID}
};

/* Numbers as an array. */
static Datum
number_array(const int64 *numbers, int n)
{
	Datum	   *elements = palloc_array(Datum, n + 1);

	for (int i = 0; i < n; i++)
		elements[i] = Int64GetDatum(numbers[i]);
	return PointerGetDatum(construct_array(elements, n, INT8OID, sizeof(int64),
										   FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/*
 * conversion_order_known
 *		What does the site have of an order id, committed by any transaction or
 *		written by this one?  idvisit: the visit that the order would belong to,
 *		0 if it is about to begin; ids: its visitor's, n of them.  The caller holds
 *		the order's lock.
 */
void
conversion_order_known(int32 idsite, const char *idorder, int64 idvisit, const HexId *ids, int n,
					   KnownOrder *known)
{
	Datum		values[4];
	TupleDesc	desc;

	memset(known, 0, sizeof(KnownOrder));
	values[0] = Int32GetDatum(idsite);
	values[1] = CStringGetTextDatum(idorder);
	values[2] = number_array((const int64 *) ids, n);
	values[3] = Int64GetDatum(idvisit);
	if (plan_execute(&known_order_plan, values, NULL, 0, true) != SPI_OK_SELECT)
		elog(ERROR, "could not read orders");
	desc = SPI_tuptable->tupdesc;
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		HeapTuple	tuple = SPI_tuptable->vals[i];
		bool		isnull;

		if (!DatumGetBool(SPI_getbinval(tuple, desc, 1, &isnull)))
		{
			known->repeated = true;
			continue;
		}
		known->held = true;
		known->idvisit = DatumGetInt64(SPI_getbinval(tuple, desc, 2, &isnull));
		known->idvisitor = DatumGetHexId(SPI_getbinval(tuple, desc, 3, &isnull));
		known->has_idvisitor = !isnull;
	}
	SPI_freetuptable(SPI_tuptable);
}

static bool
is_anonymous(const Visit *visit)
{
	return visit->consent == STATE_UNDECIDED || visit->consent == STATE_REFUSED;
}

/* A URL as Matomo writes it for manual goals: escaped, but for ampersands. */
static char *
escape_url(const char *url)
{
	char	   *escaped = text_sanitise(pstrdup(url));
	char	   *to = escaped;

	for (const char *p = escaped; *p; p++)
	{
		*to++ = *p;
		if (strncmp(p, "&amp;", 5) == 0)
			p += 4;
	}
	*to = '\0';
	return escaped;
}

/*
 * The URL of the conversion.  Matomo keeps none of orders and carts.  Without
 * consent there is none: its parameters may be anything.
 */
static const char *
conversion_url(const ConversionInput *in, bool ecommerce, const Visit *visit)
{
	const char *url = in->page_url;

	if (is_anonymous(visit))
		return NULL;
	if (in->s->recognition_rules != RULES_MATOMO)
		return url;
	if (ecommerce || url == NULL)
		return "";
	return in->request->kind == CONVERT_BY_ACTION ? url : escape_url(url);
}

/*
 * Take the id away from the order that has it.  Nobody else does so, nor adds an
 * order of that id: the id is locked.
 */
static void
take_over(int32 idsite, const char *idorder)
{
	Datum		values[2];
	KnownOrder	known;

	values[0] = Int32GetDatum(idsite);
	values[1] = CStringGetTextDatum(idorder);
	if (plan_execute(&take_over_plan, values, NULL, 0, true) != SPI_OK_UPDATE_RETURNING)
		elog(ERROR, "could not update an order");
	if (SPI_processed > 0)
	{
		bool		isnull;
		Datum		at = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);

		SPI_freetuptable(SPI_tuptable);
		/* it is another visit's, and may be of any day */
		mark_days_write(idsite, DatumGetTimestampTz(at), DatumGetTimestampTz(at));
		return;
	}

	/*
	 * the owner has deleted it meanwhile, or a trigger of the owner's keeps
	 * it
	 */
	conversion_order_known(idsite, idorder, 0, NULL, 0, &known);
	if (known.held)
		raise_suppressed();
}

/* Write one conversion.  Returns its buster, -1 if the visit had converted the goal before. */
static int64
write_conversion(const Conversions *c, const Conversion *conversion, const Visit *visit,
				 NullableInt idlink_va)
{
	const ConversionInput *in = c->in;
	const ConversionRequest *r = in->request;
	bool		by_action = r->kind == CONVERT_BY_ACTION;
	bool		cart = r->kind == CONVERT_CART || r->kind == CONVERT_EMPTIED_CART;
	bool		ecommerce = r->kind == CONVERT_ORDER || cart;
	bool		written = false;
	bool		has_cart = (ecommerce && c->open_cart) || (cart && c->emptied_cart);
	ConversionRow row;
	const void *sources[N_SOURCES] = {[SOURCE_CONVERSION] = &row};
	Datum		values[KEPT_PLAN_ARGS];
	char		nulls[KEPT_PLAN_ARGS];
	bool		isnull;
	int64		buster;

	row.idvisit = visit->idvisit;
	row.idlink_va = by_action ? idlink_va : no_int();
	row.at = in->hit->at;
	row.idaction_url = by_action ? in->idaction_url : no_int();
	row.idgoal = conversion->idgoal;
	row.items = ecommerce ? some_int(r->quantity) : no_int();
	row.pageviews_before = cart ? no_int() :
		some_int(visit->total_interactions - visit->total_searches);
	row.referer_type = c->referrer.type;
	row.referer_name = c->referrer.name;
	row.referer_keyword = c->referrer.keyword;
	row.idorder = is_anonymous(visit) || r->claim == ORDER_CONFLICTS ? NULL : r->idorder;
	row.order_conflict = !is_anonymous(visit) && r->claim == ORDER_CONFLICTS ? r->idorder : NULL;
	row.url = conversion_url(in, ecommerce, visit);
	row.revenue = conversion->revenue;
	row.subtotal = r->subtotal;
	row.tax = r->tax;
	row.shipping = r->shipping;
	row.discount = r->discount;
	row.matched_by = in->matched_by;
	columns_values(&conversion_columns, conversion_columns.n, sources, values, nulls);
	values[conversion_columns.n] = BoolGetDatum(conversion->multiple);
	nulls[conversion_columns.n] = ' ';

	if (r->claim == ORDER_TAKES_OVER)
		take_over(visit->idsite, r->idorder);
	if (has_cart)
	{
		if (plan_execute(&update_cart_plan, values, nulls, 0, false) != SPI_OK_UPDATE_RETURNING)
			elog(ERROR, "could not update a cart");
		written = SPI_processed > 0;
		if (!written)
			SPI_freetuptable(SPI_tuptable);
	}
	/* a cart that was emptied gets no row */
	if (!written && r->kind == CONVERT_EMPTIED_CART)
		return -1;
	if (!written)
	{
		if (plan_execute(&insert_plan, values, nulls, 0, false) != SPI_OK_INSERT_RETURNING)
			elog(ERROR, "could not write a conversion");
		written = SPI_processed > 0;
	}
	if (!written)
	{
		SPI_freetuptable(SPI_tuptable);
		if (ecommerce)
			raise_suppressed();
		return -1;
	}
	buster = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	SPI_freetuptable(SPI_tuptable);
	return buster;
}

/*
 * Items whose SKUs came too late share a number, and so become one: as of an SKU
 * that comes twice, the last one counts.  Returns how many are left.
 */
static int
merge_items(int64 *numbers[], Datum *prices, bool *no_prices, Datum *quantities, int n)
{
	int			left = 0;

	for (int i = 0; i < n; i++)
	{
		int			to = 0;

		while (to < left && numbers[0][to] != numbers[0][i])
			to++;
		for (int k = 0; k < 2 + ITEM_CATEGORIES; k++)
			numbers[k][to] = numbers[k][i];
		prices[to] = prices[i];
		no_prices[to] = no_prices[i];
		quantities[to] = quantities[i];
		if (to == left)
			left++;
	}
	return left;
}

/* Write the items of an order or cart in place of those of the open cart. */
static void
write_items(Log *log, const Conversions *c, const Visit *visit, const char *idorder)
{
	const ConversionInput *in = c->in;
	const ConversionRequest *r = in->request;
	int			n = r->n_items;
	int			first = 1;
	int			max = in->s->page_maximum_length;
	int64	   *numbers[2 + ITEM_CATEGORIES];
	Datum	   *prices = palloc_array(Datum, n + 1);
	bool	   *no_prices = palloc_array(bool, n + 1);
	Datum	   *quantities = palloc_array(Datum, n + 1);
	Datum		values[15];
	char		nulls[15];

	for (int k = 0; k < 2 + ITEM_CATEGORIES; k++)
		numbers[k] = palloc_array(int64, n + 1);
	for (int i = 0; i < n; i++)
	{
		const OrderItem *item = &r->items[i];

		numbers[0][i] = name_of_text(log, visit->idsite, ACTION_TYPE_SKU, item->sku, max);
		numbers[1][i] = name_of_text(log, visit->idsite, ACTION_TYPE_ITEM_NAME, item->name, max);
		for (int k = 0; k < ITEM_CATEGORIES; k++)
			numbers[2 + k][i] = name_of_text(log, visit->idsite, ACTION_TYPE_ITEM_CATEGORY,
											 item->category[k], max);
		prices[i] = NumericGetDatum(item->price);
		no_prices[i] = item->price == NULL;
		quantities[i] = Int32GetDatum(item->quantity);
	}

	if (log->hit_names.refused)
		n = merge_items(numbers, prices, no_prices, quantities, n);

	if (c->open_cart)
	{
		values[0] = Int64GetDatum(visit->idvisit);
		values[1] = TimestampTzGetDatum(in->hit->at);
		values[2] = CStringGetTextDatum(idorder);
		values[3] = number_array(numbers[0], n);
		values[4] = Int16GetDatum(visit->consent);
		values[5] = HexIdGetDatum(visit->idvisitor);
		memset(nulls, ' ', sizeof(nulls));
		nulls[5] = visit->has_idvisitor ? ' ' : 'n';
		if (plan_execute(&cart_items_plan, values, nulls, 0, false) != SPI_OK_UPDATE)
			elog(ERROR, "could not update the items of a cart");
	}
	if (n == 0)
		return;

	memset(nulls, ' ', sizeof(nulls));
	values[0] = Int64GetDatum(visit->idvisit);
	nulls[1] = visit->has_idvisitor ? ' ' : 'n';
	values[1] = HexIdGetDatum(visit->idvisitor);
	values[2] = TimestampTzGetDatum(in->hit->at);
	values[3] = Int32GetDatum(visit->idsite);
	values[4] = Int16GetDatum(visit->consent);
	values[5] = CStringGetTextDatum(idorder);
	for (int k = 0; k < 2 + ITEM_CATEGORIES; k++)
		values[6 + k] = number_array(numbers[k], n);
	values[13] = PointerGetDatum(construct_md_array(prices, no_prices, 1, &n, &first, NUMERICOID,
													-1, false, TYPALIGN_INT));
	values[14] = PointerGetDatum(construct_array(quantities, n, INT4OID, sizeof(int32), true,
												 TYPALIGN_INT));
	if (plan_execute(&items_plan, values, nulls, 0, false) != SPI_OK_INSERT)
		elog(ERROR, "could not write the items of an order");
}

/*
 * conversion_write
 *		Write the conversions that were decided, after the visit and the action
 *		(idlink_va; NULL if the hit has none).  Conversions are rare enough to pin
 *		search_path always: a user's code on these tables must not see the
 *		caller's.
 */
void
conversion_write(Log *log, const Conversions *c, const Visit *visit, NullableInt idlink_va)
{
	const ConversionRequest *r = c->in->request;
	int			level;

	if (c->n == 0)
		return;
	/* a conversion copies columns of the visit */
	log->writer->settle_visit(log, visit->idvisit);
	level = pin_search_path();
	for (int i = 0; i < c->n; i++)
	{
		int64		buster = write_conversion(c, &c->list[i], visit, idlink_va);

		if (r->kind == CONVERT_CART || r->kind == CONVERT_EMPTIED_CART)
			write_items(log, c, visit, ORDER_OF_CART);
		else if (r->kind == CONVERT_ORDER)
			write_items(log, c, visit, is_anonymous(visit) ?
						psprintf("##" INT64_FORMAT, buster) : r->idorder);
	}
	AtEOXact_GUC(true, level);
}
