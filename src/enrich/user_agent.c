/*
 * user_agent.c
 *		The visitor's system, browser and device, from the user agent string
 *		and Client Hints.  See doc/internals.md, "User agents".
 *
 * Names come from the rules of uap-core (ua_rules.c).  This file decides what
 * the rules do not give: the type of the device, the engine, bots that the
 * rules miss.  Newer browsers freeze their agent string and send the rest in
 * Client Hints, which win.
 *
 * Each backend reads the rules when it first needs them and checks once per
 * transaction whether the file has been replaced.  Results are kept in a cache
 * of bounded size.
 */
#include "postgres.h"

#include <sys/stat.h>

#include "access/htup_details.h"
#include "access/xact.h"
#include "fmgr.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "storage/fd.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/crypto.h"
#include "base/siphash.h"
#include "base/text.h"
#include "enrich/ua_rules.h"
#include "enrich/user_agent.h"
#include "request/headers.h"
#include "settings/gucs.h"
#include "settings/settings.h"

#define AGENT_MAX 1024
#define HINT_MAX 64
#define FILE_MAX (16 * 1024 * 1024)

/* The cache: sets of a few entries, of which the least recently used is replaced. */
#define CACHE_SETS 256
#define CACHE_WAYS 4

PG_FUNCTION_INFO_V1(pkt_user_agent);
PG_FUNCTION_INFO_V1(pkt_user_agent_in_rule_order);
PG_FUNCTION_INFO_V1(pkt_user_agent_rules);

/*
 * Client Hints
 */

typedef struct Hints
{
	bool		any;
	char		platform[HINT_MAX + 1];
	char		platform_version[HINT_MAX + 1];
	char		model[HINT_MAX + 1];
	char		brand[HINT_MAX + 1];	/* the most specific one of the list */
	char		brand_version[HINT_MAX + 1];
	int			brand_rank;
	int			mobile;			/* -1: not sent */
} Hints;

typedef struct Agent
{
	char		string[AGENT_MAX + 1];
	int			len;
	char		lower[AGENT_MAX + 1];
	Hints		hints;
} Agent;

/* len bytes, valid in the database's encoding, cut to fit. */
static void
copy_text(char *to, size_t size, const char *from, size_t len)
{
	if (len > size - 1)
		len = pg_mbcliplen(from, len, size - 1);
	memcpy(to, from, len);
	to[len] = '\0';
}

/* The same for bytes that may have been cut inside a character. */
static void
copy_any(char *to, size_t size, const char *from)
{
	size_t		len = strlen(from);

	for (size_t i = 0; i < len; i++)
		if (IS_HIGHBIT_SET(from[i]))
		{
			from = text_clean(from, len, false);
			len = strlen(from);
			break;
		}
	copy_text(to, size, from, len);
}

static bool
contains_ci(const char *haystack, const char *lower_needle)
{
	size_t		len = strlen(lower_needle);

	for (; *haystack != '\0'; haystack++)
		if (pg_strncasecmp(haystack, lower_needle, len) == 0)
			return true;
	return false;
}

/*
 * Rank of a brand: of the brands that a browser sends, the most specific one
 * is used: a known browser, Chrome (which others send too), an unknown name,
 * Chromium.  One brand is meaningless on purpose ("Not A;Brand").
 */
static void
add_brand(Hints *hints, const char *brand, size_t brand_len, const char *version,
		  size_t version_len)
{
	char		name[HINT_MAX + 1];
	int			rank;

	copy_text(name, sizeof(name), brand, brand_len);
	if (name[0] == '\0' || (contains_ci(name, "not") && contains_ci(name, "brand")))
		return;
	if (pg_strcasecmp(name, "Chromium") == 0)
		rank = 1;
	else if (pg_strcasecmp(name, "Google Chrome") == 0)
		rank = 3;
	else
		rank = hinted_family(name, false) != NULL ? 4 : 2;
	if (rank <= hints->brand_rank)
		return;
	hints->brand_rank = rank;
	strlcpy(hints->brand, name, sizeof(hints->brand));
	copy_text(hints->brand_version, sizeof(hints->brand_version), version, version_len);
}

static JsonbValue *
member(JsonbContainer *object, const char *name, JsonbValue *value)
{
	return getKeyJsonValueFromContainer(object, name, strlen(name), value);
}

static bool
string_member(JsonbContainer *object, const char *name, char *to)
{
	JsonbValue	buf;
	JsonbValue *value = member(object, name, &buf);

	if (value == NULL || value->type != jbvString || value->val.string.len == 0)
		return false;
	copy_text(to, HINT_MAX + 1, value->val.string.val, value->val.string.len);
	return true;
}

/* [{"brand": …, "version": …}, …] */
static void
read_brands(Hints *hints, JsonbContainer *object, const char *name)
{
	JsonbValue	buf;
	JsonbValue *list = member(object, name, &buf);

	if (hints->brand_rank > 0 || list == NULL || list->type != jbvBinary ||
		!JsonContainerIsArray(list->val.binary.data))
		return;
	for (uint32 i = 0; i < Min(JsonContainerSize(list->val.binary.data), 16); i++)
	{
		JsonbValue *item = getIthJsonbValueFromContainer(list->val.binary.data, i);
		char		brand[HINT_MAX + 1];
		char		version[HINT_MAX + 1];

		if (item == NULL || item->type != jbvBinary ||
			!JsonContainerIsObject(item->val.binary.data) ||
			!string_member(item->val.binary.data, "brand", brand))
			continue;
		if (!string_member(item->val.binary.data, "version", version))
			version[0] = '\0';
		add_brand(hints, brand, strlen(brand), version, strlen(version));
	}
}

/* The object from navigator.userAgentData. */
static void
read_uadata(Hints *hints, JsonbContainer *object)
{
	JsonbValue	buf;
	JsonbValue *mobile = member(object, "mobile", &buf);

	(void) string_member(object, "platform", hints->platform);
	(void) string_member(object, "platformVersion", hints->platform_version);
	(void) string_member(object, "model", hints->model);
	if (mobile != NULL && mobile->type == jbvBool)
		hints->mobile = mobile->val.boolean ? 1 : 0;
	read_brands(hints, object, "fullVersionList");
	read_brands(hints, object, "brands");
}

/* A quoted string of a header at *p, into buf; *p is moved after it. */
static bool
quoted(const char **p, const char *end, char *buf)
{
	const char *s = *p;
	size_t		n = 0;

	if (s >= end || *s != '"')
		return false;
	for (s++; s < end && *s != '"'; s++)
	{
		if (*s == '\\' && s + 1 < end)
			s++;
		/* a header is ASCII */
		if (n < HINT_MAX && *s >= ' ' && !IS_HIGHBIT_SET(*s))
			buf[n++] = *s;
	}
	buf[n] = '\0';
	*p = s < end ? s + 1 : end;
	return true;
}

