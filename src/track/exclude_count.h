/*
 * exclude_count.h
 *		How many hits were excluded.
 *
 * Callers have entered the engine.
 */
#ifndef PKT_EXCLUDE_COUNT_H
#define PKT_EXCLUDE_COUNT_H

#include "datatype/timestamp.h"

#include "settings/settings.h"

typedef struct ExcludeCount
{
	int32		idsite;
	int32		day;			/* DateADT, local to the site */
	const char *reason;
	int64		hits;
} ExcludeCount;

#define EXCLUDE_COUNTS 32		/* when there are more they are written in
								 * between */

/* The counts of one engine call, which are written at its end. */
typedef struct ExcludeCounts
{
	int			n;
	ExcludeCount counts[EXCLUDE_COUNTS];
} ExcludeCounts;

extern void exclude_count_add(ExcludeCounts *counts, const SiteConfig *site, TimestampTz at,
							  const char *reason);
extern void exclude_count_write(ExcludeCounts *counts);

#endif							/* PKT_EXCLUDE_COUNT_H */
