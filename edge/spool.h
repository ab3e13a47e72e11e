/*
 * spool.h
 *		Hits kept on disk until PostgreSQL takes them.
 *
 * A spool is a directory of segments.  A record is sealed (seal.h) when it is
 * added and lies on disk, synced, when spool_sync() has counted it as kept: only
 * then may its request be answered.  Records leave in the order in which they
 * came.  Their numbers rise, with gaps, and never come again in the life of the
 * spool, which its uuid names: the number of the last record of a batch is
 * committed in PostgreSQL together with the batch's hits, under that uuid, so
 * after a crash PostgreSQL tells up to where the spool is done.
 *
 * The module knows neither requests nor PostgreSQL, waits for the disk in the
 * calling thread, and is for one thread.  Times are microseconds since 1970, UTC.
 */
#ifndef EDGE_SPOOL_H
#define EDGE_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The longest record, in bytes: a body of 2 MB and its headers fit. */
#define SPOOL_RECORD_MAX (4 * 1024 * 1024)

typedef struct Spool Spool;

typedef struct SpoolOptions
{
	const char *directory;		/* made with mode 0700 if it is missing */

	/*
	 * The file of the key that wraps the segments' keys.  In memory (tmpfs),
	 * made with mode 0600 if it is missing; or, if key_is_credential, a file
	 * that systemd hands over, which is never made here.  Segments of another
	 * key are removed and counted as lost; with a credential they stay until
	 * they are too old, for the right one may come back.
	 */
	const char *key_file;
	bool		key_is_credential;

	int64_t		max_age;		/* seconds; older records are destroyed */
	int64_t		max_size;		/* bytes on disk; beyond them nothing is added */
	int64_t		segment_size;	/* bytes; 0: 8 MB, or max_size / 8 if that is
								 * less */

	/*
	 * Told once of each thing that an operator should know; never of a
	 * record's content.
	 */
	void		(*report) (void *context, const char *message);
	void	   *report_context;
} SpoolOptions;

typedef enum SpoolResult
{
	SPOOL_OK,
	SPOOL_FULL,					/* max_size is reached */
	SPOOL_NO_SPACE,				/* the disk, or the quota, is full */
	SPOOL_TOO_LONG,				/* longer than SPOOL_RECORD_MAX */
	SPOOL_FAILED				/* another error, which was reported */
} SpoolResult;

typedef struct SpoolRecord
{
	uint64_t	number;			/* 1 to 2^63 - 1 */
	int64_t		arrival;
	unsigned char *data;		/* for spool_record_free() */
	size_t		length;
} SpoolRecord;

typedef struct SpoolStatus
{
	uint64_t	records;		/* waiting: kept and not done */
	uint64_t	segments;
	uint64_t	bytes;			/* of all segments on disk */
	int64_t		oldest;			/* arrival of the first record that waits, 0
								 * if none does */

	/* Records since spool_open(). */
	uint64_t	kept;
	uint64_t	done;			/* by spool_done(), with what was damaged
								 * among them */
	uint64_t	refused;		/* whatever spool_add() or spool_sync() did
								 * not keep */
	uint64_t	lost;			/* their key was gone */
	uint64_t	damaged;		/* their seal was broken, or a part of a
								 * segment was unreadable */
	uint64_t	expired;		/* older than max_age */
} SpoolStatus;

/*
 * Opens the spool, makes it if it is missing, and finds what waits in it.  Holds
 * a lock, so that no second process opens it.  NULL with a message in error.
 */
extern Spool *spool_open(const SpoolOptions *options, char *error, size_t error_size);

/* Forgets keys and what spool_sync() has not kept.  What waits stays on disk. */
extern void spool_close(Spool *spool);

/* max_age and max_size may change while the spool is open. */
extern void spool_set_limits(Spool *spool, int64_t max_age, int64_t max_size);

/* The 16 bytes of the uuid under which PostgreSQL keeps this spool's position. */
extern const unsigned char *spool_uuid(const Spool *spool);

/*
 * Seals a record for the next spool_sync(); data is copied.  Anything but
 * SPOOL_OK: the record is refused.
 */
extern SpoolResult spool_add(Spool *spool, const void *data, size_t length, int64_t arrival);

/* How many records spool_sync() would write. */
extern size_t spool_pending(const Spool *spool);

/*
 * Writes and syncs what was added since the last call.  The first *kept of these
 * records are kept whatever the result; the others are refused, and not a byte
 * of them is left in the segment.
 */
extern SpoolResult spool_sync(Spool *spool, size_t *kept);

/* Does any kept record wait, handed out or not?  Live hits go behind it. */
extern bool spool_waiting(const Spool *spool);

/*
 * The next kept record after the one handed out last; false: there is none.
 * Damaged records are counted, reported and passed over.
 */
extern bool spool_next(Spool *spool, SpoolRecord *record);
extern void spool_record_free(SpoolRecord *record);

/* spool_next() begins again at the first record that is not done. */
extern void spool_rewind(Spool *spool);

/*
 * All records up to this number are done: PostgreSQL has committed it, or said
 * so at start.  Destroys the keys and files of segments in which nothing waits.
 */
extern void spool_done(Spool *spool, uint64_t number);

/*
 * Destroys segments all of whose records are older than max_age; to be called
 * about once a minute, also while PostgreSQL is away.  Does nothing while records
 * of spool_next() are neither done nor rewound.  now is the time, as a record's arrival.
 */
extern void spool_expire(Spool *spool, int64_t now);

extern void spool_status(Spool *spool, SpoolStatus *status);

#endif