static void
header_string(JsonbContainer *headers, const char *name, char *to)
{
	JsonbValue	buf;
	JsonbValue *value = member(headers, name, &buf);
	const char *p;
	char		string[HINT_MAX + 1];

	if (to[0] != '\0' || value == NULL || value->type != jbvString)
		return;
	p = value->val.string.val;
	if (quoted(&p, p + value->val.string.len, string))
		strcpy(to, string);
}

/* "brand";v="version", "brand";v="version" */
static void
header_brands(Hints *hints, JsonbContainer *headers, const char *name)
{
	JsonbValue	buf;
	JsonbValue *value = member(headers, name, &buf);
	const char *p;
	const char *end;

	if (hints->brand_rank > 0 || value == NULL || value->type != jbvString)
		return;
	p = value->val.string.val;
	end = p + Min(value->val.string.len, AGENT_MAX);
	while (p < end)
	{
		char		brand[HINT_MAX + 1];
		char		version[HINT_MAX + 1] = "";

		if (!quoted(&p, end, brand))
		{
			p++;
			continue;
		}
		if (end - p > 3 && strncmp(p, ";v=", 3) == 0)
		{
			p += 3;
			(void) quoted(&p, end, version);
		}
		add_brand(hints, brand, strlen(brand), version, strlen(version));
	}
}

static void
read_headers(Hints *hints, JsonbContainer *headers)
{
	JsonbValue	buf;
	JsonbValue *mobile = member(headers, "sec-ch-ua-mobile", &buf);

	header_string(headers, "sec-ch-ua-platform", hints->platform);
	header_string(headers, "sec-ch-ua-platform-version", hints->platform_version);
	header_string(headers, "sec-ch-ua-model", hints->model);
	if (hints->mobile < 0 && mobile != NULL && mobile->type == jbvString &&
		mobile->val.string.len == 2 &&
		mobile->val.string.val[0] == '?')
		hints->mobile = mobile->val.string.val[1] == '1' ? 1 : 0;
	header_brands(hints, headers, "sec-ch-ua-full-version-list");
	header_brands(hints, headers, "sec-ch-ua");
}

static void
read_hints(Hints *hints, Jsonb *uadata, Jsonb *headers)
{
	memset(hints, 0, sizeof(*hints));
	hints->mobile = -1;
	if (uadata != NULL && JB_ROOT_IS_OBJECT(uadata))
		read_uadata(hints, &uadata->root);
	if (headers != NULL && JB_ROOT_IS_OBJECT(headers))
		read_headers(hints, &headers->root);
	hints->any = hints->platform[0] || hints->platform_version[0] || hints->model[0] ||
		hints->brand[0] || hints->mobile >= 0;
}

/* "14.2.1" and "14_2" become "14.2", "14.0.0" becomes "14" where bare, "x" becomes "". */
static void
short_version(const char *version, bool bare, char *to, size_t size)
{
	const char *p = version;
	int			major = 0,
				minor = 0;

	to[0] = '\0';
	for (; *p >= '0' && *p <= '9' && major < 100000000; p++)
		major = major * 10 + (*p - '0');
	if (p == version)
		return;
	if ((*p != '.' && *p != '_') || p[1] < '0' || p[1] > '9')
	{
		snprintf(to, size, "%d", major);
		return;
	}
	for (p++; *p >= '0' && *p <= '9' && minor < 100000000; p++)
		minor = minor * 10 + (*p - '0');
	if (bare && minor == 0)
		snprintf(to, size, "%d", major);
	else
		snprintf(to, size, "%d.%d", major, minor);
}

/*
 * The file
 */

typedef struct FileIdentity
{
	dev_t		dev;
	ino_t		ino;
	off_t		size;
	struct timespec mtime;
} FileIdentity;

static UaRules *rules = NULL;
static FileIdentity rules_file; /* of rules */
static char checked_path[MAXPGPATH];
static TimestampTz checked_at = 0;
static bool have_bad_file = false;
static FileIdentity bad_file;	/* it was read and is not valid: do not read
								 * it again */
static char bad_reason[512];
static char problem[512];		/* the problem with the file now, or "" */
static bool warned = false;

/*
 * Neither the agent nor its hints are kept: a hash of them under a key of the
 * backend's own, for which nobody can find two that meet, is enough.
 */
typedef struct CacheEntry
{
	bool		filled;
	uint32		used;			/* cache_clock at the last use */
	uint64		hash;
	UserAgent	found;
} CacheEntry;

static MemoryContext cache_context = NULL;
static CacheEntry *cache = NULL;
static uint32 cache_clock = 0;
static SipKey cache_hash_key;

static void
forget_cache(void)
{
	if (cache_context != NULL)
		MemoryContextDelete(cache_context);
	cache_context = NULL;
	cache = NULL;
}

static void
identify(const struct stat *st, FileIdentity *id)
{
	memset(id, 0, sizeof(*id));
	id->dev = st->st_dev;
	id->ino = st->st_ino;
	id->size = st->st_size;
	id->mtime = st->st_mtim;
}

/* Read the file.  NULL, and the reason in problem, if it cannot be read or is not valid. */
static UaRules *
read_file(const char *path, const struct stat *st)
{
	FILE	   *file = AllocateFile(path, PG_BINARY_R);
	char	   *contents;
	char	   *error;
	size_t		len;
	UaRules    *result;

	if (file == NULL)
	{
		snprintf(problem, sizeof(problem), "could not open file: %m");
		return NULL;
	}
	contents = palloc(st->st_size + 1);
	len = fread(contents, 1, st->st_size + 1, file);
	FreeFile(file);
	if (len != (size_t) st->st_size)
	{
		snprintf(problem, sizeof(problem), "the file changed while it was read");
		pfree(contents);
		return NULL;
	}
	result = ua_rules_read(contents, len, &error);
	pfree(contents);
	if (result == NULL)
		strlcpy(problem, error, sizeof(problem));
	return result;
}

/*
 * The rules, or NULL.  Examines the file once per transaction.  If the file
 * can no longer be read, the rules that were read from the same path remain.
 */
