/*
 * ua_rules.c
 *		Reading and matching the rules of uap-core (regexes.yaml).
 *
 * A file has more than a thousand regular expressions.  Nearly all of them
 * need a word that most agents do not contain.  So when the file is read, a
 * set of lower-case literals is extracted from each expression, such that
 * every text that it matches contains one of them.  One Aho-Corasick automaton
 * over all literals finds the few rules that are worth trying; rules without a
 * literal are always tried.  Parts of an expression that the extraction does
 * not understand give no literal, so the filter never drops a rule that
 * matches.
 *
 * Expressions are compiled by PCRE2 (with its JIT) when they are first tried.
 * They match bytes, so no encoding makes them fail.
 */
#include "postgres.h"

#include <ctype.h>
#include <limits.h>
#include <yaml.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "utils/memutils.h"

#include "base/compat.h"
#include "base/errors.h"
#include "base/text.h"
#include "enrich/ua_rules.h"

/* A file with more rules or longer expressions is not a file of uap-core. */
#define MAX_RULES 20000
#define MAX_REGEX_LEN 16384

/* Work that one match may do, and number of matches that may reach it for one agent. */
#define MATCH_LIMIT 20000
#define DEPTH_LIMIT 1000
#define HEAP_LIMIT 1024			/* kB */
#define MAX_LIMITS_PER_AGENT 4
#define JIT_STACK_START (32 * 1024)
#define JIT_STACK_MAX (256 * 1024)

#define MAX_GROUPS 10
#define MAX_GROUP_DEPTH 50

/* Longest literal: a longer one is not worth its states. */
#define MAX_LITERAL 10
/* A set of more literals than this does not filter. */
#define MAX_LITERALS 400
#define MAX_STATES 65000

typedef struct UaRule
{
	const char *regex;
	bool		ignore_case;
	bool		broken;
	pcre2_code *code;			/* NULL until first tried */
	const char *replacement[UA_VALUES]; /* NULL: the default */
} UaRule;

/* The rules of a literal, chained. */
typedef struct RuleRef
{
	int			rule;
	int			next;			/* -1: the last */
} RuleRef;

struct UaRules
{
	MemoryContext context;
	int			nrules;
	int			first[UA_LISTS + 1];	/* where each list begins */
	UaRule	   *rules;

	/*
	 * the automaton; state 0 is the root, class 0 the bytes that no literal
	 * contains
	 */
	uint8		class[256];
	int			nclasses;
	int			nstates;
	uint16	   *next;			/* [state * nclasses + class] */
	uint16	   *shorter;		/* longest proper suffix that ends a literal */
	int32	   *refs;			/* by state: rules whose literal ends here, or
								 * -1 */
	RuleRef    *ref;
	int			nrefs;
	uint8	   *seen;			/* by state, cleared after each agent */
	uint8	   *always;			/* bitmap of the rules without literal */
	uint8	   *wanted;			/* bitmap of the rules to try */
	int			without_literal;

	pcre2_general_context *general;
	pcre2_compile_context *compile;
	pcre2_match_context *match;
	pcre2_match_data *data;
	pcre2_jit_stack *jit_stack;

	int			compiled;
	int			broken;
	int64		limits;
	int64		jit_memory;
	char	   *error;
};

/*
 * Literals of an expression
 */

/*
 * Texts that many agents contain: a literal that is part of one filters
 * little.
 */
static const char common_text[] =
"mozilla/5.0 (linux; android 10; u; k) build/ applewebkit/537.36 (khtml, like gecko) version/4.0 chrome/120.0.0.0 mobile safari/537.36 "
"mozilla/5.0 (windows nt 10.0; win64; x64; rv:120.0) gecko/20100101 firefox/120.0 "
"mozilla/5.0 (iphone; cpu iphone os 17_0 like mac os x) applewebkit/605.1.15 mobile/15e148 safari/604.1 "
"mozilla/5.0 (macintosh; intel mac os x 10_15_7) (x11; linux x86_64) (compatible; http://www. ";

/* A set of which at least one must occur; NIL: unknown. */
typedef struct Literals
{
	List	   *words;			/* of char * */
	int			score;
} Literals;

