/*
 * pattern.c
 *		Items of a list setting that are searched for in a text: words, or
 *		/regular expressions/.  Rule: doc/internals.md, "Matomo: exclusions".
 *
 * Expressions are the server's own: they know the database's encoding, can be
 * interrupted, and without back-references take no more time for a hostile
 * text than for any other.
 */
#include "postgres.h"

#include "catalog/pg_collation.h"
#include "common/hashfn.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "regex/regex.h"
#include "utils/memutils.h"

#include "base/crypto.h"
#include "base/pattern.h"
#include "base/url.h"

#define EXPRESSION_MAX 4096		/* bytes */

/*
 * The same texts, user agents, come again and again.  A result is cached under
 * a seeded hash of its text, in the one slot for that hash.
 */
#define KEPT_SLOTS 256

typedef struct KeptAnswer
{
	uint64		hash;			/* 0: the slot is empty */
	bool		found;
} KeptAnswer;

struct PatternSet
{
	int			n_words;
	char	  **words;			/* lower case */
	uint64		seed;
	KeptAnswer	kept[KEPT_SLOTS];
	int			n_expressions;
	regex_t    *expressions;
	MemoryContextCallback release;
};

/*
 * Is it /regex/, with PCRE's flags after it or without?  Then give its inner
 * part and its flags.
 */
static bool
is_expression(const char *item, UrlPart *inner, int *flags)
{
	const char *last = strrchr(item, '/');

	if (item[0] != '/' || last == item || strspn(last + 1, "imsuxUD") != strlen(last + 1))
		return false;
	inner->str = item + 1;
	inner->len = last - (item + 1);
	*flags = REG_ADVANCED | REG_NOSUB;
	if (strchr(last + 1, 'i') != NULL)
		*flags |= REG_ICASE;
	return inner->len > 0;
}

/* Compile an expression; gives pg_regcomp()'s code. */
static int
compile(UrlPart inner, int flags, regex_t *expression)
{
	pg_wchar   *wide = palloc((inner.len + 1) * sizeof(pg_wchar));
	int			n = pg_mb2wchar_with_len(inner.str, wide, (int) inner.len);
	int			rc = pg_regcomp(expression, wide, n, flags, C_COLLATION_OID);

	pfree(wide);
	/* before 16 an interrupt ends the compilation with a code */
	CHECK_FOR_INTERRUPTS();
	return rc;
}

/*
 * pattern_error
 *		A sentence that says what is wrong with an item; NULL if it is valid.
 */
const char *
pattern_error(const char *item)
{
	UrlPart		inner;
	int			flags;
	regex_t		expression;

	if (!is_expression(item, &inner, &flags))
		return NULL;
	if (inner.len > EXPRESSION_MAX)
		return "A regular expression must not be longer than 4096 bytes.";
	if (compile(inner, flags, &expression) != REG_OKAY)
		return "Items between slashes must be regular expressions, as the operator ~ has them.";
	pg_regfree(&expression);
	return NULL;
}

/* Before 16, compiled expressions live outside of memory contexts. */
#if PG_VERSION_NUM < 160000
static void
release_expressions(void *arg)
{
	PatternSet *set = arg;

	for (int i = 0; i < set->n_expressions; i++)
		pg_regfree(&set->expressions[i]);
}
#endif

/*
 * pattern_set_create
 *		A set of n items, in the current memory context, which must outlive it.
 *		Invalid expressions match nothing.
 */
PatternSet *
pattern_set_create(const char *const *items, int n)
{
	PatternSet *set = palloc0_object(PatternSet);

	random_bytes(&set->seed, sizeof(set->seed));
	set->words = palloc_array(char *, n + 1);
	set->expressions = palloc0((n + 1) * sizeof(regex_t));
#if PG_VERSION_NUM < 160000
	set->release.func = release_expressions;
	set->release.arg = set;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, &set->release);
#endif
	for (int i = 0; i < n; i++)
	{
		UrlPart		inner;
		int			flags;

		if (!is_expression(items[i], &inner, &flags))
		{
			if (items[i][0] != '\0')
				set->words[set->n_words++] = url_lower(items[i], strlen(items[i]));
		}
		else if (inner.len <= EXPRESSION_MAX &&
				 compile(inner, flags, &set->expressions[set->n_expressions]) == REG_OKAY)
			set->n_expressions++;
	}
	return set;
}

/* Does the text contain one of them? */
static bool
matches(const PatternSet *set, const char *text, size_t len)
{
	bool		found = false;

	if (set->n_words > 0)
	{
		char	   *lower = url_lower(text, len);

		for (int i = 0; !found && i < set->n_words; i++)
			found = strstr(lower, set->words[i]) != NULL;
		pfree(lower);
	}
	if (!found && set->n_expressions > 0)
	{
		pg_wchar   *wide = palloc((len + 1) * sizeof(pg_wchar));
		int			n = pg_mb2wchar_with_len(text, wide, (int) len);

		for (int i = 0; !found && i < set->n_expressions; i++)
		{
			int			rc = pg_regexec(&set->expressions[i], wide, n, 0, NULL, 0, NULL, 0);

			CHECK_FOR_INTERRUPTS();
			found = rc == REG_OKAY;
		}
		pfree(wide);
	}
	return found;
}

/*
 * pattern_set_matches
 *		Do the first max bytes of the text contain one of the items?  Only
 *		expressions without the flag "i" are case-sensitive.
 */
bool
pattern_set_matches(PatternSet *set, const char *text, size_t max)
{
	size_t		len = strlen(text);
	uint64		hash;
	KeptAnswer *kept;

	if (set->n_words == 0 && set->n_expressions == 0)
		return false;
	if (len > max)
		len = pg_mbcliplen(text, (int) len, (int) max);
	hash = hash_bytes_extended((const unsigned char *) text, (int) len, set->seed);
	kept = &set->kept[hash % KEPT_SLOTS];
	if (hash == 0)
		return matches(set, text, len);
	if (kept->hash != hash)
	{
		bool		found = matches(set, text, len);

		kept->hash = hash;
		kept->found = found;
	}
	return kept->found;
}
