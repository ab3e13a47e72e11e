/*
 * values.h
 *		Values of settings: reading, printing, comparing.
 *
 * For the files of settings/ only.  A value is passed as a pointer to the
 * setting's C type (registry.h, SettingType).
 */
#ifndef PKT_VALUES_H
#define PKT_VALUES_H

#include "settings/registry.h"

/*
 * Read a text as a value of the setting, as SET reads server parameters.
 * Writes it to dest; strings and lists are allocated in the current memory
 * context.  If the text is not valid, gives false and in *detail a sentence for
 * an error's detail, or NULL where setting_valid_values() says enough.  Never
 * raises.
 */
extern bool setting_parse(const SettingDef *def, const char *text, void *dest,
						  const char **detail);

/* A sentence that lists the valid values of a bool, int or enum setting; palloc'd. */
extern char *setting_valid_values(const SettingDef *def);

/* The canonical text of a value, palloc'd: the form that is stored and shown. */
extern char *setting_format(const SettingDef *def, const void *value);

/* Size of the setting's C type. */
extern size_t setting_value_size(const SettingDef *def);

/*
 * How much the value protects the visitor: comparable among values of the same
 * setting, 0 for settings that have nothing to do with privacy.
 */
extern int	setting_strength(const SettingDef *def, const void *value);

/* A palloc'd copy without white space at either end, whatever the locale. */
extern char *trim_blanks(const char *str);

#endif							/* PKT_VALUES_H */
