/*
 * segment.c
 *		The format of a segment: see segment.h.
 */
#include "segment.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static const unsigned char segment_magic[8] = {'P', 'K', 'T', 'S', 'P', 'O', 'O', 1};
static const unsigned char record_magic[4] = {0xa7, 'P', 'K', 'R'};

/* Places in the segment's header. */
#define AT_UUID 8
#define AT_SEQUENCE 24
#define AT_CREATED 32
#define AT_KEY_ID 40
#define AT_NONCE 48
#define AT_WRAPPED 60
#define AT_TAG 92
#define AT_ZEROS 108
#define AT_CHECKSUM 124

/* Places in a record's header. */
#define AT_LENGTH 4
#define AT_INDEX 8
#define AT_PREVIOUS 12
#define AT_ARRIVAL 16
#define AT_RECORD_CHECKSUM 24

/* What a record's tag covers beside its bytes: uuid, sequence, the record's header. */
#define CONTEXT_SIZE (SEGMENT_UUID_SIZE + 8 + AT_RECORD_CHECKSUM)

void
put_uint32(unsigned char *bytes, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		bytes[i] = (unsigned char) (value >> (24 - 8 * i));
}

void
put_uint64(unsigned char *bytes, uint64_t value)
{
	put_uint32(bytes, (uint32_t) (value >> 32));
	put_uint32(bytes + 4, (uint32_t) value);
}

uint32_t
get_uint32(const unsigned char *bytes)
{
	return (uint32_t) bytes[0] << 24 | (uint32_t) bytes[1] << 16 |
		(uint32_t) bytes[2] << 8 | (uint32_t) bytes[3];
}

uint64_t
get_uint64(const unsigned char *bytes)
{
	return (uint64_t) get_uint32(bytes) << 32 | get_uint32(bytes + 4);
}

uint32_t
segment_checksum(const unsigned char *bytes, size_t size)
{
	uint32_t	crc = 0xffffffff;

	for (size_t i = 0; i < size; i++)
	{
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = (crc >> 1) ^ (crc & 1 ? UINT32_C(0xedb88320) : 0);
	}
	return ~crc;
}

bool
segment_make_key(SegmentHeader *header, const unsigned char wrapping[SEAL_KEY_SIZE],
				 const unsigned char wrapping_id[SEAL_KEY_ID_SIZE], SegmentKey *key)
{
	unsigned char buffer[SEGMENT_HEADER_SIZE];

	memcpy(header->key_id, wrapping_id, SEAL_KEY_ID_SIZE);
	memcpy(key->uuid, header->uuid, SEGMENT_UUID_SIZE);
	key->sequence = header->sequence;
	if (!seal_random(header->nonce, SEAL_NONCE_SIZE) || !seal_random(key->key, SEAL_KEY_SIZE))
		return false;
	segment_write_header(header, buffer);
	return seal(wrapping, header->nonce, buffer, AT_WRAPPED,
				key->key, SEAL_KEY_SIZE, header->wrapped, header->tag);
}

bool
segment_unwrap_key(const SegmentHeader *header, const unsigned char wrapping[SEAL_KEY_SIZE],
				   SegmentKey *key)
{
	unsigned char buffer[SEGMENT_HEADER_SIZE];

	memcpy(key->uuid, header->uuid, SEGMENT_UUID_SIZE);
	key->sequence = header->sequence;
	segment_write_header(header, buffer);
	return seal_open(wrapping, header->nonce, buffer, AT_WRAPPED,
					 header->wrapped, SEAL_KEY_SIZE, header->tag, key->key);
}

