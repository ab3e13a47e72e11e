/*
 * engine.h
 *		The engine: n hits of one call, in the order given.
 */
#ifndef PKT_ENGINE_H
#define PKT_ENGINE_H

#include "request/hit.h"
#include "track/tracked.h"
#include "visit/visit.h"

/* One candidate of match_visitor(). */
typedef struct Candidate
{
	Visit		visit;
	MatchedBy	matched_by;
	bool		continues;
	Reason		reason;
} Candidate;

/* What an engine call needs to go back to where it came from. */
typedef struct EngineScope
{
	Oid			save_user;
	int			save_sec_context;
	MemoryContext caller;
} EngineScope;

extern void engine_enter(EngineScope *scope);
extern void engine_leave(EngineScope *scope);

extern void engine_run(Hit **hits, int n, Tracked *results);
extern int	engine_candidates(Hit *hit, bool config_given, HexId config, int max,
							  Candidate *candidates);

#endif							/* PKT_ENGINE_H */
