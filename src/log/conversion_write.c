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
#include "log/conversion_write.h"
#include "log/names.h"
#include "log/writer.h"

#define CONVERSION_COLUMNS \
	"idvisit, idlink_va, idvisitor, server_time, idaction_url, buster, idsite, idgoal," \
	" items, pageviews_before, visitor_count_visits, visitor_seconds_since_first," \
	" visitor_seconds_since_order, consent, matched_by, visitor_returning, referer_type," \
	" config_client_type, config_device_type, idorder, url, revenue, revenue_subtotal," \
	" revenue_tax, revenue_shipping, revenue_discount, referer_name, referer_keyword," \
	" location_continent, location_country, location_region, location_city," \
	" location_latitude, location_longitude, config_browser_name, config_device_brand," \
	" config_device_model, custom_dimensions, custom_variables"

/* As the visit stands now; it is locked, so that counting up loses nothing. */
#define CONVERSION_VALUES(matched_by) \
	"v.idvisit, $2, v.idvisitor, $3, $4," \
	" CASE WHEN $5 THEN (SELECT COALESCE(pg_catalog.max(o.buster), 0) OPERATOR(pg_catalog.+) 1" \
	" FROM pk_tracking.log_conversion o WHERE o.idvisit OPERATOR(pg_catalog.=) $1" \
	" AND o.idgoal OPERATOR(pg_catalog.=) $6) ELSE 0 END, v.idsite, $6," \
	" $7, $8, v.visitor_count_visits, v.visitor_seconds_since_first," \
	" v.visitor_seconds_since_order, v.consent, " matched_by ", v.visitor_returning, $9," \
	" v.config_client_type, v.config_device_type, $10, $11, $12, $13," \
	" $14, $15, $16, $17, $18," \
	" v.location_continent, v.location_country, v.location_region, v.location_city," \
	" v.location_latitude, v.location_longitude, v.config_browser_name, v.config_device_brand," \
	" v.config_device_model, v.custom_dimensions, v.custom_variables"

#define CONVERSION_TYPES \
	INT8OID, INT8OID, TIMESTAMPTZOID, INT8OID, BOOLOID, INT4OID, INT4OID, INT4OID, \
	INT2OID, TEXTOID, TEXTOID, NUMERICOID, NUMERICOID, NUMERICOID, NUMERICOID, NUMERICOID, \
	TEXTOID, TEXTOID, INT2OID
#define CONVERSION_ARGS 19

/* A goal that one visit may convert once only: the second is no news. */
static KeptPlan insert_plan = {
	.query = "INSERT INTO pk_tracking.log_conversion (" CONVERSION_COLUMNS ")"
	" SELECT " CONVERSION_VALUES("$19")
	" FROM pk_tracking.log_visit v WHERE v.idvisit OPERATOR(pg_catalog.=) $1"
	" ON CONFLICT (idvisit, idgoal, buster) DO NOTHING RETURNING buster",
	.nargs = CONVERSION_ARGS, .argtypes = {CONVERSION_TYPES}
};

/*
 * The open cart becomes what the hit says: a newer cart, or an order.  That a
 * fingerprint (5) has joined somebody's cart to the visit is not forgotten:
 * log_joined_by_fingerprint() asks.
 */
static KeptPlan update_cart_plan = {
	.query = "UPDATE pk_tracking.log_conversion AS c SET (" CONVERSION_COLUMNS ") ="
	/* that a fingerprint brought hits to an anonymous cart stays known: 5, MATCHED_FINGERPRINT */
	" ROW(" CONVERSION_VALUES("CASE WHEN c.consent OPERATOR(pg_catalog.>=) 2"
							  " AND c.matched_by OPERATOR(pg_catalog.=) 5 THEN c.matched_by ELSE $19 END") ")"
	" FROM pk_tracking.log_visit v WHERE v.idvisit OPERATOR(pg_catalog.=) $1"
	" AND c.idvisit OPERATOR(pg_catalog.=) $1"
	" AND c.idgoal OPERATOR(pg_catalog.=) (-1) AND c.buster OPERATOR(pg_catalog.=) 0"
	" RETURNING c.buster",
	.nargs = CONVERSION_ARGS, .argtypes = {CONVERSION_TYPES}
};

static KeptPlan known_order_plan = {
	.query = "SELECT 1 FROM pk_tracking.log_conversion c"
	" WHERE c.idsite OPERATOR(pg_catalog.=) $1 AND c.idorder OPERATOR(pg_catalog.=) $2 LIMIT 1",
	.nargs = 2, .argtypes = {INT4OID, TEXTOID}
};

/*
 * The items of the open cart: those that the hit does not name are deleted,
 * and all go over to the order, if it is one.
 */
