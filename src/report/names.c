/*
 * names.c
 *		Words for the codes of systems, browsers and devices in the log.
 *
 * The codes are Matomo's (enrich/user_agent_codes.c); kinds of devices are
 * numbered as in enrich/user_agent.h.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"

#include "enrich/user_agent.h"
#include "enrich/user_agent_codes.h"

PG_FUNCTION_INFO_V1(pkt_browser_name);
PG_FUNCTION_INFO_V1(pkt_os_name);
PG_FUNCTION_INFO_V1(pkt_os_family);
PG_FUNCTION_INFO_V1(pkt_device_brand_name);
PG_FUNCTION_INFO_V1(pkt_device_type_name);

/* What stands in the log where nothing is known. */
static bool
is_unknown(const char *code)
{
	return code[0] == '\0' || strcmp(code, "UNK") == 0;
}

/*
 * SQL: browser_name(text) -> text.  Programs that have no code stand in the log
 * by their names, and so do codes that we do not know: they are their own word.
 */
Datum
pkt_browser_name(PG_FUNCTION_ARGS)
{
	char	   *code = text_to_cstring(PG_GETARG_TEXT_PP(0));
	const char *name = is_unknown(code) ? "unknown" : client_name(code);

	PG_RETURN_TEXT_P(cstring_to_text(name != NULL ? name : code));
}

/* The word for a system's code, by one of the two look-ups. */
static Datum
system_word(FunctionCallInfo fcinfo, const char *(*lookup) (const char *))
{
	char	   *code = text_to_cstring(PG_GETARG_TEXT_PP(0));
	const char *name;

	if (is_unknown(code))
		name = "unknown";
	else if (strcmp(code, "BOT") == 0)
		name = "bot";
	else
		name = lookup(code);
	PG_RETURN_TEXT_P(cstring_to_text(name != NULL ? name : code));
}

/* SQL: os_name(text) -> text.  As browser_name(). */
Datum
pkt_os_name(PG_FUNCTION_ARGS)
{
	return system_word(fcinfo, system_name);
}

/* SQL: os_family(text) -> text.  As os_name(), for the family of the system. */
Datum
pkt_os_family(PG_FUNCTION_ARGS)
{
	return system_word(fcinfo, system_family);
}

/* SQL: device_brand_name(text) -> text.  As browser_name(). */
Datum
pkt_device_brand_name(PG_FUNCTION_ARGS)
{
	char	   *code = text_to_cstring(PG_GETARG_TEXT_PP(0));
	const char *name = is_unknown(code) ? "unknown" : brand_name(code);

	PG_RETURN_TEXT_P(cstring_to_text(name != NULL ? name : code));
}

/* SQL: device_type_name(smallint) -> text, NULL for an unknown code. */
Datum
pkt_device_type_name(PG_FUNCTION_ARGS)
{
	static const char *const words[] = {
		[DEVICE_DESKTOP] = "desktop",
		[DEVICE_SMARTPHONE] = "smartphone",
		[DEVICE_TABLET] = "tablet",
		[DEVICE_FEATURE_PHONE] = "feature phone",
		[DEVICE_CONSOLE] = "console",
		[DEVICE_TV] = "TV",
		[DEVICE_CAR_BROWSER] = "car browser",
		[DEVICE_SMART_DISPLAY] = "smart display",
		[DEVICE_CAMERA] = "camera",
		[DEVICE_PORTABLE_MEDIA_PLAYER] = "portable media player",
		[DEVICE_PHABLET] = "phablet",
		[DEVICE_SMART_SPEAKER] = "smart speaker",
		[DEVICE_WEARABLE] = "wearable",
		[DEVICE_PERIPHERAL] = "peripheral"
	};
	int16		code = PG_GETARG_INT16(0);

	if (code < 0 || code >= (int) lengthof(words))
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(words[code]));
}
