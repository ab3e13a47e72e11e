/*
 * http.c
 *		Libmicrohttpd in the loop: connections, requests, answers.
 *
 * libmicrohttpd gives its epoll descriptor, which the loop watches.  A request that
 * waits for PostgreSQL is suspended, in the last call of the handler and not in
 * the first, after which libmicrohttpd would close the connection; its answer is
 * queued while it is suspended.  Resuming does not wake the epoll descriptor, so
 * http_prepare() runs libmicrohttpd after it.
 */
#include <errno.h>
#include <microhttpd.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "answer.h"
#include "batch.h"
#include "files.h"
#include "http.h"
#include "limits.h"
#include "log.h"
#include "loop.h"
#include "metrics.h"
#include "optout.h"
#include "peers.h"
#include "request.h"
#include "text.h"
#include "web.h"

/* More headers than this make a request malformed. */
#define HEADERS_MAX 200

/* Connections taken from a listening socket in a round. */
#define ACCEPT_MAX 64

/* ms without new connections after an error, such as too many open files. */
#define ACCEPT_PAUSE 200

/* ms between two looks for slow clients. */
#define SLOW_INTERVAL 1000

/* A connection of a client. */
typedef struct Client
{
	struct Client *next;
	struct Client *previous;
	struct MHD_Connection *connection;
	Peer		peer;
	bool		trusted;
	bool		counted;		/* in limits */
	int64_t		since;			/* when it began to wait for the current
								 * request */
	bool		busy;			/* a request has come and is not answered */
} Client;

/* A request and its answer. */
typedef struct Exchange
{
	Pool	   *pool;
	char	   *target;
	Client	   *client;
	struct MHD_Connection *connection;
	bool		begun;			/* the handler was called */
	bool		too_long;
	bool		no_room;		/* bodies under way have no room for its own */
	bool		suspended;
	Text		body;
	Request    *request;
	WebRequest *web;			/* of the web pages, instead of a request */
} Exchange;

static const Config *config;
static struct MHD_Daemon *daemon_;
static PeerList *trusted;
static PeerList *metrics_readers;
static Client *clients;
static Watch **listeners;
static int *listen_sockets;
static int	nlisteners;
static Timer slow_timer;
static Timer accept_timer;
static bool resumed;			/* libmicrohttpd has something to do */
static bool started;			/* on_connection() was told of a new one */
static bool listening;
static size_t bodies;			/* bytes of bodies that are coming */
static bool closing;

/*
 * ---- Answers ----
 */

static bool
send_answer(Exchange *exchange, const Answer *answer)
{
	struct MHD_Response *response =
		MHD_create_response_from_buffer(answer->body_len, (void *) (uintptr_t) answer->body,
										answer->body_is_constant ? MHD_RESPMEM_PERSISTENT :
										MHD_RESPMEM_MUST_COPY);
	bool		good;

	if (response == NULL)
		return false;
	for (int i = 0; i < answer->nheaders; i++)
		(void) MHD_add_response_header(response, answer->headers[i].name,
									   answer->headers[i].value);
	if (closing)
		(void) MHD_add_response_header(response, "Connection", "close");
	good = MHD_queue_response(exchange->connection, (unsigned int) answer->status,
							  response) == MHD_YES;
	MHD_destroy_response(response);
	return good;
}

/* A request that cannot be read further; the connection is closed after it. */
static enum MHD_Result
refuse(Exchange *exchange, int status, const char *text)
{
	static const Request nothing = {.get = true};
	Answer		answer;

	metrics.refused++;
	answer_text(&nothing, status, text, &answer);
	answer_add_header(&answer, "Connection", "close");
	return send_answer(exchange, &answer) ? MHD_YES : MHD_NO;
}

/* A request that the client may send again in a second. */
static enum MHD_Result
refuse_for_now(Exchange *exchange, int status, const char *text)
{
	static const Request nothing = {.get = true};
	Answer		answer;

	metrics.refused++;
	answer_text(exchange->request != NULL ? exchange->request : &nothing, status, text, &answer);
	answer_add_header(&answer, "Retry-After", "1");
	return send_answer(exchange, &answer) ? MHD_YES : MHD_NO;
}

