/*
 * candidates.c
 *		The visits that a hit might continue: the work behind match_visitor().
 */
#include "postgres.h"

#include "utils/inval.h"

#include "base/errors.h"
#include "track/engine.h"
#include "track/prepare.h"

/*
 * engine_candidates
 *		The visits that the hit might continue, in order of preference, and what
 *		the engine would do with each; at most max.  Only reads: takes no lock,
 *		makes no salt.  The caller has entered the engine.  Returns their number.
 *		Errors: invalid_parameter_value for an unknown site or an invalid hit.
 */
int
engine_candidates(Hit *hit, bool config_given, HexId config, int max, Candidate *candidates)
{
	Work	   *w = palloc0_object(Work);
	Tracked		ignored;
	Lookup		lookups[MAX_LOOKUPS];
	Visit	   *visits = palloc((max + 1) * sizeof(Visit));
	int			n_lookups;
	int			n = 0;
	Log			log;

	AcceptInvalidationMessages();
	w->hit = hit;
	w->result = &ignored;
	prepare_hit(w, false);
	if (w->site == NULL)
		raise_missing_site(ERRCODE_INVALID_PARAMETER_VALUE, hit->idsite);
	if (w->done)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for tracking parameter \"%s\"", ignored.outcome_reason)));
	w->id.config.given = config_given;
	w->id.config.id = config;
	w->fingerprint_known = true;

	log_open(&log, AccessShareLock);
	n_lookups = recognise_lookups(hit, &w->id, &w->site->s, lookups);
	for (int i = 0; i < n_lookups; i++)
	{
		int			found;

		if (lookups[i].by_config)
		{
			if (!config_given)
				continue;
			lookups[i].key = config;
		}
		found = log_lookup(&log, hit->idsite, &lookups[i], max, visits);
		for (int j = 0; j < found && n < max; j++)
		{
			Candidate  *c;
			Decision	d;
			bool		known = false;

			for (int k = 0; k < n; k++)
				known |= candidates[k].visit.idvisit == visits[j].idvisit;
			if (known)
				continue;
			d = lifecycle_decide(hit, w->kind, &w->id, w->site, &visits[j]);
			c = &candidates[n++];
			c->visit = visits[j];
			c->matched_by = lookups[i].matched_by;
			c->continues = !d.begin;
			c->reason = d.reason;
		}
	}
	log_close(&log);
	return n;
}
