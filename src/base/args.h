/*
 * args.h
 *		Arguments of SQL functions.
 */
#ifndef PKT_ARGS_H
#define PKT_ARGS_H

#include "postgres.h"

#include "fmgr.h"

extern char *arg_text(FunctionCallInfo fcinfo, int n);
extern char *arg_client_text(FunctionCallInfo fcinfo, int n);

#endif							/* PKT_ARGS_H */
