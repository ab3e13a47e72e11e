/*
 * fingerprints.h
 *		The fingerprints of hits: which salts and which facts they are made of.
 *
 * identity/fingerprint.h has the hash itself.
 */
#ifndef PKT_FINGERPRINTS_H
#define PKT_FINGERPRINTS_H

#include "track/work.h"

extern void work_fingerprint(Work *w, bool make_salt);
extern HexId session_fingerprint(Work *w);
extern bool hit_fingerprint(Hit *hit, bool make_salt, HexId *fingerprint);

#endif							/* PKT_FINGERPRINTS_H */
