/*
 * spool.c
 *		Hits kept on disk until PostgreSQL takes them: see spool.h.
 *
 * The directory holds
 *   lock       held with flock() by the one process that has the spool open
 *   state      uuid of the spool and the sequence of the next segment
 *   HEX.seg    segments (segment.h), HEX being the sequence
 * Only the last segment grows, and only in the process that made it: after a start
 * a new one is begun.  So a nonce that a torn record may have used is not used
 * again, and a number that was refused is never given out again either.
 */
#include "spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "seal.h"
#include "segment.h"

#define DEFAULT_SEGMENT_SIZE (INT64_C(8) * 1024 * 1024)

/* A segment takes records for this part of max_age, so that expiry is as exact. */
#define AGE_PARTS 24

_Static_assert(SPOOL_RECORD_MAX == SEGMENT_LENGTH_MAX, "the longest record is of one length");

#define NAME_SIZE sizeof("0123456789abcdef.seg")

#define STATE_NAME "state"
#define STATE_SIZE 64
static const unsigned char state_magic[8] = {'P', 'K', 'T', 'S', 'T', 'A', 'T', 1};

typedef struct Segment
{
	struct Segment *next;
	SegmentKey	key;
	off_t		size;			/* up to the end of the last kept record */
	off_t		on_disk;		/* with what may lie behind it */
	uint32_t	last;			/* index of the last kept record */
	uint64_t	waiting;		/* records that are not done */
	int64_t		created;
	int64_t		newest;			/* arrival */
	bool		named;			/* its name is synced */
	bool		damage_told;
} Segment;

/* A place between two records. */
typedef struct Cursor
{
	Segment    *segment;		/* NULL: there is no segment */
	off_t		offset;
	uint32_t	previous;		/* index of the record before it */
} Cursor;

/* Sealed records that are not yet written. */
typedef struct Pending
{
	unsigned char *bytes;
	size_t		size;
	size_t		room;
	struct PendingRecord
	{
		size_t		end;		/* in bytes */
		uint32_t	index;
		int64_t		arrival;
	}		   *records;
	size_t		count;
	size_t		record_room;
} Pending;

struct Spool
{
	char	   *directory;
	int64_t		max_age;		/* microseconds */
	int64_t		max_size;
	int64_t		segment_size;
	void		(*report) (void *context, const char *message);
	void	   *report_context;

	int			directory_fd;
	int			lock_fd;
	unsigned char uuid[SEGMENT_UUID_SIZE];
	uint64_t	next_sequence;
	unsigned char wrapping[SEAL_KEY_SIZE];
	unsigned char wrapping_id[SEAL_KEY_ID_SIZE];
	bool		key_is_credential;

	Segment    *first;
	Segment    *last;
	Segment    *foreign;		/* of another credential: kept until they are
								 * too old */

	Segment    *active;			/* the last one, while it takes records */
	int			active_fd;
	uint32_t	next_index;
	uint32_t	last_added;		/* index of the record sealed last */
	Pending		pending;

	Cursor		read;			/* before the record that spool_next() hands
								 * out */
	Cursor		done;			/* in the first segment, before the first that
								 * waits */
	int			reader_fd;
	Segment    *reader_segment;
	bool		stuck;			/* the last peek() or read failed for want of
								 * memory or files */

	uint64_t	handed;			/* number of the record handed out last */
	uint64_t	passed;			/* the same, damaged ones included */
	uint64_t	done_number;
	uint64_t	damaged_up_to;	/* damage up to this number is counted */
	SpoolStatus counts;
};

static void report(Spool *spool, const char *format,...)
			__attribute__((format(printf, 2, 3)));

static void
report(Spool *spool, const char *format,...)
{
	char		message[512];
	va_list		args;

	if (spool->report == NULL)
		return;
	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	spool->report(spool->report_context, message);
}

static void
segment_name(uint64_t sequence, char name[NAME_SIZE])
{
	snprintf(name, NAME_SIZE, "%016" PRIx64 ".seg", sequence);
}

/* The sequence in a segment's name; 0: another file. */
static uint64_t
sequence_of_name(const char *name)
{
	uint64_t	sequence = 0;

	for (int i = 0; i < 16; i++)
	{
		const char *digits = "0123456789abcdef";
		const char *digit = name[i] != '\0' ? strchr(digits, name[i]) : NULL;

		if (digit == NULL)
			return 0;
		sequence = sequence << 4 | (uint64_t) (digit - digits);
	}
	return strcmp(name + 16, ".seg") == 0 && sequence <= SEGMENT_SEQUENCE_MAX ? sequence : 0;
}

