/*
 * spool_test.c
 *		Tests of spool.c, segment.c and seal.c, without PostgreSQL.
 *
 *   edge/test/run spool        builds it with the sanitizers and runs it
 *
 * modules: spool segment seal
 * libraries: libcrypto
 * wrapped: pwrite fdatasync fsync ftruncate
 *
 * Works below TMPDIR; keys lie in /dev/shm.  pwrite(), fdatasync(), fsync() and
 * ftruncate() are wrapped, so that the disk can be made full or broken at any call.
 * Nothing is really synced: no test here cuts the power.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../seal.h"
#include "../segment.h"
#include "../spool.h"

#define ADDRESS "203.0.113.77"
#define HOUR INT64_C(3600000000)
#define NOW (INT64_C(1800000000) * 1000000)

static int	passed;
static int	failed;
static char base[256];			/* the directory of all tests */
static char directory[300];		/* the spool of the test that runs */
static char key_file[300];
static char last_report[512];
static int	reports;

/* The disk's faults: a budget of bytes, and calls that fail. */
static int64_t disk_room = -1;	/* -1: no limit */
static int	full_error = ENOSPC;
static bool sync_fails;
static bool truncate_fails;
static size_t write_piece;		/* pwrite() writes no more at once; 0: all */

ssize_t		__real_pwrite(int fd, const void *bytes, size_t size, off_t offset);
ssize_t		__wrap_pwrite(int fd, const void *bytes, size_t size, off_t offset);
int			__wrap_fsync(int fd);
int			__wrap_fdatasync(int fd);
int			__real_ftruncate(int fd, off_t size);
int			__wrap_ftruncate(int fd, off_t size);

ssize_t
__wrap_pwrite(int fd, const void *bytes, size_t size, off_t offset)
{
	if (write_piece > 0 && size > write_piece)
		size = write_piece;
	if (disk_room >= 0)
	{
		if (disk_room == 0)
		{
			errno = full_error;
			return -1;
		}
		if ((int64_t) size > disk_room)
			size = (size_t) disk_room;
		disk_room -= (int64_t) size;
	}
	return __real_pwrite(fd, bytes, size, offset);
}

int
__wrap_fdatasync(int fd)
{
	if (sync_fails)
	{
		errno = EIO;
		return -1;
	}
	return fcntl(fd, F_GETFD) < 0 ? -1 : 0;
}

int
__wrap_fsync(int fd)
{
	return __wrap_fdatasync(fd);
}

int
__wrap_ftruncate(int fd, off_t size)
{
	if (truncate_fails)
	{
		errno = EIO;
		return -1;
	}
	return __real_ftruncate(fd, size);
}

static void check(bool good, const char *format,...)
			__attribute__((format(printf, 2, 3)));

