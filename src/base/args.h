/*
 * args.h
 *		Arguments of SQL functions.
 */
#ifndef PKT_ARGS_H
#define PKT_ARGS_H

#include "postgres.h"

#include "fmgr.h"

/* Bytes of a request header that are read; the rest is cut off. */
#define HEADER_MAX (8 * 1024)

extern char *arg_text(FunctionCallInfo fcinfo, int n);
extern char *arg_client_text(FunctionCallInfo fcinfo, int n);
extern char *arg_header(FunctionCallInfo fcinfo, int n);
extern size_t header_length(const char *str, size_t len);

#endif							/* PKT_ARGS_H */
