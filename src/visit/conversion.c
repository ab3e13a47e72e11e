/*
 * conversion.c
 *		Goals reached, orders, carts and their items (spec matomo 3.5, 3.7, 5, 7).
 *
 * Money is numeric from the parameter to the column: what was sent in decimal
 * digits is never a binary fraction on its way.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/string.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "request/text.h"
#include "request/url.h"
#include "visit/conversion.h"
#include "visit/store.h"
#include "visit/store_bulk.h"

#define MONEY_TEXT_MAX 64		/* characters of a number */
#define MONEY_MAX 1e15			/* amounts are smaller, or no amounts */
#define MONEY_SCALE 2			/* decimals that are kept */
#define ATTRIBUTION_MAX 255		/* characters of a campaign's name and keyword */
#define ITEM_TEXT_MAX 65536		/* bytes of an item's text that are looked at */
#define ORDER_OF_CART "0"		/* log_conversion_item.idorder */

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
 * store_joined_by_fingerprint() asks.
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
 * A number as spec 6.1 wants it: sign, digits, one point, an exponent; small
 * enough to be an amount of money.
 */
static bool
is_amount(const char *str)
{
	const char *p = str;
	int			digits = 0;

	if (strlen(str) > MONEY_TEXT_MAX)
		return false;
	if (*p == '+' || *p == '-')
		p++;
	for (; *p >= '0' && *p <= '9'; p++)
		digits++;
	if (*p == '.')
	{
		for (p++; *p >= '0' && *p <= '9'; p++)
			digits++;
	}
	if (digits == 0)
		return false;
	if (*p == 'e' || *p == 'E')
	{
		const char *first;

		p++;
		if (*p == '+' || *p == '-')
			p++;
		for (first = p; *p >= '0' && *p <= '9'; p++)
			;
		/* an exponent beyond this is no amount whatever the digits are */
		if (p == first || p - first > 3)
			return false;
	}
	return *p == '\0' && fabs(strtod(str, NULL)) < MONEY_MAX;
}

/* Two decimals, unless it has fewer (spec 7). */
static Numeric
round_money(Numeric n)
{
	int32		scale = DatumGetInt32(DirectFunctionCall1(numeric_scale, NumericGetDatum(n)));

	if (scale <= MONEY_SCALE)
		return n;
	n = DatumGetNumeric(DirectFunctionCall2(numeric_round, NumericGetDatum(n), Int32GetDatum(MONEY_SCALE)));
	return DatumGetNumeric(DirectFunctionCall1(numeric_trim_scale, NumericGetDatum(n)));
}

/* An amount as it is stored; false if the text is none. */
static bool
money(const char *str, Numeric *result)
{
	if (!is_amount(str))
		return false;
	*result = round_money(DatumGetNumeric(DirectFunctionCall3(numeric_in, CStringGetDatum(str),
															  ObjectIdGetDatum(InvalidOid),
															  Int32GetDatum(-1))));
	return true;
}

static Numeric
zero(void)
{
	return DatumGetNumeric(DirectFunctionCall1(int4_numeric, Int32GetDatum(0)));
}

/* A parameter of an order: NULL if it was not sent, 0 if that was no number. */
static Numeric
order_amount(const char *str)
{
	Numeric		n;

	if (str[0] == '\0')
		return NULL;
	return money(str, &n) ? n : zero();
}

/* A scalar of an item as text; "" if it is none. */
static char *
scalar_text(const JsonbValue *v, const Settings *s)
{
	char	   *str;

	switch (v->type)
	{
		case jbvString:
			str = text_clean(v->val.string.val, Min(v->val.string.len, ITEM_TEXT_MAX), false);
			if (s->recognition_rules == RULES_MATOMO)
				str = text_unescape(str);
			return text_trim(str);
		case jbvNumeric:
			str = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(v->val.numeric)));
			if (strlen(str) > ITEM_TEXT_MAX)
				str[ITEM_TEXT_MAX] = '\0';
			return str;
		case jbvBool:
			return pstrdup(v->val.boolean ? "1" : "");
		default:
			return pstrdup("");
	}
}