static UaRules *
current_rules(void)
{
	const char *path = pkt_user_agent_rules_file ? pkt_user_agent_rules_file : "";
	TimestampTz now = GetCurrentTransactionStartTimestamp();
	struct stat st;
	FileIdentity id;

	if (now == checked_at && strcmp(path, checked_path) == 0)
		return rules;

	if (strcmp(path, checked_path) != 0)
	{
		if (rules != NULL)
			ua_rules_free(rules);
		rules = NULL;
		have_bad_file = false;
		forget_cache();
		strlcpy(checked_path, path, sizeof(checked_path));
	}
	checked_at = now;
	problem[0] = '\0';

	if (path[0] == '\0')
		snprintf(problem, sizeof(problem), "no file is set");
	else if (strlen(path) >= sizeof(checked_path))
		snprintf(problem, sizeof(problem), "the file's name is too long");
	else if (stat(path, &st) != 0)
		snprintf(problem, sizeof(problem), "could not open file: %m");
	else if (!S_ISREG(st.st_mode))
		snprintf(problem, sizeof(problem), "not a regular file");
	else if (st.st_size > FILE_MAX)
		snprintf(problem, sizeof(problem), "the file is larger than %d MB",
				 FILE_MAX / (1024 * 1024));
	else
	{
		identify(&st, &id);
		if (rules != NULL && memcmp(&id, &rules_file, sizeof(id)) == 0)
			return rules;
		if (have_bad_file && memcmp(&id, &bad_file, sizeof(id)) == 0)
			strcpy(problem, bad_reason);
		else
		{
			UaRules    *fresh = read_file(path, &st);

			if (fresh != NULL)
			{
				if (rules != NULL)
					ua_rules_free(rules);
				rules = fresh;
				rules_file = id;
				forget_cache();
				return rules;
			}
			have_bad_file = true;
			bad_file = id;
			strcpy(bad_reason, problem);
		}
	}

	if (!warned)
	{
		warned = true;
		ereport(WARNING,
				(errcode(ERRCODE_CONFIG_FILE_ERROR),
				 errmsg("could not read user agent rules"),
				 errdetail_log("File \"%s\": %s.", path, problem),
				 rules != NULL ? errdetail("The rules that were read before are still used.") :
				 errdetail("Systems, browsers and devices are recorded as unknown."),
				 errhint("Check pk_tracking.user_agent_rules() and the server parameter "
						 "\"pk_tracking.user_agent_rules_file\".")));
	}
	return rules;
}

/*
 * Detection
 */

static inline bool
says(const Agent *agent, const char *word)
{
	return strstr(agent->lower, word) != NULL;
}

static bool
says_any(const Agent *agent, const char *const *words)
{
	for (; *words != NULL; words++)
		if (says(agent, *words))
			return true;
	return false;
}

/*
 * Does the agent name the system of people's devices?  Linux alone does not
 * count: servers, on which robots run, name it too.
 */
static bool
names_platform(const Agent *agent)
{
	static const char *const words[] = {
		"android", "iphone", "ipad", "ipod", "ios ", "ios/", "watchos", "tvos", "windows",
		"macintosh", "mac os", "macos", "darwin/", "cfnetwork", "cros ", "tizen", "kaios",
		"harmonyos",
		"dalvik/", "playstation", NULL
	};

	return says_any(agent, words);
}

/*
 * Is this word, which ends like a robot's, the model of a phone: between
 * "Android" and the end of the first parentheses?  A robot's name there has a
 * version.
 */
static bool
is_model(const Agent *agent, const char *word, const char *end)
{
	const char *open = strchr(agent->lower, '(');
	const char *close = open != NULL ? strchr(open, ')') : NULL;
	const char *system = open != NULL ? strstr(open, "android") : NULL;

	return system != NULL && system < word && (close == NULL || word < close) && *end != '/';
}

/* Does a word end like a robot's name?  Phones of Cubot, and other models, do too. */
static bool
has_robots_name(const Agent *agent)
{
	static const char *const ends[] = {"bot", "spider"};

	for (int i = 0; i < (int) lengthof(ends); i++)
	{
		size_t		len = strlen(ends[i]);

		for (const char *p = agent->lower; (p = strstr(p, ends[i])) != NULL; p += len)
		{
			if (p[len] >= 'a' && p[len] <= 'z')
				continue;
			if (p - agent->lower >= 2 && p[-1] == 'u' && p[-2] == 'c')
				continue;
			if (!is_model(agent, p, p + len))
				return true;
		}
	}
	return false;
}

/*
 * Does the agent have a robot's word?  Words that are also names of apps count
 * only where robots put them: the agent begins with one, or names no platform.
 */
static bool
says_bot(const Agent *agent)
{
	static const char *const always[] = {
		"crawler", "crawl/", "slurp", "facebookexternalhit", "mediapartners-google", "bingpreview",
		"google-inspectiontool", "googleother", "apis-google", "feedfetcher",
		"chrome-lighthouse", "pagespeed", "gtmetrix", "pingdomtms", "pingdompagespeed",
		"ia_archiver",
		"archive.org_bot", "chatgpt-user", "perplexity-user", "claude-user", "meta-externalagent",
		"scrapy", NULL
	};
	static const char *const robots_place[] = {
		"whatsapp/", "validator", "uptime", "lighthouse", "pingdom"
	};

	if (has_robots_name(agent) || says_any(agent, always))
		return true;
	for (int i = 0; i < (int) lengthof(robots_place); i++)
	{
		const char *at = strstr(agent->lower, robots_place[i]);

		/* a word, not the end of an app's name */
		if (at == agent->lower ||
			(at != NULL && !(at[-1] >= 'a' && at[-1] <= 'z') && !names_platform(agent)))
			return true;
	}
	if (says(agent, "feedvalidator"))
		return true;

	/*
	 * apps name their page too, but robots are "compatible" or name no
	 * platform
	 */
	return (says(agent, "+http://") || says(agent, "+https://")) &&
		(says(agent, "compatible;") || !names_platform(agent));
}

/* A frozen agent ("Android 10; K") with the values of the Client Hints put in. */
static void
thaw(Agent *agent)
{
	static const char frozen[] = "Android 10; K)";
	char	   *at = strstr(agent->string, frozen);
	char		major[21];
	char	   *whole;

	if (at == NULL || agent->hints.model[0] == '\0')
		return;
	short_version(agent->hints.platform_version, true, major, sizeof(major));
	whole = psprintf("%.*sAndroid %s; %s)%s", (int) (at - agent->string), agent->string,
					 major[0] ? major : "10", agent->hints.model, at + strlen(frozen));
	copy_text(agent->string, sizeof(agent->string), whole, strlen(whole));
	agent->len = (int) strlen(agent->string);
	pfree(whole);
}

