/*
 * engine.h
 *		The engine: n hits of one call, in the order given.
 */
#ifndef PKT_ENGINE_H
#define PKT_ENGINE_H

#include "request/hit.h"
#include "visit/visit.h"

typedef enum Outcome
{
	OUTCOME_RECORDED,
	OUTCOME_IGNORED,
	OUTCOME_EXCLUDED,
	OUTCOME_INVALID
} Outcome;

/* The cookie that the caller should set. */
typedef struct CookieToSet
{
	bool		given;
	const char *name;
	HexId		value;
	int32		max_age;		/* seconds */
} CookieToSet;

/* What became of a hit: the composite type pk_tracking.tracked. */
typedef struct Tracked
{
	Outcome		outcome;
	const char *outcome_reason; /* NULL if recorded */
	bool		duplicate_order;	/* invalid because the order is there
									 * already */
	int64		idvisit;
	bool		has_idvisitor;
	HexId		idvisitor;
	bool		has_config_id;
	HexId		config_id;
	MatchedBy	matched_by;
	bool		new_visit;
	Reason		reason;
	int16		returning;
	bool		has_idlink_va;	/* is there an action row? */
	int64		idlink_va;
	CookieToSet cookie;
	const char *delete_cookies[2];	/* names of cookies to delete, NULL: none */
} Tracked;

/*
 * Was the hit excluded for lack of consent?  Then nothing of it is stored, not
 * even that it came.
 */
extern bool tracked_nothing(const Tracked *result);

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
extern bool engine_fingerprint(Hit *hit, bool make_salt, HexId *fingerprint);

#endif							/* PKT_ENGINE_H */
