/*
 * main.c
 *		pk_tracking_httpd, which takes hits by HTTP and records them by pk_tracking:
 *		its life.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <netdb.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <poll.h>

#include "batch.h"
#include "check.h"
#include "config.h"
#include "drain.h"
#include "http.h"
#include "log.h"
#include "loop.h"
#include "peers.h"
#include "sample.h"
#include "service.h"
#include "text.h"
#include "web.h"

#define DEFAULT_CONFIG "/etc/pk_tracking/httpd.conf"
#define SOCKETS_MAX 16

/* ms that open requests have to end after a signal to stop. */
#define STOP_TIMEOUT 30000

/* ms for which requests wait at the start for PostgreSQL and the settings. */
#define START_TIMEOUT 10000

/* Files that are open besides those of clients: PostgreSQL, the spool, scripts. */
#define FILES_RESERVED 100

static Config *config;
static const char *config_path;
static int	sockets[SOCKETS_MAX];
static int	nsockets;
static bool local;				/* it listens on loopback and sockets only */
static bool ready;
static bool stopping;
static Timer stop_timer;
static Timer watchdog_timer;
static Timer listen_timer;

static void
report_error(const char *message)
{
	log_line(LOG_LEVEL_ERROR, LOG_ALWAYS, "%s", message);
}

static int
bound_socket(int family, const struct sockaddr *address, socklen_t len, const char *name)
{
	int			on = 1;
	int			fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		fail("could not make a socket for \"%s\": %s", name, strerror(errno));
	if (family != AF_UNIX)
		(void) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, address, len) != 0 || listen(fd, SOMAXCONN) != 0)
		fail("could not listen on \"%s\": %s", name, strerror(errno));
	return fd;
}

/* Removes a socket on which nobody listens: it is left from an earlier run. */
static void
remove_dead_socket(const struct sockaddr_un *address)
{
	struct stat st;
	int			fd;

	if (lstat(address->sun_path, &st) != 0 || !S_ISSOCK(st.st_mode))
		return;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (connect(fd, (const struct sockaddr *) address, sizeof(*address)) != 0 &&
		errno == ECONNREFUSED)
		(void) unlink(address->sun_path);
	close(fd);
}

static void
listen_on_path(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof(address.sun_path))
		fail("path of socket \"%s\" is too long", path);
	strcpy(address.sun_path, path);
	remove_dead_socket(&address);
	sockets[nsockets++] = bound_socket(AF_UNIX, (struct sockaddr *) &address, sizeof(address),
									   path);
	/* the web server in front has a user of its own */
	(void) chmod(path, 0666);
}

static void
listen_on_address(char *item)
{
	char	   *name = must_strdup(item);
	char	   *host;
	char	   *port;
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM,.ai_flags = AI_PASSIVE};
	struct addrinfo *found;
	int			error;

	(void) split_listen_address(item, &host, &port);
	error = getaddrinfo(host, port, &hints, &found);
	if (error != 0)
		fail("could not resolve \"%s\": %s", name, gai_strerror(error));
	for (struct addrinfo *a = found; a != NULL && nsockets < SOCKETS_MAX; a = a->ai_next)
	{
		sockets[nsockets++] = bound_socket(a->ai_family, a->ai_addr, a->ai_addrlen, name);
		/* one is enough where a name has several */
		if (host != NULL)
			break;
	}
	freeaddrinfo(found);
	free(name);
}

static void
open_sockets(void)
{
	char	   *list = must_strdup(config->listen);
	char	   *rest = list;
	char	   *item;
	char		error[200];

	nsockets = service_sockets(sockets, SOCKETS_MAX, error, sizeof(error));
	if (nsockets < 0)
		fail("%s", error);
	if (nsockets > 0)
	{
		free(list);
		return;
	}

	while ((item = strsep(&rest, ", \t")) != NULL)
	{
		if (*item == '\0')
			continue;
		if (nsockets == SOCKETS_MAX)
			fail("option \"listen\" has more than %d addresses", SOCKETS_MAX);
		if (*item == '/')
			listen_on_path(item);
		else
			listen_on_address(item);
	}
	free(list);
	if (nsockets == 0)
		fail("option \"listen\" has no address");
}

