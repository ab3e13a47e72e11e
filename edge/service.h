/*
 * service.h
 *		What a daemon and systemd tell each other: sockets, readiness, watchdog.
 *
 * Without systemd each of these does nothing.
 */
#ifndef EDGE_SERVICE_H
#define EDGE_SERVICE_H

#include <stdint.h>

/*
 * The listening sockets that systemd opened for this process (socket activation),
 * at most max; returns how many there are, or -1 with a message in error.
 */
extern int	service_sockets(int *sockets, int max, char *error, int error_size);

/*
 * To be called once, before the process changes its user or its root.  The
 * environment then no longer names the manager's socket.
 */
extern void service_open(void);

/* Ready, reloading (service_ready() ends it), stopping; a line that "systemctl status" shows. */
extern void service_ready(void);
extern void service_reloading(void);
extern void service_stopping(void);
extern void service_status(const char *status);

/* ms between two calls of service_alive() that the watchdog wants; 0: it wants none. */
extern int64_t service_watchdog(void);
extern void service_alive(void);

#endif
