/*
 * optout.c
 *		The page and the script by which visitors opt out.
 *
 * The page stands in a frame of a site's privacy page.  Its button sets or deletes
 * the cookie that pk_tracking looks for (reason opt_out_cookie), as Matomo does it.
 * The script draws a box into a page itself, without third-party cookies: it sets
 * mtm_consent_removed, which Matomo's JavaScript tracker obeys, and, where page and
 * daemon are below one domain, the opt-out cookie for that domain.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "optout.h"

/* As Matomo writes it: an array with "*", base64. */
#define COOKIE_VALUE "ignore%3DKg%3D%3D"

/* Seconds: as long as browsers keep a cookie. */
#define COOKIE_AGE (400 * 86400)

#define DEFAULT_DIV "matomo-opt-out"

typedef struct Words
{
	const char *language;
	const char *counted;
	const char *not_counted;
	const char *opt_out;
	const char *opt_in;
} Words;

static const Words words[] = {
	{"en", "Your visits to this website are counted.",
		"You have opted out: your visits to this website are not counted.",
	"Do not count my visits", "Count my visits"},
	{"de", "Ihre Besuche dieser Website werden gezählt.",
		"Sie haben widersprochen: Ihre Besuche dieser Website werden nicht gezählt.",
	"Meine Besuche nicht zählen", "Meine Besuche zählen"},
	{"fr", "Vos visites sur ce site sont comptées.",
		"Vous vous y êtes opposé : vos visites sur ce site ne sont pas comptées.",
	"Ne pas compter mes visites", "Compter mes visites"},
	{"pl", "Twoje wizyty na tej stronie są liczone.",
		"Zgłoszono sprzeciw: Twoje wizyty na tej stronie nie są liczone.",
	"Nie licz moich wizyt", "Licz moje wizyty"},
};

/* The language that the site asks for, else the browser's first one, else English. */
static const Words *
choose_words(const Request *request)
{
	char		language[16] = "";

	if (!query_value(request->query, "language", language, sizeof(language)) ||
		strcmp(language, "auto") == 0 || language[0] == '\0')
		snprintf(language, sizeof(language), "%s",
				 request->language != NULL ? request->language : "");
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
	{
		if (strncasecmp(words[i].language, language, 2) == 0)
			return &words[i];
	}
	return &words[0];
}

/* Does the browser send the cookie, plain or escaped? */
static bool
has_opted_out(const Request *request, const Facts *facts)
{
	size_t		len = strlen(facts->opt_out_cookie);

	for (const char *p = request->cookie; p != NULL && *p != '\0';)
	{
		p += strspn(p, " \t;");
		if (strncmp(p, facts->opt_out_cookie, len) == 0 && p[len] == '=')
			return starts_with(p + len + 1, "ignore%3DKg") ||
				starts_with(p + len + 1, "ignore=Kg");
		p += strcspn(p, ";");
	}
	return false;
}

/* The value of the form, else of the address: 1 out, 0 in, -1 nothing. */
static int
wanted(const Request *request)
{
	char		value[8];

	if (!query_value(request->form, "opt_out", value, sizeof(value)))
		return -1;
	return value[0] == '1';
}

static void
answer_page(const Request *request, const Facts *facts, Answer *answer)
{
	static const char style[] =
		"body{font:16px/1.4 sans-serif;margin:8px}button{font:inherit;padding:4px 12px}";
	const Words *w = choose_words(request);
	bool		out = has_opted_out(request, facts);
	int			choice = wanted(request);
	Text text = {0};

	if (choice >= 0 && !request->same_origin)
	{
		/* a form of another site must not decide for the visitor */
		answer_text(request, 403, "forbidden\n", answer);
		return;
	}
	answer_text(request, 200, "", answer);
	if (choice >= 0)
	{
		out = choice == 1;
		text_printf(&text, "%s=%s; Max-Age=%d; Path=/; %s", facts->opt_out_cookie,
					out ? COOKIE_VALUE : "", out ? COOKIE_AGE : 0,
					request->https ? "Secure; SameSite=None" : "SameSite=Lax");
		answer_add_header(answer, "Set-Cookie",
						  pool_strndup(request->pool, text.data, text.len));
		text_free(&text);
	}
	text_printf(&text, "<!DOCTYPE html>\n<html lang=\"%s\"><meta charset=\"utf-8\">"
				"<meta name=\"viewport\" content=\"width=device-width\"><title>%s</title>"
				"<style>%s</style>", w->language, w->opt_out, style);
	text_printf(&text, "<p role=\"status\">%s</p><form method=\"post\">"
				"<button name=\"opt_out\" value=\"%d\">%s</button></form></html>\n",
				out ? w->not_counted : w->counted, !out, out ? w->opt_in : w->opt_out);
	answer_set_body(answer, "text/html; charset=utf-8",
					pool_strndup(request->pool, text.data, text.len), text.len);
	answer_add_header(answer, "Content-Security-Policy",
					  "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'");
	text_free(&text);
}

