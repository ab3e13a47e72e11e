/*
 * recognise.c
 *		The look-ups that find the visits a hit may continue, in the order of a
 *		rule set.
 *
 * Pure: log/ does the look-ups.  Rules: doc/internals.md, "Recognition rules"
 * and "Matomo: recognition".
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "visit/recognise.h"

/* A look-up by visitor id. */
static Lookup
by_visitor_id(OptionalId id, MatchedBy matched_by, const Lookup *window)
{
	Lookup		l = *window;

	l.by_config = false;
	l.key = id.id;
	l.matched_by = matched_by;
	return l;
}

/* A look-up by fingerprint; its key is set when it is needed. */
static Lookup
by_config(const Lookup *window)
{
	Lookup		l = *window;

	l.by_config = true;
	l.key = 0;
	l.matched_by = MATCHED_FINGERPRINT;
	return l;
}

/*
 * The five cases of the piwik rules, each look-up within the window.  With
 * fingerprint_joins_known_ids off, a hit with a user or an id is joined by
 * fingerprint only to a visit that no id has claimed, and never to another
 * user's; a user who has just logged in is found by the hit's own id.
 */
static int
lookups_piwik(const Identity *id, const Settings *s, const Lookup *window, Lookup *out)
{
	bool		apart = !s->fingerprint_joins_known_ids;
	int			n = 0;

	if (id->user.given)
	{
		out[n++] = by_visitor_id(id->user, MATCHED_USER_ID, window);
		if (apart && id->own.given)
		{
			out[n] = by_visitor_id(id->own, id->own_source, window);
			out[n++].user_filter = id->user_id;
		}
	}
	else if (id->own.given)
	{
		out[n++] = by_visitor_id(id->own, id->own_source, window);
		if (id->own_source == MATCHED_CID || s->trust_visitors_cookies)
			return n;
	}
	out[n] = by_config(window);
	if (apart)
	{
		out[n].unclaimed = id->own.given || id->user_id != NULL;
		out[n].user_filter = id->user_id;
	}
	return n + 1;
}

/* Matomo 5: trust before user id, ids without a lower bound, users kept separate. */
static int
lookups_matomo(const Identity *id, const Settings *s, const Lookup *window, Lookup *out)
{
	OptionalId	vid = identity_visitor_id(id);
	MatchedBy	source = id->user.given ? MATCHED_USER_ID : id->own_source;
	Lookup		open_window = *window;
	int			n = 0;

	open_window.bounded = false;

	/*
	 * as Matomo's index on visitor ids orders them; that on fingerprints
	 * orders them the other way round
	 */
	open_window.older_first = true;

	if (vid.given && s->trust_visitors_cookies)
		out[n++] = by_visitor_id(vid, source, &open_window);
	else if (id->user_id != NULL)
	{
		if (vid.given)
			out[n++] = by_visitor_id(vid, source, &open_window);
		out[n] = by_config(window);
		if (is_user_id(id->user_id))
			out[n].user_filter = id->user_id;
		n++;
	}
	else if (id->own.given && id->own_source == MATCHED_CID)
		out[n++] = by_visitor_id(vid, source, &open_window);
	else if (!vid.given)
		out[n++] = by_config(window);
	else
	{
		out[n++] = by_visitor_id(vid, source, &open_window);
		out[n++] = by_config(window);
	}
	return n;
}

/*
 * recognise_lookups
 *		The look-ups for a hit, in order of preference: the first that finds a
 *		visit decides.  Returns their number (1 to MAX_LOOKUPS).
 */
int
recognise_lookups(const Hit *hit, const Identity *id, const Settings *s, Lookup *lookups)
{
	int64		back = Max(s->visit_standard_length, s->window_look_back_for_visitor);
	Lookup		window;

	memset(&window, 0, sizeof(window));
	window.bounded = true;
	window.lower = hit->at - back * USECS_PER_SEC;
	window.upper = hit->at + (int64) s->visit_standard_length * USECS_PER_SEC;

	if (s->recognition_rules == RULES_MATOMO)
		return lookups_matomo(id, s, &window, lookups);
	return lookups_piwik(id, s, &window, lookups);
}