/* What was found out about a part of an expression. */
typedef struct Part
{
	bool		exact;			/* it matches exactly the text */
	char	   *text;			/* in lower case; NULL: empty */
	int			len;
	int			allocated;
	Literals	best;
} Part;

typedef struct Reader
{
	const char *p;
	int			depth;
	bool		unknown;		/* it has a construct that we do not
								 * understand */
} Reader;

typedef enum AtomKind
{
	ATOM_CHAR,
	ATOM_ANY,
	ATOM_NOTHING,				/* an assertion of no width */
	ATOM_GROUP
} AtomKind;

static void read_alternatives(Reader *reader, Part *part);

static int
score_word(const char *word)
{
	int			len = (int) strlen(word);

	return strstr(common_text, word) != NULL ? Min(len, 3) : 4 * Min(len, 8);
}

static void
consider(Literals *best, List *words)
{
	int			score = INT_MAX;
	ListCell   *lc;

	if (words == NIL)
		return;
	foreach(lc, words)
		score = Min(score, score_word(lfirst(lc)));
	if (best->words == NIL || score > best->score ||
		(score == best->score && list_length(words) < list_length(best->words)))
	{
		best->words = words;
		best->score = score;
	}
}

/* Join two texts: there are many parts, and their texts are short. */
static void
append_text(Part *part, const char *text, int len)
{
	if (part->len + len >= part->allocated)
	{
		part->allocated = 2 * (part->len + len) + 16;
		part->text = part->text == NULL ? palloc(part->allocated) :
			repalloc(part->text, part->allocated);
	}
	memcpy(part->text +part->len, text, len);
	part->len += len;
	part->text[part->len] = '\0';
}

/* The text ends here: a match may continue with anything. */
static void
end_text(Part *part)
{
	if (part->len > 0)
		consider(&part->best, list_make1(part->text));
	part->text = NULL;
	part->len = part->allocated = 0;
	part->exact = false;
}

/*
 * A character class after its "[".  Classes of one letter in both cases, or of
 * one character, count as that character.
 */
static AtomKind
read_class(Reader *reader, char *c)
{
	const char *p = reader->p;
	char		only = '\0';
	bool		any = (*p == '^');

	if (any)
		p++;
	for (bool first = true; *p != ']' || first; first = false)
	{
		char		ch = *p;

		if (ch == '\0' || (ch == '[' && p[1] == ':'))
		{
			reader->unknown = true;
			return ATOM_ANY;
		}
		if (ch == '\\')
		{
			ch = *++p;
			if (ch == '\0' || ch == 'Q' || ch == 'E')
			{
				reader->unknown = true;
				return ATOM_ANY;
			}
			if (isalnum((unsigned char) ch))
				any = true;
		}
		else if (p[1] == '-' && p[2] != ']')
			any = true;
		ch = pg_ascii_tolower((unsigned char) ch);
		if (only != '\0' && only != ch)
			any = true;
		only = ch;
		p++;
	}
	reader->p = p + 1;
	*c = only;
	return any || IS_HIGHBIT_SET(only) ? ATOM_ANY : ATOM_CHAR;
}

static AtomKind
read_atom(Reader *reader, char *c, Part *group)
{
	char		ch = *reader->p++;

	switch (ch)
	{
		case '.':
			return ATOM_ANY;
		case '^':
		case '$':
			return ATOM_NOTHING;
		case '[':
			return read_class(reader, c);
		case '(':
			if (*reader->p == '*')
				reader->unknown = true;
			else if (*reader->p == '?')
			{
				/* the text may end here: only what was seen is stepped over */
				if (reader->p[1] == ':')
					reader->p += 2;
				else
					reader->unknown = true;
			}
			if (reader->unknown || ++reader->depth > MAX_GROUP_DEPTH)
			{
				reader->unknown = true;
				return ATOM_ANY;
			}
			read_alternatives(reader, group);
			reader->depth--;
			if (*reader->p == ')')
				reader->p++;
			else
				reader->unknown = true;
			return ATOM_GROUP;
		case '*':
		case '+':
		case '?':
			reader->unknown = true;
			return ATOM_ANY;
		case '\\':
			ch = *reader->p;
			if (ch == '\0')
			{
				reader->unknown = true;
				return ATOM_ANY;
			}
			reader->p++;
			if (strchr("dDwWsSnrtf", ch) != NULL)
				return ATOM_ANY;
			if (strchr("bB", ch) != NULL)
				return ATOM_NOTHING;
			if (isalnum((unsigned char) ch))
			{
				reader->unknown = true;
				return ATOM_ANY;
			}
			break;
		default:
			break;
	}
	*c = pg_ascii_tolower((unsigned char) ch);
	return ATOM_CHAR;
}

