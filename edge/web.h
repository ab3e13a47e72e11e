/*
 * web.h
 *		The web pages of the statistics: their files, log-in, and API.
 *
 * With option web_root a daemon serves these, and takes no hits.
 */
#ifndef EDGE_WEB_H
#define EDGE_WEB_H

#include <stdbool.h>

#include "config.h"
#include "web_request.h"

/* Connects to PostgreSQL.  config must stay; it may change by reload. */
extern void web_start(const Config *config);

/*
 * Answers a request; or false: then web_go() is to be called, which calls
 * request->done() once, later or at once.
 */
extern bool web_handle(WebRequest *request);
extern void web_go(WebRequest *request);

/* Is nothing under way? */
extern bool web_is_empty(void);
extern void web_stop(void);

#endif
