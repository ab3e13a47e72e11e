/*
 * custom.h
 *		Custom dimensions and custom variables: the values that a hit sets, and
 *		how a visit keeps them.
 */
#ifndef PKT_CUSTOM_H
#define PKT_CUSTOM_H

#include "postgres.h"

#include "utils/jsonb.h"

#include "request/hit.h"
#include "settings/settings.h"

/* A dimension of a site. */
typedef struct CustomDimension CustomDimension;

/* The dimensions of all sites. */
typedef struct CustomDimensions CustomDimensions;

/* The values that a hit sets. */
typedef struct CustomChanges
{
	/* dimensions: number to value, "" clears; NULL: none sent */
	Jsonb	   *visit_dimensions;
	Jsonb	   *action_dimensions;
	Jsonb	   *visit_variables;
	Jsonb	   *action_variables;
} CustomChanges;

extern CustomDimensions *custom_dimensions_create(int max);
extern void custom_dimensions_add(CustomDimensions *all, int32 idsite, int32 number,
								  bool of_visit, bool case_sensitive, Jsonb *extractions);

extern void custom_read(const Hit *hit, const char *url, const Settings *s,
						const CustomDimensions *all, CustomChanges *changes);
extern Jsonb *custom_merge(Jsonb *old, Jsonb *changes);

#endif							/* PKT_CUSTOM_H */
