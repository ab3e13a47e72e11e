/*
 * conversion.h
 *		Goals reached, orders, carts and their items.
 *
 * A hit goes through here in four steps: conversion_read() before anything is
 * locked, conversion_order_known() under the order's lock, conversion_decide()
 * before the visit is written and conversion_write() after visit and action.
 * What is wrong is found by the first two, so that a wrong hit leaves nothing.
 */
#ifndef PKT_CONVERSION_H
#define PKT_CONVERSION_H

#include "request/hit.h"
#include "settings/settings.h"
#include "visit/goal.h"
#include "visit/visit.h"

/* log_conversion.idgoal of what is no goal */
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
	Numeric		price;
	int32		quantity;
} OrderItem;

typedef enum ConversionKind
{
	CONVERT_BY_ACTION,			/* the goals that the action matches, if any */
	CONVERT_GOAL,				/* the one that idgoal names */
	CONVERT_CART,
	CONVERT_ORDER,
	CONVERT_NOTHING				/* a ping */
} ConversionKind;

/* What a hit asks for, read and found good. */
typedef struct ConversionRequest
{
	ConversionKind kind;
	const Goal *goal;
	const char *idorder;		/* of an order */
	Numeric		revenue;		/* NULL: not sent */
	Numeric		subtotal;
	Numeric		tax;
	Numeric		shipping;
	Numeric		discount;
	int			n_items;
	OrderItem  *items;
	int32		quantity;		/* of all items */
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
	MatchedBy	matched_by;		/* what the hit was recognised by */
	NullableInt idaction_url;	/* of the action */
	const char *page_url;		/* normalised, NULL: none */
} ConversionInput;

typedef struct Conversion
{
	int32		idgoal;
	bool		multiple;		/* may the visit convert it again? */
	Numeric		revenue;
} Conversion;

/* What is to be written once the visit is. */
typedef struct Conversions
{
	const ConversionInput *in;
	int			n;				/* 0: nothing */
	Conversion *list;
	bool		open_cart;		/* the visit had one before */
	Referrer	referrer;		/* what they are attributed to */
} Conversions;

extern const char *conversion_read(const Hit *hit, ActionKind kind, const Settings *s,
								   const Goal *goals, int n_goals, ConversionRequest *request);
extern bool conversion_decide(const ConversionInput *in, Visit *visit, Conversions *out);
extern bool conversion_wants_cookie(const Hit *hit, const Referrer *visit);
extern void conversion_attribute(const Hit *hit, const Referrer *visit, const Referrer *cookie,
								 Referrer *out);

#endif							/* PKT_CONVERSION_H */