/* A quantifier: the minimum, and whether the part occurs exactly once. */
static void
read_quantifier(Reader *reader, int *least, bool *once)
{
	const char *p = reader->p;

	*least = 1;
	*once = true;
	if (*p == '*' || *p == '?')
		*least = 0;
	else if (*p == '{')
	{
		const char *q = p + 1;

		if (*q == ',')
			reader->unknown = true; /* has different meanings in different
									 * versions */
		if (*q < '0' || *q > '9')
			return;				/* a character of the text */
		*least = atoi(q);
		q += strspn(q, "0123456789");
		if (*q == ',')
			q += 1 + strspn(q + 1, "0123456789");
		if (*q != '}')
		{
			/* text, or a quantifier of later versions */
			reader->unknown = true;
			return;
		}
		p = q;
	}
	else if (*p != '+')
		return;
	*once = false;
	p++;
	if (*p == '?' || *p == '+')
		p++;
	reader->p = p;
}

/* Atoms up to "|", ")" or the end. */
static void
read_sequence(Reader *reader, Part *part)
{
	memset(part, 0, sizeof(*part));
	part->exact = true;

	while (!reader->unknown && *reader->p != '\0' && *reader->p != '|' && *reader->p != ')')
	{
		Part		group;
		char		c = '\0';
		int			least;
		bool		once;
		AtomKind	kind = read_atom(reader, &c, &group);

		read_quantifier(reader, &least, &once);
		switch (kind)
		{
			case ATOM_NOTHING:
				break;
			case ATOM_ANY:
				end_text(part);
				break;
			case ATOM_CHAR:
				if (least > 0)
					append_text(part, &c, 1);
				if (!once)
					end_text(part);
				break;
			case ATOM_GROUP:
				if (once && group.exact)
				{
					if (group.len > 0)
						append_text(part, group.text, group.len);
					break;
				}
				end_text(part);
				if (least > 0)
				{
					if (group.exact && group.len > 0)
						consider(&part->best, list_make1(group.text));
					else if (!group.exact)
						consider(&part->best, group.best.words);
				}
				break;
		}
	}
	if (!part->exact)
		end_text(part);
}

static void
read_alternatives(Reader *reader, Part *part)
{
	List	   *all = NIL;
	bool		each = true;	/* has a literal that must occur */
	bool		several = false;

	check_stack_depth();
	for (;;)
	{
		read_sequence(reader, part);
		if (!several && *reader->p != '|')
			return;
		several = true;
		if (part->exact && part->len > 0)
			all = lappend(all, part->text);
		else if (!part->exact && part->best.words != NIL)
			all = list_concat(all, part->best.words);
		else
			each = false;
		if (*reader->p != '|' || reader->unknown)
			break;
		reader->p++;
	}
	part->exact = false;
	part->best.words = NIL;
	if (each && list_length(all) <= MAX_LITERALS)
		consider(&part->best, all);
}

/* A set of literals of which each match of the expression contains one, or NIL. */
static List *
regex_literals(const char *regex)
{
	Reader		reader = {.p = regex};
	Part		part;

	read_alternatives(&reader, &part);
	if (reader.unknown || *reader.p != '\0')
		return NIL;
	if (part.exact)
		return part.len > 0 ? list_make1(part.text) : NIL;
	return part.best.words;
}

/* The part of a long literal that filters best. */
static const char *
cut_literal(const char *word, int *len)
{
	int			n = (int) strlen(word);

	*len = Min(n, MAX_LITERAL);
	for (int i = 0; i + MAX_LITERAL < n; i++)
	{
		char		piece[MAX_LITERAL + 1];

		strlcpy(piece, word + i, sizeof(piece));
		if (strstr(common_text, piece) == NULL)
			return word + i;
	}
	return word;
}

