/*
 * geoip.h
 *		Locating addresses in MaxMind DB files.
 */
#ifndef PKT_GEOIP_H
#define PKT_GEOIP_H

#include "datatype/timestamp.h"
#include "nodes/pg_list.h"

#include "base/ip.h"
#include "settings/settings.h"

/* Bytes of a text, terminator included. */
#define GEO_TEXT_SIZE 256

/*
 * A location.  Unknown are empty texts, ASN 0, and coordinates without
 * has_coordinates.  Texts are valid in the database's encoding.
 */
typedef struct GeoLocation
{
	char		continent[3];	/* code, lower case */
	char		country[4];		/* ISO 3166-1, lower case; an override may have a letter more */
	bool		has_coordinates;
	double		latitude;
	double		longitude;
	int64		asn;
	char		region[GEO_TEXT_SIZE];	/* code without the country's, else name */
	char		city[GEO_TEXT_SIZE];
	char		organisation[GEO_TEXT_SIZE];
} GeoLocation;

/* One file of the lists, as status() shows it. */
typedef struct GeoFileStatus
{
	const char *path;			/* NULL: the list itself is not valid */
	const char *kind;			/* "city" or "asn" */
	const char *type;			/* as the file's metadata says; NULL if none is open */
	bool		has_built;
	TimestampTz built;
	const char *error;			/* NULL: none */
} GeoFileStatus;

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

/* A palloc'd GeoFileStatus of each file, examined anew.  Does not warn. */
extern List *geoip_status(void);

/* Version of libmaxminddb. */
extern const char *geoip_library_version(void);

#endif							/* PKT_GEOIP_H */
