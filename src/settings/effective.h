/*
 * effective.h
 *		Effective values: which level's value of a setting counts.
 *
 * For the files of settings/ only.  Pure: no table is read here.
 */
#ifndef PKT_EFFECTIVE_H
#define PKT_EFFECTIVE_H

#include "settings/registry.h"

typedef enum ValueSource
{
	SOURCE_DEFAULT,
	SOURCE_RULES,				/* a default that follows from
								 * recognition_rules */
	SOURCE_INSTANCE,
	SOURCE_SITE
} ValueSource;

/* Where the effective values came from; arrays by registry index. */
typedef struct Resolution
{
	uint8		source[MAX_SETTINGS];	/* ValueSource */

	/* 1 + registry index of the site's setting that was too weak, or 0 */
	uint8		refused[MAX_SETTINGS];
	bool		alias;			/* the alias's value, unless its source is
								 * SOURCE_DEFAULT */
} Resolution;

/* Registry indexes of the settings that the code treats specially. */
extern int	rules_index;
extern int	fingerprint_ip_index;
extern int	geo_ip_index;
extern int	alias_index;

/* Look up these indexes and parse the defaults; once, when the library loads. */
extern void effective_init(void);

/*
 * What one level (the site or the instance) says about the setting i: its own
 * value, else the one that the alias implies.  NULL if it says nothing; *by is
 * the index of the setting that said it.
 */
extern const void *level_value(const SettingRows *rows, int i, RecognitionRules rules, int *by);

/*
 * Effective values from the rows of the instance and of a site; site is NULL
 * for the instance's own values.  Strings and lists of the result point into
 * the rows given, or are allocated in the current memory context (joined
 * lists).
 */
extern void resolve_settings(const SettingRows *instance, const SettingRows *site,
							 Settings *result, Resolution *res);

#endif							/* PKT_EFFECTIVE_H */
