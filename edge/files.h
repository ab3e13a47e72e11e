/*
 * files.h
 *		The scripts that operators put into a directory.
 */
#ifndef EDGE_FILES_H
#define EDGE_FILES_H

#include "answer.h"

/*
 * Answers a request of kind REQUEST_SCRIPT from the directory; "" has none.  Of
 * matomo.js and piwik.js each stands for the other if only that is there.
 */
extern void files_answer(const Request *request, const char *directory, Answer *answer);

#endif
