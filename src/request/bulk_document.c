/*
 * bulk_document.c
 *		A bulk document: a list of requests, as jsonb or as text
 *		(doc/internals.md, "Matomo: requests").
 *
 * A document of type jsonb has been parsed by the server, so what is wrong with
 * it is the caller's error.  As text it is what a client sent, and wrong ones
 * are no error.  The text is never made jsonb as a whole: only where its
 * requests begin and end is looked for, and each of them is parsed when its turn
 * comes, if it is not too long.
 *
 * A list may be what PHP makes of one from which elements were removed: an
 * object whose names are the elements' numbers.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "base/json.h"
#include "base/text.h"
#include "base/url_parts.h"
#include "base/wipe.h"
#include "request/bulk_document.h"
#include "request/tracking_api.h"

/* A part of the text: a name, without its quotes, or a value. */
typedef struct Part
{
	const char *str;
	size_t		len;
} Part;

/* A member of an object, or an element of a list, which has no name. */
typedef struct Member
{
	Part		name;
	Part		value;
	int			place;			/* in the text */
} Member;

struct BulkDocument
{
	int			n;
	char	   *token;			/* its own, "" if none */

	/* jsonb */
	JsonbIterator *it;			/* NULL: it is text */
	JsonbValue	entry;			/* the current request */

	/* text */
	Member	   *members;
	int			next;
	MemoryContext parsing;		/* of one request */
};

/* The longest text of a request that is parsed: a query string all of whose bytes are escaped. */
#define REQUEST_TEXT_MAX (6 * QUERY_MAX + 2)

/* Is it the number of an element?  PHP writes no leading zeros. */
static bool
is_number(const char *name, size_t len)
{
	if (len == 0 || (name[0] == '0' && len > 1))
		return false;
	for (size_t i = 0; i < len; i++)
	{
		if (name[i] < '0' || name[i] > '9')
			return false;
	}
	return true;
}

static bool
is_list(JsonbContainer *c)
{
	JsonbIterator *it;
	JsonbIteratorToken token;
	JsonbValue	v;

	if (!JsonContainerIsObject(c))
		return !JsonContainerIsScalar(c);
	it = JsonbIteratorInit(c);
	while ((token = JsonbIteratorNext(&it, &v, true)) != WJB_DONE)
	{
		CHECK_FOR_INTERRUPTS();
		if (token == WJB_KEY && !is_number(v.val.string.val, v.val.string.len))
			return false;
	}
	return true;
}

/* The list of a document's requests; raises an error for what is no bulk document. */
static JsonbContainer *
request_list(Jsonb *document)
{
	JsonbValue	buf;
	JsonbValue *v = NULL;

	if (JB_ROOT_IS_SCALAR(document))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("bulk document is neither an object nor a list"), BULK_DOCUMENT_HINT));
	if (JB_ROOT_IS_OBJECT(document))
		v = getKeyJsonValueFromContainer(&document->root, "requests", strlen("requests"), &buf);
	if (v != NULL && v->type == jbvBinary && is_list(v->val.binary.data))
		return v->val.binary.data;
	if (v == NULL && is_list(&document->root) &&
		!(JB_ROOT_IS_OBJECT(document) && JB_ROOT_COUNT(document) == 0))
		return &document->root;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("bulk document has no list \"requests\""), BULK_DOCUMENT_HINT));
}

/*
 * bulk_document_from_jsonb
 *		A document, which must live as long as its reader.  Errors:
 *		invalid_parameter_value if it is no bulk document, program_limit_exceeded
 *		if it has more than BULK_REQUESTS_MAX requests.
 */
BulkDocument *
bulk_document_from_jsonb(Jsonb *jsonb)
{
	BulkDocument *document = palloc0_object(BulkDocument);
	JsonbContainer *list = request_list(jsonb);

	document->token = pstrdup("");
	if (JB_ROOT_IS_OBJECT(jsonb))
	{
		JsonbValue	buf;
		JsonbValue *v = getKeyJsonValueFromContainer(&jsonb->root, "token_auth",
													 strlen("token_auth"), &buf);

		if (v != NULL && v->type == jbvString)
			document->token = pnstrdup(v->val.string.val, v->val.string.len);
	}
	document->n = JsonContainerSize(list);
	if (document->n > BULK_REQUESTS_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("bulk document has more than %d requests", BULK_REQUESTS_MAX),
				 errhint("Send the requests in several documents.")));
	document->it = JsonbIteratorInit(list);
	return document;
}

static const char *
skip_space(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
		p++;
	return p;
}

