/*
 * web.c
 *		The web pages of the statistics: their files, log-in, and API.
 */
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "log.h"
#include "loop.h"
#include "web.h"
#include "web_files.h"
#include "web_login.h"
#include "web_pool.h"
#include "web_session.h"

#define SWEEP_INTERVAL 60000

#define JSON "application/json"

/* The longest password: its key is derived here, thousands of hashes of all of it. */
#define PASSWORD_MAX 1024

/* Statements: the first value is a name or a text, the last one the site of a public link. */
#define SESSION_QUERY "SELECT pk_tracking_internal.api_session($1, $2::integer)"
#define LIST_QUERY "SELECT pk_tracking_internal.api_report_list($1::integer)"
#define REPORT_QUERY "SELECT pk_tracking_internal.api_report($1, $2::jsonb, $3::integer)"
#define COPY_QUERY "SELECT pk_tracking_internal.api_report_copy($1, $2::jsonb, $3::integer)"
#define ADMIN_QUERY "SELECT pk_tracking_internal.api_admin($1, $2::jsonb)"
#define CALL_QUERY "SELECT pk_tracking_internal.api_call($1, $2::jsonb)"

/* What is done for a request between web_handle() and its done(). */
typedef struct Work
{
	WebRequest *request;
	WebJob		job;
	Login		login;
	bool		is_login;
	const char *cookie;			/* of the session it is of, or NULL */
	const char *link;			/* hash of the public link that begins */
	const char *file;			/* of an answer as CSV: its name */
	const char *if_none_match;
	void		(*then) (struct Work *work);	/* the job is done */
} Work;

static const Config *config;
static Timer sweep_timer;

static const char *
cookie_name(const WebRequest *request)
{
	/* browsers take __Host- by TLS alone */
	return request->https ? "__Host-pk_session" : "pk_session";
}

/* The value of the session's cookie, or NULL. */
static const char *
session_cookie(WebRequest *request)
{
	const char *cookies = request_joined_header(request->pool, &request->raw, "cookie");
	const char *name = cookie_name(request);
	size_t		len = strlen(name);

	while (cookies != NULL && *cookies != '\0')
	{
		size_t		size;

		cookies += strspn(cookies, " \t;");
		size = strcspn(cookies, ";");
		if (strncmp(cookies, name, len) == 0 && cookies[len] == '=')
			return pool_strndup(request->pool, cookies + len + 1, size - len - 1);
		cookies += size;
	}
	return NULL;
}

static void
add_session_cookie(WebRequest *request, const char *value, bool deleted)
{
	Text text = {0};

	text_printf(&text, "%s=%s; Path=/; Secure; HttpOnly; SameSite=Strict%s", cookie_name(request),
				value, deleted ? "; Max-Age=0" : "");
	answer_add_header(&request->answer, "Set-Cookie",
					  pool_strndup(request->pool, text.data, text.len));
	text_free(&text);
}

static void
retry_after(WebRequest *request, int seconds)
{
	char	   *text = pool_alloc(request->pool, 16);

	snprintf(text, 16, "%d", seconds);
	answer_add_header(&request->answer, "Retry-After", text);
}

/* The session of a cookie, or NULL. */
static WebSession *
session_of(const char *cookie)
{
	return cookie == NULL ? NULL :
		web_session_find(cookie, loop_now(), config->web_session_idle, config->web_session_max);
}

/*
 * ---- What became of a job ----
 */

static bool
class_is(const char *sqlstate, const char *class)
{
	return strncmp(sqlstate, class, 2) == 0;
}

