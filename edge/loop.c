/*
 * loop.c
 *		The one poll() loop.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "log.h"
#include "loop.h"
#include "text.h"

struct Watch
{
	int			place;			/* in the array below */
	bool		removed;
	WatchCallback callback;
	void	   *context;
	Watch	   *next_removed;
};

static struct pollfd *fds;
static Watch **watches;
static int	nwatches;
static int	room;
static Watch *removed_watches;
static Timer *timers;
static int64_t now_ms;
static bool stopped;

static void
read_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	now_ms = (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t
loop_now(void)
{
	if (now_ms == 0)
		read_clock();
	return now_ms;
}

int64_t
loop_wall_time(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t) now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

Watch *
loop_watch(int fd, short events, WatchCallback callback, void *context)
{
	Watch	   *watch = must_alloc(sizeof(Watch));

	if (nwatches == room)
	{
		room = room > 0 ? 2 * room : 16;
		fds = must_realloc(fds, (size_t) room * sizeof(struct pollfd));
		watches = must_realloc(watches, (size_t) room * sizeof(Watch *));
	}
	watch->place = nwatches;
	watch->callback = callback;
	watch->context = context;
	fds[nwatches] = (struct pollfd)
	{
		.fd = fd,.events = events
	};
	watches[nwatches++] = watch;
	return watch;
}

void
loop_set_events(Watch *watch, short events)
{
	fds[watch->place].events = events;
}

/* It is freed, and the array closed, when no callback runs. */
void
loop_unwatch(Watch *watch)
{
	if (watch->removed)
		return;
	watch->removed = true;
	fds[watch->place].fd = -1;
	watch->next_removed = removed_watches;
	removed_watches = watch;
}

static void
free_removed(void)
{
	while (removed_watches != NULL)
	{
		Watch	   *watch = removed_watches;
		int			last = --nwatches;

		removed_watches = watch->next_removed;
		fds[watch->place] = fds[last];
		watches[watch->place] = watches[last];
		watches[watch->place]->place = watch->place;
		free(watch);
	}
}

void
loop_add_timer(Timer *timer)
{
	timer->next = timers;
	timers = timer;
}

static void
run_timers(void)
{
	for (Timer *timer = timers; timer != NULL; timer = timer->next)
	{
		if (timer->at != 0 && timer->at <= now_ms)
		{
			timer->at = 0;
			timer->callback(timer->context);
		}
	}
}

void
loop_run(LoopPrepare prepare, void *context)
{
	stopped = false;
	while (!stopped)
	{
		int64_t		wait;
		int			ready;

		read_clock();
		run_timers();
		wait = prepare(context);
		if (stopped)
			break;
		for (Timer *timer = timers; timer != NULL; timer = timer->next)
		{
			int64_t		left = timer->at > now_ms ? timer->at - now_ms : 0;

			if (timer->at != 0 && (wait < 0 || left < wait))
				wait = left;
		}
		free_removed();
		ready = poll(fds, (nfds_t) nwatches, wait > 60000 ? 60000 : (int) wait);
		if (ready < 0 && errno != EINTR)
			fail("could not wait for events: %s", strerror(errno));
		read_clock();
		for (int i = 0; ready > 0 && i < nwatches; i++)
		{
			short		events = fds[i].revents;

			if (events == 0)
				continue;
			ready--;
			if (!watches[i]->removed)
				watches[i]->callback(watches[i]->context, events);
		}
	}
}

void
loop_stop(void)
{
	stopped = true;
}