static void
join_version(const UaAnswer *answer, char *to, size_t size)
{
	char		version[2 * UA_VALUE_MAX + 2];

	snprintf(version, sizeof(version), "%s%s%s", answer->value[1],
			 answer->value[1][0] && answer->value[2][0] ? "." : "",
			 answer->value[1][0] ? answer->value[2] : "");
	copy_any(to, size, version);
}

#define SYSTEM_VERSION_SIZE 21

/* The system by the agent string: its name, and its version (SYSTEM_VERSION_SIZE bytes). */
static const char *
system_of_agent(const Agent *agent, const UaAnswer *answer, char *version)
{
	const char *family = answer->found ? answer->value[0] : "";
	char	   *rest;

	version[0] = '\0';
	if (answer->found)
		join_version(answer, version, SYSTEM_VERSION_SIZE);
	if (pg_strcasecmp(family, "Other") == 0)
		family = "";
	/* the rules take these for versions */
	if (strcmp(family, "Windows") == 0 && strcmp(version, "CE") == 0)
		family = "Windows CE", version[0] = '\0';
	else if (strcmp(family, "Windows") == 0 && strcmp(version, "Mobile") == 0)
		family = "Windows Mobile", version[0] = '\0';
	else if (strcmp(family, "Windows") == 0 && strncmp(version, "RT", 2) == 0)
	{
		family = "Windows RT";
		rest = version + 2 + strspn(version + 2, " ");
		memmove(version, rest, strlen(rest) + 1);
	}
	/* this is the version of the kernel */
	if (strcmp(family, "Linux") == 0)
		version[0] = '\0';

	/* systems that the rules confuse with others, or do not know */
	if (says(agent, "xbox"))
		family = "Xbox", version[0] = '\0';
	else if (says(agent, "playstation portable"))
		family = "PlayStation Portable";
	else if (says(agent, "playstation"))
	{
		const char *p = strstr(agent->lower, "playstation ");

		p = p != NULL ? p + strlen("playstation ") : "";
		family = "PlayStation";
		snprintf(version, SYSTEM_VERSION_SIZE, "%.1s", *p >= '0' && *p <= '9' ? p : "");
	}
	else if (says(agent, "nintendo 3ds") || says(agent, "nintendo dsi"))
		family = "Nintendo Mobile", version[0] = '\0';
	else if (says(agent, "nintendo"))
		family = "Nintendo", version[0] = '\0';
	else if (says(agent, "harmonyos") || says(agent, "openharmony"))
		family = "HarmonyOS", version[0] = '\0';
	else if (says(agent, "haiku"))
		family = "Haiku", version[0] = '\0';
	else if (says(agent, "fuchsia"))
		family = "Fuchsia", version[0] = '\0';
	else if (says(agent, "sailfish"))
		family = "Sailfish";
	return family;
}

/*
 * The system by the Client Hints, if they name one, else the one given; changes
 * version too.
 */
static const char *
system_of_hints(const Agent *agent, const char *family, char *version)
{
	const Hints *hints = &agent->hints;
	const SystemCode *code;
	char		hinted[SYSTEM_VERSION_SIZE];

	if (hints->platform[0] == '\0')
		return family;
	short_version(hints->platform_version, false, hinted, sizeof(hinted));
	if (pg_strcasecmp(hints->platform, "Windows") == 0)
	{
		int			major = atoi(hints->platform_version);

		/*
		 * an Xbox sends Windows too; the version numbers the releases of an
		 * interface
		 */
		if (strcmp(family, "Xbox") != 0 && strcmp(family, "Windows") != 0)
			family = "Windows", version[0] = '\0';
		if (strcmp(family, "Windows") == 0 && major >= 13)
			strcpy(version, "11");
		else if (strcmp(family, "Windows") == 0 && major > 0)
			strcpy(version, "10");
		else if (strcmp(family, "Windows") == 0 && strcmp(hinted, "0.3") == 0)
			strcpy(version, "8.1");
		else if (strcmp(family, "Windows") == 0 && strcmp(hinted, "0.2") == 0)
			strcpy(version, "8");
		else if (strcmp(family, "Windows") == 0 && strcmp(hinted, "0.1") == 0)
			strcpy(version, "7");
	}
	else if (pg_strcasecmp(hints->platform, "Linux") == 0)
	{
		code = system_code(family);
		/* its distributions, and Chrome OS and TVs, which send Linux */
		if (code == NULL || strcmp(family, "Windows") == 0 || strcmp(code->code, "MAC") == 0)
			family = "Linux", version[0] = '\0';
	}
	else
	{
		const char *named = pg_strcasecmp(hints->platform, "Chromium OS") == 0 ?
			"Chrome OS" : hints->platform;
		const SystemCode *now = system_code(family);

		code = system_code(named);
		if (code != NULL)
		{
			if (now == NULL || strcmp(now->code, code->code) != 0)
			{
				/* Android's own families keep their names */
				if (!(strcmp(code->code, "AND") == 0 && now != NULL &&
					  (strcmp(now->code, "HAR") == 0 || strcmp(now->code, "FIR") == 0)))
					family = code->family, version[0] = '\0';
			}
			if (hinted[0] != '\0')
				short_version(hints->platform_version, strcmp(code->code, "AND") == 0, version,
							  SYSTEM_VERSION_SIZE);
		}
	}
	return family;
}

/* The system: its names and version, and its code, or NULL. */
static const SystemCode *
detect_system(const Agent *agent, const UaAnswer *answer, UserAgent *found)
{
	char		version[SYSTEM_VERSION_SIZE];
	const char *family = system_of_agent(agent, answer, version);
	const SystemCode *code;

	family = system_of_hints(agent, family, version);

	/* iPads have had a system of their own since version 13 */
	if (strcmp(family, "iOS") == 0 && says(agent, "ipad") && atoi(version) >= 13)
		family = "iPadOS";

	code = system_code(family);
	copy_any(found->os_family, sizeof(found->os_family), code ? code->name : family);
	copy_text(found->os_version, sizeof(found->os_version), version, strlen(version));
	strcpy(found->config_os, code && code->code[0] ? code->code : "UNK");
	return code;
}

/*
 * Corrections of the rules: programs that send their name, but that the rules,
 * at least older ones, take for the program they are built on, or do not know
 * in every form in which they write their version.
 */
static const struct
{
	const char *word;			/* the version follows */
	const char *family;
}			named_programs[] =

