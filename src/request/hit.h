/*
 * hit.h
 *		One hit: what a browser, an app or a line of a log sends.
 *
 * The table of hit fields (hit.c) has for each field its name in the tracking
 * API, its type, its bounds, the effect of a bad value and its privacy class.
 * Query strings, named arguments, columns of raw tables and JSON are all read by
 * that table.
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
#define HIT_TIMING_MAX 16777215 /* milliseconds; larger values count as absent */

/* An id that was given, or not. */
typedef struct OptionalId
{
	bool		given;
	HexId		id;
} OptionalId;

/* A parameter that is not in the table, as it was sent: with its escapes if from a URL. */
typedef struct HitParam
{
	const char *name;			/* not NUL-terminated */
	const char *value;
	size_t		name_len;
	size_t		value_len;
	bool		escaped;
} HitParam;

#define SHARED_TEXTS_MAX 2

/*
 * Texts that the hits of a document share, because the connection said them, and
 * what they are when cut: a shared text is never changed in place.
 */
typedef struct SharedTexts
{
	MemoryContext context;		/* lives as long as the hits */
	int			n;
	const char *whole[SHARED_TEXTS_MAX];
	char	   *cut[SHARED_TEXTS_MAX];	/* NULL: not yet */
} SharedTexts;

/*
 * Texts are NUL-terminated, valid in the database's encoding, within their
 * bounds, and "" if absent; they live in the memory context of the engine call.
 * Nothing in here has been masked: a Hit never leaves C memory.
 */
typedef struct Hit
{
	int32		idsite;
	bool		rec;			/* false: do not record it */
	bool		raw;			/* a row of a raw table */
	TimestampTz at;				/* whole seconds */

	/* from the connection */
	PktIp		ip;				/* full address */
	char	   *address;		/* that, or a list of them, as a header has
								 * it; NULL: ip is it */
	bool		address_bad;	/* no address could be read in it */
	char	   *user_agent;
	char	   *accept_language;
	char	   *cookie_header;
	char	   *referer_header;
	bool		trusted;		/* may use parameters that need authentication */
	bool		strict;			/* what is sent wrong is the caller's error */
	SharedTexts *shared;		/* NULL: all texts are the hit's own */

	/* the action */
	char	   *url;
	char	   *action_name;
	char	   *urlref;
	char	   *cs;				/* name of the page's character set */
	char	   *pv_id;

	/* the visitor */
	char	   *user_id;		/* as sent, not cut */
	OptionalId	cid;
	OptionalId	visitor_id;		/* first-party cookie (_id) */
	bool		id_from_cookie; /* the caller took visitor_id from the cookie
								 * that it was told to set */
	OptionalId	third_party_id;
	bool		new_visit;
	bool		bots;			/* record it even if a bot sent it */
	Consent		consent;
	OptionalId	session_cookie; /* of an anonymous session, if given as an
								 * argument */
	bool		rmip;			/* discard the address before it is used */
	bool		dda;			/* store no device data of an anonymous
								 * visitor */
	int32		sh;				/* fingerprint for this hit: 0 off, 1 on;
								 * NOT_SENT */

	/* from the visitor id cookie of old clients; 0 if absent */
	int32		idvc;
	int64		idts;			/* unix seconds */
	int64		viewts;
	int64		ects;

	/* the device */
	int32		plugins[HIT_PLUGINS];	/* fla java qt realp pdf wma ag cookie */
	char	   *resolution;
	int32		local_h;		/* NOT_SENT, or as sent */
	int32		local_m;
	int32		local_s;

	/*
	 * these decide the kind of action: doc/internals.md, "Matomo: kinds of
	 * action"
	 */
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

	/* page performance, milliseconds, or NOT_SENT */
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
	bool		ec_items_bad;	/* it was sent, but is not JSON */

	/*
	 * the attribution cookie: name and keyword of a campaign, URL of a
	 * referrer
	 */
	char	   *rcn;
	char	   *rck;
	char	   *ref;

	/* needs authentication */
	char	   *token_auth;		/* wiped as soon as it was checked */
	int32		in_bulk;		/* its place in a bulk document, from 1; 0: it
								 * came in none */
	bool		of_owner;		/* a row that the log's owner replays */
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
	int			encoding;		/* by cs, of a query string; 0: UTF-8 */
	int			n_others;
	HitParam   *others;
	Jsonb	   *headers;		/* request headers by lower-case name, or NULL */
	Jsonb	   *uadata;			/* Client Hints as a parameter, or NULL */

	/* the first parameter with an invalid value, or NULL: outcome invalid */
	const char *invalid;
	bool		unreadable;		/* nothing could be read, not even idsite */
} Hit;

typedef enum HitFieldType
{
	FIELD_TEXT,
	FIELD_INT,					/* must print back as it was sent */
	FIELD_UNIXTIME,				/* int64 seconds */
	FIELD_FLAG,					/* int, true if not 0 */
	FIELD_FLOAT,				/* Numeric; NULL if absent or not a number */
	FIELD_MILLISECONDS,			/* -1, no number or too large: not sent; else
								 * not negative */
	FIELD_ID,					/* 16 hex digits */
	FIELD_ID_COOKIE,			/* at least 16 characters, the first 16 hex
								 * digits; else ignored */
	FIELD_JSON,					/* Jsonb *; NULL if absent or not JSON */
	FIELD_AMOUNT,				/* text: a number as it was sent; checked
								 * where it is used */
	FIELD_LIST,					/* text: one name, or a JSON list of names */
	FIELD_CONSENT,
	FIELD_UIA					/* 1 means consent denied */
} HitFieldType;

typedef enum HitBadValue
{
	BAD_DEFAULT,				/* silently the default */
	BAD_INVALID					/* outcome invalid, with the name of the
								 * parameter */
} HitBadValue;

/* What a field may describe. */
typedef enum HitPrivacy
{
	PRIVACY_NONE,				/* the page or the request */
	PRIVACY_DEVICE,				/* the device */
	PRIVACY_PERSON				/* a person */
} HitPrivacy;

typedef enum HitUnit
{
	UNIT_BYTES,
	UNIT_CHARS
} HitUnit;

#define HIT_FIELDS_MAX 128		/* rows of the table, at most */

typedef struct HitField
{
	const char *name;			/* in the tracking API */
	size_t		name_len;
	HitFieldType type;
	size_t		offset;			/* in Hit */
	int			max;			/* texts are cut here; 0: no bound of its own */
	HitUnit		unit;
	int32		absent;			/* FIELD_INT: value if it was not sent */
	HitBadValue bad;
	HitPrivacy	privacy;
	bool		sanitise;		/* HTML-escaped under matomo rules */
	const char *description;	/* for the view pk_tracking.hit_fields */
} HitField;

/* hit.c */
extern void hit_init(void);
extern Hit *hit_create(void);
extern const HitField *hit_field(const char *name, size_t len);
extern const HitField *hit_fields(int *n);
extern void hit_cut(Hit *hit);

/* hit_set.c */
extern void hit_set(Hit *hit, const HitField *field, const char *value, size_t len);
extern void hit_set_json(Hit *hit, const HitField *field, Jsonb *value);
extern bool hit_set_time(Hit *hit, TimestampTz at, TimestampTz now);
extern char *hit_text(const Hit *hit, const HitField *field);

#endif							/* PKT_HIT_H */
