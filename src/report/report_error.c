/*
 * report_error.c
 *		Errors about the arguments of reports, raised from SQL.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"

#include "base/errors.h"

PG_FUNCTION_INFO_V1(pkt_report_error);

/*
 * SQL: report_error(message text, hint text), which does not return: raises
 * invalid_parameter_value.  RAISE in PL/pgSQL would show the statements that led to
 * it, the text of a whole report.
 */
Datum
pkt_report_error(PG_FUNCTION_ARGS)
{
	char	   *message = text_to_cstring(PG_GETARG_TEXT_PP(0));
	char	   *hint = text_to_cstring(PG_GETARG_TEXT_PP(1));

	errors_without_context();
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg_internal("%s", message),
			 errhint("%s", hint)));
	PG_RETURN_NULL();			/* keep compiler quiet */
}