/* PostgreSQL, or the spool, has taken the hit, or none of them can. */
static void
hit_done(Hit *hit)
{
	Exchange   *exchange = hit->owner;
	Answer		answer;

	metrics_observe_latency(loop_wall_time() - hit->arrival);
	answer_hit(exchange->request, &hit->result, &answer);
	(void) send_answer(exchange, &answer);
	if (exchange->suspended)
	{
		exchange->suspended = false;
		MHD_resume_connection(exchange->connection);
		resumed = true;
	}
}

/*
 * ---- Requests ----
 */

static void
free_body(Exchange *exchange)
{
	bodies -= exchange->body.len;
	text_free(&exchange->body);
}

typedef struct HeaderList
{
	int			n;
	bool		bad;			/* too many, a name that is no token, or a
								 * value with a line's end */
	RequestHeader headers[HEADERS_MAX];
} HeaderList;

static bool
is_token(const char *name, size_t len)
{
	if (len == 0)
		return false;
	for (size_t i = 0; i < len; i++)
	{
		unsigned char c = (unsigned char) name[i];

		if (c <= ' ' || c >= 0x7f || strchr("\"(),/:;<=>?@[\\]{}", c) != NULL)
			return false;
	}
	return true;
}

static enum MHD_Result
add_header(void *context, enum MHD_ValueKind kind, const char *name, size_t name_len,
		   const char *value, size_t value_len)
{
	HeaderList *list = context;

	(void) kind;
	if (list->n == HEADERS_MAX || !is_token(name, name_len) ||
		(value != NULL && (memchr(value, '\0', value_len) != NULL ||
						   memchr(value, '\r', value_len) != NULL ||
						   memchr(value, '\n', value_len) != NULL)))
	{
		list->bad = true;
		return MHD_NO;
	}
	list->headers[list->n].name = name;
	list->headers[list->n++].value = value != NULL ? value : "";
	return MHD_YES;
}

static void
get_headers(Exchange *exchange, HeaderList *list)
{
	list->n = 0;
	list->bad = false;
	(void) MHD_get_connection_values_n(exchange->connection, MHD_HEADER_KIND, add_header, list);
}

/*
 * Are the length of the body and the host told once and plainly?  What a proxy in
 * front could read in another way is refused.
 */
static bool
framing_is_plain(const HeaderList *list, const char *version, uint64_t *length)
{
	int			lengths = 0;
	int			encodings = 0;
	int			hosts = 0;

	*length = 0;
	for (int i = 0; i < list->n; i++)
	{
		const char *value = list->headers[i].value;

		if (strcasecmp(list->headers[i].name, "content-length") == 0)
		{
			size_t		digits = strspn(value, "0123456789");

			if (digits == 0 || digits > 18 || value[digits] != '\0')
				return false;
			*length = strtoull(value, NULL, 10);
			lengths++;
		}
		else if (strcasecmp(list->headers[i].name, "transfer-encoding") == 0)
		{
			/* HTTP/1.0 does not know it (RFC 9112, section 6.1) */
			if (strcasecmp(value, "chunked") != 0 || strcmp(version, "HTTP/1.0") == 0)
				return false;
			encodings++;
		}
		else if (strcasecmp(list->headers[i].name, "host") == 0)
			hosts++;
	}
	return lengths + encodings <= 1 && hosts <= 1;
}

/* The first call of the handler: may the rest of the request come? */
static enum MHD_Result
begin(Exchange *exchange, const char *version)
{
	const union MHD_ConnectionInfo *info;
	HeaderList	list;
	uint64_t	length;
	Client	   *client;

	exchange->begun = true;
	info = MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	client = exchange->client = info->socket_context;
	if (client == NULL)
		return MHD_NO;
	info = MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
	if (info != NULL && info->header_size > (size_t) config->header_max)
		return refuse(exchange, 431, "header is too long\n");
	get_headers(exchange, &list);
	if (list.bad || !starts_with(version, "HTTP/1.") ||
		!framing_is_plain(&list, version, &length))
		return refuse(exchange, 400, "malformed request\n");
	if (length > (uint64_t) config->body_max)
		return refuse(exchange, 413, "body is too long\n");
	return MHD_YES;
}

/*
 * Whom a request comes from: behind a proxy the last address of the list that is no
 * proxy of ours.  False: a proxy itself.
 */