static void
answer_error(WebRequest *request, const WebJob *job)
{
	const char *state = job->sqlstate != NULL ? job->sqlstate : "";

	if (strcmp(state, "57014") == 0)
		web_problem(request, 504, "the report takes too long",
					"It was cancelled after web_statement_timeout.",
					"Ask for fewer days, or narrow it by a filter.");
	else if (strcmp(state, "42501") == 0 || strcmp(state, "25006") == 0)
		web_problem(request, 403, "not granted", NULL, NULL);
	else if (strcmp(state, "42883") == 0 || strcmp(state, "P0002") == 0)
		web_problem(request, 404, "not found", job->message, job->hint);
	/* such as JSON that is nested without end */
	else if (class_is(state, "54"))
		web_problem(request, 400, "request refused", "the request is too complex", NULL);
	/* what a user wrote, or a message of ours */
	else if (class_is(state, "22") || class_is(state, "23") || class_is(state, "P0") ||
			 strcmp(state, "42704") == 0)
		web_problem(request, class_is(state, "23") ? 409 : 400, "request refused", job->message,
					job->hint);
	else if (class_is(state, "53") || class_is(state, "57") || class_is(state, "40") ||
			 class_is(state, "55"))
	{
		web_problem(request, 503, "PostgreSQL cannot answer now", NULL, NULL);
		retry_after(request, 2);
	}
	else
	{
		log_line(LOG_LEVEL_ERROR, LOG_ALWAYS, "a request of the web pages failed (SQLSTATE %s)",
				 state);
		web_problem(request, 500, "the request failed", NULL,
					"See the server's log of PostgreSQL.");
	}
}

static void
answer_refusal(const Work *work)
{
	WebRequest *request = work->request;
	const char *refusal = work->job.refusal;

	/* a public link as a token: the same as with its session */
	if (strcmp(refusal, "link") == 0)
		web_problem(request, 404, "not found", NULL, NULL);
	/* whoever may not become the role any more has no session */
	else if (work->cookie != NULL)
	{
		web_session_end(work->cookie);
		web_problem(request, 401, "log in", "The session has ended.", NULL);
		add_session_cookie(request, "", true);
	}
	else if (strcmp(refusal, "attribute") == 0)
		web_problem(request, 403, "this role must not use the web pages",
					"It, or a role of which it is a member, could do more to the server.",
					"Log in as a role without SUPERUSER, CREATEROLE, CREATEDB, REPLICATION and"
					" BYPASSRLS that is no member of a role of the server's own.");
	else if (strcmp(refusal, "grant") == 0)
		web_problem(request, 403, "this role may not use the web pages", NULL,
					"Let it by pk_tracking.grant_web().");
	else
		web_problem(request, 401, "log in", NULL, NULL);
}

/* Answers what is not WEB_DONE; false: it is. */
static bool
answer_failure(const Work *work)
{
	WebRequest *request = work->request;

	switch (work->job.outcome)
	{
		case WEB_DONE:
			return false;
		case WEB_REFUSED:
			answer_refusal(work);
			break;
		case WEB_ERROR:
			answer_error(request, &work->job);
			break;
		case WEB_TOO_LONG:
			web_problem(request, 413, "the answer is too long", NULL, "Ask for fewer rows.");
			break;
		case WEB_AWAY:
			web_problem(request, 503, "PostgreSQL is away", NULL, NULL);
			retry_after(request, 2);
			break;
	}
	return true;
}

static void
job_done(WebJob *job)
{
	Work	   *work = job->owner;

	if (!answer_failure(work))
		work->then(work);
	work->request->done(work->request);
}

/* {"result": …} of a call, with the warnings that came with it. */
static void
answer_call(WebRequest *request, const char *result, size_t len, const char *warnings)
{
	Text text = {0};

	text_add(&text, result, warnings != NULL ? len - 1 : len);
	if (warnings != NULL)
		text_printf(&text, ",\"warnings\":[%s]}", warnings);
	web_answer(request, 200, JSON, pool_strndup(request->pool, text.data, text.len), text.len);
	text_free(&text);
}

static void
then_answer(Work *work)
{
	WebRequest *request = work->request;
	const char *result = work->job.result != NULL ? work->job.result : "null";
	size_t		len = work->job.result != NULL ? work->job.result_len : 4;

	if (work->file != NULL)
	{
		web_answer_kept(request, "text/csv; charset=utf-8; header=present", result, len, NULL,
						work->if_none_match);
		answer_add_header(&request->answer, "Content-Disposition", work->file);
	}
	else if (work->job.write)
		answer_call(request, result, len, work->job.warnings);
	else
		web_answer_kept(request, JSON, result, len, NULL, work->if_none_match);
}

