/*
 * goal.h
 *		Goals of a site, and whether an action reaches one.  Pure.
 */
#ifndef PKT_GOAL_H
#define PKT_GOAL_H

#include "postgres.h"

#include "utils/numeric.h"

#include "visit/action.h"

typedef enum GoalAttribute
{
	GOAL_MANUALLY,
	GOAL_URL,
	GOAL_TITLE,
	GOAL_FILE,
	GOAL_EXTERNAL_WEBSITE,
	GOAL_EVENT_CATEGORY,
	GOAL_EVENT_ACTION,
	GOAL_EVENT_NAME,
	GOAL_VISIT_DURATION
} GoalAttribute;

typedef enum GoalPatternType
{
	GOAL_CONTAINS,
	GOAL_EXACT,
	GOAL_REGEX,
	GOAL_GREATER_THAN
} GoalPatternType;

/* A row of pk_tracking.goal, prepared for comparison. */
typedef struct Goal
{
	int32		idsite;
	int32		idgoal;
	GoalAttribute attribute;
	GoalPatternType type;
	char	   *pattern;		/* lower case unless case_sensitive */
	struct Goal *decoded;		/* the same without escapes in its pattern;
								 * NULL: it has none */
	bool		case_sensitive;
	bool		allow_multiple;
	Numeric		revenue;
	int64		longer_than;	/* GOAL_VISIT_DURATION: microseconds */
	void	   *regex;			/* GOAL_REGEX: compiled; NULL: never matches */
} Goal;

/*
 * The texts of an action that goals are compared with: as sent, without HTML
 * escapes. "" if absent.
 */
typedef struct GoalInput
{
	ActionKind	kind;
	bool		decode;			/* compare URLs without their escapes too */
	const char *url;			/* of the page, before parameters are removed */
	const char *title;
	const char *file;			/* download */
	const char *external_website;	/* outlink */
	const char *event_category;
	const char *event_action;
	const char *event_name;
	int64		visit_duration; /* microseconds since the visit began; 0 if it
								 * begins */
} GoalInput;

extern bool goal_make(Goal *goal, const char *match_attribute, const char *pattern,
					  const char *pattern_type);
extern const Goal *goals_of_site(const Goal *goals, int n, int32 idsite, int *n_site);
extern const Goal *goal_find(const Goal *goals, int n, int32 idgoal);
extern bool goal_matches(const Goal *goal, const GoalInput *in);

#endif							/* PKT_GOAL_H */