static bool
read_sender(const Client *client, const char *list, Peer *peer)
{
	*peer = client->peer;
	if (!client->trusted)
		return true;
	for (size_t end = list != NULL ? strlen(list) : 0; end > 0;)
	{
		size_t		start = end;

		while (start > 0 && list[start - 1] != ',')
			start--;
		if (peer_parse(list + start, end - start, peer) && !peer_list_has(trusted, peer))
			return true;
		end = start > 0 ? start - 1 : 0;
	}
	*peer = client->peer;
	return false;
}

/* Is the address within its limit?  A proxy itself has none. */
static bool
is_within_limit(const Client *client, const char *list)
{
	Peer		peer;

	return !read_sender(client, list, &peer) ||
		limits_request(&peer, config->requests_per_address, loop_now());
}

static void
answer_metrics(const Exchange *exchange, const HeaderList *list, Answer *answer)
{
	Text text = {0};

	/* behind a proxy everybody would be one of those who may */
	if (!peer_list_has(metrics_readers, &exchange->client->peer) ||
		request_is_passed_on(list->headers, list->n))
	{
		answer_text(exchange->request, 404, "not found\n", answer);
		return;
	}
	batch_count();
	metrics_write(&text, &metrics);
	answer_text(exchange->request, 200, pool_strndup(exchange->pool, text.data, text.len), answer);
	for (int i = 0; i < answer->nheaders; i++)
	{
		if (strcmp(answer->headers[i].name, "Content-Type") == 0)
			answer->headers[i].value = "text/plain; version=0.0.4; charset=utf-8";
	}
	text_free(&text);
}

/* Requests that ask for no hit. */
static void
answer_page(const Exchange *exchange, const HeaderList *list, Answer *answer)
{
	const Request *request = exchange->request;

	metrics.pages++;
	switch (request->kind)
	{
		case REQUEST_SCRIPT:
			files_answer(request, config->scripts, batch_facts(), answer);
			break;
		case REQUEST_OPT_OUT:
		case REQUEST_OPT_OUT_SCRIPT:
			optout_answer(request, batch_facts(), answer);
			break;
		case REQUEST_METRICS:
			answer_metrics(exchange, list, answer);
			break;
		case REQUEST_HEALTH:
			if (batch_can_take())
				answer_text(request, 200, "ok\n", answer);
			else
				answer_text(request, 503, "PostgreSQL is away\n", answer);
			break;
		default:
			answer_other(request, answer);
			break;
	}
}

/* A request for the web pages is answered. */
static void
web_done(WebRequest *web)
{
	Exchange   *exchange = web->owner;

	(void) send_answer(exchange, &web->answer);
	exchange->suspended = false;
	MHD_resume_connection(exchange->connection);
	resumed = true;
}

/* The request is here, and the daemon is one of the web pages. */
static enum MHD_Result
handle_web(Exchange *exchange, const char *method)
{
	const Client *client = exchange->client;
	WebRequest *web = pool_alloc(exchange->pool, sizeof(WebRequest));
	HeaderList	list;
	const char *forwarded;

	get_headers(exchange, &list);
	memset(web, 0, sizeof(WebRequest));
	exchange->web = web;
	web->pool = exchange->pool;
	web->owner = exchange;
	web->done = web_done;
	web->raw = (RawRequest)
	{
		.method = method,.target = exchange->target,.nheaders = list.n,.headers = list.headers,
			.body = pool_strndup(exchange->pool, exchange->body.data != NULL ?
								 exchange->body.data : "", exchange->body.len),
			.body_len = exchange->body.len,.peer = "",.trusted = client->trusted
	};
	free_body(exchange);
	if (exchange->too_long)
		return refuse(exchange, 413, "body is too long\n");
	if (exchange->no_room)
		return refuse_for_now(exchange, 503, "too many bodies at once\n");
	forwarded = request_joined_header(exchange->pool, &web->raw, "x-forwarded-for");
	if (!is_within_limit(client, forwarded))
		return refuse_for_now(exchange, 429, "too many requests\n");
	(void) read_sender(client, forwarded, &web->peer);
	web->https = request_was_https(&web->raw);
	web->secure = web->https || ((client->peer.local || peer_is_loopback(&client->peer)) &&
								 !request_is_passed_on(list.headers, list.n));
	if (web_handle(web))
		return send_answer(exchange, &web->answer) ? MHD_YES : MHD_NO;
	MHD_suspend_connection(exchange->connection);
	exchange->suspended = true;
	web_go(web);
	return MHD_YES;
}