static void
drop_root(void)
{
	struct passwd *user;
	gid_t		group;

	if (geteuid() != 0)
		return;
	if (config->user[0] == '\0')
		fail("started as root: option \"user\" must say which user to become");
	user = getpwnam(config->user);
	if (user == NULL || user->pw_uid == 0)
		fail("user \"%s\" does not exist, or is root", config->user);
	group = user->pw_gid;
	if (config->group[0] != '\0')
	{
		struct group *entry = getgrnam(config->group);

		if (entry == NULL)
			fail("group \"%s\" does not exist", config->group);
		group = entry->gr_gid;
	}
	if (initgroups(config->user, group) != 0 || setgid(group) != 0 || setuid(user->pw_uid) != 0 ||
		setuid(0) == 0)
		fail("could not become user \"%s\": %s", config->user, strerror(errno));
}

static void
say_alive(void *context)
{
	(void) context;
	service_alive();
	watchdog_timer.at = loop_now() + service_watchdog();
}

/* Memory holds addresses: no core is written, and none but root may look into it. */
static void
hide_memory(void)
{
	struct rlimit none = {0, 0};

	(void) setrlimit(RLIMIT_CORE, &none);
	(void) prctl(PR_SET_DUMPABLE, 0);
}

static void
stop_now(void *context)
{
	(void) context;
	loop_stop();
}

static void
begin_to_stop(void)
{
	if (stopping)
		return;
	stopping = true;
	service_stopping();
	log_line(LOG_LEVEL_INFO, LOG_ALWAYS, "stopping");
	http_close_listeners();
	stop_timer.at = loop_now() + STOP_TIMEOUT;
}

/* Does it serve the web pages of the statistics, instead of taking hits? */
static bool
serves_pages(void)
{
	return config->web_root[0] != '\0';
}

static void
reload(void)
{
	Config	   *new_config = config_read(config_path, report_error);

	service_reloading();
	if (new_config != NULL && check_config(new_config, report_error))
	{
		config_take_over(config, new_config, report_error);
		http_reload();
		if (!serves_pages())
			drain_reload();
		log_line(LOG_LEVEL_INFO, LOG_ALWAYS, "the configuration was read again");
	}
	else
	{
		if (new_config != NULL)
			config_free(new_config);
		log_line(LOG_LEVEL_ERROR, LOG_ALWAYS, "the configuration was not changed");
	}
	if (ready)
		service_ready();
}

static void
on_signal(void *context, short events)
{
	struct signalfd_siginfo info;
	int			fd = *(int *) context;

	(void) events;
	while (read(fd, &info, sizeof(info)) == sizeof(info))
	{
		if (info.ssi_signo == SIGHUP)
			reload();
		else
			begin_to_stop();
	}
}

/* Do all connections come from this machine, that is, from a proxy? */
static bool
only_local(void)
{
	for (int i = 0; i < nsockets; i++)
	{
		struct sockaddr_storage address;
		socklen_t	len = sizeof(address);
		Peer		peer;

		if (getsockname(sockets[i], (struct sockaddr *) &address, &len) != 0)
			return false;
		peer_read(&peer, (struct sockaddr *) &address);
		if (!peer_is_loopback(&peer))
			return false;
	}
	return true;
}

static void
listen_now(void *context)
{
	(void) context;
	if (ready)
		return;
	ready = true;
	listen_timer.at = 0;
	http_listen();
	log_line(LOG_LEVEL_INFO, LOG_ALWAYS, "pk_tracking_httpd " PKT_VERSION " is ready");
	service_ready();
}

/* Can the daemon tell visitors apart? */
static bool
facts_are_good(const Facts *facts)
{
	return !local || config->direct || facts->nproxy_headers > 0;
}