/* The end of a string that begins at p. */
static const char *
skip_string(const char *p, const char *end)
{
	for (p++; p < end && *p != '"'; p++)
	{
		if (*p == '\\')
			p++;
	}
	return p + 1;
}

/* The end of a value that begins at p.  The whole is valid JSON. */
static const char *
skip_value(const char *p, const char *end)
{
	int			depth = 0;

	if (*p == '"')
		return skip_string(p, end);
	if (*p != '[' && *p != '{')
	{
		while (p < end && strchr(",]} \t\n\r", *p) == NULL)
			p++;
		return p;
	}
	do
	{
		if (*p == '"')
		{
			p = skip_string(p, end);
			continue;
		}
		if (*p == '[' || *p == '{')
			depth++;
		else if (*p == ']' || *p == '}')
			depth--;
		p++;
	} while (depth > 0);
	return p;
}

/* The member or element at *p, which is moved behind it; false at the end of the whole. */
static bool
next_member(const char **p, const char *end, bool named, Member *member)
{
	const char *at = skip_space(*p, end);

	CHECK_FOR_INTERRUPTS();
	if (*at == ',')
		at = skip_space(at + 1, end);
	if (*at == ']' || *at == '}')
		return false;
	member->name.len = 0;
	if (named)
	{
		member->name.str = at + 1;
		at = skip_string(at, end);
		member->name.len = at - 1 - member->name.str;
		at = skip_space(at, end) + 1;	/* the colon */
		at = skip_space(at, end);
	}
	member->value.str = at;
	*p = skip_value(at, end);
	member->value.len = *p - at;
	return true;
}

/* Is it this name, which consists of ASCII letters?  They may be escaped. */
static bool
is_named(const Part *name, const char *wanted)
{
	const char *p = name->str;
	const char *end = p + name->len;

	for (; *wanted; wanted++)
	{
		char		c;

		if (p == end)
			return false;
		/* no other escape is a letter */
		if (end - p >= 6 && memcmp(p, "\\u00", 4) == 0)
		{
			c = (char) (url_hex_digit(p[4]) * 16 + url_hex_digit(p[5]));
			p += 6;
		}
		else
			c = *p++;
		if (c != *wanted)
			return false;
	}
	return p == end;
}

/* By number; of two with the same number the later one comes first. */
static int
compare_members(const void *a, const void *b)
{
	const Member *x = a;
	const Member *y = b;
	int			order;

	if (x->name.len != y->name.len)
		return x->name.len < y->name.len ? -1 : 1;
	order = memcmp(x->name.str, y->name.str, x->name.len);
	if (order != 0)
		return order;
	return x->place < y->place ? 1 : -1;
}

/* Find the requests of a list; false if it is none, or has too many. */
static bool
find_requests(BulkDocument *document, const Part *list)
{
	bool		named = list->len > 0 && list->str[0] == '{';
	const char *end = list->str + list->len;
	const char *p = list->str + 1;
	int			size = 64;
	int			n = 0;
	Member		member;

	if (list->len == 0 || (!named && list->str[0] != '['))
		return false;
	document->members = palloc_array(Member, size);
	while (next_member(&p, end, named, &member))
	{
		if ((named && !is_number(member.name.str, member.name.len)) || n == BULK_REQUESTS_MAX)
			return false;
		if (n == size)
		{
			size *= 2;
			document->members = repalloc_array(document->members, Member, size);
		}
		member.place = n;
		document->members[n++] = member;
	}
	if (!named)
	{
		document->n = n;
		return true;
	}

	qsort(document->members, n, sizeof(Member), compare_members);
	for (int i = 0; i < n; i++)
	{
		const Member *m = &document->members[i];
		const Member *last = &document->members[Max(document->n - 1, 0)];

		/* of a name that comes twice the last one counts */
		if (document->n > 0 && m->name.len == last->name.len &&
			memcmp(m->name.str, last->name.str, m->name.len) == 0)
			continue;
		document->members[document->n++] = *m;
	}
	return true;
}

/* A value as a text; "" if it is none. */
static char *
value_text(const Part *value)
{
	Jsonb	   *jsonb;
	JsonbValue	v;

	if (value->len == 0 || value->str[0] != '"' || value->len > REQUEST_TEXT_MAX)
		return pstrdup("");
	jsonb = text_to_jsonb(pnstrdup(value->str, value->len));
	if (jsonb == NULL || !JsonbExtractScalar(&jsonb->root, &v))
		return pstrdup("");
	return pnstrdup(v.val.string.val, v.val.string.len);
}

/*
 * bulk_document_from_text
 *		A document as a client sent it, valid in the database's encoding, which
 *		must live as long as its reader.  NULL if it is not JSON, is no bulk
 *		document, or has more than BULK_REQUESTS_MAX requests.
 */