/* A value of an item as text; the members of a list are joined by commas. */
static char *
item_text(const JsonbValue *v, const Settings *s)
{
	StringInfoData buf;
	JsonbIterator *it;
	JsonbIteratorToken token;
	JsonbValue	member;
	bool		first = true;

	if (v->type != jbvBinary || !JsonContainerIsArray(v->val.binary.data))
		return scalar_text(v, s);

	initStringInfo(&buf);
	it = JsonbIteratorInit(v->val.binary.data);
	while ((token = JsonbIteratorNext(&it, &member, true)) != WJB_DONE)
	{
		if (token != WJB_ELEM || buf.len > ITEM_TEXT_MAX)
			continue;
		if (!first)
			appendStringInfoCharMacro(&buf, ',');
		appendStringInfoString(&buf, scalar_text(&member, s));
		first = false;
	}
	return text_trim(buf.data);
}

/* One category, or a list of up to five. */
static void
item_categories(const JsonbValue *v, const Settings *s, OrderItem *item)
{
	JsonbIterator *it;
	JsonbIteratorToken token;
	JsonbValue	member;
	int			n = 0;

	if (v->type != jbvBinary || !JsonContainerIsArray(v->val.binary.data))
	{
		item->category[0] = scalar_text(v, s);
		return;
	}
	it = JsonbIteratorInit(v->val.binary.data);
	while ((token = JsonbIteratorNext(&it, &member, true)) != WJB_DONE)
	{
		if (token == WJB_ELEM && n < ITEM_CATEGORIES)
			item->category[n++] = scalar_text(&member, s);
	}
}

/* Read one entry of ec_items: [sku, name, category, price, quantity].  False if it has no SKU. */
static bool
read_item(JsonbContainer *entry, const Settings *s, OrderItem *item)
{
	JsonbIterator *it = JsonbIteratorInit(entry);
	JsonbIteratorToken token;
	JsonbValue	v;
	int			place = 0;

	item->sku = item->name = pstrdup("");
	for (int i = 0; i < ITEM_CATEGORIES; i++)
		item->category[i] = pstrdup("");
	item->price = zero();
	item->quantity = 1;

	while ((token = JsonbIteratorNext(&it, &v, true)) != WJB_DONE)
	{
		if (token != WJB_ELEM)
			continue;
		switch (place++)
		{
			case 0:
				item->sku = item_text(&v, s);
				text_cut_bytes(item->sku, s->page_maximum_length);
				item->sku = text_trim(item->sku);
				break;
			case 1:
				item->name = item_text(&v, s);
				break;
			case 2:
				item_categories(&v, s, item);
				break;
			case 3:
				(void) money(scalar_text(&v, s), &item->price);
				break;
			case 4:
				{
					char	   *str = scalar_text(&v, s);
					double		n = is_amount(str) ? trunc(strtod(str, NULL)) : 0;

					if (n != 0 && n <= PG_INT32_MAX && n >= PG_INT32_MIN)
						item->quantity = (int32) n;
					break;
				}
		}
	}
	return item->sku[0] != '\0';
}

/*
 * Read ec_items.  Of an SKU that comes twice the last one counts.  False if it
 * is no list, or one of more than ITEMS_MAX.
 */
