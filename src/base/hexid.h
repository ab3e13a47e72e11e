/*
 * hexid.h
 *		The id type: 8 bytes by value, an unsigned big-endian number.
 */
#ifndef PKT_HEXID_H
#define PKT_HEXID_H

#include "fmgr.h"

typedef uint64 HexId;

#define HEXID_TEXT_LEN 16

#define DatumGetHexId(d) ((HexId) DatumGetUInt64(d))
#define HexIdGetDatum(x) UInt64GetDatum((uint64) (x))
#define PG_GETARG_HEXID(n) DatumGetHexId(PG_GETARG_DATUM(n))
#define PG_RETURN_HEXID(x) return HexIdGetDatum(x)

/*
 * Parse exactly 16 hex digits (either case) at str; false if they are not.
 * Allocates nothing and never raises.
 */
extern bool hexid_parse(const char *str, size_t len, HexId *result);

/* Write 16 lower-case hex digits and a NUL to buf (17 bytes). */
extern void hexid_format(HexId id, char *buf);

/* First 8 bytes of a digest, read big-endian. */
extern HexId hexid_from_bytes(const uint8 *bytes);

/* A random id, not 0. */
extern HexId hexid_random(void);

/*
 * OID of the type, in whatever schema the extension is; error if the extension
 * does not exist.
 */
extern Oid	hexid_type_oid(void);
extern const char *hexid_schema(void);

#endif							/* PKT_HEXID_H */
