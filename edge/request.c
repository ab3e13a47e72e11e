/*
 * request.c
 *		What an HTTP request asks for.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "request.h"

/* Headers that are passed on; those of proxies are in the settings, cookies are chosen. */
static const char *const passed_on[] = {
	"authorization", "dnt", "referer", "sec-gpc", "x-do-not-track", "x-moz", "x-purpose",
};

/* Client hints: sec-ch-ua, sec-ch-ua-mobile … */
static const char client_hint[] = "sec-ch-ua";

static const struct
{
	const char *path;
	RequestKind kind;
	const char *script;
}			routes[] = {
	{"/matomo.php", REQUEST_HIT, NULL},
	{"/piwik.php", REQUEST_HIT, NULL},
	{"/ppms.php", REQUEST_HIT, NULL},
	{"/js/tracker.php", REQUEST_HIT, NULL},
	/* without parameters it is the script, as in Matomo */
	{"/js/", REQUEST_HIT, "matomo.js"},
	{"/matomo.js", REQUEST_SCRIPT, "matomo.js"},
	{"/piwik.js", REQUEST_SCRIPT, "piwik.js"},
	{"/ppas.js", REQUEST_SCRIPT, "ppas.js"},
	{"/pk.js", REQUEST_SCRIPT, "pk.js"},
	{"/consent.js", REQUEST_SCRIPT, "consent.js"},
	{"/healthz", REQUEST_HEALTH, NULL},
	{"/metrics", REQUEST_METRICS, NULL},
};

const char *
request_header(const RawRequest *raw, const char *name)
{
	for (int i = 0; i < raw->nheaders; i++)
	{
		if (strcasecmp(raw->headers[i].name, name) == 0)
			return raw->headers[i].value;
	}
	return NULL;
}

/*
 * A header's values as one, as RFC 9110 joins header lines; cookies are joined by
 * ";".  NULL: there is none.
 */
const char *
request_joined_header(Pool *pool, const RawRequest *raw, const char *name)
{
	const char *separator = strcmp(name, "cookie") == 0 ? "; " : ", ";
	const char *result = NULL;

	for (int i = 0; i < raw->nheaders; i++)
	{
		const char *value = raw->headers[i].value;
		char	   *both;

		if (strcasecmp(raw->headers[i].name, name) != 0)
			continue;
		if (result == NULL)
		{
			result = value;
			continue;
		}
		both = pool_alloc(pool, strlen(result) + strlen(separator) + strlen(value) + 1);
		strcpy(stpcpy(stpcpy(both, result), separator), value);
		result = both;
	}
	return result;
}

static bool
is_one_of(const char *name, size_t len, char *const *names, int n)
{
	for (int i = 0; i < n; i++)
	{
		if (strlen(names[i]) == len && strncmp(names[i], name, len) == 0)
			return true;
	}
	return false;
}

/* Those cookies that tracking reads, as a header; NULL: none. */
static const char *
chosen_cookies(Pool *pool, const char *cookies, const Facts *facts)
{
	char	   *result;
	char	   *out;

	if (cookies == NULL)
		return NULL;
	result = out = pool_alloc(pool, 2 * strlen(cookies) + 3);
	while (*cookies != '\0')
	{
		size_t		len;

		cookies += strspn(cookies, " \t;");
		len = strcspn(cookies, ";");
		if (is_one_of(cookies, strcspn(cookies, "=; \t"), facts->cookies, facts->ncookies))
		{
			if (out > result)
				out = stpcpy(out, "; ");
			out = mempcpy(out, cookies, len);
		}
		cookies += len;
	}
	*out = '\0';
	return out > result ? result : NULL;
}

static void
add_header(Text *json, const char *name, const char *value)
{
	if (value == NULL)
		return;
	text_add_char(json, json->len == 0 ? '{' : ',');
	text_add_json(json, name);
	text_add_char(json, ':');
	text_add_json(json, value);
}