static bool
read_items(const Hit *hit, const Settings *s, ConversionRequest *request)
{
	JsonbIterator *it;
	JsonbIteratorToken token;
	JsonbValue	v;
	int64		quantity = 0;

	request->n_items = 0;
	request->items = NULL;
	request->quantity = 0;
	if (hit->ec_items_bad)
		return false;
	if (hit->ec_items == NULL)
		return true;
	if (!JB_ROOT_IS_ARRAY(hit->ec_items) || JB_ROOT_IS_SCALAR(hit->ec_items) ||
		JB_ROOT_COUNT(hit->ec_items) > ITEMS_MAX)
		return false;

	request->items = palloc_array(OrderItem, JB_ROOT_COUNT(hit->ec_items) + 1);
	it = JsonbIteratorInit(&hit->ec_items->root);
	(void) JsonbIteratorNext(&it, &v, false);
	while ((token = JsonbIteratorNext(&it, &v, true)) != WJB_DONE)
	{
		OrderItem	   *item = &request->items[request->n_items];
		int			i;

		if (token != WJB_ELEM || v.type != jbvBinary || !JsonContainerIsArray(v.val.binary.data) ||
			!read_item(v.val.binary.data, s, item))
			continue;
		for (i = 0; i < request->n_items; i++)
		{
			if (strcmp(request->items[i].sku, item->sku) == 0)
				break;
		}
		if (i < request->n_items)
			request->items[i] = *item;
		else
			request->n_items++;
	}
	for (int i = 0; i < request->n_items; i++)
		quantity += request->items[i].quantity;
	request->quantity = (int32) Max(Min(quantity, PG_INT32_MAX), PG_INT32_MIN);
	return true;
}

/* An order id that says nothing: 40 hex digits, as Matomo's (spec 4.4). */
static char *
random_order_id(void)
{
	uint8		bytes[20];
	char	   *hex = palloc(2 * sizeof(bytes) + 1);

	if (!pg_strong_random(bytes, sizeof(bytes)))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not generate random values")));
	for (int i = 0; i < (int) sizeof(bytes); i++)
		sprintf(hex + 2 * i, "%02x", bytes[i]);
	return hex;
}

/*
 * conversion_read
 *		What the hit asks for, before anything is looked up.  hit's texts have
 *		been cut to their bounds.  Returns the name of the first parameter that
 *		is wrong, NULL if none is.
 */
const char *
conversion_read(const Hit *hit, ActionKind kind, const Settings *s,
				const Goal *goals, int n_goals, ConversionRequest *request)
{
	Numeric		n;

	memset(request, 0, sizeof(ConversionRequest));
	if (kind == ACTION_PING)
		request->kind = CONVERT_NOTHING;
	else if (kind == ACTION_GOAL)
	{
		request->kind = CONVERT_GOAL;
		request->goal = goal_find(goals, n_goals, hit->idgoal);
		if (request->goal == NULL)
			return "idgoal";
		if (hit->revenue[0] && money(hit->revenue, &n))
			request->revenue = n;
	}
	else if (kind == ACTION_ECOMMERCE)
	{
		request->kind = hit->ec_id[0] ? CONVERT_ORDER : CONVERT_CART;
		/* the word for the cart among the items' order ids */
		if (strcmp(hit->ec_id, ORDER_OF_CART) == 0)
			return "ec_id";
		if (!read_items(hit, s, request))
			return "ec_items";
		request->revenue = order_amount(hit->revenue);
		if (request->revenue == NULL)
			request->revenue = zero();
		if (request->kind == CONVERT_ORDER)
		{
			request->idorder = s->anonymize_order_id ? random_order_id() : hit->ec_id;
			request->subtotal = order_amount(hit->ec_st);
			request->tax = order_amount(hit->ec_tx);
			request->shipping = order_amount(hit->ec_sh);
			request->discount = order_amount(hit->ec_dt);
		}
	}
	else
		request->kind = CONVERT_BY_ACTION;
	return NULL;
}

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
	if (store_execute(&known_order_plan, values, NULL, 1, true) != SPI_OK_SELECT)
		elog(ERROR, "orders could not be read");
	known = SPI_processed > 0;
	SPI_freetuptable(SPI_tuptable);
	return known;
}

