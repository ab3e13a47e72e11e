/*
 * service.c
 *		What a daemon and systemd tell each other: sockets, readiness, watchdog.
 *
 * The protocols are datagrams to the socket that NOTIFY_SOCKET names, and
 * descriptors from 3 on, as sd_notify(3) and sd_listen_fds(3) describe them; so
 * libsystemd is not needed.
 */
#include "service.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define FIRST_SOCKET 3

static int	notify_fd = -1;
static int64_t watchdog_ms;

/* A number in the environment; -1: there is none. */
static int64_t
number_of(const char *name)
{
	const char *value = getenv(name);
	char	   *end;
	int64_t		number;

	if (value == NULL || *value < '0' || *value > '9')
		return -1;
	errno = 0;
	number = strtoll(value, &end, 10);
	return errno == 0 && *end == '\0' ? number : -1;
}

int
service_sockets(int *sockets, int max, char *error, int error_size)
{
	int64_t		count = number_of("LISTEN_FDS");
	int64_t		pid = number_of("LISTEN_PID");

	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDNAMES");
	if (count <= 0 || pid != getpid())
		return 0;
	if (count > max)
	{
		snprintf(error, (size_t) error_size, "systemd passed %" PRId64
				 " sockets, at most %d can be used", count, max);
		return -1;
	}
	for (int i = 0; i < (int) count; i++)
	{
		int			fd = FIRST_SOCKET + i;
		int			type = 0;
		int			listening = 0;
		socklen_t	size = sizeof(type);

		if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != SOCK_STREAM ||
			getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) != 0 || !listening ||
			fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 ||
			fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) != 0)
		{
			snprintf(error, (size_t) error_size,
					 "descriptor %d, which systemd passed, is no listening stream socket", fd);
			return -1;
		}
		sockets[i] = fd;
	}
	return (int) count;
}

void
service_open(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *path = getenv("NOTIFY_SOCKET");
	int64_t		usec = number_of("WATCHDOG_USEC");
	int64_t		pid = number_of("WATCHDOG_PID");
	size_t		length = path != NULL ? strlen(path) : 0;

	if (usec > 0 && (pid < 0 || pid == getpid()))
		watchdog_ms = usec / 2000 > 0 ? usec / 2000 : 1;
	if (length > 1 && length < sizeof(address.sun_path) && (path[0] == '/' || path[0] == '@'))
	{
		memcpy(address.sun_path, path, length);
		/* a name that is no file */
		if (path[0] == '@')
			address.sun_path[0] = '\0';
		notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		if (notify_fd >= 0 &&
			connect(notify_fd, (struct sockaddr *) &address,
					(socklen_t) (offsetof(struct sockaddr_un, sun_path) + length)) != 0)
		{
			close(notify_fd);
			notify_fd = -1;
		}
	}
	if (notify_fd < 0)
		watchdog_ms = 0;
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

static void
notify(const char *message)
{
	ssize_t		sent;

	if (notify_fd < 0)
		return;
	do
		sent = send(notify_fd, message, strlen(message), MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
}

void
service_ready(void)
{
	notify("READY=1\nSTATUS=ready");
}

void
service_reloading(void)
{
	char		message[100];
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(message, sizeof(message), "RELOADING=1\nMONOTONIC_USEC=%" PRId64,
			 (int64_t) now.tv_sec * 1000000 + now.tv_nsec / 1000);
	notify(message);
}

void
service_stopping(void)
{
	notify("STOPPING=1\nSTATUS=stopping");
}

void
service_status(const char *status)
{
	char		message[200];

	snprintf(message, sizeof(message), "STATUS=%s", status);
	notify(message);
}

int64_t
service_watchdog(void)
{
	return watchdog_ms;
}

void
service_alive(void)
{
	notify("WATCHDOG=1");
}
