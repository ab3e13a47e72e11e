/*
 * work.c
 *		A hit on its way through the engine.
 */
#include "postgres.h"

#include "enrich/language.h"
#include "track/work.h"

#define LANGUAGE_BUFFER 1024

/*
 * work_finish
 *		The hit's result is this outcome: it will not be recorded.
 */
void
work_finish(Work *w, Outcome outcome, const char *why)
{
	w->result->outcome = outcome;
	w->result->outcome_reason = why;
	w->result->by_log = false;
	w->done = true;
}

/*
 * work_language
 *		The hit's languages, normalised (enrich/language.c).
 */
const char *
work_language(Work *w)
{
	if (w->language == NULL)
	{
		char		buffer[LANGUAGE_BUFFER];

		language_normalise(w->hit->accept_language, strlen(w->hit->accept_language),
						   buffer, sizeof(buffer));
		w->language = pstrdup(buffer);
	}
	return w->language;
}

/*
 * work_device
 *		What the user agent and the Client Hints say of the visitor's device.
 */
const UserAgent *
work_device(Work *w)
{
	if (w->device == NULL)
		w->device = user_agent_detect(w->hit->user_agent, w->hit->uadata, w->hit->headers);
	return w->device;
}
