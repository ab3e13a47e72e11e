/*
 * optout.h
 *		The page and the script by which visitors opt out.
 */
#ifndef EDGE_OPTOUT_H
#define EDGE_OPTOUT_H

#include "answer.h"

/* Answers requests of kind REQUEST_OPT_OUT and REQUEST_OPT_OUT_SCRIPT. */
extern void optout_answer(const Request *request, const Facts *facts, Answer *answer);

#endif