static const char script[] =
"  function cookie(name) {\n"
"    return ('; ' + document.cookie).indexOf('; ' + name + '=') >= 0;\n"
"  }\n"
"  function set(name, value, age, domain) {\n"
"    document.cookie = name + '=' + value + '; path=/; max-age=' + age + (domain ? '; domain=' + domain : '') +\n"
"      (location.protocol === 'https:' ? '; secure; samesite=none' : '; samesite=lax');\n"
"  }\n"
"  // the domains above both hosts, the shortest first; browsers refuse a public suffix\n"
"  function domains() {\n"
"    var ours = host.split('.').reverse(), page = location.hostname.split('.').reverse(), found = [], n = 0;\n"
"    while (n < ours.length && ours[n] === page[n]) {\n"
"      n++;\n"
"      if (n > 1) found.push(ours.slice(0, n).reverse().join('.'));\n"
"    }\n"
"    return found;\n"
"  }\n"
"  function choose(out) {\n"
"    var list = domains(), i;\n"
"    set('mtm_consent_removed', out ? Date.now() : '', out ? age : 0);\n"
"    for (i = 0; i < list.length; i++) {\n"
"      set(optOutCookie, out ? optOutValue : '', out ? age : 0, list[i]);\n"
"      if (out && cookie(optOutCookie)) break;\n"
"    }\n"
"    (window._paq = window._paq || []).push([out ? 'optUserOut' : 'forgetUserOptOut']);\n"
"    draw(out);\n"
"  }\n"
"  function draw(out) {\n"
"    var text = document.createElement('p'), button = document.createElement('button');\n"
"    text.setAttribute('role', 'status');\n"
"    text.textContent = out ? words.not_counted : words.counted;\n"
"    button.type = 'button';\n"
"    button.textContent = out ? words.opt_in : words.opt_out;\n"
"    button.onclick = function () { choose(!out); };\n"
"    div.textContent = '';\n"
"    div.appendChild(text);\n"
"    div.appendChild(button);\n"
"  }\n"
"  if (div) draw(cookie('mtm_consent_removed') || cookie(optOutCookie));\n"
"})();\n";

static void
answer_script(const Request *request, const Facts *facts, Answer *answer)
{
	const Words *w = choose_words(request);
	char		div[64];
	Text text = {0};

	/* it goes into a script: only what an id may be */
	if (!query_value(request->query, "divId", div, sizeof(div)) || div[0] == '\0' ||
		strspn(div, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") !=
		strlen(div))
		snprintf(div, sizeof(div), "%s", DEFAULT_DIV);
	text_printf(&text, "(function () {\n  var div = document.getElementById('%s'), age = %d,"
				" optOutValue = '%s', optOutCookie = ", div, COOKIE_AGE, COOKIE_VALUE);
	text_add_json(&text, facts->opt_out_cookie);
	text_add_str(&text, ",\n    host = document.currentScript ? new URL("
				 "document.currentScript.src).hostname : '',\n    words = {counted: ");
	text_add_json(&text, w->counted);
	text_add_str(&text, ", not_counted: ");
	text_add_json(&text, w->not_counted);
	text_add_str(&text, ", opt_out: ");
	text_add_json(&text, w->opt_out);
	text_add_str(&text, ", opt_in: ");
	text_add_json(&text, w->opt_in);
	text_add_str(&text, "};\n");
	text_add_str(&text, script);
	answer_text(request, 200, "", answer);
	answer_set_body(answer, "application/javascript; charset=utf-8",
					pool_strndup(request->pool, text.data, text.len), text.len);
	answer_add_header(answer, "X-Content-Type-Options", "nosniff");
	answer_add_header(answer, "Cross-Origin-Resource-Policy", "cross-origin");
	text_free(&text);
}

void
optout_answer(const Request *request, const Facts *facts, Answer *answer)
{
	if (request->kind == REQUEST_OPT_OUT)
		answer_page(request, facts, answer);
	else
		answer_script(request, facts, answer);
}
