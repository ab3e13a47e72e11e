/*
 * goal.c
 *		Does an action reach a goal?  See
 *		doc/internals.md, "Matomo: goals and orders".
 *
 * Patterns are prepared once, when the table of goals is read.  Regular
 * expressions are the server's own, as in the operator ~: add_goal() checks
 * them so, a cancel request interrupts them, and no text makes them run
 * exponentially.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_collation.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "regex/regex.h"
#include "utils/formatting.h"
#include "utils/memutils.h"

#include "base/url.h"
#include "visit/goal.h"

#define SUBJECT_MAX 8192		/* bytes of a URL or title that are compared */

static const struct
{
	const char *word;
	GoalAttribute attribute;
}			attributes[] =

{
	{"manually", GOAL_MANUALLY},
	{"url", GOAL_URL},
	{"title", GOAL_TITLE},
	{"file", GOAL_FILE},
	{"external_website", GOAL_EXTERNAL_WEBSITE},
	{"event_category", GOAL_EVENT_CATEGORY},
	{"event_action", GOAL_EVENT_ACTION},
	{"event_name", GOAL_EVENT_NAME},
	{"visit_duration", GOAL_VISIT_DURATION}
};

/* A text in lower case, by the database's collation. */
static char *
lower(const char *str, size_t len)
{
	return str_tolower(str, len, DEFAULT_COLLATION_OID);
}

/* A text as wide characters. */
static pg_wchar *
wide(const char *str, int len, int *n)
{
	pg_wchar   *result = palloc((len + 1) * sizeof(pg_wchar));

	*n = pg_mb2wchar_with_len(str, result, len);
	return result;
}

/* Before 16 the memory of a regular expression is malloc'd. */
static void
free_regex(void *re)
{
	pg_regfree((regex_t *) re);
}

/*
 * Compile a pattern; it lives as long as the current memory context.  NULL if
 * it is not valid.
 */
static regex_t *
compile(const char *pattern, bool case_sensitive)
{
	int			flags = REG_ADVANCED | REG_NOSUB | (case_sensitive ? 0 : REG_ICASE);
	regex_t    *re = palloc0_object(regex_t);
	MemoryContextCallback *callback = palloc0_object(MemoryContextCallback);
	int			n;
	pg_wchar   *letters = wide(pattern, (int) strlen(pattern), &n);
	int			rc = pg_regcomp(re, letters, n, flags, DEFAULT_COLLATION_OID);

	pfree(letters);
	if (rc != REG_OKAY)
		return NULL;
	callback->func = free_regex;
	callback->arg = re;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, callback);
	return re;
}

/*
 * goal_make
 *		Prepare a goal, in the current memory context; idsite, idgoal,
 *		case_sensitive, allow_multiple and revenue are set already.  The texts
 *		are the columns of pk_tracking.goal ("" for NULL).  False if the row
 *		can never match, which add_goal() does not allow.
 */
bool
goal_make(Goal *goal, const char *match_attribute, const char *pattern, const char *pattern_type)
{
	bool		known = false;
	char	   *decoded;

	for (int i = 0; i < (int) lengthof(attributes); i++)
	{
		if (strcmp(attributes[i].word, match_attribute) == 0)
		{
			goal->attribute = attributes[i].attribute;
			known = true;
		}
	}
	goal->pattern = NULL;
	goal->decoded = NULL;
	goal->regex = NULL;
	goal->longer_than = 0;
	goal->type = GOAL_CONTAINS;
	if (!known)
	{
		goal->attribute = GOAL_MANUALLY;
		return false;
	}
	if (goal->attribute == GOAL_MANUALLY)
		return true;

	if (goal->attribute == GOAL_VISIT_DURATION)
	{
		char	   *end;
		double		minutes = strtod(pattern, &end);

		goal->type = GOAL_GREATER_THAN;
		if (end == pattern || *end != '\0' || !(minutes >= 0 && minutes < 1e6))
		{
			goal->attribute = GOAL_MANUALLY;
			return false;
		}
		goal->longer_than = (int64) rint(minutes * SECS_PER_MINUTE * 1000000.0);
		return true;
	}

	if (strcmp(pattern_type, "regex") == 0)
	{
		goal->type = GOAL_REGEX;
		goal->regex = compile(pattern, goal->case_sensitive);
		return goal->regex != NULL;
	}
	if (strcmp(pattern_type, "exact") == 0)
		goal->type = GOAL_EXACT;
	else if (strcmp(pattern_type, "contains") != 0)
	{
		goal->attribute = GOAL_MANUALLY;
		return false;
	}
	goal->pattern = goal->case_sensitive ? pstrdup(pattern) : lower(pattern, strlen(pattern));
	decoded = url_unescape(pattern);
	if (decoded != NULL)
	{
		goal->decoded = palloc_object(Goal);
		*goal->decoded = *goal;
		goal->decoded->pattern = goal->case_sensitive ? decoded : lower(decoded, strlen(decoded));
	}
	return true;
}