static Work *
new_work(WebRequest *request, void (*then) (Work *work))
{
	Work	   *work = pool_alloc(request->pool, sizeof(Work));
	const char *if_none_match = request_header(&request->raw, "if-none-match");

	memset(work, 0, sizeof(Work));
	work->request = request;
	work->job.pool = request->pool;
	work->job.owner = work;
	work->job.done = job_done;
	work->if_none_match = if_none_match != NULL ? pool_strdup(request->pool, if_none_match) : NULL;
	work->then = then;
	request->work = work;
	return work;
}

/*
 * ---- Log-in and log-out ----
 */

static void
answer_session(WebRequest *request, const WebSession *session, const char *cookie)
{
	Text text = {0};

	text_add_str(&text, "{\"role\":");
	text_add_json(&text, session->role);
	text_printf(&text, ",\"csrf\":\"%s\"}", session->csrf);
	web_answer(request, 200, JSON, pool_strndup(request->pool, text.data, text.len), text.len);
	add_session_cookie(request, cookie, false);
	text_free(&text);
}

static void
then_begin(Work *work)
{
	char		cookie[WEB_TOKEN_SIZE];
	WebSession *session;

	web_attempt_good(work->login.user, &work->request->peer);
	session = web_session_begin(work->job.entered_role, work->job.entered_stamp, NULL, loop_now(),
								cookie);
	answer_session(work->request, session, cookie);
	explicit_bzero(cookie, sizeof(cookie));
}

static void
login_done(Login *login)
{
	Work	   *work = login->owner;
	WebRequest *request = work->request;

	switch (login->outcome)
	{
		case LOGIN_GOOD:
			work->job.role = login->role;
			web_pool_submit(&work->job);
			return;
		case LOGIN_WRONG:
			web_problem(request, 401, "wrong user or password", NULL, NULL);
			break;
		case LOGIN_UNPROVED:
			web_problem(request, 503, "log-in is not possible",
						"PostgreSQL did not ask for a password.",
						"See the daemon's log.");
			break;
		case LOGIN_BUSY:
			web_problem(request, 503, "too many log-ins at once", NULL, NULL);
			retry_after(request, 1);
			break;
		case LOGIN_AWAY:
			web_problem(request, 503, "PostgreSQL is away", NULL, NULL);
			retry_after(request, 2);
			break;
	}
	request->done(request);
}

static bool
handle_login(WebRequest *request)
{
	const char *user = json_text(request->pool, request->raw.body, "user");
	const char *password = json_text(request->pool, request->raw.body, "password");
	const char *old = session_cookie(request);
	Work	   *work;
	int			wait;

	if (user == NULL || password == NULL || strlen(user) > 100)
	{
		web_problem(request, 400, "request refused", "user and password are missing", NULL);
		return true;
	}
	if (strlen(password) > PASSWORD_MAX)
	{
		web_problem(request, 400, "request refused", "a password has at most 1024 bytes", NULL);
		return true;
	}
	wait = web_attempt(user, &request->peer, loop_now());
	if (wait > 0)
	{
		char	   *hint = pool_alloc(request->pool, 64);

		snprintf(hint, 64, "Wait for %d seconds, then try again.", wait);
		web_problem(request, 429, "too many attempts to log in", NULL, hint);
		retry_after(request, wait);
		return true;
	}
	if (old != NULL)
		web_session_end(old);
	work = new_work(request, then_begin);
	work->is_login = true;
	work->login = (Login)
	{
		.pool = request->pool,.user = user,.password = password,.owner = work,.done = login_done
	};
	return false;
}

