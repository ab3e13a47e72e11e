/*
 * conversion.c
 *		Goals reached, orders, carts and their items.  Rules:
 *		doc/internals.md, "Matomo: goals and orders".
 *
 * Money is numeric from the parameter to the column: decimal digits are never
 * converted to a binary fraction.
 */
#include "postgres.h"

#include <math.h>

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"

#include "base/compat.h"
#include "base/crypto.h"
#include "base/text.h"
#include "base/url.h"
#include "visit/conversion.h"

#define MONEY_TEXT_MAX 64		/* characters of a number */
#define MONEY_MAX 1e15			/* greater numbers are not amounts */
#define MONEY_SCALE 2			/* decimals that are kept */
#define ATTRIBUTION_MAX 255		/* characters of a campaign's name and keyword */
#define ITEM_TEXT_MAX 65536		/* bytes of an item's text that are read */

/*
 * Is it a number (sign, digits, one point, an exponent) that is small enough
 * to be an amount of money?
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
		/* a longer exponent is not that of an amount */
		if (p == first || p - first > 3)
			return false;
	}
	return *p == '\0' && fabs(strtod(str, NULL)) < MONEY_MAX;
}

/* Round to two decimals, unless it has fewer. */
static Numeric
round_money(Numeric n)
{
	int32		scale = DatumGetInt32(DirectFunctionCall1(numeric_scale, NumericGetDatum(n)));

	if (scale <= MONEY_SCALE)
		return n;
	n = DatumGetNumeric(DirectFunctionCall2(numeric_round, NumericGetDatum(n),
											Int32GetDatum(MONEY_SCALE)));
	return DatumGetNumeric(DirectFunctionCall1(numeric_trim_scale, NumericGetDatum(n)));
}

/* An amount as it is stored; false if the text is not an amount. */
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

/*
 * The amount of a parameter.  absent: the amount if it was not sent; "false" is
 * how Matomo's JavaScript client says that.  One that cannot be read is unknown,
 * and the request says so; by Matomo's rules it is unread.
 */
static Numeric
amount(const char *name, const char *str, Numeric absent, Numeric unread, const Settings *s,
	   ConversionRequest *request)
{
	Numeric		n;

	if (str[0] == '\0')
		return absent;
	if (money(str, &n))
		return n;
	if (s->recognition_rules == RULES_MATOMO)
		return unread;
	if (strcmp(str, "false") == 0)
		return absent;
	if (request->bad_money == NULL)
		request->bad_money = name;
	return NULL;
}

/* A scalar of an item as text; "" if it is not a scalar. */
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
			str = DatumGetCString(DirectFunctionCall1(numeric_out,
													  NumericGetDatum(v->val.numeric)));
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

/*
 * The price of an item; 0 if none was sent.  One that cannot be read is NULL, by
 * Matomo's rules 0.
 */