static KeptPlan cart_items_plan = {
	.query = "UPDATE pk_tracking.log_conversion_item AS i SET server_time = $2, idorder = $3,"
	/* the visit may have become somebody's meanwhile */
	" consent = $5, idvisitor = $6, deleted = i.deleted OR NOT i.idaction_sku OPERATOR(pg_catalog.=) ANY ($4)"
	" WHERE i.idvisit OPERATOR(pg_catalog.=) $1 AND i.idorder OPERATOR(pg_catalog.=) '0'"
	" AND ($3 OPERATOR(pg_catalog.<>) '0' OR"
	" (NOT i.deleted AND NOT i.idaction_sku OPERATOR(pg_catalog.=) ANY ($4)))",
	.nargs = 6, .argtypes = {INT8OID, TIMESTAMPTZOID, TEXTOID, INT8ARRAYOID, INT2OID, InvalidOid}
};

static KeptPlan items_plan = {
	.query = "INSERT INTO pk_tracking.log_conversion_item (idvisit, idvisitor, server_time, idsite,"
	" consent, idorder, idaction_sku, idaction_name, idaction_category, idaction_category2,"
	" idaction_category3, idaction_category4, idaction_category5, price, quantity)"
	" SELECT $1, $2, $3, $4, $5, $6, i.sku, i.name, i.c1, i.c2, i.c3, i.c4, i.c5, i.price, i.quantity"
	" FROM ROWS FROM (pg_catalog.unnest($7), pg_catalog.unnest($8), pg_catalog.unnest($9),"
	" pg_catalog.unnest($10), pg_catalog.unnest($11), pg_catalog.unnest($12), pg_catalog.unnest($13),"
	" pg_catalog.unnest($14), pg_catalog.unnest($15))"
	" AS i (sku, name, c1, c2, c3, c4, c5, price, quantity)"
	" ON CONFLICT (idvisit, idorder, idaction_sku) DO UPDATE SET"
	" idvisitor = excluded.idvisitor, server_time = excluded.server_time,"
	" consent = excluded.consent, idaction_name = excluded.idaction_name,"
	" idaction_category = excluded.idaction_category, idaction_category2 = excluded.idaction_category2,"
	" idaction_category3 = excluded.idaction_category3, idaction_category4 = excluded.idaction_category4,"
	" idaction_category5 = excluded.idaction_category5, price = excluded.price,"
	" quantity = excluded.quantity, deleted = false",
	.nargs = 15, .argtypes = {INT8OID, InvalidOid, TIMESTAMPTZOID, INT4OID, INT2OID, TEXTOID,
		INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID,
		NUMERICARRAYOID, INT4ARRAYOID}
};

/*
 * conversion_order_known
 *		Has the site an order of that id already, committed by whomsoever or
 *		written by this transaction?  The caller holds the order's lock.
 */
bool
conversion_order_known(int32 idsite, const char *idorder)
{
	Datum		values[2];
	bool		known;

	values[0] = Int32GetDatum(idsite);
	values[1] = CStringGetTextDatum(idorder);
	if (plan_execute(&known_order_plan, values, NULL, 1, true) != SPI_OK_SELECT)
		elog(ERROR, "orders could not be read");
	known = SPI_processed > 0;
	SPI_freetuptable(SPI_tuptable);
	return known;
}

static Datum
text_value(const char *str, char *null)
{
	*null = str == NULL ? 'n' : ' ';
	return str == NULL ? (Datum) 0 : CStringGetTextDatum(str);
}

