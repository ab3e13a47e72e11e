/*
 * site_config.h
 *		The cache of site configurations, as the SQL functions of settings/ see it.
 *
 * Other floors use site_config() of settings.h.
 */
#ifndef PKT_SITE_CONFIG_H
#define PKT_SITE_CONFIG_H

#include "settings/effective.h"

/*
 * The instance's rows.  Sites point to its strings and lists, so an outdated
 * one is kept until the last site read under it has gone.
 */
typedef struct InstanceSettings
{
	MemoryContext context;
	uint64		generation;
	int			users;			/* SiteSettings that point here */
	SettingRows rows;
} InstanceSettings;

typedef struct SiteSettings
{
	SiteConfig	config;			/* what callers see */
	struct SiteRules *rules;	/* where config.rules points to */
	MemoryContext context;
	uint64		generation;
	InstanceSettings *instance;
	MemoryContextCallback release;
	Resolution	resolution;
} SiteSettings;

/* Do the tables of sites and settings exist? */
extern bool settings_tables_exist(void);

/* Owner of these tables, which must exist. */
extern Oid	settings_owner(void);

/*
 * Read the rows of the instance (idsite 0) or of a site, SPI connected.
 * Strings and lists go into the context given.  A stored value that is not
 * valid (an older or newer version wrote it) counts as not given, with a
 * warning.
 */
extern void load_setting_rows(int32 idsite, MemoryContext context, SettingRows *rows);

/*
 * The instance's rows, from the cache or (SPI connected) from the table.  The
 * result is safe until the next call, unless it is counted in its users.
 */
extern InstanceSettings *instance_settings(void);

/* As site_config(), with the sources of the values. */
extern SiteSettings *site_settings(int32 idsite);

/* The numbers of all sites, ascending, palloc'd; SPI connected. */
extern int32 *all_sites(uint64 *n);

#endif							/* PKT_SITE_CONFIG_H */