static void
then_begin_public(Work *work)
{
	WebRequest *request = work->request;
	char		cookie[WEB_TOKEN_SIZE];

	/* a token for scripts is no link */
	if (work->job.site == NULL)
	{
		web_problem(request, 404, "not found", NULL, NULL);
		return;
	}
	(void) web_session_begin(NULL, NULL, work->link, loop_now(), cookie);
	web_answer(request, 303, "text/plain; charset=utf-8", "", 0);
	answer_add_header(&request->answer, "Location", "/");
	add_session_cookie(request, cookie, false);
	explicit_bzero(cookie, sizeof(cookie));
}

static bool
handle_public(WebRequest *request, const char *token)
{
	Work	   *work = new_work(request, then_begin_public);
	char	   *hash = pool_alloc(request->pool, WEB_TOKEN_SIZE);

	web_hash(token, hash);
	work->link = work->job.token = hash;
	return false;
}

/*
 * ---- API ----
 */

typedef struct Argument
{
	const char *name;
	const char *value;
	bool		told;
} Argument;

#define ARGUMENTS_MAX 100

/* Names that the address has in short. */
static const char *
long_name(const char *name)
{
	return strcmp(name, "from") == 0 ? "from_date" : strcmp(name, "to") == 0 ? "to_date" : name;
}

/* A query string as a JSON object; a name that comes again is a list.  NULL: bad. */
static const char *
arguments_json(Pool *pool, const char *query)
{
	Argument	arguments[ARGUMENTS_MAX];
	Text		json = {0};
	int			n = 0;
	const char *result;

	while (*query != '\0')
	{
		size_t		size = strcspn(query, "&");
		size_t		len = strcspn(query, "=&");
		const char *name = query_decode(pool, query, len);
		const char *value = len < size ? query_decode(pool, query + len + 1, size - len - 1) : "";

		if (name == NULL || value == NULL || n == ARGUMENTS_MAX)
			return NULL;
		if (*name != '\0')
			arguments[n++] = (Argument)
		{
			long_name(name), value, false
		};
		query += size + (query[size] == '&');
	}
	text_add_char(&json, '{');
	for (int i = 0; i < n; i++)
	{
		int			times = 0;

		if (arguments[i].told)
			continue;
		if (json.len > 1)
			text_add_char(&json, ',');
		text_add_json(&json, arguments[i].name);
		text_add_char(&json, ':');
		for (int j = i; j < n; j++)
			times += strcmp(arguments[i].name, arguments[j].name) == 0;
		if (times > 1)
			text_add_char(&json, '[');
		for (int j = i, told = 0; j < n; j++)
		{
			if (strcmp(arguments[i].name, arguments[j].name) != 0)
				continue;
			arguments[j].told = true;
			if (told++ > 0)
				text_add_char(&json, ',');
			text_add_json(&json, arguments[j].value);
		}
		if (times > 1)
			text_add_char(&json, ']');
	}
	text_add_char(&json, '}');
	result = pool_strndup(pool, json.data, json.len);
	text_free(&json);
	return result;
}

static bool
is_name(const char *name)
{
	size_t		len = strlen(name);

	return len > 0 && len < 60 && strspn(name, "abcdefghijklmnopqrstuvwxyz_0123456789") == len;
}

static void
set_query(Work *work, const char *query, const char *first, const char *second, int site_value,
		  int nvalues)
{
	work->job.query = query;
	work->job.values[0] = first;
	work->job.values[1] = second;
	work->job.site_value = site_value;
	work->job.nvalues = nvalues;
}

/* A report, as JSON or as CSV. */
static bool
set_report(Work *work, const char *name, const char *arguments)
{
	char		format[8] = "";
	Text		file = {0};
	Pool	   *pool = work->request->pool;

	(void) json_scalar(arguments, "format", format, sizeof(format));
	if (strcmp(format, "csv") == 0)
	{
		set_query(work, COPY_QUERY, name, arguments, 3, 3);
		work->job.copy = true;
		work->job.arguments = arguments;
		text_printf(&file, "attachment; filename=\"%s.csv\"", name);
		work->file = pool_strndup(pool, file.data, file.len);
		text_free(&file);
		return true;
	}
	if (format[0] != '\0' && strcmp(format, "json") != 0)
		return false;
	set_query(work, REPORT_QUERY, name, arguments, 3, 3);
	return true;
}

