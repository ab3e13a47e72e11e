/*
 * web_files.h
 *		Files of the web pages.
 */
#ifndef EDGE_WEB_FILES_H
#define EDGE_WEB_FILES_H

#include "web_request.h"

/* Answers a GET of "/" or of a path below "/web/" from the directory; 404 else. */
extern void web_files_answer(WebRequest *request, const char *path, const char *directory);

#endif
