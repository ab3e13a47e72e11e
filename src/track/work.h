/*
 * work.h
 *		A hit on its way through the engine, as the files of this room share it.
 */
#ifndef PKT_WORK_H
#define PKT_WORK_H

#include "enrich/user_agent.h"
#include "identity/session_link.h"
#include "log/log.h"
#include "track/engine.h"
#include "track/memo.h"
#include "visit/action.h"
#include "visit/conversion.h"
#include "visit/lifecycle.h"
#include "visit/recognise.h"

/* What may lead to the anonymous session that a hit belongs to. */
typedef struct Session
{
	bool		given;
	SessionLinkKind kind;
	HexId		data;			/* the cookie, or the fingerprint over the full address */
	OptionalId	cookie;			/* that came */
	OptionalId	new_cookie;		/* for who came without one */
	TimestampTz now;			/* the clock that counts for a call of whole sites; 0: the wall's */
	bool		in_memory;		/* of a batch: no keys, no cookies */
	bool		keys_made;
	SessionLinkKeys keys;
	SessionLinkKeys new_keys;	/* of new_cookie */
} Session;

/* A hit on its way. */
typedef struct Work
{
	Log		   *log;			/* open, while the hit is recorded */
	Hit		   *hit;
	Tracked    *result;
	bool		done;			/* the result stands: nothing to write */
	const SiteConfig *site;
	bool		anonymous;		/* recorded, but as nobody's */
	bool		upgrades;		/* consent may have come in mid-visit: session is that of before */
	Session		session;
	Identity	id;
	bool		config_known;	/* id.config has been computed */
	const char *language;		/* NULL until asked for */
	const UserAgent *device;	/* NULL until asked for */
	ActionKind	kind;
	SiteSearch	search;			/* of a site search */
	const char *page_url;		/* normalised, NULL: none */
	bool		page_url_known;
	int			n_goals;		/* of the site */
	const Goal *goals;
	ConversionRequest request;
	ConversionInput conversion_input;
	Conversions conversions;
} Work;

/* What the hit says of its languages and its device; found out when first asked for. */
extern const char *work_language(Work *w);
extern const UserAgent *work_device(Work *w);

/* The memo of the batch that runs; NULL if none does. */
extern Memo *engine_memo(void);

#endif							/* PKT_WORK_H */