{
	{"huaweibrowser/", "HuaweiBrowser"},
	{"heytapbrowser/", "HeyTapBrowser"},
	{"vivobrowser/", "VivoBrowser"},
	{" avast/", "Avast"},
	{" brave/", "Brave"},
	{" ddg/", "DuckDuckGo"},
	{" opt/", "Opera Touch"},
	{"falkon/", "Falkon"},
	{"webpositive/", "WebPositive"},
	{" nf/", "NetFront"},
	{"applecoremedia/", "AppleCoreMedia"},
	{"edgios/", "Edge Mobile"},
	{"edga/", "Edge Mobile"},
	{" gsa/", "Google"},
	{"tizenbrowser/", "Tizen Browser"},
	{"tizen browser/", "Tizen Browser"}
};

/*
 * Does a family that the rules took from a robot's name belong to a person
 * (is_model())?  Then the browser is named elsewhere.
 */
static bool
is_robots_family(const char *family)
{
	size_t		len = strlen(family);

	return client_code(family) == NULL &&
		((len >= 3 && pg_strcasecmp(family + len - 3, "bot") == 0) ||
		 (len >= 6 && pg_strcasecmp(family + len - 6, "spider") == 0));
}

/*
 * Tizen's own browser, which the rules take for Safari: phones and some TVs
 * give its version, other TVs no name at all.
 */
static const char *
tizen_browser(const Agent *agent, char *version, size_t size)
{
	const char *at = strstr(agent->lower, " version/");

	version[0] = '\0';
	if (at == NULL)
		return "";
	short_version(at + strlen(" version/"), false, version, size);
	return "Tizen Browser";
}

static const char *
named_program(const Agent *agent, const char *family, char *version, size_t size)
{
	const char *chrome = strstr(agent->lower, " chrome/");

	if (is_robots_family(family) && chrome != NULL)
	{
		family = says(agent, "android") && says(agent, " mobile") ? "Chrome Mobile" : "Chrome";
		short_version(chrome + strlen(" chrome/"), false, version, size);
	}
	if (family[0] != '\0' && strncmp(family, "Chrome", 6) != 0 &&
		strncmp(family, "Safari", 6) != 0 &&
		strncmp(family, "Mobile Safari", 13) != 0 && strcmp(family, "Apple Mail") != 0 &&
		strcmp(family, "WebKit Nightly") != 0)
		return family;
	for (int i = 0; i < (int) lengthof(named_programs); i++)
	{
		const char *at = strstr(agent->lower, named_programs[i].word);

		if (at != NULL)
		{
			short_version(at + strlen(named_programs[i].word), false, version, size);
			return named_programs[i].family;
		}
	}
	if (says(agent, "tizen") && family[0] != '\0' && strncmp(family, "Chrome", 6) != 0)
		return tizen_browser(agent, version, size);

	/*
	 * the rules call any agent with WebKit only Apple Mail; only Apple's
	 * computers have that
	 */
	if (strcmp(family, "Apple Mail") == 0 && !says(agent, "mac os x"))
	{
		version[0] = '\0';
		return "";
	}
	return family;
}

static void
detect_client(const Agent *agent, const UaAnswer *answer, UserAgent *found)
{
	const Hints *hints = &agent->hints;
	const char *family = answer->found && pg_strcasecmp(answer->value[0], "Other") != 0
		? answer->value[0] : "";
	const ClientCode *code;
	char		version[21] = "";

	if (answer->found)
		join_version(answer, version, sizeof(version));
	family = named_program(agent, family, version, sizeof(version));
	code = client_code(family);

	if (hints->brand[0] != '\0')
	{
		bool		mobile = hints->mobile == 1 || says(agent, "android");
		const char *hinted = hinted_family(hints->brand, mobile);
		char		hinted_version[21];

		short_version(hints->brand_version, false, hinted_version, sizeof(hinted_version));
		if (hinted == NULL)
			hinted = hints->brand;

		/*
		 * a name in the agent is more specific than the brands Chrome or
		 * Chromium
		 */
		if ((hints->brand_rank == 1 || hints->brand_rank == 3) && family[0] != '\0' &&
			strncmp(family, "Chrome", 6) != 0 && strncmp(family, "Chromium", 8) != 0 &&
			strncmp(family, "Safari", 6) != 0 && strcmp(family, "Android") != 0)
			hinted = NULL;
		else if (code != NULL && code->code != NULL && strcmp(code->code, "CV") == 0 &&
				 hints->brand_rank == 1)
			hinted = NULL;
		if (hinted != NULL)
		{
			size_t		major = strcspn(version, ".");

			/* the short list has the major version only */
			if (!(strchr(hinted_version, '.') == NULL && strlen(hinted_version) == major &&
				  strncmp(version, hinted_version, major) == 0))
				strlcpy(version, hinted_version, sizeof(version));
			family = hinted;
			code = client_code(family);
		}
	}

	copy_any(found->browser_family, sizeof(found->browser_family), family);
	copy_text(found->browser_version, sizeof(found->browser_version), version, strlen(version));
	if (code != NULL)
		found->client_type = code->type;
	else if (family[0] == '\0')
		found->client_type = CLIENT_UNKNOWN;
	else if (says(agent, "cfnetwork") || ((says(agent, "android") || says(agent, "ios")) &&
										  !says(agent, "mozilla/")))
		found->client_type = CLIENT_MOBILE_APP;
	else if (strncmp(agent->lower, "mozilla/", 8) == 0)
		found->client_type = CLIENT_BROWSER;
	else
		found->client_type = CLIENT_LIBRARY;

	if (found->client_type == CLIENT_BROWSER)
	{
		strcpy(found->fingerprint_browser, code && code->code ? code->code : "UNK");
		strcpy(found->config_browser_name, found->fingerprint_browser);
	}
	else
	{
		strcpy(found->fingerprint_browser, "UNK");
		strcpy(found->config_browser_name, found->browser_family[0] ? found->browser_family
			   : "UNK");
	}
}

static const char *
detect_engine(const Agent *agent, const UserAgent *found)
{
	const char *chrome = strstr(agent->lower, "chrome/");

	if (strcmp(found->fingerprint_browser, "OI") == 0 || says(agent, "presto/"))
		return "Presto";
	if (says(agent, "trident/") || says(agent, "msie "))
		return "Trident";
	if (says(agent, "edge/"))
		return "Edge";
	if (says(agent, "goanna/"))
		return "Goanna";
	if (strcmp(found->config_os, "IOS") == 0 || strcmp(found->config_os, "IPA") == 0)
		return "WebKit";
	if (chrome != NULL)
		return atoi(chrome + 7) >= 28 ? "Blink" : "WebKit";
	if (says(agent, "khtml/"))
		return "KHTML";
	if (says(agent, "applewebkit"))
		return "WebKit";
	if (says(agent, "gecko/"))
		return "Gecko";
	if (says(agent, "netfront"))
		return "NetFront";
	if (agent->hints.brand_rank > 0)
		return "Blink";
	return "";
}