/*
 * Without a header to tell them apart, all visitors behind a proxy are one.  A daemon
 * that runs goes on when the setting is taken away: it would lose what waits.
 */
static void
check_facts(const Facts *facts)
{
	static bool seen;
	bool		first = !seen;
	bool		good = facts_are_good(facts);

	seen = true;
	if (first && !good)
		fail("all visitors would have the address of the proxy: set proxy_client_headers in the"
			 " database, or, if there is no proxy, \"direct = on\"");
	if (first)
		listen_now(NULL);
	if (good)
		return;
	log_line(LOG_LEVEL_ERROR, LOG_LIMIT,
			 "proxy_client_headers is no longer set in the database: all visitors have the address"
			 " of the proxy");
}

static int64_t
prepare(void *context)
{
	int64_t		wait;

	(void) context;
	wait = http_prepare();
	if (stopping && (serves_pages() ? web_is_empty() : batch_is_empty()) && wait != 0)
		loop_stop();
	return wait;
}

static void
watch_signals(void)
{
	static int	fd;
	sigset_t	signals;

	(void) signal(SIGPIPE, SIG_IGN);
	sigemptyset(&signals);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	fd = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
	if (fd < 0)
		fail("could not watch signals: %s", strerror(errno));
	(void) loop_watch(fd, POLLIN, on_signal, &fd);
}

/* A client is an open file: as many as the system lets us have. */
static void
raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void) setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_max < (rlim_t) config->connections_max + FILES_RESERVED)
		log_line(LOG_LEVEL_WARNING, LOG_ALWAYS,
				 "the limit of open files, %llu, allows fewer connections than connections_max",
				 (unsigned long long) limit.rlim_max);
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{"config", required_argument, NULL, 'c'},
		{"check", no_argument, NULL, 'k'},
		{"sample", no_argument, NULL, 's'},
		{"version", no_argument, NULL, 'V'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0}
	};
	bool		check = false;
	int			c;

	config_path = DEFAULT_CONFIG;
	while ((c = getopt_long(argc, argv, "c:", options, NULL)) != -1)
	{
		switch (c)
		{
			case 'c':
				config_path = optarg;
				break;
			case 'k':
				check = true;
				break;
			case 's':
				sample_write(stdout);
				return 0;
			case 'V':
				puts("pk_tracking_httpd " PKT_VERSION);
				return 0;
			case 'h':
				puts("usage: pk_tracking_httpd [--config FILE] [--check]\n"
					 "       pk_tracking_httpd --sample | --version | --help");
				return 0;
			default:
				return 2;
		}
	}
	if (optind < argc)
	{
		fprintf(stderr, "pk_tracking_httpd: unknown argument \"%s\"; see --help\n", argv[optind]);
		return 2;
	}
	config = config_read(config_path, report_error);
	if (config == NULL || !check_config(config, report_error))
		return 1;
	if (check)
		return 0;
	(void) umask(077);
	raise_file_limit();
	open_sockets();
	service_open();
	drop_root();
	hide_memory();
	watch_signals();
	stop_timer.callback = stop_now;
	loop_add_timer(&stop_timer);
	watchdog_timer.callback = say_alive;
	loop_add_timer(&watchdog_timer);
	if (service_watchdog() > 0)
		say_alive(NULL);
	local = only_local();
	if (serves_pages())
		web_start(config);
	else
		batch_start(config, check_facts);
	http_start(config, sockets, nsockets);
	/* those of the last time: hits go to the spool until PostgreSQL is there */
	if (serves_pages() || (batch_facts()->known && facts_are_good(batch_facts())))
		listen_now(NULL);
	listen_timer.callback = listen_now;
	if (!ready)
		listen_timer.at = loop_now() + START_TIMEOUT;
	loop_add_timer(&listen_timer);
	loop_run(prepare, NULL);
	http_stop();
	if (serves_pages())
		web_stop();
	else
		batch_stop();
	return 0;
}
