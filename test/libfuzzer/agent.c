/*
 * agent.c
 *		Fuzz target: a user agent string, with Client Hints, by the rules of
 *		uap-core.
 *
 * Lines of the input: the agent, the parameter uadata, the request headers.
 */
#include "postgres.h"

#include "utils/guc.h"

#include "base/text.h"
#include "enrich/ua_rules.h"
#include "enrich/user_agent.h"
#include "request/headers.h"

#include "harness.h"

static UaRules *rules;

/* A file, whole, in the current memory context. */
static char *
read_file(const char *path, size_t *len)
{
	FILE	   *file = fopen(path, "rb");
	char	   *text = palloc(1024 * 1024);

	if (file == NULL)
		fuzz_broken("could not open %s", path);
	*len = fread(text, 1, 1024 * 1024, file);
	fclose(file);
	return text;
}

void
fuzz_begin(void)
{
	const char *path = getenv("PKT_AGENT_RULES");
	char	   *error;
	char	   *text;
	size_t		len;

	if (path == NULL)
		path = "/usr/share/uap-core/regexes.yaml";
	SetConfigOption("pk_tracking.user_agent_rules_file", path, PGC_POSTMASTER, PGC_S_OVERRIDE);
	text = read_file(path, &len);
	rules = ua_rules_read(text, len, &error);
	if (rules == NULL)
		fuzz_broken("%s", error);
	MUST(user_agent_has_rules());
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
	char	   *rest = fuzz_text(data, len);
	char	   *agent = fuzz_line(&rest);
	Jsonb	   *uadata = text_to_jsonb(fuzz_line(&rest));
	Jsonb	   *headers = text_to_jsonb(fuzz_line(&rest));
	const UserAgent *found;
	UaAnswer	answers[UA_LISTS];
	UaAnswer	in_order[UA_LISTS];
	size_t		n = Min(strlen(agent), 1024);

	/* the filter may leave out only rules that do not match */
	ua_rules_match(rules, agent, n, false, answers);
	ua_rules_match(rules, agent, n, true, in_order);
	for (int i = 0; i < UA_LISTS; i++)
	{
		MUST(answers[i].found == in_order[i].found);
		for (int v = 0; answers[i].found && v < UA_VALUES; v++)
			MUST(strcmp(answers[i].value[v], in_order[i].value[v]) == 0);
	}

	found = user_agent_detect(agent, uadata, headers_normalise(headers));
	fuzz_valid(found->config_browser_name);
	fuzz_valid(found->os_family);
	fuzz_valid(found->os_version);
	fuzz_valid(found->browser_family);
	fuzz_valid(found->browser_version);
	fuzz_valid(found->brand);
	fuzz_valid(found->model);
}
