/*
 * work.h
 *		A hit on its way through the engine.
 */
#ifndef PKT_WORK_H
#define PKT_WORK_H

#include "enrich/user_agent.h"
#include "identity/session_link.h"
#include "identity/session_link_batch.h"
#include "log/log.h"
#include "track/memo.h"
#include "track/tracked.h"
#include "visit/action.h"
#include "visit/conversion.h"
#include "visit/lifecycle.h"
#include "visit/recognise.h"

/* The anonymous session to which a hit may belong, and what leads to it. */
typedef struct Session
{
	bool		given;
	SessionLinkKind kind;
	HexId		data;			/* the cookie, or the fingerprint over the
								 * full address */
	OptionalId	cookie;			/* that came with the hit */
	OptionalId	new_cookie;		/* for a visitor without one */
	TimestampTz now;			/* for a group that holds its sites
								 * exclusively; else 0 */
	bool		keys_made;
	SessionLinkKeys keys;
	SessionLinkKeys new_keys;	/* of new_cookie */
} Session;

typedef struct Work
{
	Log		   *log;			/* open while the hit is recorded */

	/* what the hits of a batch share: see batch_share() */
	bool		unread;			/* nobody reads the result: no cookie is given
								 * out */
	Memo	   *memo;			/* NULL unless the batch keeps visits in
								 * memory */
	SessionLinkBatch *links;	/* likewise, and only if unread: sessions have
								 * no keys then */

	Hit		   *hit;
	Tracked    *result;
	bool		done;			/* the result stands: nothing to write */
	const SiteConfig *site;
	bool		anonymous;		/* recorded without consent, so without a
								 * visitor */
	bool		upgrades;		/* consent may have come during the visit of
								 * session */
	bool		suppressed;		/* an anonymous hit that brings an id of
								 * somebody who is not to be tracked */
	Session		session;
	Identity	id;
	bool		fingerprint_known;	/* id.config has been found out: see
									 * work_fingerprint() */
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
	int			names_added;	/* new names within the limit of strangers */
	bool		names_refused;	/* one was beyond it */
} Work;

extern void work_finish(Work *w, Outcome outcome, const char *why);
extern const char *work_language(Work *w);
extern const UserAgent *work_device(Work *w);

#endif							/* PKT_WORK_H */
