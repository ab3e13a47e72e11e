/*
 * web_session.h
 *		Sessions of the web pages, and attempts to log in.  No socket, no database.
 *
 * Sessions are in memory: they end with the daemon.  Kept of a session's cookie is
 * its SHA-256 alone.
 */
#ifndef EDGE_WEB_SESSION_H
#define EDGE_WEB_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "peers.h"

/* Hex digits of a random token and of a hash, with a zero byte. */
#define WEB_TOKEN_SIZE 65

typedef struct WebSession
{
	struct WebSession *next;
	unsigned char hash[32];		/* of the cookie */
	char	   *role;			/* NULL: of a public link */
	char	   *stamp;			/* of the role at the log-in, see web_enter() */
	char		link[WEB_TOKEN_SIZE];	/* hash of a public link's token, or
										 * "" */
	char		csrf[WEB_TOKEN_SIZE];
	int64_t		began;			/* ms */
	int64_t		used;
} WebSession;

/* SHA-256 in hex digits. */
extern void web_hash(const char *text, char hash[WEB_TOKEN_SIZE]);

/*
 * A new session, and its cookie.  role and stamp of a log-in, or the hash of a public
 * link.  The oldest one of the role, or of public links, goes if there are too many.
 */
extern WebSession *web_session_begin(const char *role, const char *stamp, const char *link,
									 int64_t now, char cookie[WEB_TOKEN_SIZE]);

/*
 * The session of a cookie, which is used now; NULL: there is none, or it has not
 * been used for idle ms, or is older than longest ms.
 */
extern WebSession *web_session_find(const char *cookie, int64_t now, int64_t idle,
									int64_t longest);
extern void web_session_end(const char *cookie);

/*
 * May somebody try to log in?  Each attempt that may counts, for the name and for the
 * address (the network of 64 bits in IPv6); a right password takes back those of the name, and
 * one of the address.  0, or in how many seconds there may be another one.
 */
extern int	web_attempt(const char *name, const Peer *peer, int64_t now);
extern void web_attempt_good(const char *name, const Peer *peer);

/*
 * Forgets sessions that are over, and names and addresses whose attempts are all there
 * again; to be called now and then.
 */
extern void web_sessions_sweep(int64_t now, int64_t idle, int64_t longest);

#endif
