/*
 * check.h
 *		Faults of a configuration that its table of options does not know.
 */
#ifndef EDGE_CHECK_H
#define EDGE_CHECK_H

#include "config.h"

/* Reports every fault; true: there is none.  Connects to nothing and opens no socket. */
extern bool check_config(const Config *config, ConfigReport report);

#endif