/*
 * Does the agent say that it is a TV, as a word: CTV anywhere; DTV, or TV
 * within the first parentheses, unless it is mobile?
 */
static bool
says_tv(const Agent *agent)
{
	const char *open = strchr(agent->lower, '(');
	const char *close = open != NULL ? strchr(open, ')') : NULL;

	for (const char *p = agent->lower; (p = strstr(p, "tv")) != NULL; p += 2)
	{
		char		kind = p > agent->lower && (p[-1] == 'c' || p[-1] == 'd') ? p[-1] : '\0';
		const char *begin = kind ? p - 1 : p;

		if (isalnum((unsigned char) p[2]) ||
			(begin > agent->lower && isalnum((unsigned char) begin[-1])))
			continue;
		if (kind == 'c' || (kind == 'd' && !says(agent, "mobile")))
			return true;
		if (kind == '\0' && open != NULL && open < p && (close == NULL || p < close) &&
			!says(agent, "mobile") && !says(agent, "iphone") && !says(agent, "ipad"))
			return true;
	}
	return false;
}

static DeviceType
detect_type(const Agent *agent, const SystemCode *system, const UaAnswer *device,
			const UserAgent *found)
{
	static const char *const tv[] = {
		"hbbtv", "smart-tv", "smarttv", "smart_tv", "googletv", "google tv", "appletv",
		"apple tv", "crkey",
		"bravia", "web0s", "netcast", "viera", "roku", "android tv", "androidtv", "large screen",
		"shield android tv",
		"mibox", "mi box", "mitv", "vidaa", "inettvbrowser", "ce-html", "; aft", "tv safari",
		"nettv", " omi/",
		"chromecast", "philipstv", "aquos-as", "atv4k", NULL
	};
	static const char *const watch[] = {
		"watchos", "apple watch", "applewatch", "; sm-r", "wear os", "oculusbrowser", "quest 2",
		"quest 3", "quest pro",
		"; quest", "; pico ", "smartwatch", NULL
	};
	static const char *const tablet[] = {
		"ipad", "; kf", "kindle", "playbook", "touchpad", "; sm-t", "; sm-x", "; sm-p", "; gt-p",
		"nexus 7", "nexus 9",
		"nexus 10", "pixel c ", "pixel tablet", "mediapad", "matepad", "lenovo tb", "tablet;",
		"; tablet", "xoom",
		" tab ", "_tab", NULL
	};
	bool		android;
	bool		mobile;

	if (found->is_bot)
		return DEVICE_UNKNOWN;
	if (system != NULL && system->kind == SYSTEM_CONSOLE)
		return DEVICE_CONSOLE;
	if (says(agent, "qtcarbrowser") || says(agent, "tesla/") || says(agent, "automotive"))
		return DEVICE_CAR_BROWSER;
	if (says(agent, "audioos") || says(agent, "homepod"))
		return DEVICE_SMART_SPEAKER;
	if ((says(agent, "crkey") && says(agent, "fuchsia")) || says(agent, "aeobc") ||
		says(agent, "aeorh") ||
		says(agent, "echo show") || says(agent, "nest hub"))
		return DEVICE_SMART_DISPLAY;
	if (says_any(agent, watch) || (system != NULL && system->kind == SYSTEM_WATCH))
		return DEVICE_WEARABLE;
	if (says_any(agent, tv) || (system != NULL && system->kind == SYSTEM_TV) ||
		(says(agent, "tizen") && says(agent, " tv")) || says_tv(agent))
		return DEVICE_TV;
	if (says(agent, "; sunmi") || says(agent, "; pax "))
		return DEVICE_PERIPHERAL;
	if (says(agent, "ek-gc") || says(agent, "coolpix s800c"))
		return DEVICE_CAMERA;
	if (says(agent, "ipod"))
		return DEVICE_PORTABLE_MEDIA_PLAYER;
	if (says(agent, "ipad"))
		return DEVICE_TABLET;
	if (says(agent, "iphone"))
		return DEVICE_SMARTPHONE;
	if (system != NULL && strcmp(system->code, "WRT") == 0)
		return DEVICE_TABLET;
	if (says(agent, "sm-n9") || says(agent, "galaxy note"))
		return DEVICE_PHABLET;

	android = says(agent, "android") || (system != NULL &&
										 (strcmp(system->code, "AND") == 0 ||
										  strcmp(system->code, "FIR") == 0 ||
										  strcmp(system->code, "HAR") == 0));
	mobile = agent->hints.mobile == 1 || says(agent, "mobile") || says(agent, "phone");
	if (found->client_type == CLIENT_LIBRARY && system == NULL)
		return DEVICE_UNKNOWN;
	if (system != NULL && system->kind == SYSTEM_FEATURE_PHONE)
		return DEVICE_FEATURE_PHONE;
	if (android || (system != NULL && system->kind == SYSTEM_MOBILE))
	{
		if (says_any(agent, tablet) || (says(agent, "tablet") && !says(agent, "mobile")))
			return DEVICE_TABLET;
		if (mobile || !android)
			return DEVICE_SMARTPHONE;
		/* browsers on tablets omit "Mobile"; apps and old browsers always do */
		if (strncmp(agent->lower, "mozilla/", 8) == 0 &&
			(atoi(found->os_version) >= 3 || found->os_version[0] == '\0') &&
			!says(agent, "opera mini"))
			return DEVICE_TABLET;
		return DEVICE_SMARTPHONE;
	}
	if (strcmp(found->fingerprint_browser, "OI") == 0 || says(agent, "midp") ||
		says(agent, "cldc") ||
		(device->found && strcmp(device->value[0], "Generic Feature Phone") == 0) ||
		strncmp(agent->lower, "nokia", 5) == 0 || strncmp(agent->lower, "samsung-", 8) == 0)
		return DEVICE_FEATURE_PHONE;
	if (says(agent, "ucweb") || says(agent, "playbook") || says(agent, "touchpad"))
		return says(agent, "ucweb") ? DEVICE_SMARTPHONE : DEVICE_TABLET;
	if (system != NULL && system->kind == SYSTEM_DESKTOP)
		return DEVICE_DESKTOP;
	if (mobile)
		return DEVICE_SMARTPHONE;
	if (agent->hints.mobile == 0 && agent->hints.platform[0] != '\0')
		return DEVICE_DESKTOP;
	return DEVICE_UNKNOWN;
}

/* Brands that the rules miss. */
static const struct
{
	const char *word;
	const char *brand;
}			named_brands[] =