static Numeric
item_price(const JsonbValue *v, const Settings *s)
{
	char	   *str = scalar_text(v, s);
	Numeric		n;

	if (s->recognition_rules != RULES_MATOMO && v->type != jbvString && v->type != jbvNumeric)
		return v->type == jbvNull ? zero() : NULL;
	if (money(str, &n))
		return n;
	return s->recognition_rules == RULES_MATOMO || str[0] == '\0' ? zero() : NULL;
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

static char no_text[] = "";

/* Read one entry of ec_items: [sku, name, category, price, quantity].  False if it has no SKU. */
static bool
read_item(JsonbContainer *entry, const Settings *s, OrderItem *item)
{
	JsonbIterator *it = JsonbIteratorInit(entry);
	JsonbIteratorToken token;
	JsonbValue	v;
	int			place = 0;

	/* shared, because a document may have a million items */
	item->sku = item->name = no_text;
	for (int i = 0; i < ITEM_CATEGORIES; i++)
		item->category[i] = no_text;
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
				item->price = item_price(&v, s);
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
 * Read ec_items.  If an SKU comes twice, the last item counts.  False if it is
 * not a list, or has more than ITEMS_MAX items.  *bad_price: whether the price of
 * an item cannot be read.
 */
static bool
read_items(const Hit *hit, const Settings *s, ConversionRequest *request, bool *bad_price)
{
	JsonbIterator *it;
	JsonbIteratorToken token;
	JsonbValue	v;
	int64		quantity = 0;

	*bad_price = false;
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
		OrderItem  *item = &request->items[request->n_items];
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
	{
		quantity += request->items[i].quantity;
		*bad_price |= request->items[i].price == NULL;
	}
	request->quantity = (int32) Max(Min(quantity, PG_INT32_MAX), PG_INT32_MIN);
	return true;
}

/*
 * Does the hit say that nothing is in the cart: an empty list, and no revenue?
 * Clients that do not know a cart's items send an empty list with the cart's
 * revenue.
 */
static bool
empties_cart(const Hit *hit, const ConversionRequest *request)
{
	return hit->ec_items != NULL && JB_ROOT_COUNT(hit->ec_items) == 0 &&
		request->revenue != NULL &&
		DatumGetBool(DirectFunctionCall2(numeric_eq, NumericGetDatum(request->revenue),
										 NumericGetDatum(zero())));
}

/* A random order id, in place of the sent one: 40 hex digits, as Matomo's. */
static char *
random_order_id(void)
{
	uint8		bytes[20];
	char	   *hex = palloc(2 * sizeof(bytes) + 1);

	random_bytes(bytes, sizeof(bytes));
	for (int i = 0; i < (int) sizeof(bytes); i++)
		sprintf(hex + 2 * i, "%02x", bytes[i]);
	return hex;
}

/*
 * conversion_read
 *		Read the conversion that the hit asks for.  hit's texts have been cut
 *		to their bounds.  Returns the name of the first invalid parameter, or
 *		NULL.  Money that cannot be read makes a hit invalid only if it is
 *		strict.
 */
const char *
conversion_read(const Hit *hit, ActionKind kind, const Settings *s,
				const Goal *goals, int n_goals, ConversionRequest *request)
{
	memset(request, 0, sizeof(ConversionRequest));
	if (kind == ACTION_PING)
		request->kind = CONVERT_NOTHING;
	else if (kind == ACTION_GOAL)
	{
		request->kind = CONVERT_GOAL;
		request->goal = goal_find(goals, n_goals, hit->idgoal);
		if (request->goal == NULL)
			return "idgoal";
		request->revenue = round_money(request->goal->revenue);
		request->revenue = amount("revenue", hit->revenue, request->revenue, request->revenue,
								  s, request);
	}
	else if (kind == ACTION_ECOMMERCE)
	{
		bool		bad_price;

		request->kind = hit->ec_id[0] ? CONVERT_ORDER : CONVERT_CART;
		/* reserved: log_conversion_item.idorder of carts */
		if (strcmp(hit->ec_id, ORDER_OF_CART) == 0)
			return "ec_id";
		if (!read_items(hit, s, request, &bad_price))
			return "ec_items";
		request->revenue = amount("revenue", hit->revenue, zero(), zero(), s, request);
		if (request->kind == CONVERT_ORDER)
		{
			request->idorder = s->anonymize_order_id ? random_order_id() : hit->ec_id;
			request->subtotal = amount("ec_st", hit->ec_st, NULL, zero(), s, request);
			request->tax = amount("ec_tx", hit->ec_tx, NULL, zero(), s, request);
			request->shipping = amount("ec_sh", hit->ec_sh, NULL, zero(), s, request);
			request->discount = amount("ec_dt", hit->ec_dt, NULL, zero(), s, request);
		}
		else if (s->recognition_rules != RULES_MATOMO && empties_cart(hit, request))
		{
			request->kind = CONVERT_EMPTIED_CART;
			request->revenue = zero();
		}
		if (bad_price && request->bad_money == NULL)
			request->bad_money = "ec_items";
	}
	else
		request->kind = CONVERT_BY_ACTION;
	return hit->strict ? request->bad_money : NULL;
}

/*
 * conversion_claim
 *		What becomes of the order's id.  same_visitor: the order that holds it is
 *		of the hit's visitor.  trusted: the hit is authenticated.  Pure
 *		(doc/internals.md, "Order ids").
 */
OrderClaim
conversion_claim(const KnownOrder *known, bool same_visitor, bool trusted, const Settings *s)
{
	if (known->repeated)
		return ORDER_REPEATED;
	if (!known->held)
		return ORDER_NEW;
	if (same_visitor || s->order_id_conflict == ORDER_CONFLICT_FIRST)
		return ORDER_REPEATED;
	return trusted ? ORDER_TAKES_OVER : ORDER_CONFLICTS;
}

/* The hit's texts for comparison with goals, without HTML escapes. */
static void
goal_input(const ConversionInput *in, const Visit *visit, GoalInput *g)
{
	const Hit  *hit = in->hit;
	bool		escaped = in->s->recognition_rules == RULES_MATOMO;

	g->kind = in->kind;
	g->decode = in->s->recognition_rules != RULES_MATOMO;
	g->url = hit->url;
	g->title = escaped ? text_unescape(pstrdup(hit->action_name)) : hit->action_name;
	g->file = hit->download;
	g->external_website = hit->link;
	g->event_category = escaped ? text_unescape(pstrdup(hit->e_c)) : hit->e_c;
	g->event_action = escaped ? text_unescape(pstrdup(hit->e_a)) : hit->e_a;
	g->event_name = escaped ? text_unescape(pstrdup(hit->e_n)) : hit->e_n;
	g->visit_duration = in->begun ? 0 : hit->at - visit->first;
}

/* visit_goal_buyer after an order or cart. */
static int16
buyer_after(ConversionKind kind, int16 before)
{
	bool		ordered = before == BUYER_ORDERED || before == BUYER_ORDERED_OPEN_CART;

	if (kind == CONVERT_ORDER)
		return BUYER_ORDERED;
	if (kind == CONVERT_EMPTIED_CART)
		return ordered ? BUYER_ORDERED : BUYER_NONE;
	return ordered ? BUYER_ORDERED_OPEN_CART : BUYER_OPEN_CART;
}

/*
 * conversion_decide
 *		Decide what the hit converts, and change the visit, to which
 *		lifecycle_action() has applied the hit.  False if it converts nothing.
 *		Pure.
 */
bool
conversion_decide(const ConversionInput *in, Visit *visit, Conversions *out)
{
	const ConversionRequest *r = in->request;
	bool		is_goal = true;

	memset(out, 0, sizeof(Conversions));
	out->in = in;
	out->open_cart = visit->goal_buyer == BUYER_OPEN_CART ||
		visit->goal_buyer == BUYER_ORDERED_OPEN_CART;

	/* any hit with an order id counts as one with an order */
	if (in->hit->ec_id[0] && (visit->since_order.isnull || visit->since_order.value != 0))
	{
		visit->since_order = some_int(0);
		visit->seldom_changed = true;
	}

	out->emptied_cart = !out->open_cart && !in->begun && in->s->recognition_rules != RULES_MATOMO;

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
			out->list[0].revenue = r->revenue;
			out->n = 1;
			break;

		case CONVERT_EMPTIED_CART:
			if (in->begun)
				return false;
			/* FALLTHROUGH */
		case CONVERT_CART:
		case CONVERT_ORDER:
			out->list = palloc_array(Conversion, 1);
			out->list[0].idgoal = r->kind == CONVERT_ORDER ? IDGOAL_ORDER : IDGOAL_CART;
			out->list[0].multiple = r->kind == CONVERT_ORDER;
			out->list[0].revenue = r->revenue;
			out->n = 1;
			is_goal = r->kind == CONVERT_ORDER;
			visit->goal_buyer = buyer_after(r->kind, visit->goal_buyer);
			break;
	}

	if (is_goal)
	{
		visit->goal_converted = 1;
		/* Matomo adds this to the total time */
		if (in->known && in->s->recognition_rules == RULES_MATOMO)
			visit->total_time = (int32)
				Min((int64) visit->total_time + Max(in->hit->idgoal, -1) + 2, PG_INT32_MAX);
	}
	visit->seldom_changed = true;
	return true;
}

/*
 * conversion_wants_cookie
 *		Does the attribution of a conversion depend on the kind of the referrer
 *		_ref?  visit: the visit's own referrer.
 */
bool
conversion_wants_cookie(const Hit *hit, const Referrer *visit)
{
	return hit->rcn[0] == '\0' && hit->ref[0] != '\0' &&
		!(visit->type == REFERRER_CAMPAIGN && visit->name != NULL && visit->name[0]);
}

/*
 * conversion_attribute
 *		The referrer to which a conversion is attributed, the first of these:
 *		the campaign of the attribution cookie; the visit's referrer if that is
 *		a campaign; the cookie's referrer if it is a search engine, a website,
 *		a network or an assistant; the visit's referrer.  cookie: the referrer detected from
 *		_ref, if conversion_wants_cookie().
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
			  cookie->type == REFERRER_SOCIAL || cookie->type == REFERRER_AI_ASSISTANT))
		*out = *cookie;
	else
		*out = *visit;
}