static void
check(bool good, const char *format,...)
{
	va_list		args;

	good ? passed++ : failed++;
	printf("%s - ", good ? "ok" : "not ok");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

static void
note_report(void *context, const char *message)
{
	(void) context;
	reports++;
	snprintf(last_report, sizeof(last_report), "%s", message);
}

static void
run_shell(const char *format,...)
{
	char		command[2000];
	va_list		args;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	if (system(command) != 0)
	{
		fprintf(stderr, "failed: %s\n", command);
		exit(1);
	}
}

static SpoolOptions
options(void)
{
	SpoolOptions o = {0};

	o.directory = directory;
	o.key_file = key_file;
	o.max_age = 24 * 3600;
	o.max_size = INT64_C(1) << 30;
	o.report = note_report;
	return o;
}

/* A new directory for a test, with no key yet. */
static void
fresh(const char *name)
{
	snprintf(directory, sizeof(directory), "%s/%s", base, name);
	unlink(key_file);
	reports = 0;
	last_report[0] = '\0';
}

static Spool *
open_with(SpoolOptions o)
{
	char		error[512] = "";
	Spool	   *spool = spool_open(&o, error, sizeof(error));

	if (spool == NULL)
	{
		fprintf(stderr, "spool_open: %s\n", error);
		exit(1);
	}
	return spool;
}

static Spool *
open_spool(void)
{
	return open_with(options());
}

/* Is the message of a spool_open() that must fail like this? */
static bool
refuses(SpoolOptions o, const char *like)
{
	char		error[512] = "";
	Spool	   *spool = spool_open(&o, error, sizeof(error));

	if (spool != NULL)
		spool_close(spool);
	else if (strstr(error, like) == NULL)
		printf("    %s\n", error);
	return spool == NULL && strstr(error, like) != NULL;
}

/* The text of record n; its length varies. */
static size_t
text_of(int n, char *text)
{
	size_t		size = (size_t) sprintf(text, "hit %d of " ADDRESS " ", n);

	for (int i = 0; i < n % 7 * 13; i++)
		text[		size++] = 'x';

	return size;
}

/* The n of a record; -1: its text is not as it was. */
static int
n_of(const SpoolRecord *record)
{
	char text[	300];
	int			n;

	if (record->length < 5 || record->length > 200)
		return -1;
	memcpy(text, record->data, record->length);
	text[		record->length] = '\0';

	if (sscanf(text, "hit %d of", &n) != 1)
		return -1;
	if (text_of(n, text) != record->length || memcmp(text, record->data, record->length) != 0)
		return -1;
	return record->arrival == NOW + n ? n : -1;
}

static SpoolResult
add(Spool *spool, int n)
{
	char text[	300];
	size_t		size = text_of(n, text);

	return spool_add(spool, text, size, NOW + n);
}

static size_t
sync_spool(Spool *spool)
{
	size_t		kept;

	spool_sync(spool, &kept);
	return kept;
}

static void
add_and_sync(Spool *spool, int from, int to)
{
	for (int n = from; n <= to; n++)
		if (add(spool, n) != SPOOL_OK)
			exit(2);
	if (sync_spool(spool) != (size_t) (to - from + 1))
		exit(3);
}

/*
 * Reads all that wait into list; returns how many, or -1: a wrong record, or a
 * number that does not rise.
 */
static int
read_all(Spool *spool, int *list, uint64_t *last)
{
	SpoolRecord record;
	int			count = 0;
	uint64_t	before = 0;

	while (spool_next(spool, &record))
	{
		int			n = n_of(&record);

		spool_record_free(&record);
		if (n < 0 || record.number <= before)
			return -1;
		before = record.number;
		list[count++] = n;
	}
	if (last != NULL)
		*last = before;
	return count;
}

/* Are these the records from .. to? */
static bool
are(const int *list, int count, int from, int to)
{
	if (count != to - from + 1)
		return false;
	for (int i = 0; i < count; i++)
		if (list[i] != from + i)
			return false;
	return true;
}

static int
segment_files(void)
{
	DIR		   *d = opendir(directory);
	struct dirent *entry;
	int			count = 0;

	while (d != NULL && (entry = readdir(d)) != NULL)
		count += strstr(entry->d_name, ".seg") != NULL;
	if (d != NULL)
		closedir(d);
	return count;
}

/* The first segment's file: its name, and its bytes. */
static size_t
first_file(char name[600], unsigned char *bytes, size_t room)
{
	char		best[300] = "z";
	DIR		   *d = opendir(directory);
	struct dirent *entry;
	size_t		size;
	FILE	   *f;

	while (d != NULL && (entry = readdir(d)) != NULL)
		if (strstr(entry->d_name, ".seg") != NULL && strcmp(entry->d_name, best) < 0)
			snprintf(best, sizeof(best), "%s", entry->d_name);
	if (d != NULL)
		closedir(d);
	snprintf(name, 600, "%s/%s", directory, best);
	f = fopen(name, "r");
	if (f == NULL)
		return 0;
	size = fread(bytes, 1, room, f);
	fclose(f);
	return size;
}

static void
put_file(const char *name, const unsigned char *bytes, size_t size)
{
	FILE	   *f = fopen(name, "w");

	if (f == NULL || fwrite(bytes, 1, size, f) != size || fclose(f) != 0)
		exit(4);
}

static void
test_round_trip(void)
{
	Spool	   *spool;
	SpoolStatus status;
	int			list[100];
	uint64_t	last;
	unsigned char uuid[16];
	uint64_t	before;

	fresh("round");
	spool = open_spool();
	memcpy(uuid, spool_uuid(spool), 16);
	check(!spool_waiting(spool) && segment_files() == 0, "a new spool is empty");
	check(add(spool, 1) == SPOOL_OK && add(spool, 2) == SPOOL_OK && spool_pending(spool) == 2 &&
		  !spool_waiting(spool), "what was added waits for the sync");
	check(read_all(spool, list, &last) == 0, "and is not handed out before it");
	check(sync_spool(spool) == 2 && spool_waiting(spool) && spool_pending(spool) == 0,
		  "two records are kept by one sync");
	add_and_sync(spool, 3, 9);
	check(are(list, read_all(spool, list, &before), 1, 9), "all are handed out in order");
	check(read_all(spool, list, &last) == 0, "and once");
	spool_rewind(spool);
	check(are(list, read_all(spool, list, &last), 1, 9) && last == before,
		  "a rewind begins at the first again, with the same numbers");
	spool_done(spool, before - 4);
	spool_rewind(spool);
	spool_status(spool, &status);
	check(are(list, read_all(spool, list, &last), 6, 9) && status.records == 4 &&
		  status.done == 5 && status.oldest == NOW + 6, "what is done does not come again");
	add_and_sync(spool, 10, 12);
	check(are(list, read_all(spool, list, &last), 10, 12), "later records come behind them");
	spool_close(spool);

	spool = open_spool();
	check(memcmp(uuid, spool_uuid(spool), 16) == 0, "the uuid stays");
	spool_status(spool, &status);
	check(status.records == 12 && status.oldest == NOW + 1, "a start finds all on disk again");
	spool_done(spool, before - 4);
	check(are(list, read_all(spool, list, NULL), 6, 12),
		  "and goes on behind the number that PostgreSQL tells");
	add_and_sync(spool, 13, 13);
	check(segment_files() == 2, "after a start a new segment is begun");
	check(are(list, read_all(spool, list, &last), 13, 13), "whose records come last");
	spool_done(spool, last);
	spool_status(spool, &status);
	check(segment_files() == 0 && !spool_waiting(spool) && status.segments == 0 &&
		  status.bytes == 0, "segments of which all is done are gone");
	before = last;
	spool_close(spool);

	spool = open_spool();
	add_and_sync(spool, 14, 14);
	check(are(list, read_all(spool, list, &last), 14, 14) && last > before,
		  "numbers rise across starts of an empty spool");
	spool_done(spool, last);
	check(reports == 0, "and there was nothing to report");
	spool_close(spool);
}

static void
test_many_segments(void)
{
	Spool	   *spool;
	SpoolOptions o;
	SpoolStatus status;
	SpoolRecord record;
	int			n = 1;
	bool		good = true;

	fresh("many");
	o = options();
	o.segment_size = 500;
	spool = open_with(o);
	for (int i = 0; i < 40; i++)
		add_and_sync(spool, 5 * i + 1, 5 * i + 5);
	spool_status(spool, &status);
	check(status.segments > 10 && status.records == 200, "many segments");
	spool_close(spool);
	spool = open_with(o);
	while (spool_next(spool, &record))
	{
		good = good && n_of(&record) == n;
		if (n % 3 == 0)
			spool_done(spool, record.number);
		if (n % 10 == 0)
			add_and_sync(spool, 200 + n / 10, 200 + n / 10);
		n++;
		spool_record_free(&record);
	}
	check(good && n == 223, "are read in order while more are added (%d)", n);
	spool_status(spool, &status);
	check(status.records == 222 % 3 && status.done == 222, "and go as they are done");
	spool_close(spool);
}

static void
test_cuts(void)
{
	static unsigned char bytes[4096];
	char		name[600];
	Spool	   *spool;
	int			list[100];
	size_t		size;
	size_t		ends[6];
	int			wrong = 0;

	fresh("cut");
	spool = open_spool();
	ends[0] = SEGMENT_HEADER_SIZE;
	for (int n = 1; n <= 5; n++)
	{
		char text[	300];

		add_and_sync(spool, n, n);
		ends[n] = ends[n - 1] + SEGMENT_RECORD_SIZE(text_of(n, text));
	}
	spool_close(spool);
	size = first_file(name, bytes, sizeof(bytes));
	check(size == ends[5], "the file is as long as its parts");
	for (size_t cut = 0; cut <= size; cut++)
	{
		int			whole = 0;
		SpoolStatus status;

		while (whole < 5 && ends[whole + 1] <= cut)
			whole++;
		put_file(name, bytes, cut);
		spool = open_spool();
		spool_status(spool, &status);
		if (status.records != (uint64_t) whole || status.damaged != 0 ||
			!are(list, read_all(spool, list, NULL), 1, whole))
			wrong++;
		spool_close(spool);
	}
	check(wrong == 0, "cut after each of %zu bytes: the whole records, and no damage (%d wrong)",
		  size, wrong);

	/* a file system may have lengthened the file without having written it */
	wrong = 0;
	for (size_t cut = ends[2]; cut < size; cut++)
	{
		unsigned char torn[4096];
		int			count;

		memcpy(torn, bytes, cut);
		memset(torn + cut, 0, size - cut);
		put_file(name, torn, size);
		spool = open_spool();
		count = read_all(spool, list, NULL);
		if (count < 2 || !are(list, count, 1, count))
			wrong++;
		spool_close(spool);
	}
	check(wrong == 0, "zeros behind each byte: no wrong record (%d wrong)", wrong);
}

static void
test_flips(void)
{
	static unsigned char bytes[4096];
	char		name[600];
	Spool	   *spool;
	int			list[100];
	size_t		size;
	int			wrong = 0;
	int			unnoticed = 0;
	int			lost_more = 0;

	fresh("flip");
	spool = open_spool();
	add_and_sync(spool, 1, 5);
	spool_close(spool);
	size = first_file(name, bytes, sizeof(bytes));
	for (size_t at = 0; at < 8 * size; at++)
	{
		int			count;
		SpoolStatus status;

		bytes[at / 8] ^= (unsigned char) (1 << at % 8);
		put_file(name, bytes, size);
		bytes[at / 8] ^= (unsigned char) (1 << at % 8);
		spool = open_spool();
		count = read_all(spool, list, NULL);
		for (int i = 0; i < count; i++)
			if (list[i] < 1 || list[i] > 5 || (i > 0 && list[i] <= list[i - 1]))
				wrong++;
		spool_status(spool, &status);
		/* a changed uuid or key id says: another spool, another key */
		if (count < 0)
			wrong++;
		if (count == 5 || (status.damaged == 0 && reports == 0))
			unnoticed++;
		if (at / 8 >= SEGMENT_HEADER_SIZE && count != 4)
			lost_more++;
		reports = 0;
		spool_close(spool);
	}
	check(wrong == 0, "each of %zu bits flipped: no wrong record (%d)", 8 * size, wrong);
	check(unnoticed == 0, "each is noticed (%d not)", unnoticed);
	check(lost_more == 0, "and costs one record (%d cost more)", lost_more);
}

static void
test_moved_records(void)
{
	static unsigned char bytes[4096];
	unsigned char other[4096];
	char		name[600];
	char text[	300];
	Spool	   *spool;
	SpoolStatus status;
	int			list[100];
	int			count;
	size_t		size;
	size_t		first = SEGMENT_RECORD_SIZE(text_of(1, text));
	size_t		second = SEGMENT_RECORD_SIZE(text_of(2, text));
	const size_t start = SEGMENT_HEADER_SIZE;

	fresh("moved");
	spool = open_spool();
	add_and_sync(spool, 1, 4);
	spool_close(spool);
	size = first_file(name, bytes, sizeof(bytes));

	memcpy(other, bytes, start + first);
	memcpy(other + start + first, bytes + start + first + second, size - start - first - second);
	put_file(name, other, size - second);
	spool = open_spool();
	count = read_all(spool, list, NULL);
	spool_status(spool, &status);
	check(count == 3 && status.damaged == 1, "a record that was taken out is noticed");
	spool_close(spool);

	memcpy(other, bytes, start);
	memcpy(other + start, bytes + start + first, second);
	memcpy(other + start + second, bytes + start, first);
	memcpy(other + start + first + second, bytes + start + first + second,
		   size - start - first - second);
	put_file(name, other, size);
	spool = open_spool();
	count = read_all(spool, list, NULL);
	spool_status(spool, &status);
	check(count == 3 && list[0] == 2 && list[1] == 3 && status.damaged > 0,
		  "of two that changed places one is left out (%d)", count);
	spool_close(spool);

	memcpy(other, bytes, size);
	memcpy(other + size, bytes + start, first);
	put_file(name, other, size + first);
	spool = open_spool();
	count = read_all(spool, list, NULL);
	check(are(list, count, 1, 4), "a record that was copied comes once");
	spool_close(spool);

	/* a record of another segment in the place of one */
	put_file(name, bytes, size);
	spool = open_spool();
	add_and_sync(spool, 1, 1);
	spool_close(spool);
	{
		char		command[1400];

		snprintf(command, sizeof(command),
				 "cd %s && set -- *.seg && dd if=$2 of=$1 bs=1 skip=%zu seek=%zu count=%zu "
				 "conv=notrunc 2>/dev/null", directory, start, start, first);
		run_shell("%s", command);
	}
	spool = open_spool();
	count = read_all(spool, list, NULL);
	spool_status(spool, &status);
	check(count == 4 && list[0] == 2 && list[3] == 1 && status.damaged == 1,
		  "a record of another segment is not taken");
	spool_close(spool);
}

static void
test_damage_and_done(void)
{
	static unsigned char bytes[4096];
	char		name[600];
	Spool	   *spool;
	SpoolStatus status;
	SpoolRecord record;
	int			list[100];
	uint64_t	last;
	size_t		size;

	fresh("damage");
	spool = open_spool();
	add_and_sync(spool, 1, 5);
	spool_close(spool);
	size = first_file(name, bytes, sizeof(bytes));
	bytes[size - 1] ^= 1;
	put_file(name, bytes, size);
	spool = open_spool();
	check(read_all(spool, list, &last) == 4, "the last record is damaged");
	spool_done(spool, last);
	spool_status(spool, &status);
	check(!spool_waiting(spool) && segment_files() == 0 && status.damaged == 1,
		  "it does not keep the spool waiting when the others are done");
	spool_close(spool);

	spool = open_spool();
	add_and_sync(spool, 1, 1);
	spool_close(spool);
	size = first_file(name, bytes, sizeof(bytes));
	bytes[size - 1] ^= 1;
	put_file(name, bytes, size);
	spool = open_spool();
	check(spool_waiting(spool) && !spool_next(spool, &record) && !spool_waiting(spool) &&
		  segment_files() == 0, "nor does it if there are no others");
	add_and_sync(spool, 2, 2);
	check(are(list, read_all(spool, list, &last), 2, 2), "and the spool goes on");
	spool_done(spool, last);
	add_and_sync(spool, 3, 3);
	spool_close(spool);
	spool = open_spool();
	first_file(name, bytes, sizeof(bytes));
	unlink(name);
	check(!spool_next(spool, &record) && !spool_waiting(spool),
		  "a segment that somebody removed does not keep it waiting");
	add_and_sync(spool, 4, 4);
	check(are(list, read_all(spool, list, &last), 4, 4), "and it goes on again");
	spool_close(spool);
}

static void
test_full_disk(void)
{
	Spool	   *spool;
	SpoolStatus status;
	int			list[1000];
	int			n = 0;
	int			wrong = 0;
	size_t		kept;
	int			answered = 0;

	fresh("full");
	spool = open_spool();
	add_and_sync(spool, 1, 3);

	/*
	 * at each number of bytes that fit, two records are added, and the disk
	 * has room again
	 */
	for (int room = 0; room < 200; room++)
	{
		SpoolResult result;

		n = 10 + 2 * room;
		disk_room = room;
		if (add(spool, n) != SPOOL_OK || add(spool, n + 1) != SPOOL_OK)
			wrong++;
		result = spool_sync(spool, &kept);
		if (kept < 2 && result != SPOOL_NO_SPACE)
			wrong++;
		list[answered] = n;
		list[answered + 1] = n + 1;
		answered += (int) kept;
		disk_room = -1;
	}
	check(wrong == 0, "a full disk refuses (%d wrong)", wrong);
	for (int again = 0; again < 2; again++)
	{
		int			found[1000];
		int			count;

		if (again)
		{
			spool_close(spool);
			spool = open_spool();
		}
		count = read_all(spool, found, NULL);
		spool_status(spool, &status);
		check(count == answered + 3 &&
			  status.damaged == 0 &&
			  memcmp(found + 3, list, (size_t) answered * sizeof(int)) == 0,
			  "what was kept is there, and nothing else, %s (%d of %d)",
			  again ? "after a start" : "at once", count, answered + 3);
	}
	spool_close(spool);

	fresh("full2");
	spool = open_spool();
	for (int room = 0; room < 400; room++)
	{
		SpoolResult result;

		disk_room = room;
		result = add(spool, 1);
		if (result == SPOOL_OK && spool_sync(spool, &kept) == SPOOL_OK)
			break;
		disk_room = -1;
		if (segment_files() != 0 || spool_waiting(spool))
			wrong++;
	}
	disk_room = -1;
	check(wrong == 0, "no room for a first segment: no file is left (%d wrong)", wrong);
	spool_status(spool, &status);
	check(status.kept == 1 && status.refused > 100, "and it is tried again");
	check(are(list, read_all(spool, list, NULL), 1, 1), "until it works");
	spool_close(spool);
}

static void
test_broken_disk(void)
{
	Spool	   *spool;
	int			list[100];
	size_t		kept;
	uint64_t	last;

	fresh("broken");
	spool = open_spool();
	add_and_sync(spool, 1, 2);
	sync_fails = true;
	add(spool, 3);
	check(spool_sync(spool, &kept) == SPOOL_FAILED && kept == 0 && reports == 1,
		  "a failed sync keeps nothing");
	sync_fails = false;
	add_and_sync(spool, 4, 4);
	check(segment_files() == 2, "and what comes later goes into another segment");
	spool_close(spool);
	spool = open_spool();
	check(read_all(spool, list, NULL) == 3 && list[2] == 4, "what was refused is not there");
	spool_close(spool);

	spool = open_spool();
	add_and_sync(spool, 5, 5);
	disk_room = 20;
	full_error = EIO;
	truncate_fails = true;
	add(spool, 6);
	check(spool_sync(spool, &kept) == SPOOL_FAILED && kept == 0, "not even a cut works");
	disk_room = -1;
	full_error = ENOSPC;
	truncate_fails = false;
	add_and_sync(spool, 7, 7);
	check(read_all(spool, list, NULL) == 5 && list[3] == 5 && list[4] == 7, "reads on");
	spool_close(spool);
	spool = open_spool();
	check(read_all(spool, list, &last) == 5 && list[3] == 5 && list[4] == 7,
		  "also after a start");
	spool_done(spool, last);
	check(segment_files() == 0, "and all goes");
	write_piece = 7;
	add_and_sync(spool, 1, 5);
	write_piece = 0;
	check(are(list, read_all(spool, list, NULL), 1, 5), "writes in small pieces");
	spool_close(spool);
}

/* A small file system of its own, if this process may make one. */
static void
test_small_disk(void)
{
	Spool	   *spool;
	SpoolStatus status;
	SpoolResult result = SPOOL_OK;
	char		command[700];
	int		   *list = malloc(100000 * sizeof(int));
	int			n = 0;
	int			kept_up_to = 0;
	size_t		kept;
	uint64_t	last;

	fresh("small");
	snprintf(command, sizeof(command),
			 "mkdir %s && mount -t tmpfs -o size=64k none %s 2>/dev/null", directory, directory);
	if (system(command) != 0)
	{
		printf("# no test on a small file system: it cannot be mounted here\n");
		free(list);
		return;
	}
	spool = open_spool();
	while (result == SPOOL_OK && n < 10000)
	{
		result = add(spool, ++n);
		if (result == SPOOL_OK)
			result = spool_sync(spool, &kept);
		if (result == SPOOL_OK)
			kept_up_to = n;
	}
	check(result == SPOOL_NO_SPACE && n > 100, "a small disk is full after %d records", n);
	spool_status(spool, &status);
	check(status.bytes < 65536 && status.records == (uint64_t) kept_up_to, "all others are kept");
	check(are(list, read_all(spool, list, &last), 1, kept_up_to), "and can be read");
	spool_done(spool, last);
	check(segment_files() == 0, "and done with the disk full");
	add_and_sync(spool, 1, 100);
	check(are(list, read_all(spool, list, &last), 1, 100), "then there is room again");
	spool_close(spool);
	run_shell("umount %s", directory);
	free(list);
}

/* kill -9 at any instant: what a child says it has kept is there, once. */
static void
test_kills(void)
{
	int			wrong = 0;
	int			most = 0;
	int			next = 1;
	int		   *list = malloc(1000000 * sizeof(int));
	int		   *told = malloc(1000000 * sizeof(int));
	int			told_count = 0;
	SpoolOptions o;
	Spool	   *spool;
	int			count;

	fresh("kill");
	o = options();
	o.segment_size = 2000;
	for (int round = 0; round < 60; round++)
	{
		int			ends[2];
		pid_t		child;
		int			n;

		fflush(stdout);
		if (pipe(ends) != 0)
			exit(5);
		child = fork();
		if (child == 0)
		{
			spool = open_with(o);
			for (n = next; n < next + 100000; n += 3)
			{
				add_and_sync(spool, n, n + 2);
				if (write(ends[1], &n, sizeof(n)) != sizeof(n))
					_exit(1);
			}
			_exit(0);
		}
		close(ends[1]);
		/* by what it has done, not by time */
		for (int i = 0; i < round % 20 + 1 && read(ends[0], &n, sizeof(n)) == sizeof(n); i++)
			for (int j = 0; j < 3; j++)
				told[told_count++] = n + j;
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		while (read(ends[0], &n, sizeof(n)) == sizeof(n))
			for (int j = 0; j < 3; j++)
				told[told_count++] = n + j;
		close(ends[0]);
		next += 100000;
	}
	spool = open_with(o);
	count = read_all(spool, list, NULL);
	most = 0;
	for (int i = 0, j = 0; i < count; i++)
	{
		if (i > 0 && list[i] <= list[i - 1])
			wrong++;
		if (j < told_count && list[i] == told[j])
			j++;
		if (i == count - 1 && j < told_count)
			wrong++;
		most = j;
	}
	check(wrong == 0 && most == told_count && count >= told_count && count <= told_count + 240,
		  "60 kills: %d records told as kept, %d found, %d wrong", told_count, count, wrong);
	spool_close(spool);
	free(list);
	free(told);
}

/* Does a file of the spool hold these bytes? */
static bool
on_disk(const void *bytes, size_t size)
{
	DIR		   *d = opendir(directory);
	struct dirent *entry;
	bool		found = false;

	while (d != NULL && (entry = readdir(d)) != NULL)
	{
		static char content[1000000];
		char		name[600];
		FILE	   *f;
		size_t		n;

		snprintf(name, sizeof(name), "%s/%s", directory, entry->d_name);
		f = fopen(name, "r");
		n = f != NULL ? fread(content, 1, sizeof(content), f) : 0;
		if (f != NULL)
			fclose(f);
		if (memmem(content, n, bytes, size) != NULL)
			found = true;
	}
	if (d != NULL)
		closedir(d);
	return found;
}

static void
test_secrets(void)
{
	static unsigned char bytes[100000];
	char		name[600];
	char		held[700];
	Spool	   *spool;
	SegmentHeader header;
	SegmentKey	key;
	unsigned char wrapping[SEAL_KEY_SIZE];
	unsigned char id[SEAL_KEY_ID_SIZE];
	char		error[500];
	struct stat st;
	int			list[300];
	uint64_t	last;
	int			fd;

	fresh("secrets");
	spool = open_spool();
	add_and_sync(spool, 1, 200);
	first_file(name, bytes, sizeof(bytes));
	check(!on_disk(ADDRESS, 11) && !on_disk("hit ", 4), "no address lies readable on disk");
	check(stat(key_file, &st) == 0 && (st.st_mode & 07777) == 0600 && st.st_size == 32,
		  "the key's file has mode 0600");
	check(stat(name, &st) == 0 && (st.st_mode & 07777) == 0600 &&
		  stat(directory, &st) == 0 && (st.st_mode & 07777) == 0700, "as the spool has, or 0700");
	seal_load_key(key_file, false, wrapping, id, error, sizeof(error));
	check(segment_read_header(bytes, &header) && segment_unwrap_key(&header, wrapping, &key) &&
		  !on_disk(key.key, 32) && !on_disk(wrapping, 32), "nor does a key");
	wrapping[5] ^= 1;
	check(!segment_unwrap_key(&header, wrapping, &key), "which another key does not unwrap");

	/*
	 * what is left of a segment for one who still has it open, as the disk
	 * has
	 */
	snprintf(held, sizeof(held), "%s.held", name);
	fd = open(name, O_RDONLY);
	read_all(spool, list, &last);
	spool_done(spool, last);
	check(access(name, F_OK) != 0 && pread(fd, bytes, sizeof(bytes), 0) > 1000 &&
		  !segment_read_header(bytes, &header), "a segment that is done has lost its key");
	close(fd);
	add_and_sync(spool, 1, 1);
	spool_close(spool);

	/* two segments of the same records have nothing in common */
	spool = open_spool();
	add_and_sync(spool, 1, 1);
	spool_close(spool);
	first_file(name, bytes, sizeof(bytes));
	{
		unsigned char first[40];

		memcpy(first, bytes + SEGMENT_HEADER_SIZE + SEGMENT_RECORD_HEADER_SIZE, 20);
		unlink(name);
		check(!on_disk(first, 20), "the same record is sealed in another way each time");
	}
}

static void
test_lost_key(void)
{
	Spool	   *spool;
	SpoolStatus status;
	SpoolOptions o;
	int			list[100];
	char		second[400];

	fresh("lost");
	spool = open_spool();
	add_and_sync(spool, 1, 5);
	spool_close(spool);
	unlink(key_file);
	spool = open_spool();
	spool_status(spool, &status);
	check(status.lost == 5 && status.records == 0 && segment_files() == 0 && reports == 1,
		  "segments whose key is gone are removed: %s", last_report);
	add_and_sync(spool, 6, 7);
	spool_close(spool);
	spool = open_spool();
	check(are(list, read_all(spool, list, NULL), 6, 7) && reports == 1,
		  "which is told once, and the spool goes on");
	spool_close(spool);

	fresh("credential");
	snprintf(second, sizeof(second), "%s.second", key_file);
	run_shell("echo an operator put a secret into this file > %s", key_file);
	run_shell("echo and another secret text into this other file > %s", second);
	o = options();
	o.key_is_credential = true;
	spool = open_with(o);
	add_and_sync(spool, 1, 5);
	spool_close(spool);
	o.key_file = second;
	spool = open_with(o);
	spool_status(spool, &status);
	check(status.lost == 0 && status.records == 0 && segment_files() == 1 && reports == 1,
		  "segments of another credential stay: %s", last_report);
	add_and_sync(spool, 6, 7);
	spool_close(spool);
	o.key_file = key_file;
	spool = open_with(o);
	check(are(list, read_all(spool, list, NULL), 1, 5), "until it is back");
	spool_expire(spool, NOW + 26 * HOUR);
	spool_rewind(spool);
	spool_expire(spool, NOW + 26 * HOUR);
	spool_status(spool, &status);
	check(segment_files() == 0 && status.lost == 2 && status.expired == 5,
		  "or until they are too old");
	spool_close(spool);
	unlink(second);
	o.key_file = second;
	check(refuses(o, "could not open key file"), "a credential is not made");
	run_shell("echo short > %s", second);
	check(refuses(o, "is shorter than 32 bytes"), "nor may it be short");
	unlink(second);
}

static void
test_refusals(void)
{
	Spool	   *spool;
	SpoolOptions o;
	SpoolStatus status;
	char		disk_key[600];
	static char long_text[SPOOL_RECORD_MAX + 1];
	int			list[100];
	int			n = 0;
	SpoolRecord record;
	size_t		kept;

	fresh("refusals");
	spool = open_spool();
	check(refuses(options(), "is in use by another process"), "a spool is opened once");
	check(spool_add(spool, long_text, sizeof(long_text), NOW) == SPOOL_TOO_LONG &&
		  spool_add(spool, long_text, sizeof(long_text) - 1, NOW) == SPOOL_OK &&
		  spool_add(spool, "", 0, NOW) == SPOOL_OK && spool_sync(spool, &kept) == SPOOL_OK &&
		  kept == 2, "the longest record, and an empty one");
	check(spool_next(spool, &record) && record.length == SPOOL_RECORD_MAX &&
		  memcmp(record.data, long_text, record.length) == 0, "come back");
	spool_record_free(&record);
	check(spool_next(spool, &record) && record.length == 0, "both");
	spool_record_free(&record);
	spool_close(spool);

	chmod(key_file, 0640);
	check(refuses(options(), "must have mode 0600"), "others may not read the key");
	chmod(key_file, 0600);
	o = options();
	snprintf(disk_key, sizeof(disk_key), "%s/key", base);
	o.key_file = disk_key;
	check(refuses(o, "must be on a tmpfs") && access(disk_key, F_OK) != 0,
		  "the key may not lie on a disk");
	run_shell("truncate -s 0 %s", key_file);
	check(refuses(options(), "is shorter than 32 bytes"), "nor be cut");

	fresh("refusals2");
	spool = open_spool();
	add_and_sync(spool, 1, 1);
	spool_close(spool);
	run_shell("mv %s/state %s/state.kept", directory, directory);
	check(refuses(options(), "could not open file \"state\""), "segments without a state");
	run_shell("tr '\\000' '\\001' < %s/state.kept > %s/state", directory, directory);
	check(refuses(options(), "is damaged"), "a damaged state");
	run_shell("mv %s/state.kept %s/state", directory, directory);
	o = options();
	o.max_size = 1000;
	spool = open_with(o);
	while (add(spool, 2 + n) == SPOOL_OK && n < 100)
	{
		sync_spool(spool);
		n++;
	}
	spool_status(spool, &status);
	check(n > 2 && n < 20 && status.bytes <= 1000 && add(spool, 2) == SPOOL_FULL,
		  "max_size holds (%" PRIu64 " bytes)", status.bytes);
	check(are(list, read_all(spool, list, NULL), 1, n + 1), "and what is in is in");
	spool_set_limits(spool, 24 * 3600, 10000);
	check(add(spool, n + 2) == SPOOL_OK, "more room may be given");
	spool_close(spool);
}

static void
test_expiry(void)
{
	Spool	   *spool;
	SpoolStatus status;
	int			list[100];
	uint64_t	last;

	fresh("expiry");
	spool = open_spool();
	spool_add(spool, "old", 3, NOW);
	sync_spool(spool);
	spool_add(spool, "less old", 8, NOW + 2 * HOUR);
	sync_spool(spool);
	check(segment_files() == 2, "a segment takes records of an hour");
	spool_expire(spool, NOW + 23 * HOUR);
	check(segment_files() == 2, "nothing is too old");
	spool_expire(spool, NOW + 24 * HOUR + 1);
	spool_status(spool, &status);
	check(segment_files() == 1 && status.expired == 1 && status.records == 1, "one is");
	spool_expire(spool, NOW + 30 * HOUR);
	check(segment_files() == 0 && !spool_waiting(spool), "all are");
	add_and_sync(spool, 1, 3);
	read_all(spool, list, &last);
	spool_expire(spool, NOW + 30 * HOUR);
	check(segment_files() == 1, "but not what was handed out");
	spool_done(spool, last);
	check(segment_files() == 0, "which ends as it should");
	spool_close(spool);
}

int
main(void)
{
	const char *tmp = getenv("TMPDIR");

	setvbuf(stdout, NULL, _IOLBF, 0);
	snprintf(base, sizeof(base), "%s/spool_test.XXXXXX", tmp != NULL ? tmp : "/tmp");
	if (mkdtemp(base) == NULL)
		return 1;
	snprintf(key_file, sizeof(key_file), "/dev/shm/spool_test.%d.key", (int) getpid());
	test_round_trip();
	test_many_segments();
	test_cuts();
	test_flips();
	test_moved_records();
	test_damage_and_done();
	test_full_disk();
	test_broken_disk();
	test_small_disk();
	test_kills();
	test_secrets();
	test_lost_key();
	test_refusals();
	test_expiry();
	unlink(key_file);
	run_shell("rm -rf %s", base);
	printf("spool: %d passed, %d failed\n", passed, failed);
	return failed > 0;
}