/*
 * The automaton
 */

static void
add_literal(UaRules *rules, const char *word, int len, int rule)
{
	int			state = 0;

	for (int i = 0; i < len; i++)
	{
		uint16	   *next = &rules->next[state * rules->nclasses + rules->class[(uint8) word[i]]];

		if (*next == 0)
			*next = (uint16) rules->nstates++;
		state = *next;
	}
	/* the same rule may have a literal twice: harmless */
	rules->ref[rules->nrefs].rule = rule;
	rules->ref[rules->nrefs].next = rules->refs[state];
	rules->refs[state] = rules->nrefs++;
}

/* Make the automaton from the trie: add the transitions that the trie lacks. */
static void
link_states(UaRules *rules)
{
	int			n = rules->nclasses;
	uint16	   *queue = palloc(rules->nstates * sizeof(uint16));
	uint16	   *fail = palloc0(rules->nstates * sizeof(uint16));
	int			head = 0,
				tail = 0;

	for (int c = 0; c < n; c++)
		if (rules->next[c] != 0)
			queue[tail++] = rules->next[c];
	while (head < tail)
	{
		int			state = queue[head++];
		uint16		f = fail[state];

		rules->shorter[state] = rules->refs[f] >= 0 ? f : rules->shorter[f];
		for (int c = 0; c < n; c++)
		{
			uint16	   *next = &rules->next[state * n + c];

			if (*next != 0)
			{
				fail[*next] = rules->next[f * n + c];
				queue[tail++] = *next;
			}
			else
				*next = rules->next[f * n + c];
		}
	}
}

/* The current context is temporary; the result goes to the context of the rules. */
static void
build_filter(UaRules *rules)
{
	MemoryContext keep = rules->context;
	List	  **words = palloc0(Max(rules->nrules, 1) * sizeof(List *));
	int			bitmap = (rules->nrules + 7) / 8;
	int64		states = 1;
	int			refs = 0;
	ListCell   *lc;

	rules->always = MemoryContextAllocZero(keep, bitmap);
	rules->wanted = MemoryContextAllocZero(keep, bitmap);
	rules->nclasses = 1;
	for (int i = 0; i < rules->nrules; i++)
	{
		int64		more = 0;

		words[i] = regex_literals(rules->rules[i].regex);
		foreach(lc, words[i])
		{
			int			len;

			(void) cut_literal(lfirst(lc), &len);
			more += len;
		}
		if (states + more > MAX_STATES)
			words[i] = NIL;
		if (words[i] == NIL)
		{
			rules->always[i / 8] |= 1 << (i % 8);
			rules->without_literal++;
			continue;
		}
		states += more;
		refs += list_length(words[i]);
		foreach(lc, words[i])
		{
			int			len;
			const char *word = cut_literal(lfirst(lc), &len);

			for (int j = 0; j < len; j++)
				if (rules->class[(uint8) word[j]] == 0)
					rules->class[(uint8) word[j]] = (uint8) rules->nclasses++;
		}
	}

	rules->next = palloc0(states * rules->nclasses * sizeof(uint16));
	rules->refs = palloc(states * sizeof(int32));
	memset(rules->refs, -1, states * sizeof(int32));
	rules->ref = MemoryContextAlloc(keep, Max(refs, 1) * sizeof(RuleRef));
	rules->nstates = 1;
	for (int i = 0; i < rules->nrules; i++)
		foreach(lc, words[i])
	{
		int			len;
		const char *word = cut_literal(lfirst(lc), &len);

		add_literal(rules, word, len, i);
	}
	rules->shorter = MemoryContextAllocZero(keep, rules->nstates * sizeof(uint16));
	rules->seen = MemoryContextAllocZero(keep, rules->nstates);
	link_states(rules);

	/* literals share prefixes: there are fewer states than letters */
	{
		size_t		size = (size_t) rules->nstates * rules->nclasses * sizeof(uint16);
		uint16	   *next = MemoryContextAlloc(keep, size);
		int32	   *ends = MemoryContextAlloc(keep, rules->nstates * sizeof(int32));

		memcpy(next, rules->next, size);
		memcpy(ends, rules->refs, rules->nstates * sizeof(int32));
		rules->next = next;
		rules->refs = ends;
	}
}

