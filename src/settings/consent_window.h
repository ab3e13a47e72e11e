/*
 * consent_window.h
 *		The window in which visitors are asked for consent: doc/client.md, "The window".
 */
#ifndef PKT_CONSENT_WINDOW_H
#define PKT_CONSENT_WINDOW_H

/* A check of registry.h: the error detail for a text that is no such window, or NULL. */
extern const char *check_consent_window(const char *str);

#endif							/* PKT_CONSENT_WINDOW_H */