/* What the hit shows to goals: texts as the client meant them. */
static void
goal_input(const ConversionInput *in, const Visit *visit, GoalInput *g)
{
	const Hit  *hit = in->hit;
	bool		escaped = in->s->recognition_rules == RULES_MATOMO;

	g->kind = in->kind;
	g->url = hit->url;
	g->title = escaped ? text_unescape(pstrdup(hit->action_name)) : hit->action_name;
	g->file = hit->download;
	g->external_website = hit->link;
	g->event_category = escaped ? text_unescape(pstrdup(hit->e_c)) : hit->e_c;
	g->event_action = escaped ? text_unescape(pstrdup(hit->e_a)) : hit->e_a;
	g->event_name = escaped ? text_unescape(pstrdup(hit->e_n)) : hit->e_n;
	g->visit_duration = in->begun ? 0 : hit->at - visit->first;
}

/*
 * conversion_decide
 *		What the hit converts, and what that changes on the visit, which
 *		lifecycle has brought to where it stands after the hit.  False if it
 *		converts nothing.  No database.
 */
bool
conversion_decide(const ConversionInput *in, Visit *visit, Conversions *out)
{
	const ConversionRequest *r = in->request;
	bool		is_goal = true;

	memset(out, 0, sizeof(Conversions));
	out->in = in;
	out->open_cart = visit->goal_buyer == BUYER_OPEN_CART || visit->goal_buyer == BUYER_ORDERED_OPEN_CART;

	/* whatever the hit is: it names an order (spec 2) */
	if (in->hit->ec_id[0] && (visit->since_order.isnull || visit->since_order.value != 0))
	{
		visit->since_order = some_int(0);
		visit->seldom_changed = true;
	}

	switch (r->kind)
	{
		case CONVERT_NOTHING:
			return false;

		case CONVERT_BY_ACTION:
			{
				GoalInput	g;

				if (in->n_goals == 0)
					return false;
				goal_input(in, visit, &g);
				for (int i = 0; i < in->n_goals; i++)
				{
					const Goal *goal = &in->goals[i];

					if (!goal_matches(goal, &g))
						continue;
					if (out->list == NULL)
						out->list = palloc_array(Conversion, in->n_goals);
					out->list[out->n].idgoal = goal->idgoal;
					out->list[out->n].multiple = goal->allow_multiple;
					out->list[out->n++].revenue = round_money(goal->revenue);
				}
				if (out->n == 0)
					return false;
				break;
			}

		case CONVERT_GOAL:
			out->list = palloc_array(Conversion, 1);
			out->list[0].idgoal = r->goal->idgoal;
			out->list[0].multiple = r->goal->allow_multiple;
			out->list[0].revenue = r->revenue ? r->revenue : round_money(r->goal->revenue);
			out->n = 1;
			break;

		case CONVERT_CART:
		case CONVERT_ORDER:
			out->list = palloc_array(Conversion, 1);
			out->list[0].idgoal = r->kind == CONVERT_ORDER ? IDGOAL_ORDER : IDGOAL_CART;
			out->list[0].multiple = r->kind == CONVERT_ORDER;
			out->list[0].revenue = r->revenue;
			out->n = 1;
			is_goal = r->kind == CONVERT_ORDER;
			if (is_goal)
				visit->goal_buyer = BUYER_ORDERED;
			else if (visit->goal_buyer == BUYER_ORDERED || visit->goal_buyer == BUYER_ORDERED_OPEN_CART)
				visit->goal_buyer = BUYER_ORDERED_OPEN_CART;
			else
				visit->goal_buyer = BUYER_OPEN_CART;
			break;
	}

	if (is_goal)
	{
		visit->goal_converted = 1;
		/* Matomo's sum, of which the FAQ says nothing (spec 3.5) */
		if (in->known && in->s->recognition_rules == RULES_MATOMO)
			visit->total_time = (int32) Min((int64) visit->total_time + Max(in->hit->idgoal, -1) + 2,
											PG_INT32_MAX);
	}
	visit->seldom_changed = true;
	return true;
}

/*
 * conversion_wants_cookie
 *		Does the attribution of a conversion depend on what kind of referrer
 *		_ref is?  visit: the visit's own.
 */
