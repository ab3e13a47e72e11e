/*
 * web_request.h
 *		A request for the web pages, and forms of answers to it.
 */
#ifndef EDGE_WEB_REQUEST_H
#define EDGE_WEB_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "answer.h"
#include "peers.h"
#include "request.h"
#include "text.h"

typedef struct WebRequest
{
	Pool	   *pool;
	RawRequest	raw;			/* its headers stay until web_handle() returns */
	Peer		peer;			/* whom the request comes from, before proxies */
	bool		secure;			/* by TLS, or from this machine */
	bool		https;			/* by TLS, as a proxy of ours says */
	Answer		answer;
	void	   *owner;
	void		(*done) (struct WebRequest *request);
	void	   *work;			/* of web.c, between web_handle() and done() */
} WebRequest;

/* An answer with this body, and the headers that all answers have. */
extern void web_answer(WebRequest *request, int status, const char *type, const char *body,
					   size_t len);

/* An error as RFC 9457 has it; detail and hint may be NULL. */
extern void web_problem(WebRequest *request, int status, const char *title, const char *detail,
						const char *hint);

/*
 * An answer that the browser may keep but must ask for again, with an ETag of its body
 * unless one is given; 304 if the browser has it.  if_none_match may be NULL.
 */
extern void web_answer_kept(WebRequest *request, const char *type, const char *body, size_t len,
							const char *etag, const char *if_none_match);

#endif