/* Mark the rules that the agent may match. */
static void
filter(UaRules *rules, const char *agent, size_t len)
{
	int			state = 0;
	uint16		touched[1024];
	int			n = 0;

	memcpy(rules->wanted, rules->always, (rules->nrules + 7) / 8);
	for (size_t i = 0; i < len; i++)
	{
		uint8		c = pg_ascii_tolower((unsigned char) agent[i]);
		int			s;

		state = rules->next[state * rules->nclasses + rules->class[c]];
		s = rules->refs[state] >= 0 ? state : rules->shorter[state];
		for (; s != 0 && !rules->seen[s]; s = rules->shorter[s])
		{
			/* if the list is full the state is only visited again */
			if (n < (int) lengthof(touched))
			{
				rules->seen[s] = 1;
				touched[n++] = (uint16) s;
			}
			for (int r = rules->refs[s]; r >= 0; r = rules->ref[r].next)
				rules->wanted[rules->ref[r].rule / 8] |= 1 << (rules->ref[r].rule % 8);
		}
	}
	while (n > 0)
		rules->seen[touched[--n]] = 0;
}

/*
 * The file
 */

typedef struct Yaml
{
	yaml_parser_t parser;
	yaml_event_t event;
	bool		has_event;
	char	   *error;
} Yaml;

/* Names of the lists, and of the fields of their rules. */
static const char *const list_names[UA_LISTS] = {
	"user_agent_parsers", "os_parsers", "device_parsers"
};
static const char *const value_names[UA_LISTS][UA_VALUES] = {
	{"family_replacement", "v1_replacement", "v2_replacement"},
	{"os_replacement", "os_v1_replacement", "os_v2_replacement"},
	{"device_replacement", "brand_replacement", "model_replacement"}
};

static bool
next_event(Yaml *yaml)
{
	CHECK_FOR_INTERRUPTS();
	if (yaml->error != NULL)
		return false;
	if (yaml->has_event)
		yaml_event_delete(&yaml->event);
	yaml->has_event = false;
	if (!yaml_parser_parse(&yaml->parser, &yaml->event))
	{
		yaml->error = psprintf("line %d: %s", (int) yaml->parser.problem_mark.line + 1,
							   yaml->parser.problem ? yaml->parser.problem : "not readable");
		return false;
	}
	yaml->has_event = true;
	return true;
}

/* The next event must be of this type. */
static bool
expect(Yaml *yaml, yaml_event_type_t type)
{
	if (!next_event(yaml))
		return false;
	if (yaml->event.type == type)
		return true;
	yaml->error = psprintf("line %d: not as rules for user agents are laid out",
						   (int) yaml->event.start_mark.line + 1);
	return false;
}

/* Skip the node that the next event begins. */
static bool
skip_node(Yaml *yaml)
{
	int			depth = 0;

	do
	{
		if (!next_event(yaml))
			return false;
		if (yaml->event.type == YAML_MAPPING_START_EVENT ||
			yaml->event.type == YAML_SEQUENCE_START_EVENT)
			depth++;
		else if (yaml->event.type == YAML_MAPPING_END_EVENT ||
				 yaml->event.type == YAML_SEQUENCE_END_EVENT)
			depth--;
		else if (yaml->event.type == YAML_STREAM_END_EVENT)
			return false;
	} while (depth > 0);
	return true;
}

