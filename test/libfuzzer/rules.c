/*
 * rules.c
 *		Fuzz target: a file of rules for user agents (YAML), damaged or hostile.
 *
 * A file that is taken is also used, with and without its filter: the answers
 * must be the same, unless a match reached its limit.
 */
#include "postgres.h"

#include "enrich/ua_rules.h"

#include "harness.h"

#define AGENT_MAX 1024

static const char *const agents[] = {
	"",
	"Mozilla/5.0 (Linux; Android 13; SM-S908B) AppleWebKit/537.36 Chrome/112.0.0.0 Mobile",
	"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!",
	"\xff\xc3",
};

void
fuzz_begin(void)
{
}

bool
fuzz_may_raise(int sqlerrcode)
{
	(void) sqlerrcode;
	return false;
}

void
fuzz_one(const uint8_t *data, size_t len)
{
	char	   *text = palloc(Max(len, 1));
	char	   *error;
	UaRules    *rules;
	UaRulesUse	use;

	memcpy(text, data, len);
	rules = ua_rules_read(text, len, &error);
	if (rules == NULL)
	{
		MUST(error != NULL && error[0] != '\0');
		return;
	}
	for (int i = 0; i < (int) lengthof(agents); i++)
	{
		UaAnswer	answers[2][UA_LISTS];
		/* exactly as long as it is */
		char	   *agent = fuzz_string((const uint8_t *) agents[i], strlen(agents[i]));
		size_t		n = Min(strlen(agent), AGENT_MAX);

		ua_rules_match(rules, agent, n, false, answers[0]);
		ua_rules_match(rules, agent, n, true, answers[1]);
		ua_rules_use(rules, &use);
		for (int list = 0; use.limits == 0 && list < UA_LISTS; list++)
		{
			MUST(answers[0][list].found == answers[1][list].found);
			for (int v = 0; answers[0][list].found && v < UA_VALUES; v++)
				MUST(strcmp(answers[0][list].value[v], answers[1][list].value[v]) == 0);
		}
	}
	ua_rules_free(rules);
}
