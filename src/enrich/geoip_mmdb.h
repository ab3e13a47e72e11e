/*
 * geoip_mmdb.h
 *		The layout of MaxMind DB files (format 2.0): from a record to a location.
 *
 * For the files of GeoIP only.  Corrupt data give a wrong location or none:
 * every read is inside the section given.
 */
#ifndef PKT_GEOIP_MMDB_H
#define PKT_GEOIP_MMDB_H

#include "enrich/geo_location.h"

typedef enum GeoKind
{
	KIND_CITY,
	KIND_ASN
} GeoKind;

/* A part of a file, mapped or read. */
typedef struct Section
{
	const uint8 *data;
	size_t		size;
} Section;

/* The metadata are in this much of a file's end: the library looks there only. */
#define MAX_METADATA_LEN (128 * 1024)

/* Bytes between the search tree and the data. */
#define DATA_SECTION_SEPARATOR 16

/*
 * Is there valid metadata in the len bytes at the end of a file, and does the
 * search tree that it describes fit into the file?
 */
extern bool geoip_check_metadata(const char *end, size_t len, off_t file_size);

/*
 * Read the record at an offset of the data into an empty location.  False if the
 * record is corrupt or has none of the fields that files of this kind have.
 */
extern bool geoip_read_record(const Section *data, GeoKind kind, uint32 offset, GeoLocation *loc);

#endif							/* PKT_GEOIP_MMDB_H */