{
	{"playstation", "Sony"}, {"xbox", "Microsoft"}, {"nintendo", "Nintendo"},
	{"oculusbrowser", "Meta"}, {"; pixel ", "Google"}, {"; sm-", "Samsung"},
	{"; lm-", "LG"}, {"; sov", "Sony"}, {"; xq-", "Sony"}, {"; bravia", "Sony"},
	{"; mibox", "XiaoMi"}, {"; m2", "XiaoMi"}, {"; redmi", "XiaoMi"}, {"; shield", "Nvidia"},
	{"; rmx", "Realme"}, {"roku", "Roku"}, {"; cubot", "Cubot"}, {"; sunmi", "Sunmi"}
};

static void
detect_device(const Agent *agent, const SystemCode **system, const UaAnswer *device,
			  UserAgent *found)
{
	const char *brand = device->found ? device->value[1] : "";
	const char *model = device->found ? device->value[2] : "";
	const char *code;

	if (pg_strcasecmp(brand, "Generic") == 0 || pg_strcasecmp(brand, "Spider") == 0)
		brand = model = "";
	else if (strncmp(brand, "Generic_", 8) == 0)
		brand = "";
	if (strcmp(model, "K") == 0)	/* of a frozen agent */
		model = "";
	if (model[0] == '\0')
		model = agent->hints.model;
	for (int i = 0; i < (int) lengthof(named_brands) && brand[0] == '\0'; i++)
		if (says(agent, named_brands[i].word))
			brand = named_brands[i].brand;
	if (strcmp(brand, "Oppo") == 0 && says(agent, "; rmx"))
		brand = "Realme";

	found->device_type = detect_type(agent, *system, device, found);

	/* families of Android are told by the device they run on */
	if (strcmp(found->config_os, "AND") == 0)
	{
		const char *family = NULL;

		if (pg_strcasecmp(brand, "Amazon") == 0 &&
			(says(agent, "; kf") || says(agent, "; aft") || says(agent, "silk")))
			family = "Fire OS";
		else if (found->device_type == DEVICE_TV)
			family = "Android TV";
		else if (found->device_type == DEVICE_WEARABLE && says(agent, "; sm-r"))
			family = "Wear OS";
		if (family != NULL)
		{
			*system = system_code(family);
			strcpy(found->os_family, (*system)->name);
			strcpy(found->config_os, (*system)->code);
			if (strcmp(family, "Fire OS") == 0)
				found->os_version[0] = '\0';
		}
	}

	/* as Matomo has it in its log */
	if (found->device_type == DEVICE_DESKTOP)
	{
		brand = strcmp(found->config_os, "MAC") == 0 ? "Apple" : "";
		model = "generic desktop";
	}
	copy_any(found->brand, sizeof(found->brand), brand);
	copy_any(found->model, sizeof(found->model), model);
	code = brand_code(found->brand);
	strcpy(found->config_device_brand, code ? code : "");
}

/* Detect everything.  Without rules only the hints are used. */
static void
detect(UaRules *from, Agent *agent, bool in_order, UserAgent *found)
{
	UaAnswer	answers[UA_LISTS];
	const SystemCode *system;
	const ClientCode *client;

	memset(found, 0, sizeof(*found));
	memset(answers, 0, sizeof(answers));
	found->device_type = DEVICE_UNKNOWN;
	strcpy(found->config_os, "UNK");
	strcpy(found->config_browser_name, "UNK");
	strcpy(found->fingerprint_browser, "UNK");
	if (from == NULL && !agent->hints.any)
		return;

	for (int i = 0; i <= agent->len; i++)
		agent->lower[i] = pg_ascii_tolower((unsigned char) agent->string[i]);
	if (from != NULL && agent->len > 0)
		ua_rules_match(from, agent->string, agent->len, in_order, answers);
	else
		agent->lower[0] = '\0'; /* the words of the agent alone do not decide */

	/* the rules count some libraries as spiders */
	client = answers[UA_BROWSERS].found ? client_code(answers[UA_BROWSERS].value[0]) : NULL;
	found->is_bot = (answers[UA_DEVICES].found &&
					 strcmp(answers[UA_DEVICES].value[0], "Spider") == 0 &&
					 !(client != NULL && client->type == CLIENT_LIBRARY)) ||
		says_bot(agent);
	if (found->is_bot)
	{
		if (answers[UA_BROWSERS].found)
		{
			copy_any(found->browser_family, sizeof(found->browser_family),
					 answers[UA_BROWSERS].value[0]);
			join_version(&answers[UA_BROWSERS], found->browser_version,
						 sizeof(found->browser_version));
		}
		strcpy(found->config_os, "BOT");
		return;
	}
	system = detect_system(agent, &answers[UA_SYSTEMS], found);
	detect_client(agent, &answers[UA_BROWSERS], found);
	detect_device(agent, &system, &answers[UA_DEVICES], found);
	if (found->client_type == CLIENT_BROWSER)
		strcpy(found->browser_engine, detect_engine(agent, found));
}

/* The key of the cache: the agent and its hints. */
static int
cache_key(const Agent *agent, char *key)
{
	const Hints *hints = &agent->hints;
	int			len = agent->len;

	memcpy(key, agent->string, len);
	if (hints->any)
	{
		const char *const parts[] = {
			hints->platform, hints->platform_version, hints->model, hints->brand,
			hints->brand_version
		};

		/* NUL, which no text contains, separates the parts */
		for (int i = 0; i < (int) lengthof(parts); i++)
		{
			size_t		n = strlen(parts[i]);

			key[len++] = '\0';
			memcpy(key + len, parts[i], n);
			len += (int) n;
		}
		key[len++] = '\0';
		key[len++] = '0' + hints->mobile + 1;
	}
	return len;
}

#define KEY_MAX (AGENT_MAX + 5 * (HINT_MAX + 1) + 2)

/* Copy the entry of a key to result; false if the cache has none. */
static bool
cache_find(uint64 hash, UserAgent *result)
{
	CacheEntry *set = &cache[(hash % CACHE_SETS) * CACHE_WAYS];

	cache_clock++;
	for (int i = 0; i < CACHE_WAYS; i++)
	{
		CacheEntry *entry = &set[i];

		if (entry->filled && entry->hash == hash)
		{
			entry->used = cache_clock;
			memcpy(result, &entry->found, sizeof(*result));
			return true;
		}
	}
	return false;
}

