/*
 * effective.c
 *		Effective values: which level's value of a setting counts.
 *
 * The site's value wins, then the instance's, then the default of the rule set
 * (recognition_rules), then the default.  A site's value that protects the
 * visitor less than the instance's explicit one does not count: the trigger
 * refuses it, but the instance may have been made stricter after the site was
 * set.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "base/compat.h"
#include "settings/effective.h"
#include "settings/values.h"

int			rules_index;
int			fingerprint_ip_index;
int			geo_ip_index;
int			alias_index;

/* The defaults by RecognitionRules.  All sites share their strings and lists. */
static Settings defaults[2];

/*
 * The alias use_anonymized_ip_for_visit_enrichment stands for geo_ip and, under
 * piwik rules only, for fingerprint_ip: Matomo always fingerprints the full
 * address, see doc/internals.md, "Matomo: fingerprint".
 */
const void *
level_value(const SettingRows *rows, int i, RecognitionRules rules, int *by)
{
	static const IpUse alias_values[] = {IP_FULL, IP_MASKED};

	*by = i;
	if (rows->given[i])
		return (const char *) rows + setting_registry[i].offset;
	if (rows->given[alias_index] &&
		(i == geo_ip_index || (i == fingerprint_ip_index && rules == RULES_PIWIK)))
	{
		*by = alias_index;
		return &alias_values[rows->alias ? 1 : 0];
	}
	return NULL;
}

void
resolve_settings(const SettingRows *instance, const SettingRows *site, Settings *result,
				 Resolution *res)
{
	RecognitionRules rules = RULES_PIWIK;
	int			i;

	memset(res, 0, sizeof(*res));
	if (site && site->given[rules_index])
		rules = site->s.recognition_rules;
	else if (instance->given[rules_index])
		rules = instance->s.recognition_rules;

	for (i = 0; i < setting_count; i++)
	{
		const SettingDef *def = &setting_registry[i];
		const void *site_value = NULL;
		const void *instance_value;
		const void *value;
		int			site_by = i;
		int			instance_by;

		if (i == alias_index)
			continue;

		instance_value = level_value(instance, i, rules, &instance_by);
		if (site)
			site_value = level_value(site, i, rules, &site_by);

		if (site_value && instance_value &&
			setting_strength(def, site_value) < setting_strength(def, instance_value))
		{
			res->refused[i] = (uint8) (site_by + 1);
			site_value = NULL;
		}

		if (site_value)
		{
			value = site_value;
			res->source[i] = SOURCE_SITE;
		}
		else if (instance_value)
		{
			value = instance_value;
			res->source[i] = SOURCE_INSTANCE;
		}
		else
		{
			value = (const char *) &defaults[rules] + def->offset;
			res->source[i] = (rules == RULES_MATOMO && def->matomo_value) ?
				SOURCE_RULES : SOURCE_DEFAULT;
		}
		memcpy((char *) result + def->offset, value, setting_value_size(def));

		if (def->adds && site_value && instance_value)
		{
			const TextList *a = instance_value;
			const TextList *b = site_value;
			TextList   *list = (TextList *) ((char *) result + def->offset);

			if (a->n > 0)
			{
				list->n = a->n + b->n;
				list->items = palloc(mul_size(sizeof(char *), list->n));
				memcpy(list->items, a->items, sizeof(char *) * a->n);
				if (b->n > 0)
					memcpy(list->items + a->n, b->items, sizeof(char *) * b->n);
			}
		}
	}

	if (site && site->given[alias_index])
	{
		res->alias = site->alias;
		res->source[alias_index] = SOURCE_SITE;
	}
	else if (instance->given[alias_index])
	{
		res->alias = instance->alias;
		res->source[alias_index] = SOURCE_INSTANCE;
	}
}

/* Registry index of a setting that the code relies on. */
static int
known_setting(const char *name)
{
	int			i = setting_find(name);

	if (i < 0)
		elog(ERROR, "setting \"%s\" is missing from the registry", name);
	return i;
}

void
effective_init(void)
{
	MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);
	int			i;

	rules_index = known_setting("recognition_rules");
	fingerprint_ip_index = known_setting("fingerprint_ip");
	geo_ip_index = known_setting("geo_ip");
	alias_index = known_setting("use_anonymized_ip_for_visit_enrichment");

	for (i = 0; i < setting_count; i++)
	{
		const SettingDef *def = &setting_registry[i];
		char	   *piwik = (char *) &defaults[RULES_PIWIK] + def->offset;
		char	   *matomo = (char *) &defaults[RULES_MATOMO] + def->offset;
		const char *detail;

		if (def->value == NULL)
			continue;
		if (!setting_parse(def, def->value, piwik, &detail))
			elog(ERROR, "setting \"%s\" has an invalid default", def->name);
		/* the two share what a string or list points to */
		memcpy(matomo, piwik, setting_value_size(def));
		if (def->matomo_value && !setting_parse(def, def->matomo_value, matomo, &detail))
			elog(ERROR, "setting \"%s\" has an invalid default", def->name);
	}
	MemoryContextSwitchTo(old);
}
