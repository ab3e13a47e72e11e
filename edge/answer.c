/*
 * answer.c
 *		What a request is answered with.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"

/* 1 × 1, transparent. */
static const unsigned char gif[43] = {
	'G', 'I', 'F', '8', '9', 'a', 1, 0, 1, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0,
	'!', 0xf9, 4, 1, 0, 0, 0, 0, ',', 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 'D', 1, 0, ';'
};

void
answer_add_header(Answer *answer, const char *name, const char *value)
{
	if (answer->nheaders < ANSWER_HEADERS_MAX)
		answer->headers[answer->nheaders++] = (AnswerHeader)
	{
		name, value
	};
}

void
answer_add_cors(const Request *request, Answer *answer)
{
	/* pages are for people: a script of another site must not read them */
	if (request->kind == REQUEST_OPT_OUT || request->kind == REQUEST_OPT_OUT_SCRIPT ||
		request->kind == REQUEST_HEALTH || request->kind == REQUEST_METRICS)
		return;
	if (request->origin != NULL)
	{
		answer_add_header(answer, "Access-Control-Allow-Origin", request->origin);
		answer_add_header(answer, "Access-Control-Allow-Credentials", "true");
		answer_add_header(answer, "Vary", "Origin");
	}
	else if (!request->get)
		answer_add_header(answer, "Access-Control-Allow-Origin", "*");
}

static void
start(const Request *request, int status, Answer *answer)
{
	memset(answer, 0, sizeof(Answer));
	answer->status = status;
	answer->body = "";
	answer->body_is_constant = true;
	answer_add_cors(request, answer);
	answer_add_header(answer, "Cache-Control", "no-store");
}

void
answer_text(const Request *request, int status, const char *text, Answer *answer)
{
	start(request, status, answer);
	answer_add_header(answer, "Content-Type", "text/plain; charset=utf-8");
	answer->body = text;

	answer->body_len = strlen(text);
	answer->body_is_constant = false;
}

void
answer_set_body(Answer *answer, const char *type, const void *body, size_t len)
{
	for (int i = 0; i < answer->nheaders; i++)
	{
		if (strcmp(answer->headers[i].name, "Content-Type") == 0)
			answer->headers[i].value = type;
	}
	answer->body = body;
	answer->body_len = len;
	answer->body_is_constant = false;
}

/* The image, or nothing where the client wants none. */
static void
answer_image(const Request *request, Answer *answer)
{
	start(request, request->no_image ? 204 : 200, answer);
	if (request->no_image)
		return;
	answer_add_header(answer, "Content-Type", "image/gif");
	answer->body = gif;
	answer->body_len = sizeof(gif);
}

/*
 * Cookies are of the daemon's own host.  In pages of other sites browsers send
 * those only that are SameSite=None, which must be Secure.
 */
static void
add_cookie(const Request *request, Answer *answer, const char *name, const char *value,
		   int max_age)
{
	Text text = {0};

	text_printf(&text, "%s=%s; Max-Age=%d; Path=/; HttpOnly; %s", name, value, max_age,
				request->https ? "Secure; SameSite=None" : "SameSite=Lax");
	answer_add_header(answer, "Set-Cookie", pool_strndup(request->pool, text.data, text.len));
	text_free(&text);
}

/* Deletes the cookies of a text[]: "{a,b}", with quotes and backslashes where needed. */
static void
delete_cookies(const Request *request, const char *names, Answer *answer)
{
	char	   *name = pool_alloc(request->pool, strlen(names) + 1);
	size_t		len = 0;
	bool		quoted = false;

	for (const char *p = names + 1; *p != '\0'; p++)
	{
		if (*p == '"')
			quoted = !quoted;
		else if (*p == '\\' && p[1] != '\0')
			name[len++] = *++p;
		else if (!quoted && (*p == ',' || *p == '}'))
		{
			name[len] = '\0';
			if (len > 0)
				add_cookie(request, answer, name, "", 0);
			len = 0;
		}
		else
			name[len++] = *p;
	}
}

static void
answer_document(const Request *request, const char *document, Answer *answer)
{
	char		status[16] = "";

	if (request->no_image)
	{
		answer_image(request, answer);
		return;
	}
	(void) json_scalar(document, "status", status, sizeof(status));
	start(request, strcmp(status, "error") == 0 ? 400 : 200, answer);
	answer_add_header(answer, "Content-Type", "application/json");
	answer_set_body(answer, "application/json", document, strlen(document));
}