/* What a GET below /api/ asks for.  False: nothing of the kind. */
static bool
set_question(Work *work, const char *what, const WebSession *session, const char *arguments)
{
	bool		public = session != NULL && session->link[0] != '\0';

	if (strcmp(what, "session") == 0)
	{
		set_query(work, SESSION_QUERY,
				  session != NULL ? pool_strdup(work->request->pool, session->csrf) : NULL, NULL,
				  2, 2);
		return true;
	}
	if (*what == '\0')
	{
		set_query(work, LIST_QUERY, NULL, NULL, 1, 1);
		return true;
	}
	if (starts_with(what, "admin/"))
	{
		if (public || !is_name(what + 6))
			return false;
		set_query(work, ADMIN_QUERY, what + 6, arguments, 0, 2);
		return true;
	}
	return is_name(what) && set_report(work, what, arguments);
}

/* Who asks: a session or a token.  False: answered, for nobody may. */
static bool
set_asker(Work *work, WebSession *session)
{
	WebRequest *request = work->request;
	const char *header = request_header(&request->raw, "authorization");
	char	   *hash = pool_alloc(request->pool, WEB_TOKEN_SIZE);

	if (header != NULL && strncasecmp(header, "bearer ", 7) == 0)
	{
		web_hash(header + 7 + strspn(header + 7, " "), hash);
		work->job.token = hash;
		work->cookie = NULL;
		return true;
	}
	if (session == NULL)
	{
		web_problem(request, 401, "log in", NULL, NULL);
		return false;
	}
	if (session->link[0] != '\0')
		work->job.token = pool_strdup(request->pool, session->link);
	else
	{
		work->job.role = pool_strdup(request->pool, session->role);
		work->job.stamp = pool_strdup(request->pool, session->stamp);
	}
	return true;
}

static bool
handle_get(WebRequest *request, const char *what, const char *query)
{
	Work	   *work = new_work(request, then_answer);
	WebSession *session;
	const char *arguments = arguments_json(request->pool, query);

	work->cookie = session_cookie(request);
	session = session_of(work->cookie);
	if (!set_asker(work, session))
		return true;
	if (arguments == NULL)
	{
		web_problem(request, 400, "request refused", "the address is malformed", NULL);
		return true;
	}
	/* a token has no session, even if a cookie comes with it */
	if (work->cookie == NULL)
		session = NULL;
	if (!set_question(work, what, session, arguments))
	{
		web_problem(request, 404, "not found", NULL, NULL);
		return true;
	}
	return false;
}

/* Does a POST come from our own pages?  Browsers say where it comes from. */
static bool
is_of_our_pages(const WebRequest *request)
{
	const char *site = request_header(&request->raw, "sec-fetch-site");
	const char *origin = request_header(&request->raw, "origin");
	const char *host = request_header(&request->raw, "host");
	const char *type = request_header(&request->raw, "content-type");

	if (site != NULL && strcasecmp(site, "same-origin") != 0)
		return false;
	if (origin != NULL)
	{
		const char *name = strstr(origin, "://");

		if (name == NULL || host == NULL || strcasecmp(name + 3, host) != 0)
			return false;
	}
	/* a form of another site cannot send this type without asking */
	return type != NULL && strncasecmp(type, JSON, strlen(JSON)) == 0;
}

static bool
csrf_is_right(const WebRequest *request, const WebSession *session)
{
	const char *token = request_header(&request->raw, "x-csrf-token");

	return token != NULL && strlen(token) == WEB_TOKEN_SIZE - 1 &&
		CRYPTO_memcmp(token, session->csrf, WEB_TOKEN_SIZE - 1) == 0;
}

