/*
 * ua_rules.h
 *		Reading and matching the rules of uap-core (regexes.yaml).
 *
 * A file has three lists of regular expressions: browsers, systems, devices.
 * In each list the first rule that matches decides.
 */
#ifndef PKT_UA_RULES_H
#define PKT_UA_RULES_H

#include "postgres.h"

typedef enum UaList
{
	UA_BROWSERS,
	UA_SYSTEMS,
	UA_DEVICES
} UaList;

#define UA_LISTS 3

/* The result of a rule: family, major, minor; for devices: device, brand, model. */
#define UA_VALUES 3
#define UA_VALUE_MAX 100

typedef struct UaAnswer
{
	bool		found;
	char		value[UA_VALUES][UA_VALUE_MAX + 1];
} UaAnswer;

/* One file, read. */
typedef struct UaRules UaRules;

typedef struct UaRulesUse
{
	int			rules;			/* in the file */
	int			compiled;		/* of them, so far */
	int			without_literal;	/* tried for every agent */
	int			broken;			/* of the compiled ones, left out */
	int64		limits;			/* matches that reached a limit */
	int64		memory;			/* bytes, machine code included */
	const char *error;			/* of the first invalid rule, or NULL */
} UaRulesUse;

/*
 * Read a file of len bytes into a memory context of its own under
 * TopMemoryContext.  NULL if it is not a file of rules; *error then is the
 * reason, in the caller's context.  Regular expressions are compiled when
 * first tried.
 */
extern UaRules *ua_rules_read(const char *yaml, size_t len, char **error);
extern void ua_rules_free(UaRules *rules);

/*
 * The results of the three lists for an agent of len bytes.  in_order: without
 * the prefilter, rule after rule; the results are the same.
 */
extern void ua_rules_match(UaRules *rules, const char *agent, size_t len, bool in_order,
						   UaAnswer answers[UA_LISTS]);

extern void ua_rules_compile_all(UaRules *rules);
extern void ua_rules_use(UaRules *rules, UaRulesUse *use);

#endif							/* PKT_UA_RULES_H */
