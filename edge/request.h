/*
 * request.h
 *		What an HTTP request asks for.  Pure: no socket, no clock, no database.
 */
#ifndef EDGE_REQUEST_H
#define EDGE_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "facts.h"
#include "hit.h"

typedef struct RequestHeader
{
	const char *name;
	const char *value;
} RequestHeader;

/* A request as it was received. */
typedef struct RawRequest
{
	const char *method;
	const char *target;			/* path and query string, not decoded */
	int			nheaders;
	const RequestHeader *headers;
	const char *body;			/* ends in a zero byte, not counted in
								 * body_len */
	size_t		body_len;
	const char *peer;			/* address of the connection; "" of a Unix
								 * socket */
	bool		trusted;		/* the peer is a proxy of ours */
} RawRequest;

typedef enum RequestKind
{
	REQUEST_HIT,				/* hit is set */
	REQUEST_DOCUMENT,			/* hit is set: a document of hits */
	REQUEST_BARE,				/* the tracker's address without parameters */
	REQUEST_PREFLIGHT,
	REQUEST_SCRIPT,				/* script is set */
	REQUEST_OPT_OUT,
	REQUEST_OPT_OUT_SCRIPT,
	REQUEST_HEALTH,
	REQUEST_METRICS,
	REQUEST_MALFORMED,
	REQUEST_NOT_FOUND,
	REQUEST_WRONG_METHOD
} RequestKind;

typedef struct Request
{
	Pool	   *pool;
	RequestKind kind;
	bool		get;			/* GET or HEAD */
	bool		https;			/* between the browser and the outermost proxy */
	bool		no_image;		/* send_image=0 */
	bool		forwarded_ignored;	/* a proxy's header came from a peer that
									 * is none */
	const char *query;			/* of the target, "" if there is none */
	const char *form;			/* of the body, "" if it has none */
	const char *origin;			/* headers, NULL if absent */
	const char *wanted_headers; /* Access-Control-Request-Headers */
	const char *cookie;
	const char *if_none_match;
	bool		same_origin;	/* Sec-Fetch-Site does not say that another
								 * site sent it */
	const char *language;		/* Accept-Language */
	const char *forwarded_for;	/* addresses, as a proxy of ours has them;
								 * NULL: none */
	const char *script;			/* file of a script */
	Hit		   *hit;
} Request;

/* The value of a header; of several of a name the first.  NULL: there is none. */
extern const char *request_header(const RawRequest *raw, const char *name);

/* A header's values as one, in the pool or in the request.  NULL: there is none. */
extern const char *request_joined_header(Pool *pool, const RawRequest *raw, const char *name);

/* Did the browser speak https with the outermost proxy, as a proxy of ours says? */
extern bool request_was_https(const RawRequest *raw);

/* Has a proxy passed it on, as it says itself? */
extern bool request_is_passed_on(const RequestHeader *headers, int nheaders);

/*
 * Reads a request into a Request in the pool; its hit lacks what the queue needs.
 * The raw request need not outlive the call.
 */
extern Request *request_read(Pool *pool, const RawRequest *raw, const Facts *facts);

#endif
