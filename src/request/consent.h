/*
 * consent.h
 *		What a visitor's consent allows to be stored.  See
 *		doc/internals.md, "Consent and anonymous visits".
 */
#ifndef PKT_CONSENT_H
#define PKT_CONSENT_H

#include "postgres.h"

#include "settings/settings.h"

/* The consent that a hit sends. */
typedef enum Consent
{
	CONSENT_UNKNOWN,
	CONSENT_GRANTED,
	CONSENT_DENIED
} Consent;

/* What is stored of the hit. */
typedef enum Identification
{
	IDENTIFIED,
	ANONYMOUS,
	NOTHING
} Identification;

/* The consent columns of the log. */
typedef enum ConsentState
{
	STATE_NOT_ASKED = 0,
	STATE_GRANTED = 1,
	STATE_UNDECIDED = 2,		/* anonymous */
	STATE_REFUSED = 3			/* anonymous */
} ConsentState;

extern bool consent_parse(const char *str, Consent *result);
extern Identification consent_decide(ConsentMode mode, Consent consent);
extern ConsentState consent_state(ConsentMode mode, Consent consent);

#endif							/* PKT_CONSENT_H */