/* Writes all of it, or sets errno; *written is what was written. */
static bool
write_at(int fd, const unsigned char *bytes, size_t size, off_t offset, size_t *written)
{
	*written = 0;
	while (*written < size)
	{
		ssize_t		n = pwrite(fd, bytes + *written, size - *written,
							   offset + (off_t) *written);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		if (n == 0)
		{
			errno = ENOSPC;
			return false;
		}
		*written += (size_t) n;
	}
	return true;
}

static SpoolResult
result_of_errno(int error)
{
	return error == ENOSPC || error == EDQUOT || error == EFBIG ? SPOOL_NO_SPACE : SPOOL_FAILED;
}

/*
 * The state
 */

/* Puts the state into its file, whole or not at all; the directory is not synced. */
static bool
write_state(Spool *spool)
{
	unsigned char buffer[STATE_SIZE] = {0};
	size_t		written;
	int			fd;
	bool		done;

	memcpy(buffer, state_magic, sizeof(state_magic));
	memcpy(buffer + 8, spool->uuid, SEGMENT_UUID_SIZE);
	put_uint64(buffer + 24, spool->next_sequence);
	put_uint32(buffer + STATE_SIZE - 4, segment_checksum(buffer, STATE_SIZE - 4));

	fd = openat(spool->directory_fd, STATE_NAME ".new",
				O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	done = write_at(fd, buffer, sizeof(buffer), 0, &written) && fdatasync(fd) == 0;
	if (!done)
	{
		int			error = errno;

		close(fd);
		unlinkat(spool->directory_fd, STATE_NAME ".new", 0);
		errno = error;
		return false;
	}
	return close(fd) == 0 &&
		renameat(spool->directory_fd, STATE_NAME ".new", spool->directory_fd, STATE_NAME) == 0;
}

/* Reads the state, or makes it for a new spool. */
static bool
read_state(Spool *spool, bool has_segments, char *error, size_t error_size)
{
	unsigned char buffer[STATE_SIZE + 1];
	ssize_t		n;
	int			fd;

	fd = openat(spool->directory_fd, STATE_NAME, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && !has_segments)
	{
		spool->next_sequence = 1;
		if (seal_random(spool->uuid, SEGMENT_UUID_SIZE))
		{
			/* a random uuid: version 4 */
			spool->uuid[6] = (unsigned char) ((spool->uuid[6] & 0x0f) | 0x40);
			spool->uuid[8] = (unsigned char) ((spool->uuid[8] & 0x3f) | 0x80);
			if (write_state(spool) && fsync(spool->directory_fd) == 0)
				return true;
		}
		snprintf(error, error_size, "could not write spool directory \"%s\": %s",
				 spool->directory, strerror(errno));
		return false;
	}
	if (fd < 0)
	{
		snprintf(error, error_size, "could not open file \"%s\" of spool directory \"%s\": %s",
				 STATE_NAME, spool->directory, strerror(errno));
		return false;
	}
	n = read(fd, buffer, sizeof(buffer));
	close(fd);
	if (n != STATE_SIZE || memcmp(buffer, state_magic, sizeof(state_magic)) != 0 ||
		get_uint32(buffer + STATE_SIZE - 4) != segment_checksum(buffer, STATE_SIZE - 4))
	{
		snprintf(error, error_size, "file \"%s\" of spool directory \"%s\" is damaged",
				 STATE_NAME, spool->directory);
		return false;
	}
	memcpy(spool->uuid, buffer + 8, SEGMENT_UUID_SIZE);
	spool->next_sequence = get_uint64(buffer + 24);
	return true;
}

/*
 * Segments come and go
 */

static void
forget_segment(Spool *spool, Segment *segment)
{
	if (spool->reader_segment == segment)
	{
		close(spool->reader_fd);
		spool->reader_segment = NULL;
	}
	seal_forget(segment, sizeof(*segment));
	free(segment);
}

/* Destroys a segment's file: first its key, so that what the disk keeps is noise. */
static void
destroy_file(Spool *spool, const char *name)
{
	unsigned char zeros[SEGMENT_HEADER_SIZE] = {0};
	off_t		offset;
	size_t		size;
	size_t		written;
	int			fd;
	bool		done;

	segment_key_place(&offset, &size);
	fd = openat(spool->directory_fd, name, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	done = fd >= 0 && write_at(fd, zeros, size, offset, &written) && fdatasync(fd) == 0;
	if (!done)
		report(spool, "could not overwrite the key of a segment of spool directory \"%s\": %s",
			   spool->directory, strerror(errno));
	if (fd >= 0)
		close(fd);
	if (unlinkat(spool->directory_fd, name, 0) != 0 || fsync(spool->directory_fd) != 0)
		report(spool, "could not remove a segment of spool directory \"%s\": %s",
			   spool->directory, strerror(errno));
}

/* The active segment takes no more records. */
static void
close_active(Spool *spool)
{
	if (spool->active == NULL)
		return;
	close(spool->active_fd);
	spool->active = NULL;
}

static Cursor
cursor_at_start(Segment *segment)
{
	Cursor		cursor = {segment, SEGMENT_HEADER_SIZE, 0};

	return cursor;
}

static void
destroy_first(Spool *spool)
{
	Segment    *segment = spool->first;
	char		name[NAME_SIZE];

	if (spool->active == segment)
		close_active(spool);
	spool->first = segment->next;
	if (spool->first == NULL)
		spool->last = NULL;
	spool->done = cursor_at_start(spool->first);
	if (spool->read.segment == segment)
		spool->read = spool->done;
	segment_name(segment->key.sequence, name);
	destroy_file(spool, name);
	spool->counts.segments--;
	spool->counts.bytes -= (uint64_t) segment->on_disk;
	spool->counts.records -= segment->waiting;
	forget_segment(spool, segment);
}

static void
append_segment(Spool *spool, Segment *segment)
{
	if (spool->last != NULL)
		spool->last->next = segment;
	else
	{
		spool->first = segment;
		spool->read = spool->done = cursor_at_start(segment);
	}
	spool->last = segment;
	spool->counts.segments++;
	spool->counts.bytes += (uint64_t) segment->on_disk;
	spool->counts.records += segment->waiting;
}

/* Begins a segment; it is synced with its first records. */
static SpoolResult
begin_segment(Spool *spool, int64_t now)
{
	SegmentHeader header = {0};
	unsigned char buffer[SEGMENT_HEADER_SIZE];
	char		name[NAME_SIZE];
	Segment    *segment = calloc(1, sizeof(*segment));
	size_t		written;
	int			fd = -1;
	int			error;

	if (segment == NULL)
		return SPOOL_FAILED;
	memcpy(header.uuid, spool->uuid, SEGMENT_UUID_SIZE);
	header.sequence = spool->next_sequence;
	header.created = now;
	segment_name(header.sequence, name);
	spool->next_sequence++;
	if (write_state(spool) &&
		segment_make_key(&header, spool->wrapping, spool->wrapping_id, &segment->key))
		fd = openat(spool->directory_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	segment_write_header(&header, buffer);
	if (fd < 0 || !write_at(fd, buffer, sizeof(buffer), 0, &written))
	{
		error = errno;
		if (fd >= 0)
		{
			close(fd);
			unlinkat(spool->directory_fd, name, 0);
		}
		if (result_of_errno(error) == SPOOL_FAILED)
			report(spool, "could not create a segment in spool directory \"%s\": %s",
				   spool->directory, strerror(error));
		forget_segment(spool, segment);
		return result_of_errno(error);
	}
	segment->size = segment->on_disk = SEGMENT_HEADER_SIZE;
	segment->created = segment->newest = now;
	append_segment(spool, segment);
	spool->active = segment;
	spool->active_fd = fd;
	spool->next_index = 1;
	spool->last_added = 0;
	return SPOOL_OK;
}

/*
 * What is there at start
 */

/* Finds the end of a segment and counts its records. */
static void
scan_segment(Spool *spool, int fd, Segment *segment)
{
	off_t		offset = SEGMENT_HEADER_SIZE;
	SegmentRecord record;
	SegmentFound found;

	segment->size = offset;
	for (;;)
	{
		if (segment_find(fd, segment->on_disk, segment->last, &offset, &record, &found) != 0)
			found = SEGMENT_GARBAGE;
		if (found != SEGMENT_RECORD && found != SEGMENT_RECORD_AFTER_GAP)
			break;
		offset += (off_t) SEGMENT_RECORD_SIZE(record.length);
		segment->size = offset;
		segment->last = record.index;
		segment->waiting++;
		if (record.arrival > segment->newest)
			segment->newest = record.arrival;
	}
	if (found == SEGMENT_TORN)
		report(spool, "spool: a record that was not completely written is left out");
	else if (found == SEGMENT_GARBAGE)
	{
		spool->counts.damaged++;
		report(spool, "spool: %" PRId64 " bytes at the end of a segment are unreadable",
			   (int64_t) (segment->on_disk - segment->size));
	}
}

typedef enum SegmentKind
{
	KIND_WHOLE,
	KIND_LOST,					/* wrapped by another key */
	KIND_DAMAGED,
	KIND_EMPTY,					/* just begun, or being destroyed: nothing
								 * waits in it */
	KIND_OTHER					/* of another spool */
} SegmentKind;

/* Reads a segment's header; sets its key if it is whole. */
static SegmentKind
read_segment(Spool *spool, int fd, uint64_t sequence, Segment *segment)
{
	unsigned char buffer[SEGMENT_HEADER_SIZE];
	static const unsigned char zeros[SEGMENT_HEADER_SIZE];
	SegmentHeader header;
	ssize_t		n = pread(fd, buffer, sizeof(buffer), 0);
	off_t		offset;
	size_t		size;

	segment_key_place(&offset, &size);
	if (n >= 0 && n < SEGMENT_HEADER_SIZE)
		return KIND_EMPTY;
	if (n >= 0 && memcmp(buffer + offset, zeros, size) == 0)
		return KIND_EMPTY;
	if (n < 0 || !segment_read_header(buffer, &header) || header.sequence != sequence)
		return KIND_DAMAGED;
	segment->created = segment->newest = header.created;
	if (memcmp(header.uuid, spool->uuid, SEGMENT_UUID_SIZE) != 0)
		return KIND_OTHER;
	if (memcmp(header.key_id, spool->wrapping_id, SEAL_KEY_ID_SIZE) != 0)
		return KIND_LOST;
	if (!segment_unwrap_key(&header, spool->wrapping, &segment->key))
		return KIND_DAMAGED;
	return KIND_WHOLE;
}

typedef struct Losses
{
	uint64_t	segments;
	uint64_t	records;
	uint64_t	other;
} Losses;

/* Takes up a segment that lies in the directory, or does away with it. */
static void
take_up_segment(Spool *spool, uint64_t sequence, Losses *lost)
{
	Segment    *segment = calloc(1, sizeof(*segment));
	char		name[NAME_SIZE];
	struct stat st;
	SegmentKind kind;
	int			fd;

	segment_name(sequence, name);
	fd = openat(spool->directory_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (segment == NULL || fd < 0 || fstat(fd, &st) != 0)
	{
		report(spool, "could not open a segment of spool directory \"%s\": %s",
			   spool->directory, strerror(errno));
		if (fd >= 0)
			close(fd);
		free(segment);
		return;
	}
	segment->on_disk = st.st_size;
	segment->named = true;
	segment->key.sequence = sequence;
	kind = read_segment(spool, fd, sequence, segment);
	if (kind == KIND_WHOLE || kind == KIND_LOST || kind == KIND_DAMAGED)
		scan_segment(spool, fd, segment);
	close(fd);
	if (sequence >= spool->next_sequence)
		spool->next_sequence = sequence + 1;

	if (kind == KIND_WHOLE && segment->waiting > 0)
	{
		append_segment(spool, segment);
		return;
	}
	if (kind == KIND_LOST && segment->waiting > 0)
	{
		lost->segments++;
		lost->records += segment->waiting;
		if (spool->key_is_credential)
		{
			segment->next = spool->foreign;
			spool->foreign = segment;
			spool->counts.segments++;
			spool->counts.bytes += (uint64_t) segment->on_disk;
			return;
		}
		spool->counts.lost += segment->waiting;
	}
	if (kind == KIND_DAMAGED)
	{
		spool->counts.damaged += segment->waiting > 0 ? segment->waiting : 1;
		report(spool, "spool: the header of a segment is damaged; %" PRIu64 " records are lost",
			   segment->waiting);
	}
	if (kind == KIND_OTHER)
		lost->other++;
	else
		destroy_file(spool, name);
	forget_segment(spool, segment);
}

static int
compare_sequences(const void *a, const void *b)
{
	uint64_t	x = *(const uint64_t *) a;
	uint64_t	y = *(const uint64_t *) b;

	return x < y ? -1 : x > y;
}

/* The sequences of the segments in the directory, in order; NULL: could not read it. */
static uint64_t *
list_segments(Spool *spool, size_t *count)
{
	uint64_t   *list = malloc(sizeof(*list));
	size_t		room = 1;
	int			fd = dup(spool->directory_fd);
	DIR		   *directory = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;

	*count = 0;
	if (directory == NULL && fd >= 0)
		close(fd);
	while (list != NULL && directory != NULL && (entry = readdir(directory)) != NULL)
	{
		uint64_t	sequence = sequence_of_name(entry->d_name);

		if (sequence == 0)
			continue;
		if (*count == room)
		{
			uint64_t   *larger = realloc(list, 2 * room * sizeof(*list));

			if (larger == NULL)
			{
				free(list);
				list = NULL;
				break;
			}
			list = larger;
			room *= 2;
		}
		list[(*count)++] = sequence;
	}
	if (list != NULL)
		qsort(list, *count, sizeof(*list), compare_sequences);
	if (directory != NULL)
		closedir(directory);
	else
	{
		free(list);
		list = NULL;
	}
	return list;
}

static bool
take_up_directory(Spool *spool, char *error, size_t error_size)
{
	Losses		lost = {0};
	size_t		count;
	uint64_t   *list = list_segments(spool, &count);

	if (list == NULL)
	{
		snprintf(error, error_size, "could not read spool directory \"%s\": %s",
				 spool->directory, strerror(errno));
		return false;
	}
	if (!read_state(spool, count > 0, error, error_size))
	{
		free(list);
		return false;
	}
	for (size_t i = 0; i < count; i++)
		take_up_segment(spool, list[i], &lost);
	free(list);
	if (lost.segments > 0 && spool->key_is_credential)
		report(spool, "spool: %" PRIu64 " records in %" PRIu64 " segments were written with "
			   "another credential; they wait for it until they are too old",
			   lost.records, lost.segments);
	else if (lost.segments > 0)
		report(spool, "spool: %" PRIu64 " records in %" PRIu64 " segments are lost, for their "
			   "key is gone; the segments are removed", lost.records, lost.segments);
	if (lost.other > 0)
		report(spool, "spool: %" PRIu64 " segments belong to another spool and are left alone",
			   lost.other);
	return true;
}

static bool
open_directory(Spool *spool, char *error, size_t error_size)
{
	if (mkdir(spool->directory, 0700) != 0 && errno != EEXIST)
	{
		snprintf(error, error_size, "could not create spool directory \"%s\": %s",
				 spool->directory, strerror(errno));
		return false;
	}
	spool->directory_fd = open(spool->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (spool->directory_fd >= 0)
		spool->lock_fd = openat(spool->directory_fd, "lock",
								O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (spool->lock_fd < 0)
	{
		snprintf(error, error_size, "could not open spool directory \"%s\": %s",
				 spool->directory, strerror(errno));
		return false;
	}
	if (flock(spool->lock_fd, LOCK_EX | LOCK_NB) != 0)
	{
		snprintf(error, error_size, "spool directory \"%s\" is in use by another process",
				 spool->directory);
		return false;
	}
	return true;
}

Spool *
spool_open(const SpoolOptions *options, char *error, size_t error_size)
{
	Spool	   *spool = calloc(1, sizeof(*spool));

	if (spool == NULL || (spool->directory = strdup(options->directory)) == NULL)
	{
		free(spool);
		snprintf(error, error_size, "out of memory");
		return NULL;
	}
	spool->directory_fd = spool->lock_fd = spool->active_fd = spool->reader_fd = -1;
	spool->key_is_credential = options->key_is_credential;
	spool->report = options->report;
	spool->report_context = options->report_context;
	spool_set_limits(spool, options->max_age, options->max_size);
	spool->segment_size = options->segment_size;
	if (spool->segment_size <= 0)
		spool->segment_size = options->max_size / 8 < DEFAULT_SEGMENT_SIZE ?
			options->max_size / 8 : DEFAULT_SEGMENT_SIZE;

	if (!open_directory(spool, error, error_size) ||
		!seal_load_key(options->key_file, options->key_is_credential,
					   spool->wrapping, spool->wrapping_id, error, error_size) ||
		!take_up_directory(spool, error, error_size))
	{
		spool_close(spool);
		return NULL;
	}
	return spool;
}

void
spool_close(Spool *spool)
{
	Segment    *lists[2] = {spool->first, spool->foreign};

	close_active(spool);
	for (int i = 0; i < 2; i++)
	{
		while (lists[i] != NULL)
		{
			Segment    *next = lists[i]->next;

			forget_segment(spool, lists[i]);
			lists[i] = next;
		}
	}
	if (spool->directory_fd >= 0)
		close(spool->directory_fd);
	if (spool->lock_fd >= 0)
		close(spool->lock_fd);
	free(spool->pending.bytes);
	free(spool->pending.records);
	free(spool->directory);
	seal_forget(spool, sizeof(*spool));
	free(spool);
}

void
spool_set_limits(Spool *spool, int64_t max_age, int64_t max_size)
{
	spool->max_age = max_age * 1000000;
	spool->max_size = max_size;
}

const unsigned char *
spool_uuid(const Spool *spool)
{
	return spool->uuid;
}

/*
 * In
 */

/* Room for one more record of so many bytes among the pending ones. */
static bool
make_room(Pending *pending, size_t size)
{
	if (pending->room - pending->size < size)
	{
		size_t		room = 2 * pending->room > pending->size + size ?
			2 * pending->room : pending->size + size;
		unsigned char *bytes = realloc(pending->bytes, room);

		if (bytes == NULL)
			return false;
		pending->bytes = bytes;
		pending->room = room;
	}
	if (pending->record_room == pending->count)
	{
		size_t		room = pending->record_room > 0 ? 2 * pending->record_room : 64;
		void	   *records = realloc(pending->records, room * sizeof(*pending->records));

		if (records == NULL)
			return false;
		pending->records = records;
		pending->record_room = room;
	}
	return true;
}

/* Has the active segment had enough?  Not while records for it are pending. */
static bool
active_is_full(const Spool *spool, int64_t now)
{
	if (spool->next_index > SEGMENT_INDEX_MAX)
		return true;
	return spool->pending.count == 0 &&
		(spool->active->size >= (off_t) spool->segment_size ||
		 now - spool->active->created >= spool->max_age / AGE_PARTS);
}

static SpoolResult
add_record(Spool *spool, const void *data, size_t length, int64_t arrival)
{
	size_t		size = SEGMENT_RECORD_SIZE(length);
	SegmentRecord record;
	Pending    *pending = &spool->pending;

	if (length > SPOOL_RECORD_MAX)
		return SPOOL_TOO_LONG;
	if (spool->counts.bytes + pending->size + size + SEGMENT_HEADER_SIZE >
		(uint64_t) spool->max_size)
		return SPOOL_FULL;
	if (spool->active != NULL && active_is_full(spool, arrival))
	{
		if (pending->count > 0)
			return SPOOL_FULL;	/* 16 million records without a sync */
		close_active(spool);
	}
	if (spool->active == NULL)
	{
		SpoolResult result = begin_segment(spool, arrival);

		if (result != SPOOL_OK)
			return result;
	}
	if (!make_room(pending, size))
		return SPOOL_FAILED;

	record.length = (uint32_t) length;
	record.index = spool->next_index++;
	record.previous = spool->last_added;
	record.arrival = arrival;
	if (!segment_seal_record(&spool->active->key, &record, data, pending->bytes + pending->size))
	{
		report(spool, "spool: could not encrypt a record");
		return SPOOL_FAILED;
	}
	spool->last_added = record.index;
	pending->size += size;
	pending->records[pending->count].end = pending->size;
	pending->records[pending->count].index = record.index;
	pending->records[pending->count].arrival = arrival;
	pending->count++;
	return SPOOL_OK;
}

SpoolResult
spool_add(Spool *spool, const void *data, size_t length, int64_t arrival)
{
	SpoolResult result = add_record(spool, data, length, arrival);

	if (result != SPOOL_OK)
		spool->counts.refused++;
	return result;
}

size_t
spool_pending(const Spool *spool)
{
	return spool->pending.count;
}

/*
 * Writes the pending bytes and syncs them; returns how many records are on disk
 * for good.  Of the others nothing is left, or nothing that could be taken for
 * a record, unless the disk refuses even to cut them off.
 */
static size_t
write_pending(Spool *spool, SpoolResult *result)
{
	Segment    *segment = spool->active;
	Pending    *pending = &spool->pending;
	size_t		written;
	size_t		fit = pending->count;

	*result = SPOOL_OK;
	if (!write_at(spool->active_fd, pending->bytes, pending->size, segment->size, &written))
	{
		off_t		end = segment->size;

		*result = result_of_errno(errno);
		if (*result == SPOOL_FAILED)
			report(spool, "could not write to spool directory \"%s\": %s",
				   spool->directory, strerror(errno));
		while (fit > 0 && pending->records[fit - 1].end > written)
			fit--;
		if (fit > 0)
			end += (off_t) pending->records[fit - 1].end;
		if (ftruncate(spool->active_fd, end) != 0)
			report(spool, "could not shorten a segment of spool directory \"%s\": %s",
				   spool->directory, strerror(errno));
	}
	if (fit > 0 && (fdatasync(spool->active_fd) != 0 ||
					(!segment->named && fsync(spool->directory_fd) != 0)))
	{
		*result = result_of_errno(errno);
		report(spool, "could not sync spool directory \"%s\": %s",
			   spool->directory, strerror(errno));
		if (ftruncate(spool->active_fd, segment->size) != 0)
			report(spool, "could not shorten a segment of spool directory \"%s\": %s",
				   spool->directory, strerror(errno));
		fit = 0;
	}
	return fit;
}

SpoolResult
spool_sync(Spool *spool, size_t *kept)
{
	Segment    *segment = spool->active;
	Pending    *pending = &spool->pending;
	struct stat st;
	SpoolResult result;
	off_t		on_disk;

	*kept = 0;
	if (pending->count == 0)
		return SPOOL_OK;
	*kept = write_pending(spool, &result);

	for (size_t i = 0; i < *kept; i++)
		if (pending->records[i].arrival > segment->newest)
			segment->newest = pending->records[i].arrival;
	if (*kept > 0)
	{
		segment->named = true;
		segment->size += (off_t) pending->records[*kept - 1].end;
		segment->last = pending->records[*kept - 1].index;
		segment->waiting += *kept;
	}
	on_disk = fstat(spool->active_fd, &st) == 0 ? st.st_size : segment->size;
	spool->counts.bytes += (uint64_t) (on_disk - segment->on_disk);
	segment->on_disk = on_disk;
	spool->counts.records += *kept;
	spool->counts.kept += *kept;
	spool->counts.refused += pending->count - *kept;
	pending->size = 0;
	pending->count = 0;
	spool->last_added = segment->last;

	/* after an error nothing more is written behind what the disk may hold */
	if (result != SPOOL_OK && (result != SPOOL_NO_SPACE || on_disk != segment->size))
		close_active(spool);
	if (result != SPOOL_OK && segment->waiting == 0 && segment == spool->first)
		destroy_first(spool);
	return result;
}

/*
 * Out
 */

bool
spool_waiting(const Spool *spool)
{
	return spool->counts.records > 0;
}

/* A descriptor to read a segment, kept for the next time; -1: there is none. */
static int
reader(Spool *spool, Segment *segment)
{
	char		name[NAME_SIZE];

	if (spool->reader_segment == segment)
		return spool->reader_fd;
	if (spool->reader_segment != NULL)
		close(spool->reader_fd);
	spool->reader_segment = NULL;
	segment_name(segment->key.sequence, name);
	spool->reader_fd = openat(spool->directory_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (spool->reader_fd >= 0)
		spool->reader_segment = segment;
	return spool->reader_fd;
}

/*
 * The record at a cursor, which moves to its place; false: the segment ends, or it
 * cannot be read now, and then the spool is stuck.  A file that is gone and a disk
 * that cannot read are damage.
 */
static bool
peek(Spool *spool, Cursor *cursor, SegmentRecord *record, SegmentFound *found)
{
	int			fd = reader(spool, cursor->segment);

	spool->stuck = fd < 0 && errno != ENOENT;
	if (spool->stuck)
	{
		report(spool, "could not open a segment of spool directory \"%s\": %s",
			   spool->directory, strerror(errno));
		return false;
	}
	if (fd < 0 || segment_find(fd, cursor->segment->size, cursor->previous, &cursor->offset,
							   record, found) != 0)
		*found = cursor->offset < cursor->segment->size ? SEGMENT_GARBAGE : SEGMENT_END;
	return *found == SEGMENT_RECORD || *found == SEGMENT_RECORD_AFTER_GAP;
}

static void
advance(Cursor *cursor, const SegmentRecord *record)
{
	cursor->offset += (off_t) SEGMENT_RECORD_SIZE(record->length);
	cursor->previous = record->index;
}

/* Counts damage before or in a record, or at a segment's end, once. */
static void
count_damage(Spool *spool, Segment *segment, uint64_t up_to)
{
	if (up_to <= spool->damaged_up_to)
		return;
	spool->damaged_up_to = up_to;
	spool->counts.damaged++;
	if (!segment->damage_told)
		report(spool, "spool: records of a segment are damaged and are left out");
	segment->damage_told = true;
}

/* Reads and opens the record at the read cursor. */
static bool
read_record(Spool *spool, const SegmentRecord *record, SpoolRecord *out)
{
	Segment    *segment = spool->read.segment;
	size_t		size = SEGMENT_RECORD_SIZE(record->length);
	unsigned char *buffer = malloc(size);
	unsigned char *data = malloc(record->length > 0 ? record->length : 1);
	size_t		have = 0;
	bool		opened = false;

	while (buffer != NULL && data != NULL && have < size)
	{
		ssize_t		n = pread(spool->reader_fd, buffer + have, size - have,
							  spool->read.offset + (off_t) have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		have += (size_t) n;
	}
	spool->stuck = buffer == NULL || data == NULL;
	if (have == size)
		opened = segment_open_record(&segment->key, record, buffer, data);
	free(buffer);
	if (!opened)
	{
		free(data);
		return false;
	}
	out->number = SEGMENT_NUMBER(segment->key.sequence, record->index);
	out->arrival = record->arrival;
	out->data = data;
	out->length = record->length;
	return true;
}

/* Destroys the segments at the front in which nothing waits. */
static void
settle(Spool *spool, uint64_t number)
{
	SegmentRecord record;
	SegmentFound found;

	/* behind the last record handed out there are damaged ones at most */
	if (spool->handed <= number && spool->passed > number)
		number = spool->passed;
	if (number > spool->done_number)
		spool->done_number = number;
	while (spool->first != NULL)
	{
		Segment    *segment = spool->first;

		while (peek(spool, &spool->done, &record, &found))
		{
			if (SEGMENT_NUMBER(segment->key.sequence, record.index) > number)
				return;
			if (spool->read.segment == segment && spool->read.offset <= spool->done.offset)
			{
				spool->read = spool->done;
				advance(&spool->read, &record);
			}
			advance(&spool->done, &record);
			if (segment->waiting > 0)
			{
				segment->waiting--;
				spool->counts.records--;
			}
			spool->counts.done++;
		}
		if (spool->stuck)
			return;
		if (segment == spool->active && spool->pending.count > 0)
			return;
		destroy_first(spool);
	}
}

bool
spool_next(Spool *spool, SpoolRecord *out)
{
	SegmentRecord record;
	SegmentFound found;

	while (spool->read.segment != NULL)
	{
		Segment    *segment = spool->read.segment;
		uint64_t	number;
		bool		opened;

		if (!peek(spool, &spool->read, &record, &found))
		{
			if (spool->stuck)
				return false;
			if (found != SEGMENT_END)
			{
				number = SEGMENT_NUMBER(segment->key.sequence, segment->last);
				count_damage(spool, segment, number);
				spool->passed = number;
			}
			if (segment->next != NULL)
				spool->read = cursor_at_start(segment->next);
			if (found != SEGMENT_END && spool->handed <= spool->done_number)
				settle(spool, spool->done_number);
			if (spool->read.segment == segment)
				return false;
			continue;
		}
		number = SEGMENT_NUMBER(segment->key.sequence, record.index);
		if (record.previous != spool->read.previous)
			count_damage(spool, segment, number - 1);
		opened = read_record(spool, &record, out);
		if (spool->stuck)
			return false;
		if (!opened)
			count_damage(spool, segment, number);
		advance(&spool->read, &record);
		spool->passed = number;
		if (opened)
		{
			spool->handed = number;
			return true;
		}
		if (spool->handed <= spool->done_number)
			settle(spool, spool->done_number);
	}
	return false;
}

void
spool_record_free(SpoolRecord *record)
{
	if (record->data != NULL)
		seal_forget(record->data, record->length);
	free(record->data);
	record->data = NULL;
}

void
spool_rewind(Spool *spool)
{
	spool->read = spool->done;
	spool->handed = spool->passed = spool->done_number;
}

void
spool_done(Spool *spool, uint64_t number)
{
	settle(spool, number);
}

void
spool_expire(Spool *spool, int64_t now)
{
	int64_t		oldest = now - spool->max_age;
	uint64_t	expired = 0;

	while (spool->handed <= spool->done_number && spool->first != NULL &&
		   spool->first->newest < oldest &&
		   !(spool->first == spool->active && spool->pending.count > 0))
	{
		expired += spool->first->waiting;
		destroy_first(spool);
	}
	for (Segment **link = &spool->foreign; *link != NULL;)
	{
		Segment    *segment = *link;
		char		name[NAME_SIZE];

		if (segment->newest >= oldest)
		{
			link = &segment->next;
			continue;
		}
		*link = segment->next;
		segment_name(segment->key.sequence, name);
		destroy_file(spool, name);
		spool->counts.segments--;
		spool->counts.bytes -= (uint64_t) segment->on_disk;
		spool->counts.lost += segment->waiting;
		forget_segment(spool, segment);
	}
	spool->counts.expired += expired;
	if (expired > 0)
		report(spool, "spool: %" PRIu64 " records were older than spool_max_age and are lost",
			   expired);
}

void
spool_status(Spool *spool, SpoolStatus *status)
{
	SegmentRecord record;
	SegmentFound found;

	*status = spool->counts;
	status->oldest = 0;
	if (spool->counts.records > 0 && peek(spool, &spool->done, &record, &found))
		status->oldest = record.arrival;
}