/* A rule after its YAML_MAPPING_START_EVENT. */
static bool
read_rule(Yaml *yaml, UaList list, UaRule *rule)
{
	memset(rule, 0, sizeof(*rule));
	for (;;)
	{
		char	   *name;
		char	   *value;

		if (!next_event(yaml))
			return false;
		if (yaml->event.type == YAML_MAPPING_END_EVENT)
			break;
		if (yaml->event.type != YAML_SCALAR_EVENT)
		{
			yaml->error = psprintf("line %d: a rule must have names and values only",
								   (int) yaml->event.start_mark.line + 1);
			return false;
		}
		name = pstrdup((char *) yaml->event.data.scalar.value);
		if (!expect(yaml, YAML_SCALAR_EVENT))
			return false;
		value = (char *) yaml->event.data.scalar.value;
		if (strlen(value) != yaml->event.data.scalar.length || strlen(value) > MAX_REGEX_LEN)
		{
			yaml->error = psprintf("line %d: the value is too long or is not text",
								   (int) yaml->event.start_mark.line + 1);
			return false;
		}
		if (strcmp(name, "regex") == 0)
			rule->regex = pstrdup(value);
		else if (strcmp(name, "regex_flag") == 0)
			rule->ignore_case = strchr(value, 'i') != NULL;
		else
			for (int i = 0; i < UA_VALUES; i++)
				if (strcmp(name, value_names[list][i]) == 0)
					rule->replacement[i] = text_clean(value, strlen(value), true);
		pfree(name);
	}
	if (rule->regex == NULL)
	{
		yaml->error = psprintf("line %d: the rule has no regular expression",
							   (int) yaml->event.start_mark.line + 1);
		return false;
	}
	return true;
}

/* A list after its name: its rules are added to those of the same list. */
static bool
read_list(Yaml *yaml, UaList list, UaRule **rules, int *n, int *allocated)
{
	if (!expect(yaml, YAML_SEQUENCE_START_EVENT))
		return false;
	for (;;)
	{
		if (!next_event(yaml))
			return false;
		if (yaml->event.type == YAML_SEQUENCE_END_EVENT)
			return true;
		if (yaml->event.type != YAML_MAPPING_START_EVENT || *n >= MAX_RULES)
		{
			yaml->error = psprintf("line %d: %s", (int) yaml->event.start_mark.line + 1,
								   *n >= MAX_RULES ? "too many rules" : "not a rule");
			return false;
		}
		if (*n >= *allocated)
		{
			*allocated = Max(256, *allocated * 2);
			*rules = *rules == NULL ? palloc(*allocated * sizeof(UaRule)) :
				repalloc(*rules, *allocated * sizeof(UaRule));
		}
		if (!read_rule(yaml, list, *rules + *n))
			return false;
		(*n)++;
	}
}

static bool
read_lists(Yaml *yaml, UaRules *rules)
{
	UaRule	   *list[UA_LISTS] = {NULL};
	int			n[UA_LISTS] = {0};
	int			allocated[UA_LISTS] = {0};

	if (!expect(yaml, YAML_STREAM_START_EVENT) || !expect(yaml, YAML_DOCUMENT_START_EVENT) ||
		!expect(yaml, YAML_MAPPING_START_EVENT))
		return false;
	for (;;)
	{
		int			i;

		if (!next_event(yaml))
			return false;
		if (yaml->event.type == YAML_MAPPING_END_EVENT)
			break;
		for (i = 0; i < UA_LISTS; i++)
			if (yaml->event.type == YAML_SCALAR_EVENT &&
				strcmp((char *) yaml->event.data.scalar.value, list_names[i]) == 0)
				break;
		if (i < UA_LISTS ? !read_list(yaml, i, &list[i], &n[i], &allocated[i]) : !skip_node(yaml))
			return false;
	}
	for (int i = 0; i < UA_LISTS; i++)
	{
		if (n[i] == 0)
		{
			yaml->error = psprintf("no rules in the list \"%s\"", list_names[i]);
			return false;
		}
		rules->first[i + 1] = rules->first[i] + n[i];
	}
	rules->nrules = rules->first[UA_LISTS];
	rules->rules = palloc(rules->nrules * sizeof(UaRule));
	for (int i = 0; i < UA_LISTS; i++)
	{
		memcpy(rules->rules + rules->first[i], list[i], n[i] * sizeof(UaRule));
		pfree(list[i]);
	}
	return true;
}

/* An error must not jump out of PCRE2: it gets NULL if there is no memory. */
static void *
pcre_alloc(size_t size, void *context)
{
	if (!AllocSizeIsValid(size))
		return NULL;
	return MemoryContextAllocExtended(context, size, MCXT_ALLOC_NO_OOM);
}

