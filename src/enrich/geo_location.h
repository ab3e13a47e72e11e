/*
 * geo_location.h
 *		Where an address is.
 */
#ifndef PKT_GEO_LOCATION_H
#define PKT_GEO_LOCATION_H

/* Bytes of a text, terminator included. */
#define GEO_TEXT_SIZE 256

/*
 * A location.  Unknown are empty texts, ASN 0, and coordinates without
 * has_coordinates.  Texts are valid in the database's encoding.
 */
typedef struct GeoLocation
{
	char		continent[3];	/* code, lower case */
	char		country[4];		/* ISO 3166-1, lower case; an override may
								 * have a letter more */
	bool		has_coordinates;
	double		latitude;
	double		longitude;
	int64		asn;
	char		region[GEO_TEXT_SIZE];	/* code without the country's, else
										 * name */
	char		city[GEO_TEXT_SIZE];
	char		organisation[GEO_TEXT_SIZE];
} GeoLocation;

#endif							/* PKT_GEO_LOCATION_H */