BulkDocument *
bulk_document_from_text(const char *str, size_t len)
{
	const char *end = str + len;
	BulkDocument *document;
	Part		root;
	Part		requests = {0};
	Part		token = {0};
	bool		has_requests = false;

	if (!json_is_valid(str, len))
		return NULL;
	document = palloc0_object(BulkDocument);
	root.str = skip_space(str, end);
	root.len = end - root.str;
	if (root.str[0] == '{')
	{
		const char *p = root.str + 1;
		Member		member;

		while (next_member(&p, end, true, &member))
		{
			if (is_named(&member.name, "requests"))
			{
				requests = member.value;
				has_requests = true;
			}
			else if (is_named(&member.name, "token_auth"))
				token = member.value;
		}
	}
	document->parsing = wiped_context_create(CurrentMemoryContext, "pk_tracking request");
	document->token = value_text(&token);
	if (!find_requests(document, has_requests ? &requests : &root))
		return NULL;
	/* an object without members is no list of its own */
	if (!has_requests && root.str[0] == '{' && document->n == 0)
		return NULL;
	return document;
}

/* bulk_document_size: how many requests it has. */
int
bulk_document_size(const BulkDocument *document)
{
	return document->n;
}

/* bulk_document_token: the document's own token, palloc'd, "" if it has none. */
char *
bulk_document_token(const BulkDocument *document)
{
	return document->token;
}

/* Does a text have a query string?  Matomo ignores one that has none. */
static bool
has_query(const JsonbValue *v)
{
	const char *mark = memchr(v->val.string.val, '?', v->val.string.len);

	return mark != NULL && mark + 1 != v->val.string.val + v->val.string.len;
}

/* Parse the current request of a text; jbvNull if it is too long, or jsonb cannot hold it. */
static void
parse_entry(BulkDocument *document)
{
	const Part *value = &document->members[document->next++].value;
	Jsonb	   *jsonb;
	MemoryContext old;

	document->entry.type = jbvNull;
	if (value->len > REQUEST_TEXT_MAX)
		return;
	wiped_context_reset(document->parsing);
	old = MemoryContextSwitchTo(document->parsing);
	jsonb = text_to_jsonb(pnstrdup(value->str, value->len));
	MemoryContextSwitchTo(old);
	if (jsonb == NULL)
		return;
	/* the hit points into it */
	jsonb = memcpy(palloc(VARSIZE(jsonb)), jsonb, VARSIZE(jsonb));
	if (JsonbExtractScalar(&jsonb->root, &document->entry))
		return;
	document->entry.type = jbvBinary;
	document->entry.val.binary.data = &jsonb->root;
	document->entry.val.binary.len = VARSIZE(jsonb) - VARHDRSZ;
}

/*
 * bulk_document_next
 *		Go to the next request; false if there is none.  *is_request: it is to be
 *		read; else it is a text without a query string.
 */
bool
bulk_document_next(BulkDocument *document, bool *is_request)
{
	CHECK_FOR_INTERRUPTS();
	if (document->it == NULL)
	{
		if (document->next == document->n)
			return false;
		parse_entry(document);
	}
	else
	{
		JsonbIteratorToken token;

		/*
		 * of names that are numbers, the shorter one comes first: that is
		 * their order
		 */
		do
			token = JsonbIteratorNext(&document->it, &document->entry, true);
		while (token != WJB_ELEM && token != WJB_VALUE && token != WJB_DONE);
		if (token == WJB_DONE)
			return false;
	}
	*is_request = document->entry.type != jbvString || has_query(&document->entry);
	return true;
}

/*
 * bulk_document_read
 *		Read the current request into a hit: the text of a URL, of which the
 *		query string counts, or an object of parameters.  The hit is invalid if it
 *		is neither, or has more than QUERY_MAX bytes.
 */
void
bulk_document_read(BulkDocument *document, Hit *hit)
{
	JsonbValue *entry = &document->entry;

	if (entry->type == jbvString)
	{
		const char *mark = memchr(entry->val.string.val, '?', entry->val.string.len);

		tracking_api_read_query(hit, mark, entry->val.string.val + entry->val.string.len - mark);
		return;
	}
	if (entry->type == jbvBinary && JsonContainerIsObject(entry->val.binary.data) &&
		entry->val.binary.len <= QUERY_MAX - VARHDRSZ)
	{
		tracking_api_read_json(hit, JsonbValueToJsonb(entry), NULL, 0);
		return;
	}
	hit->invalid = "request";
	hit->unreadable = true;
}
