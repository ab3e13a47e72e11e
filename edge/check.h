/*
 * check.h
 *		Faults of a configuration that its table of options does not know.
 */
#ifndef EDGE_CHECK_H
#define EDGE_CHECK_H

#include "config.h"

/*
 * Splits "127.0.0.1:8080", "[::]:8080", "localhost:8080" or "8080", in place.  host
 * is NULL if there is none: all addresses.  False: there is no port.
 */
extern bool split_listen_address(char *item, char **host, char **port);

/* Reports every fault; true: there is none.  Connects to nothing and opens no socket. */
extern bool check_config(const Config *config, ConfigReport report);

#endif