/* The headers that tracking reads, as a JSON object. */
static const char *
headers_json(Request *request, const RawRequest *raw, const Facts *facts)
{
	Pool	   *pool = request->pool;
	Text		json = {0};
	const char *result;

	for (size_t i = 0; i < sizeof(passed_on) / sizeof(passed_on[0]); i++)
		add_header(&json, passed_on[i], request_header(raw, passed_on[i]));
	for (int i = 0; i < raw->nheaders; i++)
	{
		const char *name = raw->headers[i].name;

		if (strncasecmp(name, client_hint, strlen(client_hint)) == 0)
		{
			char	   *lower = pool_strdup(pool, name);

			for (char *p = lower; *p != '\0'; p++)
				*p = (char) (*p >= 'A' && *p <= 'Z' ? *p + 'a' - 'A' : *p);
			add_header(&json, lower, raw->headers[i].value);
		}
	}
	add_header(&json, "cookie", chosen_cookies(pool, request->cookie, facts));
	for (int i = 0; i < facts->nproxy_headers; i++)
	{
		const char *value = request_joined_header(pool, raw, facts->proxy_headers[i]);

		if (value == NULL)
			continue;
		if (raw->trusted)
		{
			add_header(&json, facts->proxy_headers[i], value);
			if (request->forwarded_for == NULL && strcmp(facts->proxy_headers[i], "forwarded") != 0)
				request->forwarded_for = pool_strdup(pool, value);
		}
		else
			request->forwarded_ignored = true;
	}
	if (json.len == 0)
		return NULL;
	text_add_char(&json, '}');
	result = pool_strndup(pool, json.data, json.len);
	text_free(&json);
	return result;
}

bool
request_was_https(const RawRequest *raw)
{
	const char *value;

	if (!raw->trusted)
		return false;
	value = request_header(raw, "x-forwarded-proto");
	if (value != NULL)
		return strncasecmp(value, "https", 5) == 0;
	value = request_header(raw, "forwarded");
	return value != NULL && (value = strcasestr(value, "proto=")) != NULL &&
		strncasecmp(value + 6 + (value[6] == '"'), "https", 5) == 0;
}

bool
request_is_passed_on(const RequestHeader *headers, int nheaders)
{
	static const char *const names[] = {"forwarded", "x-forwarded-for", "x-real-ip", "via"};

	for (int i = 0; i < nheaders; i++)
	{
		for (size_t j = 0; j < sizeof(names) / sizeof(names[0]); j++)
		{
			if (strcasecmp(headers[i].name, names[j]) == 0)
				return true;
		}
	}
	return false;
}

/*
 * The body as a part of a query string, so that it can stand before the target's:
 * the last of two parameters of a name counts.  "" if it is another kind of body.
 */
static const char *
form_of(Pool *pool, const RawRequest *raw)
{
	const char *type = request_header(raw, "content-type");
	size_t		start = 0;

	if (type != NULL && strncasecmp(type, "multipart/", 10) == 0)
		return "";
	/* a beacon of some clients holds the query string with its mark */
	if (raw->body_len > 0 && raw->body[0] == '?')
		start = 1;
	return pool_strndup(pool, raw->body + start, strcspn(raw->body + start, "\r\n"));
}

/*
 * Both parts of a request as one query string of ASCII: other bytes and controls
 * are escaped, so that any text in any character set is valid.
 */
static const char *
merge_query(Pool *pool, const char *form, const char *query)
{
	static const char digits[] = "0123456789ABCDEF";
	const char *parts[2] = {form, query};
	char	   *result = pool_alloc(pool, 3 * (strlen(form) + strlen(query)) + 2);
	char	   *out = result;

	for (int i = 0; i < 2; i++)
	{
		if (i == 1 && out > result && *query != '\0')
			*out++ = '&';
		for (const char *p = parts[i]; *p != '\0'; p++)
		{
			unsigned char c = (unsigned char) *p;

			if (c > ' ' && c < 0x7f)
				*out++ = (char) c;
			else
			{
				*out++ = '%';
				*out++ = digits[c >> 4];
				*out++ = digits[c & 15];
			}
		}
	}
	*out = '\0';
	return result;
}

/*
 * Is the body a document of hits?  Matomo decides so: by the word, in quotes,
 * anywhere but at the very start.
 */
static bool
is_document(const RawRequest *raw)
{
	const char *found = memmem(raw->body, raw->body_len, "\"requests\"", 10);

	if (found == NULL)
		found = memmem(raw->body, raw->body_len, "'requests'", 10);
	return found != NULL && found > raw->body;
}