/* A document whose own answer is lost, or will be known later: its hits are taken. */
static void
answer_taken(const Request *request, Answer *answer)
{
	Text text = {0};

	text_printf(&text, "{\"status\": \"success\", \"tracked\": %d, \"invalid\": 0}",
				hit_count(request->hit));
	answer_document(request, pool_strndup(request->pool, text.data, text.len), answer);
	text_free(&text);
}

static void
answer_invalid(const Request *request, const HitResult *result, Answer *answer)
{
	static const char error[] = "{\"status\":\"error\"}";
	Text text = {0};

	/* the client would send it again as an image */
	if (request->no_image)
	{
		answer_image(request, answer);
		return;
	}
	if (request->kind == REQUEST_DOCUMENT)
	{
		start(request, 400, answer);
		answer_add_header(answer, "Content-Type", "application/json");
		answer_set_body(answer, "application/json", error, sizeof(error) - 1);
		return;
	}
	text_printf(&text, "invalid value for tracking parameter \"%s\"\n",
				result->reason != NULL ? result->reason : "");
	answer_text(request, 400, pool_strndup(request->pool, text.data, text.len), answer);
	text_free(&text);
}

void
answer_hit(const Request *request, const HitResult *result, Answer *answer)
{
	switch (result->outcome)
	{
		case HIT_PENDING:
		case HIT_UNAVAILABLE:
			answer_text(request, 503, "tracking is not available\n", answer);
			answer_add_header(answer, "Retry-After", "10");
			return;
		case HIT_FAILED:
			answer_text(request, 500, "the hit could not be recorded\n", answer);
			return;
		case HIT_INVALID:
			answer_invalid(request, result, answer);
			return;
		case HIT_ANSWERED:
			answer_document(request, result->document, answer);
			return;
		case HIT_RECORDED:
		case HIT_IGNORED:
		case HIT_EXCLUDED:
		case HIT_COMMITTED:
		case HIT_SPOOLED:
			break;
	}
	if (request->kind == REQUEST_DOCUMENT)
	{
		answer_taken(request, answer);
		return;
	}
	answer_image(request, answer);
	if (result->outcome == HIT_EXCLUDED && result->reason != NULL &&
		strcmp(result->reason, "do_not_track") == 0)
		answer_add_header(answer, "Tk", "N");
	if (result->cookie_name != NULL && result->cookie_value != NULL)
		add_cookie(request, answer, result->cookie_name, result->cookie_value,
				   result->cookie_max_age);
	if (result->delete_cookies != NULL)
		delete_cookies(request, result->delete_cookies, answer);
}

/* Names of headers that a preflight may ask for: tokens and commas. */
static bool
are_header_names(const char *str)
{
	size_t		len = strlen(str);

	return len > 0 && len < 1000 &&
		strspn(str, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_, ") == len;
}

void
answer_other(const Request *request, Answer *answer)
{
	static const char bare[] =
		"This address takes hits of Matomo and Piwik PRO clients for pk_tracking.\n";

	switch (request->kind)
	{
		case REQUEST_PREFLIGHT:
			start(request, 204, answer);
			answer_add_header(answer, "Access-Control-Allow-Methods", "GET, POST, HEAD, OPTIONS");
			answer_add_header(answer, "Access-Control-Allow-Headers",
							  request->wanted_headers != NULL &&
							  are_header_names(request->wanted_headers) ?
							  request->wanted_headers : "Content-Type, Authorization");
			answer_add_header(answer, "Access-Control-Max-Age", "86400");
			answer_add_header(answer, "Allow", "GET, POST, HEAD, OPTIONS");
			return;
		case REQUEST_BARE:
			answer_text(request, request->get ? 200 : 400, bare, answer);
			return;
		case REQUEST_MALFORMED:
			answer_text(request, 400, "malformed request\n", answer);
			return;
		case REQUEST_WRONG_METHOD:
			answer_text(request, 405, "method not allowed\n", answer);
			answer_add_header(answer, "Allow", "GET, POST, HEAD, OPTIONS");
			return;
		case REQUEST_HEALTH:
			answer_text(request, 200, "ok\n", answer);
			return;
		default:
			answer_text(request, 404, "not found\n", answer);
			return;
	}
}