/* Add an entry, in place of the least recently used one of its set. */
static void
cache_keep(uint64 hash, const UserAgent *found)
{
	CacheEntry *set = &cache[(hash % CACHE_SETS) * CACHE_WAYS];
	CacheEntry *entry = &set[0];

	for (int i = 1; i < CACHE_WAYS && entry->filled; i++)
		if (!set[i].filled || cache_clock - set[i].used > cache_clock - entry->used)
			entry = &set[i];
	entry->filled = true;
	entry->hash = hash;
	entry->used = cache_clock;
	entry->found = *found;
}

/*
 * user_agent_detect
 */
const UserAgent *
user_agent_detect(const char *ua, Jsonb *uadata, Jsonb *headers)
{
	UserAgent  *result = palloc(sizeof(UserAgent));
	UaRules    *from = current_rules();
	Agent		agent;
	char		key[KEY_MAX];
	uint64		hash;
	size_t		len = strnlen(ua, 2 * AGENT_MAX);

	if (cache == NULL)
	{
		MemoryContext context = AllocSetContextCreate(TopMemoryContext, "pk_tracking user agents",
													  ALLOCSET_DEFAULT_SIZES);

		cache_context = context;
		random_bytes(&cache_hash_key, sizeof(cache_hash_key));
		cache = MemoryContextAllocZero(context, CACHE_SETS * CACHE_WAYS * sizeof(CacheEntry));
	}

	/* without hints the agent is the key */
	if (uadata == NULL && headers == NULL && len < sizeof(agent.string) &&
		cache_find(siphash(&cache_hash_key, ua, len), result))
		return result;

	read_hints(&agent.hints, uadata, headers);
	copy_text(agent.string, sizeof(agent.string), ua, len);
	agent.len = (int) strlen(agent.string);
	if (agent.hints.any)
		thaw(&agent);

	hash = siphash(&cache_hash_key, key, cache_key(&agent, key));
	if (cache_find(hash, result))
		return result;

	detect(from, &agent, false, result);
	cache_keep(hash, result);
	return result;
}


bool
user_agent_has_rules(void)
{
	return current_rules() != NULL;
}

/*
 * SQL
 */

static void
set_text(Datum *values, bool *nulls, int i, const char *str)
{
	nulls[i] = str[0] == '\0';
	values[i] = nulls[i] ? (Datum) 0 : CStringGetTextDatum(str);
}

static Datum
device_row(FunctionCallInfo fcinfo, const UserAgent *ua)
{
	TupleDesc	desc;
	Datum		values[13];
	bool		nulls[13] = {false};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE ||
		desc->natts != lengthof(values))
		elog(ERROR, "type pk_tracking.device does not match this library");
	set_text(values, nulls, 0, ua->os_family);
	set_text(values, nulls, 1, ua->os_version);
	set_text(values, nulls, 2, ua->browser_family);
	set_text(values, nulls, 3, ua->browser_version);
	set_text(values, nulls, 4, ua->browser_engine);
	values[5] = Int16GetDatum(ua->client_type);
	nulls[5] = ua->client_type == CLIENT_UNKNOWN;
	values[6] = Int16GetDatum(ua->device_type);
	nulls[6] = ua->device_type == DEVICE_UNKNOWN;
	set_text(values, nulls, 7, ua->brand);
	set_text(values, nulls, 8, ua->model);
	values[9] = BoolGetDatum(ua->is_bot);
	set_text(values, nulls, 10, ua->config_os);
	set_text(values, nulls, 11, ua->config_browser_name);
	set_text(values, nulls, 12, ua->config_device_brand);
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls));
}

static Jsonb *
hints_argument(FunctionCallInfo fcinfo)
{
	Jsonb	   *hints;

	if (PG_ARGISNULL(1))
		return NULL;
	hints = PG_GETARG_JSONB_P(1);
	if (!JB_ROOT_IS_OBJECT(hints))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("hints must be a JSON object")));
	return hints;
}

/*
 * pk_tracking.user_agent(ua text, hints jsonb) RETURNS pk_tracking.device
 */
Datum
pkt_user_agent(PG_FUNCTION_ARGS)
{
	Jsonb	   *hints = hints_argument(fcinfo);
	char	   *ua = PG_ARGISNULL(0) ? "" : text_to_cstring(PG_GETARG_TEXT_PP(0));

	PG_RETURN_DATUM(device_row(fcinfo, user_agent_detect(ua, hints, headers_normalise(hints))));
}

/*
 * pk_tracking_internal.user_agent_in_rule_order(ua text, hints jsonb) RETURNS pk_tracking.device
 *
 * The same without prefilter and cache, for comparison.
 */
Datum
pkt_user_agent_in_rule_order(PG_FUNCTION_ARGS)
{
	Jsonb	   *hints = hints_argument(fcinfo);
	char	   *ua = PG_ARGISNULL(0) ? "" : text_to_cstring(PG_GETARG_TEXT_PP(0));
	Agent		agent;
	UserAgent	found;

	read_hints(&agent.hints, hints, headers_normalise(hints));
	copy_text(agent.string, sizeof(agent.string), ua, strnlen(ua, 2 * AGENT_MAX));
	agent.len = (int) strlen(agent.string);
	if (agent.hints.any)
		thaw(&agent);
	detect(current_rules(), &agent, true, &found);
	PG_RETURN_DATUM(device_row(fcinfo, &found));
}

/*
 * pk_tracking.user_agent_rules(compile_all boolean, OUT …)
 */
Datum
pkt_user_agent_rules(PG_FUNCTION_ARGS)
{
	TupleDesc	desc;
	Datum		values[7];
	bool		nulls[7] = {false};
	UaRules    *from = current_rules();
	UaRulesUse	use = {0};
	int64		memory = 0;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE ||
		desc->natts != lengthof(values))
		elog(ERROR, "function pk_tracking.user_agent_rules() does not match this library");
	if (from != NULL)
	{
		if (PG_GETARG_BOOL(0))
			ua_rules_compile_all(from);
		ua_rules_use(from, &use);
		memory = use.memory;
	}
	if (cache_context != NULL)
		memory += (int64) MemoryContextMemAllocated(cache_context, true);
	set_text(values, nulls, 0, pkt_user_agent_rules_file ? pkt_user_agent_rules_file : "");
	values[1] = Int32GetDatum(use.rules);
	values[2] = Int32GetDatum(use.compiled);
	values[3] = Int32GetDatum(use.without_literal);
	values[4] = Int64GetDatum(memory);
	nulls[6] = from == NULL;
	values[6] = TimestampTzGetDatum(time_t_to_timestamptz(rules_file.mtime.tv_sec));
	set_text(values, nulls, 5, problem[0] ? problem : use.error ? use.error : "");
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}