/*
 * goals_of_site
 *		The goals of one site among those of all sites, which are sorted by
 *		site.
 */
const Goal *
goals_of_site(const Goal *goals, int n, int32 idsite, int *n_site)
{
	int			low = 0;
	int			high = n;

	while (low < high)
	{
		int			middle = low + (high - low) / 2;

		if (goals[middle].idsite < idsite)
			low = middle + 1;
		else
			high = middle;
	}
	for (high = low; high < n && goals[high].idsite == idsite; high++)
		;
	*n_site = high - low;
	return goals + low;
}

/* goal_find: the goal with this number among a site's, or NULL. */
const Goal *
goal_find(const Goal *goals, int n, int32 idgoal)
{
	for (int i = 0; i < n; i++)
	{
		if (goals[i].idgoal == idgoal)
			return &goals[i];
	}
	return NULL;
}

/* Does the text match the pattern? */
static bool
fits(const Goal *goal, const char *subject)
{
	size_t		len = strlen(subject);
	pg_wchar   *letters;
	int			n;
	bool		result;

	if (len == 0)
		return false;
	if (len > SUBJECT_MAX)
		len = pg_mbcliplen(subject, (int) len, SUBJECT_MAX);

	if (goal->type == GOAL_REGEX)
	{
		if (goal->regex == NULL)
			return false;
		CHECK_FOR_INTERRUPTS();
		letters = wide(subject, (int) len, &n);
		result = pg_regexec((regex_t *) goal->regex, letters, n, 0, NULL, 0, NULL, 0) == REG_OKAY;
		pfree(letters);
		return result;
	}
	subject = goal->case_sensitive ? pnstrdup(subject, len) : lower(subject, len);
	if (goal->type == GOAL_EXACT)
		return strcmp(subject, goal->pattern) == 0;
	return strstr(subject, goal->pattern) != NULL;
}

/* Does the URL match the pattern, as it was sent or decoded? */
static bool
url_fits(const Goal *goal, const GoalInput *in, const char *url)
{
	char	   *decoded;

	if (fits(goal, url))
		return true;
	if (!in->decode)
		return false;
	decoded = url_unescape(url);
	if (decoded != NULL && fits(goal, decoded))
		return true;
	if (goal->decoded == NULL)
		return false;
	return fits(goal->decoded, decoded != NULL ? decoded : url);
}

/*
 * goal_matches
 *		Does the action reach the goal?  URLs and titles count for page views,
 *		the others for their kind of action; the duration for every action
 *		after a visit's first.
 */
bool
goal_matches(const Goal *goal, const GoalInput *in)
{
	bool		page_view = in->kind == ACTION_PAGE_VIEW;
	bool		event = in->kind == ACTION_EVENT;

	switch (goal->attribute)
	{
		case GOAL_MANUALLY:
			return false;
		case GOAL_URL:
			return page_view && url_fits(goal, in, in->url);
		case GOAL_TITLE:
			return page_view && fits(goal, in->title);
		case GOAL_FILE:
			return in->kind == ACTION_DOWNLOAD && url_fits(goal, in, in->file);
		case GOAL_EXTERNAL_WEBSITE:
			return in->kind == ACTION_OUTLINK && url_fits(goal, in, in->external_website);
		case GOAL_EVENT_CATEGORY:
			return event && fits(goal, in->event_category);
		case GOAL_EVENT_ACTION:
			return event && fits(goal, in->event_action);
		case GOAL_EVENT_NAME:
			return event && fits(goal, in->event_name);
		case GOAL_VISIT_DURATION:
			return in->visit_duration > goal->longer_than;
	}
	return false;
}
