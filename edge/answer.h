/*
 * answer.h
 *		What a request is answered with.  Pure: no socket, no database.
 */
#ifndef EDGE_ANSWER_H
#define EDGE_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

#include "request.h"

#define ANSWER_HEADERS_MAX 16

typedef struct AnswerHeader
{
	const char *name;
	const char *value;
} AnswerHeader;

/* Texts are constants or in the request's pool. */
typedef struct Answer
{
	int			status;
	int			nheaders;
	AnswerHeader headers[ANSWER_HEADERS_MAX];
	const void *body;
	size_t		body_len;
	bool		body_is_constant;
} Answer;

/* Of a hit or a document, by what became of it. */
extern void answer_hit(const Request *request, const HitResult *result, Answer *answer);

/* Of requests that ask for neither: bare, preflight, not found, wrong method … */
extern void answer_other(const Request *request, Answer *answer);

/* A status with a line of text. */
extern void answer_text(const Request *request, int status, const char *text, Answer *answer);

extern void answer_add_header(Answer *answer, const char *name, const char *value);

/* Another body, which must stay as long as the request. */
extern void answer_set_body(Answer *answer, const char *type, const void *body, size_t len);

/* What all answers to browsers of other origins need. */
extern void answer_add_cors(const Request *request, Answer *answer);

#endif
