/*
 * conversion.h
 *		Goals reached, orders, carts and their items.
 *
 * A hit is processed in four steps: conversion_read() before anything is
 * locked, conversion_order_known() and conversion_claim() under the order's
 * lock, conversion_decide() before the visit is written, and conversion_write()
 * after the visit and the action.  The first two find invalid hits, so that these
 * leave nothing.  What reads and writes is in log/conversion_write.h.
 */
#ifndef PKT_CONVERSION_H
#define PKT_CONVERSION_H

#include "request/hit.h"
#include "settings/settings.h"
#include "visit/goal.h"
#include "visit/visit.h"

/* log_conversion.idgoal of conversions that are not goals */
#define IDGOAL_ORDER 0
#define IDGOAL_CART (-1)

#define ORDER_OF_CART "0"		/* log_conversion_item.idorder */
#define ITEM_CATEGORIES 5
#define ITEMS_MAX 1000

/* log_visit.visit_goal_buyer */
#define BUYER_NONE 0
#define BUYER_ORDERED 1
#define BUYER_OPEN_CART 2
#define BUYER_ORDERED_OPEN_CART 3

/* An item of an order or cart. */
typedef struct OrderItem
{
	char	   *sku;			/* never "" */
	char	   *name;			/* "": none */
	char	   *category[ITEM_CATEGORIES];	/* "": none */
	Numeric		price;			/* NULL: it cannot be read */
	int32		quantity;
} OrderItem;

typedef enum ConversionKind
{
	CONVERT_BY_ACTION,			/* the goals that the action matches, if any */
	CONVERT_GOAL,				/* the goal in idgoal */
	CONVERT_CART,
	CONVERT_EMPTIED_CART,
	CONVERT_ORDER,
	CONVERT_NOTHING				/* a ping */
} ConversionKind;

/* What becomes of an order's id. */
typedef enum OrderClaim
{
	ORDER_NEW,					/* the order has it */
	ORDER_REPEATED,				/* the order is there already: the hit is
								 * invalid */
	ORDER_CONFLICTS,			/* another visitor's order has it and keeps it */
	ORDER_TAKES_OVER			/* another visitor's order loses it */
} OrderClaim;

/* What the log has of an order id. */
typedef struct KnownOrder
{
	bool		repeated;		/* the visitor's own order, without the id */
	bool		held;			/* an order has it: that of … */
	int64		idvisit;
	bool		has_idvisitor;
	HexId		idvisitor;
} KnownOrder;

/* The conversion that a hit asks for, checked. */
typedef struct ConversionRequest
{
	ConversionKind kind;
	const Goal *goal;
	const char *idorder;		/* of an order */
	OrderClaim	claim;			/* found out under the order's lock */
	Numeric		revenue;		/* amounts; NULL: unknown */
	Numeric		subtotal;
	Numeric		tax;
	Numeric		shipping;
	Numeric		discount;
	int			n_items;
	OrderItem  *items;
	int32		quantity;		/* of all items */
	const char *bad_money;		/* the first parameter whose amount cannot be
								 * read; NULL: none */
} ConversionRequest;

typedef struct ConversionInput
{
	const Hit  *hit;
	const Settings *s;
	const ConversionRequest *request;
	int			n_goals;		/* of the site */
	const Goal *goals;
	ActionKind	kind;
	bool		begun;			/* the visit has just begun */
	bool		known;			/* the visitor is known */
	MatchedBy	matched_by;		/* how the hit was recognised */
	NullableInt idaction_url;	/* of the action */
	const char *page_url;		/* normalised, NULL: none */
} ConversionInput;

typedef struct Conversion
{
	int32		idgoal;
	bool		multiple;		/* the visit can convert it again */
	Numeric		revenue;
} Conversion;

/* Conversions to be written after the visit. */
typedef struct Conversions
{
	const ConversionInput *in;
	int			n;				/* 0: nothing */
	Conversion *list;
	bool		open_cart;		/* the visit had a cart before */
	bool		emptied_cart;	/* the visit may have a row of a cart that was
								 * emptied */
	Referrer	referrer;		/* to which they are attributed */
} Conversions;

extern const char *conversion_read(const Hit *hit, ActionKind kind, const Settings *s,
								   const Goal *goals, int n_goals, ConversionRequest *request);
extern OrderClaim conversion_claim(const KnownOrder *known, bool same_visitor, bool trusted,
								   const Settings *s);
extern bool conversion_decide(const ConversionInput *in, Visit *visit, Conversions *out);
extern bool conversion_wants_cookie(const Hit *hit, const Referrer *visit);
extern void conversion_attribute(const Hit *hit, const Referrer *visit, const Referrer *cookie,
								 Referrer *out);

#endif							/* PKT_CONVERSION_H */