void
segment_write_header(const SegmentHeader *header, unsigned char buffer[SEGMENT_HEADER_SIZE])
{
	memset(buffer, 0, SEGMENT_HEADER_SIZE);
	memcpy(buffer, segment_magic, sizeof(segment_magic));
	memcpy(buffer + AT_UUID, header->uuid, SEGMENT_UUID_SIZE);
	put_uint64(buffer + AT_SEQUENCE, header->sequence);
	put_uint64(buffer + AT_CREATED, (uint64_t) header->created);
	memcpy(buffer + AT_KEY_ID, header->key_id, SEAL_KEY_ID_SIZE);
	memcpy(buffer + AT_NONCE, header->nonce, SEAL_NONCE_SIZE);
	memcpy(buffer + AT_WRAPPED, header->wrapped, SEAL_KEY_SIZE);
	memcpy(buffer + AT_TAG, header->tag, SEAL_TAG_SIZE);
	put_uint32(buffer + AT_CHECKSUM, segment_checksum(buffer, AT_CHECKSUM));
}

bool
segment_read_header(const unsigned char buffer[SEGMENT_HEADER_SIZE], SegmentHeader *header)
{
	static const unsigned char zeros[AT_CHECKSUM - AT_ZEROS];

	if (memcmp(buffer, segment_magic, sizeof(segment_magic)) != 0 ||
		memcmp(buffer + AT_ZEROS, zeros, sizeof(zeros)) != 0 ||
		get_uint32(buffer + AT_CHECKSUM) != segment_checksum(buffer, AT_CHECKSUM))
		return false;
	memcpy(header->uuid, buffer + AT_UUID, SEGMENT_UUID_SIZE);
	header->sequence = get_uint64(buffer + AT_SEQUENCE);
	header->created = (int64_t) get_uint64(buffer + AT_CREATED);
	memcpy(header->key_id, buffer + AT_KEY_ID, SEAL_KEY_ID_SIZE);
	memcpy(header->nonce, buffer + AT_NONCE, SEAL_NONCE_SIZE);
	memcpy(header->wrapped, buffer + AT_WRAPPED, SEAL_KEY_SIZE);
	memcpy(header->tag, buffer + AT_TAG, SEAL_TAG_SIZE);
	return header->sequence >= 1 && header->sequence <= SEGMENT_SEQUENCE_MAX;
}

void
segment_key_place(off_t *offset, size_t *size)
{
	*offset = AT_NONCE;
	*size = AT_ZEROS - AT_NONCE;
}

static void
write_record_header(const SegmentRecord *record, unsigned char *buffer)
{
	memcpy(buffer, record_magic, sizeof(record_magic));
	put_uint32(buffer + AT_LENGTH, record->length);
	put_uint32(buffer + AT_INDEX, record->index);
	put_uint32(buffer + AT_PREVIOUS, record->previous);
	put_uint64(buffer + AT_ARRIVAL, (uint64_t) record->arrival);
	put_uint32(buffer + AT_RECORD_CHECKSUM, segment_checksum(buffer, AT_RECORD_CHECKSUM));
}

/* Reads a record's header, which must be behind the record previous. */
static bool
read_record_header(const unsigned char *buffer, uint32_t previous, SegmentRecord *record)
{
	if (memcmp(buffer, record_magic, sizeof(record_magic)) != 0 ||
		get_uint32(buffer + AT_RECORD_CHECKSUM) != segment_checksum(buffer, AT_RECORD_CHECKSUM))
		return false;
	record->length = get_uint32(buffer + AT_LENGTH);
	record->index = get_uint32(buffer + AT_INDEX);
	record->previous = get_uint32(buffer + AT_PREVIOUS);
	record->arrival = (int64_t) get_uint64(buffer + AT_ARRIVAL);
	return record->length <= SEGMENT_LENGTH_MAX && record->index <= SEGMENT_INDEX_MAX &&
		record->index > previous && record->previous >= previous;
}

static void
record_nonce_and_context(const SegmentKey *key, const SegmentRecord *record,
						 unsigned char nonce[SEAL_NONCE_SIZE],
						 unsigned char context[CONTEXT_SIZE])
{
	unsigned char header[SEGMENT_RECORD_HEADER_SIZE];

	memset(nonce, 0, SEAL_NONCE_SIZE);
	put_uint64(nonce + SEAL_NONCE_SIZE - 8, SEGMENT_NUMBER(key->sequence, record->index));
	write_record_header(record, header);
	memcpy(context, key->uuid, SEGMENT_UUID_SIZE);
	put_uint64(context + SEGMENT_UUID_SIZE, key->sequence);
	memcpy(context + SEGMENT_UUID_SIZE + 8, header, AT_RECORD_CHECKSUM);
}

