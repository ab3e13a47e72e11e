/*
 * consent.c
 *		What a visitor's consent allows to be stored.  See
 *		doc/internals.md, "Consent and anonymous visits".
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"

#include "request/consent.h"

PG_FUNCTION_INFO_V1(pkt_consent_name);

/*
 * consent_parse
 *		"granted", "denied" or "unknown" in any case, also 1, 0 and -1, the
 *		codes of Piwik PRO's consent manager.  False for anything else.
 */
bool
consent_parse(const char *str, Consent *result)
{
	if (pg_strcasecmp(str, "granted") == 0 || strcmp(str, "1") == 0)
		*result = CONSENT_GRANTED;
	else if (pg_strcasecmp(str, "denied") == 0 || strcmp(str, "0") == 0)
		*result = CONSENT_DENIED;
	else if (pg_strcasecmp(str, "unknown") == 0 || strcmp(str, "-1") == 0)
		*result = CONSENT_UNKNOWN;
	else
		return false;
	return true;
}

/*
 * consent_decide
 *		What to do with a hit: by the site's consent mode and the hit's
 *		consent.
 */
Identification
consent_decide(ConsentMode mode, Consent consent)
{
	if (consent == CONSENT_GRANTED)
		return IDENTIFIED;

	switch (mode)
	{
		case CONSENT_NOT_ASKED:
			return consent == CONSENT_UNKNOWN ? IDENTIFIED : NOTHING;
		case CONSENT_ASK_ELSE_NOTHING:
			return NOTHING;
		case CONSENT_ASK_ELSE_ANONYMOUS:
			return ANONYMOUS;
	}
	return NOTHING;
}

/*
 * consent_state
 *		The value of the consent columns for a hit that is stored.
 */
ConsentState
consent_state(ConsentMode mode, Consent consent)
{
	if (consent == CONSENT_GRANTED)
		return STATE_GRANTED;
	if (mode == CONSENT_NOT_ASKED)
		return STATE_NOT_ASKED;
	return consent == CONSENT_DENIED ? STATE_REFUSED : STATE_UNDECIDED;
}

/*
 * pkt_consent_name
 *		SQL: consent_name(smallint) → text, NULL for an unknown code.
 */
Datum
pkt_consent_name(PG_FUNCTION_ARGS)
{
	static const char *const words[] = {"not asked", "granted", "undecided", "refused"};
	int16		code = PG_GETARG_INT16(0);

	if (code < 0 || code >= (int) lengthof(words))
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(words[code]));
}