/* The request is here: answer it, or hand its hit on. */
static enum MHD_Result
handle(Exchange *exchange, const char *method)
{
	HeaderList	list;
	char		address[INET6_ADDRSTRLEN];
	RawRequest	raw;
	Request    *request;
	Answer		answer;

	get_headers(exchange, &list);
	peer_format(&exchange->client->peer, address);
	raw = (RawRequest)
	{
		.method = method,.target = exchange->target,.nheaders = list.n,.headers = list.headers,
			.body = exchange->body.data != NULL ? exchange->body.data : "",
			.body_len = exchange->body.len,.peer = address,.trusted = exchange->client->trusted
	};
	request = exchange->request = request_read(exchange->pool, &raw, batch_facts());
	explicit_bzero(address, sizeof(address));
	if (request->forwarded_ignored)
	{
		if (metrics.untrusted_forwarded++ == 0)
			log_line(LOG_LEVEL_WARNING, LOG_ALWAYS,
					 "headers of a proxy came from an address that is not in trusted_proxies;"
					 " they are ignored");
	}
	free_body(exchange);
	if (exchange->too_long)
		return refuse(exchange, 413, "body is too long\n");
	if (exchange->no_room)
		return refuse_for_now(exchange, 503, "too many bodies at once\n");
	if (!is_within_limit(exchange->client, request->forwarded_for))
		return refuse_for_now(exchange, 429, "too many requests\n");
	if (request->kind != REQUEST_HIT && request->kind != REQUEST_DOCUMENT)
	{
		answer_page(exchange, &list, &answer);
		return send_answer(exchange, &answer) ? MHD_YES : MHD_NO;
	}
	request->hit->arrival = loop_wall_time();
	request->hit->owner = exchange;
	request->hit->done = hit_done;
	/* without the settings its headers cannot be chosen */
	if (!config->tracking || !batch_facts()->known)
	{
		request->hit->result.outcome = HIT_UNAVAILABLE;
		answer_hit(request, &request->hit->result, &answer);
		return send_answer(exchange, &answer) ? MHD_YES : MHD_NO;
	}
	MHD_suspend_connection(exchange->connection);
	exchange->suspended = true;
	batch_submit(request->hit);
	return MHD_YES;
}

static enum MHD_Result
on_request(void *context, struct MHD_Connection *connection, const char *url,
		   const char *method, const char *version, const char *data, size_t *data_size,
		   void **request_context)
{
	Exchange   *exchange = *request_context;

	(void) context;
	(void) url;
	exchange->connection = connection;
	if (!exchange->begun)
		return begin(exchange, version);
	if (*data_size > 0)
	{
		/* the rest is read and forgotten: no answer may come before its end */
		if (exchange->body.len + *data_size > (size_t) config->body_max)
			exchange->too_long = true;
		else if (bodies + *data_size > (size_t) config->queue_max_size)
			exchange->no_room = true;
		else if (!exchange->too_long && !exchange->no_room)
		{
			text_add(&exchange->body, data, *data_size);
			bodies += *data_size;
		}
		*data_size = 0;
		return MHD_YES;
	}
	/* it was answered, and libmicrohttpd calls once more */
	if (exchange->request != NULL || exchange->web != NULL)
		return MHD_YES;
	/* all of it has come in time */
	exchange->client->busy = true;
	return config->web_root[0] != '\0' ? handle_web(exchange, method) : handle(exchange, method);
}

/* The first line has come: the target as the client wrote it. */
static void *
on_target(void *context, const char *target, struct MHD_Connection *connection)
{
	Exchange   *exchange;
	Pool	   *pool = pool_create();

	(void) context;
	exchange = pool_alloc(pool, sizeof(Exchange));
	memset(exchange, 0, sizeof(Exchange));
	exchange->pool = pool;
	exchange->connection = connection;
	exchange->target = pool_strdup(pool, target);
	return exchange;
}