static void
read_hit(Request *request, const RawRequest *raw, const Facts *facts)
{
	Pool	   *pool = request->pool;
	Hit		   *hit = pool_alloc(pool, sizeof(Hit));
	const char *value;
	char		image[8];

	memset(hit, 0, sizeof(Hit));
	hit->pool = pool;
	hit->ip = raw->peer[0] != '\0' ? pool_strdup(pool, raw->peer) : NULL;
	value = request_header(raw, "user-agent");
	hit->user_agent = value != NULL ? utf8_repair(pool, value) : NULL;
	value = request_header(raw, "accept-language");
	hit->accept_language = value != NULL ? utf8_repair(pool, value) : NULL;
	hit->headers = headers_json(request, raw, facts);
	request->hit = hit;

	if (request->kind == REQUEST_DOCUMENT)
	{
		hit->is_document = true;
		hit->query = utf8_repair(pool, raw->body);
		request->no_image = json_scalar(hit->query, "send_image", image, sizeof(image)) &&
			(strcmp(image, "0") == 0 || strcmp(image, "false") == 0);
		return;
	}
	hit->query = merge_query(pool, request->form, request->query);
	request->no_image = query_value(hit->query, "send_image", image, sizeof(image)) &&
		strcmp(image, "0") == 0;
	hit_set_key(hit);
}

/* The page and the script by which visitors opt out have parameters in Matomo. */
static RequestKind
opt_out_kind(const char *path, const char *query)
{
	char		module[32];
	char		action[32];

	if ((strcmp(path, "/index.php") != 0 && strcmp(path, "/") != 0) ||
		!query_value(query, "module", module, sizeof(module)) ||
		strcmp(module, "CoreAdminHome") != 0 ||
		!query_value(query, "action", action, sizeof(action)))
		return REQUEST_NOT_FOUND;
	return strcmp(action, "optOut") == 0 ? REQUEST_OPT_OUT :
		strcmp(action, "optOutJS") == 0 ? REQUEST_OPT_OUT_SCRIPT : REQUEST_NOT_FOUND;
}

Request *
request_read(Pool *pool, const RawRequest *raw, const Facts *facts)
{
	Request    *request = pool_alloc(pool, sizeof(Request));
	size_t		path_len = strcspn(raw->target, "?#");
	const char *path = pool_strndup(pool, raw->target, path_len);
	const char *value;
	bool		post = strcmp(raw->method, "POST") == 0;

	memset(request, 0, sizeof(Request));
	request->pool = pool;
	request->kind = REQUEST_NOT_FOUND;
	request->get = strcmp(raw->method, "GET") == 0 || strcmp(raw->method, "HEAD") == 0;
	request->https = request_was_https(raw);
	request->query = request->form = "";
	if (raw->target[path_len] == '?')
		request->query = pool_strndup(pool, raw->target + path_len + 1,
									  strcspn(raw->target + path_len + 1, "#"));
	value = request_header(raw, "origin");
	request->origin = value != NULL ? pool_strdup(pool, value) : NULL;
	value = request_header(raw, "access-control-request-headers");
	request->wanted_headers = value != NULL ? pool_strdup(pool, value) : NULL;
	value = request_header(raw, "if-none-match");
	request->if_none_match = value != NULL ? pool_strdup(pool, value) : NULL;
	value = request_header(raw, "accept-language");
	request->language = value != NULL ? pool_strdup(pool, value) : NULL;
	value = request_header(raw, "sec-fetch-site");
	request->same_origin = value == NULL || strcasecmp(value, "same-origin") == 0 ||
		strcasecmp(value, "none") == 0;
	value = request_joined_header(pool, raw, "cookie");
	request->cookie = value != NULL ? pool_strdup(pool, value) : NULL;

	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++)
	{
		if (strcmp(routes[i].path, path) == 0)
		{
			request->kind = routes[i].kind;
			request->script = routes[i].script;
		}
	}
	if (request->kind == REQUEST_NOT_FOUND)
		request->kind = opt_out_kind(path, request->query);
	if (request->kind == REQUEST_NOT_FOUND)
		return request;
	if (strcmp(raw->method, "OPTIONS") == 0)
	{
		request->kind = REQUEST_PREFLIGHT;
		return request;
	}
	if (!request->get && !post)
	{
		request->kind = REQUEST_WRONG_METHOD;
		return request;
	}
	if (request->kind != REQUEST_HIT)
	{
		if (post && request->kind == REQUEST_OPT_OUT)
			request->form = form_of(pool, raw);
		return request;
	}

	/* a zero byte has no place in either form of body */
	if (raw->body_len > 0 && memchr(raw->body, '\0', raw->body_len) != NULL)
	{
		request->kind = REQUEST_MALFORMED;
		return request;
	}
	if (post && is_document(raw))
		request->kind = REQUEST_DOCUMENT;
	else if (post)
		request->form = form_of(pool, raw);
	if (request->kind == REQUEST_HIT && request->query[0] == '\0' && request->form[0] == '\0')
	{
		request->kind = request->script != NULL && request->get ? REQUEST_SCRIPT : REQUEST_BARE;
		return request;
	}
	read_hit(request, raw, facts);
	return request;
}
