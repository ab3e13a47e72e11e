/*
 * geoip.h
 *		Locating addresses in MaxMind DB files.
 */
#ifndef PKT_GEOIP_H
#define PKT_GEOIP_H

#include "base/ip.h"
#include "enrich/geo_location.h"
#include "settings/settings.h"

/*
 * Locate an address, as far as level allows: coordinates, ASN and organisation
 * come with the city only.  False, and everything unknown, if no file has the
 * address.  A missing or invalid file is a warning, never an error.
 */
extern bool geoip_lookup(const PktIp *ip, GeoLevel level, GeoLocation *out);

/* Remove the fields that an anonymous visit must not store. */
extern void geoip_make_anonymous(GeoLocation *location);

/* Degrees as numeric(9,6). */
extern Datum geoip_degrees(double degrees);

#endif							/* PKT_GEOIP_H */
