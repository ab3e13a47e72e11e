/*
 * hit.h
 *		One hit: a thing that a browser, an app or a log line tells us.
 *
 * The table of hit fields (hit.c) says for each field its name in the tracking
 * API, its type, its bounds, what a bad value does and its privacy class.
 * Query strings, named arguments, raw-table columns and JSON are readers of
 * that one table.
 */
#ifndef PKT_HIT_H
#define PKT_HIT_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"

#include "base/hexid.h"
#include "base/ip.h"
#include "request/consent.h"

#define HIT_PLUGINS 8
#define HIT_PLUGIN_COOKIE 7
#define NOT_SENT PG_INT32_MIN

/* Page performance: network server transfer dom_processing dom_completion on_load */
#define HIT_TIMINGS 6
#define HIT_TIMING_MAX 16777215	/* milliseconds; larger ones are no measurement (spec 3.2) */

/* An id that was given, or not. */
typedef struct OptionalId
{
	bool		given;
	HexId		id;
} OptionalId;

/* A parameter that is in no table, as it was sent: escapes and all if from a URL. */
typedef struct HitParam
{
	const char *name;			/* not NUL-terminated */
	const char *value;
	size_t		name_len;
	size_t		value_len;
	bool		escaped;
} HitParam;

/*
 * Texts are NUL-terminated, valid in the database's encoding, within their
 * bounds, and "" if absent; they live in the memory context of the engine call.
 * Nothing in here has been masked: a Hit never leaves C memory.
 */
typedef struct Hit
{
	int32		idsite;
	bool		rec;			/* is it to be recorded? */
	TimestampTz at;				/* whole seconds */

	/* what the connection said */
	PktIp		ip;				/* full address */
	char	   *user_agent;
	char	   *accept_language;
	char	   *cookie_header;
	char	   *referer_header;
	bool		trusted;		/* may use what needs authentication */

	/* what was done */
	char	   *url;
	char	   *action_name;
	char	   *urlref;
	char	   *pv_id;

	/* who */
	char	   *user_id;		/* as sent, whole */
	OptionalId	cid;
	OptionalId	visitor_id;		/* first-party cookie (_id) */
	OptionalId	third_party_id;
	bool		new_visit;
	bool		bots;			/* to be recorded even if it comes from a bot */
	Consent		consent;
	OptionalId	session_cookie; /* of an anonymous session, if it was given apart */
	bool		rmip;			/* forget the address before anything is done with it */
	bool		dda;			/* no device data of an anonymous visitor */
	int32		sh;				/* fingerprint for this hit: 0 off, 1 on; NOT_SENT */

	/* what the visitor id cookie of old clients tells: 0 if absent */
	int32		idvc;
	int64		idts;			/* unix seconds */
	int64		viewts;
	int64		ects;

	/* what the browser shows of itself */
	int32		plugins[HIT_PLUGINS];	/* fla java qt realp pdf wma ag cookie */
	char	   *resolution;
	int32		local_h;		/* NOT_SENT, or as sent */
	int32		local_m;
	int32		local_s;

	/* what else was sent: decides the kind of action (spec 3.4) */
	char	   *download;
	char	   *link;
	char	   *e_c;			/* event */
	char	   *e_a;
	char	   *e_n;
	Numeric		e_v;			/* NULL: none */
	char	   *c_n;			/* content */
	char	   *c_p;
	char	   *c_t;
	char	   *c_i;
	char	   *search;
	char	   *search_cat;
	int32		search_count;	/* NOT_SENT, or as sent */
	int32		idgoal;			/* -1: none */
	int32		ping;
	int32		ca;				/* 1: custom action of a plugin */

	/* the product or category that a page shows */
	char	   *pks;
	char	   *pkn;
	char	   *pkc;			/* one name, or a JSON list of names */
	Numeric		pkp;			/* NULL: none */

	/* page performance, milliseconds; NOT_SENT if there is none */
	int32		timings[HIT_TIMINGS];

	/* custom variables as sent, NULL: none */
	Jsonb	   *visit_variables;
	Jsonb	   *page_variables;

	/* goals and e-commerce: amounts as sent, so that none loses a digit */
	char	   *ec_id;
	char	   *revenue;
	char	   *ec_st;			/* sub total, tax, shipping, discount */
	char	   *ec_tx;
	char	   *ec_sh;
	char	   *ec_dt;
	Jsonb	   *ec_items;
	bool		ec_items_bad;	/* was sent, but is no JSON */

	/* the attribution cookie: campaign's name and keyword, referrer URL */
	char	   *rcn;
	char	   *rck;
	char	   *ref;

	/* needs authentication */
	char	   *token_auth;		/* wiped as soon as it has been looked at */
	bool		in_bulk;		/* came in a bulk document */
	char	   *country;
	char	   *region;
	char	   *city;
	char	   *latitude;
	char	   *longitude;
	char	   *cip;
	char	   *cdt;
	int32		cdo;
	bool		cdo_given;

	/* parameters that are not in the table of hit fields, in the order sent */
	int			n_others;
	HitParam   *others;
	Jsonb	   *headers;		/* request headers by lower-case name, or NULL */
	Jsonb	   *uadata;			/* Client Hints as a parameter, or NULL */

	/* the first parameter that was sent wrong, NULL if none: outcome invalid */
	const char *invalid;
	bool		unreadable;		/* nothing could be read, not even the site */
} Hit;