bool
segment_seal_record(const SegmentKey *key, const SegmentRecord *record, const void *data,
					unsigned char *buffer)
{
	unsigned char nonce[SEAL_NONCE_SIZE];
	unsigned char context[CONTEXT_SIZE];
	unsigned char *sealed = buffer + SEGMENT_RECORD_HEADER_SIZE;

	write_record_header(record, buffer);
	record_nonce_and_context(key, record, nonce, context);
	return seal(key->key, nonce, context, sizeof(context), data, record->length,
				sealed, sealed + record->length);
}

bool
segment_open_record(const SegmentKey *key, const SegmentRecord *record,
					const unsigned char *buffer, void *data)
{
	unsigned char nonce[SEAL_NONCE_SIZE];
	unsigned char context[CONTEXT_SIZE];
	const unsigned char *sealed = buffer + SEGMENT_RECORD_HEADER_SIZE;

	record_nonce_and_context(key, record, nonce, context);
	return seal_open(key->key, nonce, context, sizeof(context), sealed, record->length,
					 sealed + record->length, data);
}

/* Reads size bytes, or fewer at the file's end. */
static ssize_t
read_at(int fd, unsigned char *bytes, size_t size, off_t offset)
{
	size_t		have = 0;

	while (have < size)
	{
		ssize_t		n = pread(fd, bytes + have, size - have, offset + (off_t) have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		have += (size_t) n;
	}
	return (ssize_t) have;
}

/* What are the bytes from offset to end, among which there is no whole record? */
static int
tell_rest(int fd, off_t offset, off_t end, uint32_t previous, SegmentFound *found)
{
	unsigned char buffer[4096];
	SegmentRecord record;
	ssize_t		n;

	*found = SEGMENT_TORN;
	if (end - offset < SEGMENT_RECORD_HEADER_SIZE)
		return 0;
	n = read_at(fd, buffer, SEGMENT_RECORD_HEADER_SIZE, offset);
	if (n < 0)
		return -1;
	if (n == SEGMENT_RECORD_HEADER_SIZE && read_record_header(buffer, previous, &record))
		return 0;

	/*
	 * a file system may have made the file longer before it wrote what was in
	 * it
	 */
	while (offset < end)
	{
		size_t		part = end - offset < (off_t) sizeof(buffer) ?
			(size_t) (end - offset) : sizeof(buffer);

		n = read_at(fd, buffer, part, offset);
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		for (ssize_t i = 0; i < n; i++)
			if (buffer[i] != 0)
				*found = SEGMENT_GARBAGE;
		offset += n;
	}
	return 0;
}

int
segment_find(int fd, off_t end, uint32_t previous, off_t *offset, SegmentRecord *record,
			 SegmentFound *found)
{
	unsigned char window[8192];
	off_t		at = *offset;
	size_t		size = SEGMENT_RECORD_HEADER_SIZE;	/* a record is expected at
													 * once */

	if (at >= end)
	{
		*found = SEGMENT_END;
		return 0;
	}
	while (end - at >= (off_t) SEGMENT_RECORD_SIZE(0))
	{
		ssize_t		n = read_at(fd, window, size, at);
		ssize_t		i;

		if (n < 0)
			return -1;
		for (i = 0; i + SEGMENT_RECORD_HEADER_SIZE <= n; i++)
		{
			if (window[i] == record_magic[0] &&
				read_record_header(window + i, previous, record) &&
				(off_t) SEGMENT_RECORD_SIZE(record->length) <= end - at - i)
			{
				*found = at + i == *offset ? SEGMENT_RECORD : SEGMENT_RECORD_AFTER_GAP;
				*offset = at + i;
				return 0;
			}
		}
		if (i == 0)
			break;				/* the file is shorter than end says */
		at += i;
		size = sizeof(window);
	}
	return tell_rest(fd, *offset, end, previous, found);
}
