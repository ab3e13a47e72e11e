/*
 * files.h
 *		Scripts: ours, and those that operators put into a directory.
 */
#ifndef EDGE_FILES_H
#define EDGE_FILES_H

#include "answer.h"

/*
 * Answers a request of kind REQUEST_SCRIPT from the directory; "" has none.  Of
 * matomo.js and piwik.js each stands for the other if only that is there; pk.js
 * and consent.js are installed with the daemon, and the directory may have others.
 * With idsite=N what their pages must know of the site stands before them.
 */
extern void files_answer(const Request *request, const char *directory, const Facts *facts,
						 Answer *answer);

/* Reads the whole of an open file of this size; false: it could not be read. */
extern bool files_read(int fd, char *data, size_t size);

#endif
