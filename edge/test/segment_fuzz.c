/*
 * segment_fuzz.c
 *		libFuzzer target: reading a segment.
 *
 *   edge/test/run --fuzz 60 segment
 *
 * modules: segment seal
 * libraries: libcrypto
 *
 * An input is one of two things, by its first byte: a whole file, in which
 * checksums are put right where a header seems to be, so that the reader gets
 * further; or edits of a good segment (where 2 bytes, what 1 byte), with its
 * length.  Whatever comes, a record that opens must be one that was sealed.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../seal.h"
#include "../segment.h"
#include "../spool.h"

#define RECORDS 6

int			LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

static unsigned char wrapping[SEAL_KEY_SIZE] = "a key for this target alone";
static unsigned char good[4096];
static size_t good_size;
static size_t good_length[RECORDS + 1];

static size_t
text_of(uint32_t n, char *text)
{
	return (size_t) sprintf(text, "record %u %.*s", n, (int) (n * 37 % 100),
							"0123456789012345678901234567890123456789"
							"0123456789012345678901234567890123456789012345678901234567890");
}

static void
make_good(void)
{
	SegmentHeader header = {0};
	SegmentKey	key;
	unsigned char id[SEAL_KEY_ID_SIZE] = "fuzz id";

	memcpy(header.uuid, "0123456789abcdef", SEGMENT_UUID_SIZE);
	header.sequence = 7;
	header.created = 1;
	if (!segment_make_key(&header, wrapping, id, &key))
		abort();
	segment_write_header(&header, good);
	good_size = SEGMENT_HEADER_SIZE;
	for (uint32_t n = 1; n <= RECORDS; n++)
	{
		char text[	300];
		SegmentRecord record = {0, n, n - 1, 1000 + n};

		good_length[n] = text_of(n, text);
		record.length = (uint32_t) good_length[n];
		if (!segment_seal_record(&key, &record, text, good + good_size))
			abort();
		good_size += SEGMENT_RECORD_SIZE(record.length);
	}
}

static void
mend_checksums(unsigned char *bytes, size_t size)
{
	if (size >= SEGMENT_HEADER_SIZE)
		put_uint32(bytes + SEGMENT_HEADER_SIZE - 4,
				   segment_checksum(bytes, SEGMENT_HEADER_SIZE - 4));
	for (size_t i = SEGMENT_HEADER_SIZE; i + SEGMENT_RECORD_HEADER_SIZE <= size; i++)
		if (memcmp(bytes + i, good + SEGMENT_HEADER_SIZE, 4) == 0)
			put_uint32(bytes + i + SEGMENT_RECORD_HEADER_SIZE - 4,
					   segment_checksum(bytes + i, SEGMENT_RECORD_HEADER_SIZE - 4));
}

/* Reads what lies in a file, as spool.c does. */
static void
read_file(int fd, const unsigned char *bytes, size_t size)
{
	SegmentHeader header;
	SegmentKey	key = {0};
	SegmentRecord record;
	SegmentFound found;
	off_t		offset = SEGMENT_HEADER_SIZE;
	uint32_t	previous = 0;

	if (size < SEGMENT_HEADER_SIZE || !segment_read_header(bytes, &header))
		return;
	if (segment_unwrap_key(&header, wrapping, &key) && header.sequence != 7)
		abort();
	for (;;)
	{
		unsigned char *buffer;
		char	   *data;
		char text[	300];

		if (segment_find(fd, (off_t) size, previous, &offset, &record, &found) != 0)
			abort();
		if (found != SEGMENT_RECORD && found != SEGMENT_RECORD_AFTER_GAP)
			break;
		if (offset + (off_t) SEGMENT_RECORD_SIZE(record.length) > (off_t) size ||
			record.index <= previous)
			abort();
		/* copies of the right size, which the sanitizer watches */
		buffer = malloc(SEGMENT_RECORD_SIZE(record.length));
		data = malloc(record.length + 1);
		memcpy(buffer, bytes + offset, SEGMENT_RECORD_SIZE(record.length));
		if (segment_open_record(&key, &record, buffer, data) &&
			(record.index > RECORDS || record.length != text_of(record.index, text) ||
			 memcmp(data, text, record.length) != 0 || record.arrival != 1000 + record.index))
			abort();
		free(buffer);
		free(data);
		offset += (off_t) SEGMENT_RECORD_SIZE(record.length);
		previous = record.index;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	static int	fd = -1;
	unsigned char *bytes;

	if (fd < 0)
	{
		fd = memfd_create("segment", 0);
		make_good();
	}
	if (size < 3)
		return 0;
	if (input[0] & 1)
	{
		size_t		cut = ((size_t) input[1] << 8 | input[2]) % (good_size + 1);
		size_t		length = good_size - cut;

		bytes = malloc(good_size);
		memcpy(bytes, good, good_size);
		for (size_t i = 3; i + 3 <= size; i += 3)
			bytes[((size_t) input[i] << 8 | input[i + 1]) % good_size] ^= input[i + 2];
		if (input[0] & 2)
			mend_checksums(bytes, length);
		size = length;
	}
	else
	{
		size--;
		bytes = malloc(size);
		memcpy(bytes, input + 1, size);
		mend_checksums(bytes, size);
	}
	if (ftruncate(fd, 0) != 0 || pwrite(fd, bytes, size, 0) != (ssize_t) size)
		abort();
	read_file(fd, bytes, size);
	free(bytes);
	return 0;
}
