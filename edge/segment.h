/*
 * segment.h
 *		The format of a segment, which is a file of the spool.
 *
 * A header of 128 bytes, then records, each a header of 28 bytes, the sealed
 * bytes and their tag.  Numbers are big-endian.  Both headers end in a checksum,
 * so that what a crash left is told from what was written; against changes the
 * tags guard: that of the wrapped key covers the segment's header, that of a
 * record the segment's uuid and sequence and the record's header.
 *
 *   segment   magic 8, uuid 16, sequence 8, created 8, key id 8, nonce 12,
 *             wrapped key 32, tag 16, zeros 16, checksum 4
 *   record    magic 4, length 4, index 4, index of the record before 4,
 *             arrival 8, checksum 4; sealed bytes (length); tag 16
 *
 * The number of a record is its segment's sequence and its index: it is the
 * nonce.  A record names the one before it, so that none can be taken out.
 */
#ifndef EDGE_SEGMENT_H
#define EDGE_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "seal.h"

#define SEGMENT_HEADER_SIZE 128
#define SEGMENT_RECORD_HEADER_SIZE 28
#define SEGMENT_UUID_SIZE 16

/* The longest record, in bytes. */
#define SEGMENT_LENGTH_MAX (4 * 1024 * 1024)

/* What a record of so many bytes takes on disk. */
#define SEGMENT_RECORD_SIZE(length) \
	(SEGMENT_RECORD_HEADER_SIZE + (size_t) (length) + SEAL_TAG_SIZE)

/* Sequences and indexes begin at 1. */
#define SEGMENT_INDEX_BITS 24
#define SEGMENT_INDEX_MAX ((UINT32_C(1) << SEGMENT_INDEX_BITS) - 1)
#define SEGMENT_SEQUENCE_MAX ((UINT64_C(1) << (63 - SEGMENT_INDEX_BITS)) - 1)
#define SEGMENT_NUMBER(sequence, index) ((uint64_t) (sequence) << SEGMENT_INDEX_BITS | (index))

typedef struct SegmentHeader
{
	unsigned char uuid[SEGMENT_UUID_SIZE];	/* of the spool */
	uint64_t	sequence;
	int64_t		created;		/* microseconds since 1970 */
	unsigned char key_id[SEAL_KEY_ID_SIZE]; /* of the wrapping key */
	unsigned char nonce[SEAL_NONCE_SIZE];
	unsigned char wrapped[SEAL_KEY_SIZE];
	unsigned char tag[SEAL_TAG_SIZE];
} SegmentHeader;

/* What it takes to seal and open the records of a segment. */
typedef struct SegmentKey
{
	unsigned char uuid[SEGMENT_UUID_SIZE];
	uint64_t	sequence;
	unsigned char key[SEAL_KEY_SIZE];
} SegmentKey;

typedef struct SegmentRecord
{
	uint32_t	length;
	uint32_t	index;
	uint32_t	previous;		/* 0 of the first record */
	int64_t		arrival;
} SegmentRecord;

typedef enum SegmentFound
{
	SEGMENT_RECORD,				/* a record, where it was looked for */
	SEGMENT_RECORD_AFTER_GAP,	/* a record, behind bytes that are none */
	SEGMENT_END,				/* nothing more */
	SEGMENT_TORN,				/* the beginning of a record, or zeros */
	SEGMENT_GARBAGE				/* bytes that are no record */
} SegmentFound;

/* Makes a segment's random key and wraps it; uuid, sequence and created are set. */
extern bool segment_make_key(SegmentHeader *header, const unsigned char wrapping[SEAL_KEY_SIZE],
							 const unsigned char wrapping_id[SEAL_KEY_ID_SIZE], SegmentKey *key);

/* Unwraps it; false: a wrong key, or a changed header. */
extern bool segment_unwrap_key(const SegmentHeader *header,
							   const unsigned char wrapping[SEAL_KEY_SIZE], SegmentKey *key);

extern void segment_write_header(const SegmentHeader *header,
								 unsigned char buffer[SEGMENT_HEADER_SIZE]);

/* false: this is no header. */
extern bool segment_read_header(const unsigned char buffer[SEGMENT_HEADER_SIZE],
								SegmentHeader *header);

/* Where in a file the wrapped key lies; zeros there: the segment was destroyed. */
extern void segment_key_place(off_t *offset, size_t *size);

/* Writes SEGMENT_RECORD_SIZE(record->length) bytes. */
extern bool segment_seal_record(const SegmentKey *key, const SegmentRecord *record,
								const void *data, unsigned char *buffer);

/* Opens such bytes, whose header was read as record; data has record->length bytes. */
extern bool segment_open_record(const SegmentKey *key, const SegmentRecord *record,
								const unsigned char *buffer, void *data);

/*
 * Reads the header of the first record at *offset or behind, up to end, whose
 * index is greater than previous, and sets *offset to its place.  The record is
 * complete, which does not say that its seal holds.  -1 with errno: could not read.
 */
extern int	segment_find(int fd, off_t end, uint32_t previous, off_t *offset,
						 SegmentRecord *record, SegmentFound *found);

/* A CRC-32, for other small files of the spool. */
extern uint32_t segment_checksum(const unsigned char *bytes, size_t size);

extern void put_uint32(unsigned char *bytes, uint32_t value);
extern void put_uint64(unsigned char *bytes, uint64_t value);
extern uint32_t get_uint32(const unsigned char *bytes);
extern uint64_t get_uint64(const unsigned char *bytes);

#endif