static Datum
money_value(Numeric n, char *null)
{
	*null = n == NULL ? 'n' : ' ';
	return n == NULL ? (Datum) 0 : NumericGetDatum(n);
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

/* Write one conversion.  Returns its buster, -1 if it was not news. */
static int64
write_conversion(const Conversions *c, const Conversion *conversion, const Visit *visit, NullableInt idlink_va)
{
	const ConversionInput *in = c->in;
	const ConversionRequest *r = in->request;
	bool		by_action = r->kind == CONVERT_BY_ACTION;
	bool		ecommerce = r->kind == CONVERT_ORDER || r->kind == CONVERT_CART;
	bool		as_matomo = in->s->recognition_rules == RULES_MATOMO;
	const char *url;
	Datum		values[CONVERSION_ARGS];
	char		nulls[CONVERSION_ARGS];
	int			i = 0;
	bool		isnull;
	int64		buster;

	/*
	 * Matomo keeps no URL of orders and carts.  Without consent there is none:
	 * its parameters may be anything.
	 */
	url = in->page_url;
	if (is_anonymous(visit))
		url = NULL;
	else if (as_matomo)
	{
		if (ecommerce || url == NULL)
			url = "";
		else if (!by_action)
			url = escape_url(url);
	}

	memset(nulls, ' ', sizeof(nulls));
	values[i++] = Int64GetDatum(visit->idvisit);
	nulls[i] = by_action && !idlink_va.isnull ? ' ' : 'n';
	values[i++] = Int64GetDatum(idlink_va.value);
	values[i++] = TimestampTzGetDatum(in->hit->at);
	nulls[i] = by_action && !in->idaction_url.isnull ? ' ' : 'n';
	values[i++] = Int64GetDatum(in->idaction_url.value);
	values[i++] = BoolGetDatum(conversion->multiple);
	values[i++] = Int32GetDatum(conversion->idgoal);
	nulls[i] = ecommerce ? ' ' : 'n';
	values[i++] = Int32GetDatum(r->quantity);
	nulls[i] = r->kind == CONVERT_CART ? 'n' : ' ';
	values[i++] = Int32GetDatum(visit->total_interactions - visit->total_searches);
	values[i++] = Int16GetDatum((int16) c->referrer.type);
	values[i] = text_value(is_anonymous(visit) ? NULL : r->idorder, &nulls[i]), i++;
	values[i] = text_value(url, &nulls[i]), i++;
	values[i] = money_value(conversion->revenue, &nulls[i]), i++;
	values[i] = money_value(r->subtotal, &nulls[i]), i++;
	values[i] = money_value(r->tax, &nulls[i]), i++;
	values[i] = money_value(r->shipping, &nulls[i]), i++;
	values[i] = money_value(r->discount, &nulls[i]), i++;
	values[i] = text_value(c->referrer.name, &nulls[i]), i++;
	values[i] = text_value(c->referrer.keyword, &nulls[i]), i++;
	values[i++] = Int16GetDatum(in->matched_by);
	Assert(i == CONVERSION_ARGS);

	if (ecommerce && c->open_cart)
	{
		if (plan_execute(&update_cart_plan, values, nulls, 0, false) != SPI_OK_UPDATE_RETURNING)
			elog(ERROR, "cart was not updated");
		if (SPI_processed == 0)
			SPI_freetuptable(SPI_tuptable);
	}
	if (!(ecommerce && c->open_cart) || SPI_processed == 0)
	{
		if (plan_execute(&insert_plan, values, nulls, 0, false) != SPI_OK_INSERT_RETURNING)
			elog(ERROR, "conversion was not written");
	}

	if (SPI_processed == 0)
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

/* One column of the items as an array: numbers of names. */
static Datum
number_array(const int64 *numbers, int n)
{
	Datum	   *elements = palloc_array(Datum, n + 1);

	for (int i = 0; i < n; i++)
		elements[i] = Int64GetDatum(numbers[i]);
	return PointerGetDatum(construct_array(elements, n, INT8OID, sizeof(int64),
										   FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* Write the items of an order or cart in place of those of the open cart. */
static void
write_items(Log *log, const Conversions *c, const Visit *visit, const char *idorder)
{
	const ConversionInput *in = c->in;
	const ConversionRequest *r = in->request;
	int			n = r->n_items;
	int			max = in->s->page_maximum_length;
	int64	   *numbers[2 + ITEM_CATEGORIES];
	Datum	   *prices = palloc_array(Datum, n + 1);
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
			numbers[2 + k][i] = name_of_text(log, visit->idsite, ACTION_TYPE_ITEM_CATEGORY, item->category[k], max);
		prices[i] = NumericGetDatum(item->price);
		quantities[i] = Int32GetDatum(item->quantity);
	}

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
			elog(ERROR, "items of the cart were not updated");
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
	values[13] = PointerGetDatum(construct_array(prices, n, NUMERICOID, -1, false, TYPALIGN_INT));
	values[14] = PointerGetDatum(construct_array(quantities, n, INT4OID, sizeof(int32), true, TYPALIGN_INT));
	if (plan_execute(&items_plan, values, nulls, 0, false) != SPI_OK_INSERT)
		elog(ERROR, "items were not written");
}

/*
 * conversion_write
 *		Write what was decided, after the visit and the action (idlink_va).
 *		Conversions are seldom enough to pin search_path always: code that
 *		somebody has put on these tables must not see the caller's.
 */
void
conversion_write(Log *log, const Conversions *c, const Visit *visit, NullableInt idlink_va)
{
	const ConversionRequest *r = c->in->request;
	int			level;

	if (c->n == 0)
		return;
	/* a conversion copies what the visit has */
	log->writer->settle_visit(log, visit->idvisit);
	level = pin_search_path();
	for (int i = 0; i < c->n; i++)
	{
		int64		buster = write_conversion(c, &c->list[i], visit, idlink_va);

		if (r->kind == CONVERT_CART)
			write_items(log, c, visit, ORDER_OF_CART);
		else if (r->kind == CONVERT_ORDER)
			write_items(log, c, visit, is_anonymous(visit) ?
						psprintf("##" INT64_FORMAT, buster) : r->idorder);
	}
	AtEOXact_GUC(true, level);
}
