/*
 * http.h
 *		Libmicrohttpd in the loop: connections, requests, answers.
 */
#ifndef EDGE_HTTP_H
#define EDGE_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"

/*
 * Serves the listening sockets, which must not block.  config must stay; it may
 * change by reload, after which http_reload() is to be called.
 */
extern void http_start(const Config *config, const int *sockets, int nsockets);

/* Takes connections from now on; before, they wait. */
extern void http_listen(void);
extern void http_reload(void);

/* To be called before the loop waits; for how many ms it may, or -1: for ever. */
extern int64_t http_prepare(void);

/* Takes no more connections, and closes those on which no request is under way. */
extern void http_close_listeners(void);
extern void http_stop(void);

#endif
