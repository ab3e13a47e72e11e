/*
 * web_request.c
 *		A request for the web pages, and forms of answers to it.
 */
#include "web_request.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "log.h"

static const AnswerHeader security[] = {
	{"Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self';"
		" img-src 'self' data:; connect-src 'self'; font-src 'self'; base-uri 'none';"
	" form-action 'self'; frame-ancestors 'none'"},
	{"X-Content-Type-Options", "nosniff"},
	{"X-Frame-Options", "DENY"},
	{"Referrer-Policy", "no-referrer"},
	{"Cross-Origin-Opener-Policy", "same-origin"},
	{"Cross-Origin-Resource-Policy", "same-origin"},
	{"Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"},
};

static void
start(WebRequest *request, int status, const char *cache)
{
	Answer	   *answer = &request->answer;

	memset(answer, 0, sizeof(Answer));
	answer->status = status;
	answer->body = "";
	for (size_t i = 0; i < sizeof(security) / sizeof(security[0]); i++)
		answer_add_header(answer, security[i].name, security[i].value);
	answer_add_header(answer, "Cache-Control", cache);
}

void
web_answer(WebRequest *request, int status, const char *type, const char *body, size_t len)
{
	start(request, status, "no-store");
	answer_add_header(&request->answer, "Content-Type", type);
	request->answer.body = body;
	request->answer.body_len = len;
}

void
web_problem(WebRequest *request, int status, const char *title, const char *detail,
			const char *hint)
{
	Text text = {0};

	text_printf(&text, "{\"type\":\"about:blank\",\"status\":%d,\"title\":", status);
	text_add_json(&text, title);
	if (detail != NULL)
	{
		text_add_str(&text, ",\"detail\":");
		text_add_json(&text, detail);
	}
	if (hint != NULL)
	{
		text_add_str(&text, ",\"hint\":");
		text_add_json(&text, hint);
	}
	text_add_char(&text, '}');
	web_answer(request, status, "application/problem+json",
			   pool_strndup(request->pool, text.data, text.len), text.len);
	text_free(&text);
}

void
web_answer_kept(WebRequest *request, const char *type, const char *body, size_t len,
				const char *etag, const char *if_none_match)
{
	char	   *own = pool_alloc(request->pool, 48);

	if (etag == NULL)
	{
		unsigned char hash[32];
		unsigned int size = sizeof(hash);

		if (EVP_Digest(body, len, hash, &size, EVP_sha256(), NULL) != 1)
			fail("could not compute a hash");
		own[0] = '"';
		for (int i = 0; i < 16; i++)
			snprintf(own + 1 + 2 * i, 4, "%02x\"", hash[i]);
		etag = own;
	}
	start(request, 200, "private, no-cache");
	answer_add_header(&request->answer, "ETag", etag);
	if (if_none_match != NULL && strstr(if_none_match, etag) != NULL)
	{
		request->answer.status = 304;
		return;
	}
	answer_add_header(&request->answer, "Content-Type", type);
	request->answer.body = body;
	request->answer.body_len = len;
}