bool
conversion_wants_cookie(const Hit *hit, const Referrer *visit)
{
	return hit->rcn[0] == '\0' && hit->ref[0] != '\0' &&
		!(visit->type == REFERRER_CAMPAIGN && visit->name != NULL && visit->name[0]);
}

/*
 * conversion_attribute
 *		What a conversion is attributed to (spec 5, last part): the campaign of
 *		the attribution cookie; a campaign's visit; the cookie's referrer if it
 *		is a search, a website or a network; the visit.  cookie: what _ref was
 *		found to be, if conversion_wants_cookie().
 */
void
conversion_attribute(const Hit *hit, const Referrer *visit, const Referrer *cookie, Referrer *out)
{
	if (hit->rcn[0])
	{
		char	   *name = url_lower(hit->rcn, strlen(hit->rcn));
		char	   *keyword = url_lower(hit->rck, strlen(hit->rck));

		text_cut_chars(name, ATTRIBUTION_MAX);
		text_cut_chars(keyword, ATTRIBUTION_MAX);
		out->type = REFERRER_CAMPAIGN;
		out->name = name;
		out->keyword = keyword;
		out->url = "";
	}
	else if (conversion_wants_cookie(hit, visit) && cookie != NULL &&
			 (cookie->type == REFERRER_SEARCH || cookie->type == REFERRER_WEBSITE ||
			  cookie->type == REFERRER_SOCIAL))
		*out = *cookie;
	else
		*out = *visit;
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
		if (store_execute(&update_cart_plan, values, nulls, 0, false) != SPI_OK_UPDATE_RETURNING)
			elog(ERROR, "cart was not updated");
		if (SPI_processed == 0)
			SPI_freetuptable(SPI_tuptable);
	}
	if (!(ecommerce && c->open_cart) || SPI_processed == 0)
	{
		if (store_execute(&insert_plan, values, nulls, 0, false) != SPI_OK_INSERT_RETURNING)
			elog(ERROR, "conversion was not written");
	}

	if (SPI_processed == 0)
	{
		SPI_freetuptable(SPI_tuptable);
		if (ecommerce)
			ereport(ERROR,
					(errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
					 errmsg("could not track the hit: its rows cannot be written"),
					 errhint("A trigger on the log's tables may suppress the insert.")));
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
write_items(const Conversions *c, const Visit *visit, const char *idorder)
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

		numbers[0][i] = action_name(visit->idsite, ACTION_TYPE_SKU, item->sku, max);
		numbers[1][i] = action_name(visit->idsite, ACTION_TYPE_ITEM_NAME, item->name, max);
		for (int k = 0; k < ITEM_CATEGORIES; k++)
			numbers[2 + k][i] = action_name(visit->idsite, ACTION_TYPE_ITEM_CATEGORY, item->category[k], max);
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
		if (store_execute(&cart_items_plan, values, nulls, 0, false) != SPI_OK_UPDATE)
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
	if (store_execute(&items_plan, values, nulls, 0, false) != SPI_OK_INSERT)
		elog(ERROR, "items were not written");
}

/*
 * conversion_write
 *		Write what was decided, after the visit and the action (idlink_va).
 *		Conversions are seldom enough to pin search_path always: code that
 *		somebody has put on these tables must not see the caller's.
 */
void
conversion_write(const Conversions *c, const Visit *visit, NullableInt idlink_va)
{
	const ConversionRequest *r = c->in->request;
	int			level;

	if (c->n == 0)
		return;
	/* a conversion copies what the visit has */
	if (store_bulk_active())
		bulk_write_visit(visit->idvisit);
	level = store_pin_search_path();
	for (int i = 0; i < c->n; i++)
	{
		int64		buster = write_conversion(c, &c->list[i], visit, idlink_va);

		if (r->kind == CONVERT_CART)
			write_items(c, visit, ORDER_OF_CART);
		else if (r->kind == CONVERT_ORDER)
			write_items(c, visit, is_anonymous(visit) ?
						psprintf("##" INT64_FORMAT, buster) : r->idorder);
	}
	AtEOXact_GUC(true, level);
}