static bool
handle_post(WebRequest *request, const char *what)
{
	const char *cookie = session_cookie(request);
	WebSession *session = session_of(cookie);
	Work	   *work;

	if (!is_of_our_pages(request) || memchr(request->raw.body, '\0', request->raw.body_len) != NULL)
	{
		web_problem(request, 403, "not a request of these pages", NULL, NULL);
		return true;
	}
	if (strcmp(what, "login") == 0)
		return handle_login(request);
	if (session == NULL)
	{
		web_problem(request, 401, "log in", NULL, NULL);
		return true;
	}
	if (!csrf_is_right(request, session))
	{
		web_problem(request, 403, "the CSRF token is missing or wrong", NULL, NULL);
		return true;
	}
	if (strcmp(what, "logout") == 0)
	{
		web_session_end(cookie);
		web_answer(request, 200, JSON, "{}", 2);
		add_session_cookie(request, "", true);
		return true;
	}
	if (!starts_with(what, "admin/") || !is_name(what + 6) || session->link[0] != '\0')
	{
		web_problem(request, 404, "not found", NULL, NULL);
		return true;
	}
	work = new_work(request, then_answer);
	work->cookie = cookie;
	/* tokens are read-only: they have no session */
	work->job.role = pool_strdup(request->pool, session->role);
	work->job.stamp = pool_strdup(request->pool, session->stamp);
	work->job.write = true;
	set_query(work, CALL_QUERY, what + 6,
			  request->raw.body_len > 0 ?
			  pool_strndup(request->pool, request->raw.body, request->raw.body_len) : "{}", 0, 2);
	return false;
}

static void
wrong_method(WebRequest *request, const char *allowed)
{
	web_problem(request, 405, "method not allowed", NULL, NULL);
	answer_add_header(&request->answer, "Allow", allowed);
}

bool
web_handle(WebRequest *request)
{
	const char *target = request->raw.target;
	size_t		len = strcspn(target, "?#");
	const char *path = pool_strndup(request->pool, target, len);
	const char *query = target[len] == '?' ?
		pool_strndup(request->pool, target + len + 1, strcspn(target + len + 1, "#")) : "";
	bool		get = strcmp(request->raw.method, "GET") == 0 ||
		strcmp(request->raw.method, "HEAD") == 0;
	bool		post = strcmp(request->raw.method, "POST") == 0;
	bool		api = starts_with(path, "/api/");

	if (!get && !(post && api))
	{
		wrong_method(request, api ? "GET, HEAD, POST" : "GET, HEAD");
		return true;
	}
	if (!api && !starts_with(path, "/public/"))
	{
		if (strcmp(path, "/healthz") == 0)
			web_answer(request, web_pool_is_connected() ? 200 : 503, "text/plain; charset=utf-8",
					   web_pool_is_connected() ? "ok\n" : "PostgreSQL is away\n",
					   web_pool_is_connected() ? 3 : 19);
		else
			web_files_answer(request, path, config->web_root);
		return true;
	}
	if (!request->secure)
	{
		web_problem(request, 403, "TLS is needed",
					"Passwords and statistics go by TLS only, or within one machine.",
					"Put a web server with TLS in front, one of trusted_proxies, that sets"
					" X-Forwarded-Proto.");
		return true;
	}
	if (!api)
		return handle_public(request, path + strlen("/public/"));
	if (get)
		return handle_get(request, path + strlen("/api/"), query);
	return handle_post(request, path + strlen("/api/"));
}

void
web_go(WebRequest *request)
{
	Work	   *work = request->work;

	if (work->is_login)
		web_login(&work->login);
	else
		web_pool_submit(&work->job);
}

/*
 * ---- Life ----
 */

static void
sweep(void *context)
{
	(void) context;
	web_sessions_sweep(loop_now(), config->web_session_idle, config->web_session_max);
	sweep_timer.at = loop_now() + SWEEP_INTERVAL;
}

void
web_start(const Config *new_config)
{
	config = new_config;
	web_pool_start(config);
	web_login_start(config);
	sweep_timer.callback = sweep;
	sweep_timer.at = loop_now() + SWEEP_INTERVAL;
	loop_add_timer(&sweep_timer);
}

bool
web_is_empty(void)
{
	return web_pool_is_empty() && web_login_is_empty();
}

void
web_stop(void)
{
	web_pool_stop();
}