typedef enum HitFieldType
{
	FIELD_TEXT,
	FIELD_INT,					/* must print back as it was sent */
	FIELD_UNIXTIME,				/* int64 seconds */
	FIELD_FLAG,					/* int, true if not 0 */
	FIELD_FLOAT,				/* Numeric; NULL if absent or no number */
	FIELD_MILLISECONDS,			/* -1, no number or too large: not sent; else not negative */
	FIELD_ID,					/* 16 hex digits */
	FIELD_ID_COOKIE,			/* at least 16 characters, the first 16 hex digits; else ignored */
	FIELD_JSON,					/* Jsonb *; NULL if absent or no JSON */
	FIELD_AMOUNT,				/* text: a number, kept as sent; what is none counts where it is used */
	FIELD_LIST,					/* text: one name, or a JSON list of names */
	FIELD_CONSENT,
	FIELD_UIA					/* 1 means consent denied */
} HitFieldType;

typedef enum HitBadValue
{
	BAD_DEFAULT,				/* silently the default */
	BAD_INVALID					/* outcome invalid, names the parameter */
} HitBadValue;

/* Who a field may say something about. */
typedef enum HitPrivacy
{
	PRIVACY_NONE,				/* about the page or the request */
	PRIVACY_DEVICE,				/* about the device */
	PRIVACY_PERSON				/* may name a person */
} HitPrivacy;

typedef enum HitUnit
{
	UNIT_BYTES,
	UNIT_CHARS
} HitUnit;

#define HIT_FIELDS_MAX 128		/* the table is not longer */

typedef struct HitField
{
	const char *name;			/* in the tracking API */
	size_t		name_len;
	HitFieldType type;
	size_t		offset;			/* in Hit */
	int			max;			/* texts are cut here; 0: no bound of its own */
	HitUnit		unit;
	HitBadValue bad;
	HitPrivacy	privacy;
	bool		sanitise;		/* HTML-escaped under matomo rules (spec 1.2) */
} HitField;

/* What hit_fields() says of a field besides; in hit.c beside the table. */
extern const char *hit_field_description(const char *name);

extern void hit_init(void);
extern Hit *hit_create(void);
extern const HitField *hit_field(const char *name, size_t len);
extern const HitField *hit_fields(int *n);
extern void hit_cut(Hit *hit);
extern void hit_set(Hit *hit, const HitField *field, const char *value, size_t len);
extern char *hit_text(const Hit *hit, const HitField *field);
extern bool hit_set_time(Hit *hit, TimestampTz at, TimestampTz now);

#endif							/* PKT_HIT_H */
