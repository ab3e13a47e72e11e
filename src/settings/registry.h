/*
 * registry.h
 *		The table of settings: one row describes a setting completely.
 *
 * For the files of settings/ only.  Everything that is done with a setting
 * (reading, printing, defaults, precedence, privacy order, the view) follows
 * from its row.  A new setting is a member of Settings and a row here.
 */
#ifndef PKT_REGISTRY_H
#define PKT_REGISTRY_H

#include "settings/settings.h"

typedef enum SettingType
{
	TYPE_BOOL,					/* C type: bool */
	TYPE_INT,					/* int32 */
	TYPE_ENUM,					/* an enum of the size of int */
	TYPE_STRING,				/* char * */
	TYPE_LIST					/* TextList */
} SettingType;

/*
 * Which of two values of a setting protects the visitor more.
 */
typedef enum PrivacyOrder
{
	ORDER_NONE,					/* has nothing to do with privacy */
	ORDER_ON_IS_STRONG,
	ORDER_OFF_IS_STRONG,
	ORDER_GREATER_IS_STRONG,
	ORDER_SMALLER_IS_STRONG,	/* of days; 0, which means never, is weakest */
	ORDER_AS_LISTED				/* an enum's choices go from weak to strong */
} PrivacyOrder;

/* A value of an enum setting.  A second name for the same value comes after the first. */
typedef struct SettingChoice
{
	const char *name;
	int			value;
} SettingChoice;

typedef struct SettingDef
{
	const char *name;
	size_t		offset;			/* of its member in SettingRows */
	SettingType type;
	const char *value;			/* default; NULL: the setting is an alias and
								 * has none */
	const char *matomo_value;	/* default under matomo rules; NULL: the same */
	PrivacyOrder order;
	bool		instance_only;	/* a site cannot override it */
	bool		adds;			/* a list: the site's items follow the
								 * instance's */
	int			min;
	int			max;
	const SettingChoice *choices;	/* ends with a NULL name */
	/* error detail for an invalid string or list item; NULL: it is valid */
	const char *(*check) (const char *str);
	/* rewrites a string or list item, in place, to the form that is stored */
	void		(*normalise) (char *str);
	const char *description;	/* shown by the view pk_tracking.settings */
} SettingDef;

/* Arrays with an element per setting have this size. */
#define MAX_SETTINGS 80

/*
 * Values as read, and which of them were given.  Settings comes first, so that
 * a setting has the same offset in both.
 */
typedef struct SettingRows
{
	Settings	s;
	/* use_anonymized_ip_for_visit_enrichment, which is not in Settings */
	bool		alias;
	bool		given[MAX_SETTINGS];
} SettingRows;

extern const SettingDef setting_registry[];
extern const int setting_count;

/* Index in the registry of the setting with this name, in any case; -1 if none has it. */
extern int	setting_find(const char *name);

/* The same; error undefined_object, with a hint that names a similar setting. */
extern int	setting_lookup(const char *name);

#endif							/* PKT_REGISTRY_H */