static void
on_completed(void *context, struct MHD_Connection *connection, void **request_context,
			 enum MHD_RequestTerminationCode code)
{
	Exchange   *exchange = *request_context;

	(void) context;
	(void) connection;
	(void) code;
	if (exchange == NULL)
		return;
	*request_context = NULL;
	if (exchange->client != NULL)
	{
		exchange->client->busy = false;
		exchange->client->since = loop_now();
	}
	free_body(exchange);
	pool_free(exchange->pool);
}

/*
 * ---- Connections ----
 */

static void
on_connection(void *context, struct MHD_Connection *connection, void **socket_context,
			  enum MHD_ConnectionNotificationCode code)
{
	Client	   *client = *socket_context;

	(void) context;
	if (code == MHD_CONNECTION_NOTIFY_STARTED)
	{
		const union MHD_ConnectionInfo *info =
			MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

		client = must_alloc(sizeof(Client));
		client->connection = connection;
		client->since = loop_now();
		peer_read(&client->peer, info->client_addr);
		client->trusted = peer_list_has(trusted, &client->peer);
		client->counted = !client->trusted;
		client->next = clients;
		if (clients != NULL)
			clients->previous = client;
		clients = client;
		*socket_context = client;
		metrics.connections++;
		started = true;
		return;
	}
	if (client == NULL)
		return;
	if (client->next != NULL)
		client->next->previous = client->previous;
	if (client->previous != NULL)
		client->previous->next = client->next;
	else
		clients = client->next;
	if (client->counted)
		limits_close(&client->peer);
	explicit_bzero(client, sizeof(Client));
	free(client);
	*socket_context = NULL;
	metrics.connections--;
}

/* Ends a connection; libmicrohttpd notices it by its socket. */
static void
cut_off(Client *client)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(client->connection, MHD_CONNECTION_INFO_CONNECTION_FD);

	(void) shutdown(info->connect_fd, SHUT_RDWR);
}

/* Connections whose next request takes too long to come. */
static void
look_for_slow_clients(void *context)
{
	int64_t		limit = loop_now() - config->request_timeout;

	(void) context;
	for (Client *client = clients; client != NULL; client = client->next)
	{
		if (client->since < limit && !client->busy)
		{
			metrics.refused++;
			client->since = loop_now();
			cut_off(client);
		}
	}
	limits_forget(loop_now());
	slow_timer.at = loop_now() + SLOW_INTERVAL;
}

static void
listen_on(bool on)
{
	for (int i = 0; i < nlisteners; i++)
		loop_set_events(listeners[i], on ? POLLIN : 0);
}

static void
accept_again(void *context)
{
	(void) context;
	listen_on(true);
}

static void
on_listener(void *context, short events)
{
	int			listener = *(int *) context;

	(void) events;
	for (int i = 0; i < ACCEPT_MAX; i++)
	{
		struct sockaddr_storage address;
		socklen_t	len = sizeof(address);
		Peer		peer;
		int			on = 1;
		int			fd = accept4(listener, (struct sockaddr *) &address, &len,
								 SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0)
		{
			if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED)
				return;
			log_line(LOG_LEVEL_ERROR, LOG_LIMIT, "could not accept a connection: %s",
					 strerror(errno));

			/*
			 * there is still somebody: without a pause the loop would not
			 * rest
			 */
			listen_on(false);
			accept_timer.at = loop_now() + ACCEPT_PAUSE;
			return;
		}
		peer_read(&peer, (struct sockaddr *) &address);
		if (metrics.connections >= (uint64_t) config->connections_max ||
			(!peer_list_has(trusted, &peer) &&
			 !limits_open(&peer, config->connections_per_address)))
		{
			metrics.refused++;
			close(fd);
			continue;
		}
		/* a Unix socket without a name */
		if (address.ss_family == AF_UNIX && len < sizeof(sa_family_t) + 1)
			len = sizeof(sa_family_t) + 1;
		if (address.ss_family != AF_UNIX)
			(void) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		started = false;
		if (MHD_add_connection(daemon_, fd, (struct sockaddr *) &address, len) != MHD_YES &&
			!started && !peer_list_has(trusted, &peer))
			limits_close(&peer);
		resumed = true;
	}
}