static void
pcre_free(void *ptr, void *context)
{
	(void) context;
	if (ptr != NULL)
		pfree(ptr);
}

/*
 * ua_rules_read
 */
UaRules *
ua_rules_read(const char *text, size_t len, char **error)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext context = AllocSetContextCreate(caller, "pk_tracking user agent rules",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext temp = AllocSetContextCreate(caller, "pk_tracking user agent literals",
											   ALLOCSET_DEFAULT_SIZES);
	UaRules    *rules;
	Yaml		yaml;
	bool		ok = false;

	*error = NULL;
	MemoryContextSwitchTo(context);
	rules = palloc0(sizeof(UaRules));
	rules->context = context;

	memset(&yaml, 0, sizeof(yaml));
	if (!yaml_parser_initialize(&yaml.parser))
		raise_out_of_memory();
	PG_TRY();
	{
		yaml_parser_set_encoding(&yaml.parser, YAML_UTF8_ENCODING);
		yaml_parser_set_input_string(&yaml.parser, (const unsigned char *) text, len);
		ok = read_lists(&yaml, rules);
	}
	PG_FINALLY();
	{
		if (yaml.has_event)
			yaml_event_delete(&yaml.event);
		yaml_parser_delete(&yaml.parser);
	}
	PG_END_TRY();

	if (ok)
	{
		MemoryContextSwitchTo(temp);
		build_filter(rules);
		rules->general = pcre2_general_context_create(pcre_alloc, pcre_free, context);
		if (rules->general == NULL ||
			(rules->compile = pcre2_compile_context_create(rules->general)) == NULL ||
			(rules->match = pcre2_match_context_create(rules->general)) == NULL ||
			(rules->data = pcre2_match_data_create(MAX_GROUPS, rules->general)) == NULL)
			raise_out_of_memory();
		pcre2_set_match_limit(rules->match, MATCH_LIMIT);
		pcre2_set_depth_limit(rules->match, DEPTH_LIMIT);
		pcre2_set_heap_limit(rules->match, HEAP_LIMIT);
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(temp);
	if (!ok)
	{
		*error = pstrdup(yaml.error != NULL ? yaml.error : "not a file of rules for user agents");
		MemoryContextDelete(context);
		return NULL;
	}
	MemoryContextSetParent(context, TopMemoryContext);
	return rules;
}

void
ua_rules_free(UaRules *rules)
{
	/* the machine code of the JIT is not palloc'd */
	for (int i = 0; i < rules->nrules; i++)
		if (rules->rules[i].code != NULL)
			pcre2_code_free(rules->rules[i].code);
	if (rules->jit_stack != NULL)
		pcre2_jit_stack_free(rules->jit_stack);
	MemoryContextDelete(rules->context);
}

/*
 * Matching
 */

static pcre2_code *
rule_code(UaRules *rules, int i)
{
	UaRule	   *rule = &rules->rules[i];
	int			code;
	PCRE2_SIZE	offset;
	size_t		size = 0;

	if (rule->code != NULL || rule->broken)
		return rule->code;

	rule->code = pcre2_compile((PCRE2_SPTR) rule->regex, PCRE2_ZERO_TERMINATED,
							   PCRE2_NEVER_UTF | PCRE2_NEVER_UCP | PCRE2_NEVER_BACKSLASH_C |
							   (rule->ignore_case ? PCRE2_CASELESS : 0),
							   &code, &offset, rules->compile);
	if (rule->code == NULL)
	{
		rule->broken = true;
		rules->broken++;
		if (rules->error == NULL)
		{
			char		why[256];
			UaList		list = UA_BROWSERS;

			while (i >= rules->first[list + 1])
				list++;
			pcre2_get_error_message(code, (PCRE2_UCHAR *) why, sizeof(why));
			rules->error = MemoryContextAlloc(rules->context, 512);
			snprintf(rules->error, 512, "rule %d of %s is left out: %s",
					 i - rules->first[list] + 1, list_names[list], why);
		}
		return NULL;
	}
	rules->compiled++;
	/* where there is no JIT, or no memory for it, PCRE2 interprets */
	(void) pcre2_jit_compile(rule->code, PCRE2_JIT_COMPLETE);
	if (pcre2_pattern_info(rule->code, PCRE2_INFO_JITSIZE, &size) == 0)
		rules->jit_memory += size;
	if (rules->jit_stack == NULL &&
		(rules->jit_stack = pcre2_jit_stack_create(JIT_STACK_START, JIT_STACK_MAX,
												   rules->general)) != NULL)
		pcre2_jit_stack_assign(rules->match, NULL, rules->jit_stack);
	return rule->code;
}

/* A replacement with $1 … $9 filled in, or a group alone; trimmed. */
static void
fill_value(const char *replacement, int group, const char *agent, const PCRE2_SIZE *groups,
		   int ngroups,
		   char *value)
{
	char		plain[] = "$1";
	char	   *out = value;
	char	   *end = value + UA_VALUE_MAX;
	char	   *start = value;

	if (replacement == NULL)
	{
		plain[1] = '0' + group;
		replacement = plain;
	}
	for (const char *p = replacement; *p != '\0' && out < end; p++)
	{
		if (p[0] == '$' && p[1] >= '1' && p[1] <= '9')
		{
			int			g = *++p - '0';

			if (g < ngroups && groups[2 * g] != PCRE2_UNSET)
				for (PCRE2_SIZE i = groups[2 * g]; i < groups[2 * g + 1] && out < end; i++)
					*out++ = agent[i];
		}
		else
			*out++ = *p;
	}
	while (out > value && out[-1] == ' ')
		out--;
	*out = '\0';
	while (*start == ' ')
		start++;
	memmove(value, start, strlen(start) + 1);
}

/*
 * ua_rules_match
 */
void
ua_rules_match(UaRules *rules, const char *agent, size_t len, bool in_order,
			   UaAnswer answers[UA_LISTS])
{
	int			limits = 0;

	if (!in_order)
		filter(rules, agent, len);
	for (int list = 0; list < UA_LISTS; list++)
	{
		UaAnswer   *answer = &answers[list];

		memset(answer, 0, sizeof(*answer));
		for (int i = rules->first[list]; i < rules->first[list + 1]; i++)
		{
			UaRule	   *rule = &rules->rules[i];
			pcre2_code *code;
			PCRE2_SIZE *groups;
			int			n;

			if (!in_order && (rules->wanted[i / 8] & (1 << (i % 8))) == 0)
				continue;
			CHECK_FOR_INTERRUPTS();
			code = rule_code(rules, i);
			if (code == NULL)
				continue;
			n = pcre2_match(code, (PCRE2_SPTR) agent, len, 0, 0, rules->data, rules->match);
			if (n == PCRE2_ERROR_NOMATCH)
				continue;
			if (n < 0)
			{
				/* an agent that was made to be slow counts as unknown */
				rules->limits++;
				if (++limits >= MAX_LIMITS_PER_AGENT)
					return;
				continue;
			}
			if (n == 0)			/* more groups than we read */
				n = MAX_GROUPS;
			groups = pcre2_get_ovector_pointer(rules->data);
			answer->found = true;
			for (int v = 0; v < UA_VALUES; v++)
			{
				/*
				 * without a replacement there is no brand, and the model is
				 * the device
				 */
				if (list == UA_DEVICES && v == 1 && rule->replacement[v] == NULL)
					continue;
				fill_value(rule->replacement[v], list == UA_DEVICES ? 1 : v + 1, agent, groups, n,
						   answer->value[v]);
			}
			break;
		}
	}
}

void
ua_rules_compile_all(UaRules *rules)
{
	for (int i = 0; i < rules->nrules; i++)
	{
		CHECK_FOR_INTERRUPTS();
		(void) rule_code(rules, i);
	}
}

void
ua_rules_use(UaRules *rules, UaRulesUse *use)
{
	use->rules = rules->nrules;
	use->compiled = rules->compiled;
	use->without_literal = rules->without_literal;
	use->broken = rules->broken;
	use->limits = rules->limits;
	use->memory = (int64) MemoryContextMemAllocated(rules->context, true) + rules->jit_memory;
	use->error = rules->error;
}
