/*
 * loop.h
 *		The one poll() loop: descriptors and timers with what they call.
 */
#ifndef EDGE_LOOP_H
#define EDGE_LOOP_H

#include <stdbool.h>
#include <stdint.h>

/* Milliseconds of the monotonic clock, read once a round. */
extern int64_t loop_now(void);

/* Microseconds since 1970, UTC. */
extern int64_t loop_wall_time(void);

typedef struct Watch Watch;
typedef void (*WatchCallback) (void *context, short events);

/* events: POLLIN, POLLOUT; a watch may be removed at any time, also by a callback. */
extern Watch *loop_watch(int fd, short events, WatchCallback callback, void *context);
extern void loop_set_events(Watch *watch, short events);
extern void loop_unwatch(Watch *watch);

typedef struct Timer
{
	int64_t		at;				/* loop_now(); 0: off */
	void		(*callback) (void *context);
	void	   *context;
	struct Timer *next;
} Timer;

/* A timer is added once, then set by its member at. */
extern void loop_add_timer(Timer *timer);

/*
 * Something to do before each wait; it returns for how long the loop may wait,
 * in ms, or -1: for ever.
 */
typedef int64_t (*LoopPrepare) (void *context);

extern void loop_run(LoopPrepare prepare, void *context);
extern void loop_stop(void);

#endif