static void
on_epoll(void *context, short events)
{
	(void) context;
	(void) events;
	resumed = true;
}

int64_t
http_prepare(void)
{
	MHD_UNSIGNED_LONG_LONG wait;

	while (resumed)
	{
		resumed = false;
		(void) MHD_run(daemon_);
		/* what has come goes out at once, and may be answered at once */
		if (config->web_root[0] == '\0')
			batch_prepare();
	}
	if (MHD_get_timeout(daemon_, &wait) == MHD_NO)
		return -1;
	if (wait == 0)
		resumed = true;
	return (int64_t) wait;
}

/*
 * ---- Life ----
 */

static void
ignore_message(void *context, const char *format, va_list args)
{
	/* it may quote what a client sent */
	(void) context;
	(void) format;
	(void) args;
}

void
http_reload(void)
{
	char		bad[100];

	/* check_config() has seen that they can be read */
	peer_list_free(trusted);
	peer_list_free(metrics_readers);
	trusted = peer_list_read(config->trusted_proxies, bad, sizeof(bad));
	metrics_readers = peer_list_read(config->metrics_allow, bad, sizeof(bad));
	for (Client *client = clients; client != NULL; client = client->next)
		client->trusted = peer_list_has(trusted, &client->peer);
}

void
http_start(const Config *new_config, const int *sockets, int nsockets)
{
	const union MHD_DaemonInfo *info;

	config = new_config;
	http_reload();

	/*
	 * Memory of a connection: the target and the headers, what libmicrohttpd
	 * makes of them, and the answer's.  It is cleared for each request, so
	 * more costs time.
	 */
	daemon_ = MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET |
							   MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG,
							   0, NULL, NULL, on_request, NULL,
							   MHD_OPTION_EXTERNAL_LOGGER, ignore_message, NULL,
							   MHD_OPTION_CONNECTION_MEMORY_LIMIT,
							   (size_t) (2 * config->header_max),
							   MHD_OPTION_CONNECTION_TIMEOUT,
							   (unsigned int) (config->keepalive_timeout / 1000),
							   MHD_OPTION_CONNECTION_LIMIT,
							   (unsigned int) config->connections_max,
							   MHD_OPTION_STRICT_FOR_CLIENT, 1,
							   MHD_OPTION_URI_LOG_CALLBACK, on_target, NULL,
							   MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
							   MHD_OPTION_NOTIFY_CONNECTION, on_connection, NULL,
							   MHD_OPTION_END);
	if (daemon_ == NULL)
		fail("could not start libmicrohttpd");
	info = MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_EPOLL_FD);
	(void) loop_watch(info->epoll_fd, POLLIN, on_epoll, NULL);
	nlisteners = nsockets;
	listeners = must_alloc((size_t) nsockets * sizeof(Watch *));
	listen_sockets = must_alloc((size_t) nsockets * sizeof(int));
	memcpy(listen_sockets, sockets, (size_t) nsockets * sizeof(int));
	slow_timer.callback = look_for_slow_clients;
	slow_timer.at = loop_now() + SLOW_INTERVAL;
	loop_add_timer(&slow_timer);
	accept_timer.callback = accept_again;
	loop_add_timer(&accept_timer);
}

void
http_listen(void)
{
	if (listening || closing)
		return;
	listening = true;
	for (int i = 0; i < nlisteners; i++)
		listeners[i] = loop_watch(listen_sockets[i], POLLIN, on_listener, &listen_sockets[i]);
}

void
http_close_listeners(void)
{
	/*
	 * who has come is served: connections that wait here, and requests that
	 * were sent
	 */
	for (int i = 0; listening && i < nlisteners; i++)
		on_listener(&listen_sockets[i], POLLIN);
	(void) MHD_run(daemon_);
	closing = true;
	for (int i = 0; i < nlisteners; i++)
	{
		if (listening)
			loop_unwatch(listeners[i]);
		close(listen_sockets[i]);
	}
	nlisteners = 0;
	for (Client *client = clients; client != NULL; client = client->next)
	{
		if (!client->busy)
			cut_off(client);
	}
}

void
http_stop(void)
{
	MHD_stop_daemon(daemon_);
	peer_list_free(trusted);
	peer_list_free(metrics_readers);
}
