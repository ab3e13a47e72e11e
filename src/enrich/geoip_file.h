/*
 * geoip_file.h
 *		The lists of GeoIP files: opening, noticing replaced files, searching.
 *
 * For the files of GeoIP only.
 */
#ifndef PKT_GEOIP_FILE_H
#define PKT_GEOIP_FILE_H

#include <sys/socket.h>

#include "datatype/timestamp.h"
#include "nodes/pg_list.h"

#include "enrich/geoip_mmdb.h"

/* One file of the lists, as status() shows it. */
typedef struct GeoFileStatus
{
	const char *path;			/* NULL: the list itself is not valid */
	const char *kind;			/* "city" or "asn" */
	const char *type;			/* as the file's metadata says; NULL if none
								 * is open */
	bool		has_built;
	TimestampTz built;
	const char *error;			/* NULL: none */
} GeoFileStatus;

/* Changes whenever an address may be located differently than before. */
extern uint64 geoip_files_version;

/*
 * Read the server parameters, and once a transaction, or with anew, see whether
 * files have appeared or changed.  warn: report files that cannot be used, each
 * state of a file once.
 */
extern void geoip_files_check(bool anew, bool warn);

/* Does the list of this kind name files? */
extern bool geoip_files_given(GeoKind kind);

/*
 * Look an address up in the files of a list, in their order, until one has it.
 * Fills the fields of that kind of an empty location; false if no file has it.
 */
extern bool geoip_files_search(GeoKind kind, const struct sockaddr *addr, GeoLocation *loc);

/* A palloc'd GeoFileStatus of each file, examined anew.  Does not warn. */
extern List *geoip_status(void);

/* Version of libmaxminddb. */
extern const char *geoip_library_version(void);

#endif							/* PKT_GEOIP_FILE_H */
