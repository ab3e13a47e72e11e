/*
 * geoip_file.c
 *		The lists of GeoIP files; see geoip_file.h.
 *
 * Every backend has a handle of its own for each file, opened when the first
 * address is looked up; the mapped pages are shared through the page cache.
 * Files are examined once a transaction: one that was replaced (by rename) is
 * opened anew, and if the new one is not valid the old one, which is still
 * mapped, is used on.
 */
#include "postgres.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "access/xact.h"
#include "storage/fd.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/varlena.h"

#include <maxminddb.h>

#include "base/compat.h"
#include "base/text.h"
#include "enrich/geoip_file.h"
#include "settings/gucs.h"

/* Identity and version of a file. */
typedef struct FileId
{
	dev_t		dev;
	ino_t		ino;
	off_t		size;
	struct timespec mtime;
} FileId;

/* Records of a file that are kept; a power of 2. */
#define RECORDS 256

/* A record as it was read last: many networks share one record. */
typedef struct RecordEntry
{
	bool		used;
	bool		has_city;
	uint32		offset;			/* in the file's data */
	GeoLocation location;
} RecordEntry;

typedef struct GeoFile
{
	char	   *path;
	bool		is_open;
	MMDB_s		db;
	Section		data;
	RecordEntry *records;		/* of the open file, direct-mapped; NULL: none
								 * was read */
	FileId		db_id;			/* of the open file */
	bool		tried;
	FileId		tried_id;		/* of the file that was last examined, valid
								 * or not */
	char	   *error;			/* NULL: none */
	bool		warn;			/* report the error at the next look-up */
	bool		warned_missing;
} GeoFile;

/* One of the two lists of files. */
typedef struct GeoList
{
	const char *kind;
	const char *parameter;
	char	  **value;			/* of the parameter */
	char	   *seen;			/* value from which files was made */
	List	   *files;			/* of GeoFile * */
	char	   *error;			/* of the list itself; NULL: none */
	bool		warn;
} GeoList;

static GeoList lists[] = {
	{"city", "pk_tracking.geoip_city_file", &pkt_geoip_city_file, NULL, NIL, NULL, false},
	{"asn", "pk_tracking.geoip_asn_file", &pkt_geoip_asn_file, NULL, NIL, NULL, false}
};

/* Holds the lists, the files and their records. */
static MemoryContext geoip_context = NULL;

/* Start of the transaction in which the files were last examined. */
static TimestampTz checked_at = 0;

uint64		geoip_files_version = 1;

static inline FileId
file_id(const struct stat *st)
{
	FileId		id = {0};

	id.dev = st->st_dev;
	id.ino = st->st_ino;
	id.size = st->st_size;
	id.mtime = st->st_mtim;
	return id;
}

static inline bool
same_inode(const FileId *a, const FileId *b)
{
	return a->dev == b->dev && a->ino == b->ino;
}

static inline bool
same_file(const FileId *a, const FileId *b)
{
	return same_inode(a, b) && a->size == b->size &&
		a->mtime.tv_sec == b->mtime.tv_sec && a->mtime.tv_nsec == b->mtime.tv_nsec;
}

static void
close_file(GeoFile *f)
{
	if (f->is_open)
	{
		f->is_open = false;
		MMDB_close(&f->db);
		if (f->records != NULL)
			pfree(f->records);
		f->records = NULL;
		geoip_files_version++;
	}
}

static void
set_error(GeoFile *f, const char *error)
{
	if (f->error)
		pfree(f->error);
	f->error = NULL;
	if (error)
		f->error = MemoryContextStrdup(geoip_context, error);
}

/*
 * Open a file.  Returns its handle in *db and its version in *id, and NULL; or the
 * reason why it cannot be used.  *again: it may become usable without a change
 * of its version.
 */
static const char *
open_file(const char *path, MMDB_s *db, FileId *id, bool *again)
{
	struct stat st;
	const char *error = NULL;
	char	   *end;
	size_t		len;
	int			fd;
	int			status;

	*again = true;
	fd = OpenTransientFile(path, O_RDONLY | PG_BINARY | O_NONBLOCK);
	if (fd < 0)
		return psprintf("%s", strerror(errno));
	if (fstat(fd, &st) != 0)
	{
		error = psprintf("%s", strerror(errno));
		CloseTransientFile(fd);
		return error;
	}
	*id = file_id(&st);

	*again = false;
	if (!S_ISREG(st.st_mode))
	{
		CloseTransientFile(fd);
		return "not a regular file";
	}
	len = Min(st.st_size, MAX_METADATA_LEN);
	end = palloc(len + 1);
	errno = 0;
	if (pg_pread(fd, end, len, st.st_size - (off_t) len) != (ssize_t) len)
	{
		*again = true;
		error = errno ? psprintf("%s", strerror(errno)) : "the file is being written";
	}
	else if (!geoip_check_metadata(end, len, st.st_size))
		error = "not a valid MaxMind DB file";
	pfree(end);
	CloseTransientFile(fd);
	if (error)
		return error;

	status = MMDB_open(path, MMDB_MODE_MMAP, db);
	if (status == MMDB_SUCCESS)
	{
		/* it may have been replaced between the two openings */
		if (db->file_size == st.st_size &&
			db->metadata.node_count * (uint64) db->full_record_byte_size + DATA_SECTION_SEPARATOR <
			(uint64) db->file_size)
			return NULL;
		MMDB_close(db);
		*again = true;
		return "the file is being written";
	}
	*again = (status == MMDB_FILE_OPEN_ERROR || status == MMDB_IO_ERROR ||
			  status == MMDB_OUT_OF_MEMORY_ERROR);
	return MMDB_strerror(status);
}

/* Open a file if it is new or has changed. */
static void
check_file(GeoFile *f)
{
	struct stat st;
	FileId		id;
	MMDB_s		db;
	bool		again;
	const char *error;
	bool		was_known;

	if (stat(f->path, &st) != 0)
	{
		/* if it is open, it is still used */
		error = strerror(errno);
		if (f->error == NULL || strcmp(f->error, error) != 0)
			set_error(f, error);
		if (!f->warned_missing)
			f->warn = f->warned_missing = true;
		f->tried = false;
		return;
	}
	id = file_id(&st);
	if (f->tried && same_file(&id, &f->tried_id))
		return;
	if (f->is_open && same_file(&id, &f->db_id))
	{
		/* it is the open file again */
		f->tried = true;
		f->tried_id = id;
		f->warn = false;
		set_error(f, NULL);
		return;
	}

	/* a file that was changed in place is not the one that was checked */
	if (f->is_open && same_inode(&id, &f->db_id))
		close_file(f);

	error = open_file(f->path, &db, &id, &again);
	if (error == NULL)
	{
		close_file(f);
		f->db = db;
		f->data.data = db.data_section;
		f->data.size = db.data_section_size;
		f->db_id = id;
		f->is_open = true;
		f->tried = true;
		f->tried_id = id;
		f->warn = false;
		geoip_files_version++;
		set_error(f, NULL);
		return;
	}
	was_known = (f->error != NULL && strcmp(f->error, error) == 0);
	f->tried = !again;
	f->tried_id = id;
	if (!again || !was_known)
		f->warn = true;
	set_error(f, error);
}

static void
free_file(GeoFile *f)
{
	close_file(f);
	set_error(f, NULL);
	pfree(f->path);
	pfree(f);
}

/* Make a list's files from its parameter; files that were in it before keep their handles. */
static void
read_list(GeoList *list)
{
	const char *value = *list->value ? *list->value : "";
	char	   *seen = MemoryContextStrdup(geoip_context, value);
	char	   *raw = pstrdup(value);
	List	   *paths = NIL;
	List	   *files = NIL;
	List	   *old = list->files;
	bool		valid = SplitDirectoriesString(raw, ',', &paths);
	MemoryContext context = MemoryContextSwitchTo(geoip_context);
	ListCell   *lc;

	if (!valid)
		paths = NIL;			/* use none of them */
	foreach(lc, paths)
	{
		const char *path = lfirst(lc);
		GeoFile    *f = NULL;
		ListCell   *lo;

		foreach(lo, old)
		{
			GeoFile    *o = lfirst(lo);

			if (strcmp(o->path, path) == 0)
				f = o;
		}
		if (f == NULL)
		{
			f = palloc0(sizeof(GeoFile));
			f->path = pstrdup(path);
		}
		files = list_append_unique_ptr(files, f);
	}
	if (!valid && list->error == NULL)
		list->error = pstrdup("invalid list syntax");
	MemoryContextSwitchTo(context);

	/* nothing fails from here on */
	list->files = files;
	foreach(lc, old)
	{
		if (!list_member_ptr(files, lfirst(lc)))
			free_file(lfirst(lc));
	}
	list_free(old);
	list_free_deep(paths);
	pfree(raw);
	if (valid && list->error)
	{
		pfree(list->error);
		list->error = NULL;
	}
	list->warn = !valid;
	if (list->seen)
		pfree(list->seen);
	list->seen = seen;
	geoip_files_version++;
}

void
geoip_files_check(bool anew, bool warn)
{
	TimestampTz now = GetCurrentTransactionStartTimestamp();
	bool		changed = false;

	if (geoip_context == NULL)
		geoip_context = AllocSetContextCreate(TopMemoryContext, "pk_tracking geoip",
											  ALLOCSET_SMALL_SIZES);

	for (int i = 0; i < (int) lengthof(lists); i++)
	{
		GeoList    *list = &lists[i];

		if (list->seen == NULL || strcmp(list->seen, *list->value ? *list->value : "") != 0)
		{
			read_list(list);
			changed = true;
		}
	}
	if (!changed && !anew && now == checked_at)
		return;

	for (int i = 0; i < (int) lengthof(lists); i++)
	{
		ListCell   *lc;

		if (warn && lists[i].warn)
		{
			lists[i].warn = false;
			ereport(WARNING,
					(errcode(ERRCODE_CONFIG_FILE_ERROR),
					 errmsg("invalid list syntax in parameter \"%s\"", lists[i].parameter)));
		}
		foreach(lc, lists[i].files)
		{
			GeoFile    *f = lfirst(lc);

			check_file(f);
			if (warn && f->warn && f->error)
			{
				f->warn = false;
				ereport(WARNING,
						(errcode(ERRCODE_CONFIG_FILE_ERROR),
						 errmsg("could not use GeoIP file \"%s\": %s", f->path, f->error),
						 f->is_open ?
						 errdetail("The version that was opened before is still used.") :
						 errdetail("The file is not used to locate addresses.")));
			}
		}
	}
	checked_at = now;
}

bool
geoip_files_given(GeoKind kind)
{
	return lists[kind].files != NIL;
}

/* Read a city file's record into an empty location, from the kept records if it is there. */
static bool
read_place(GeoFile *f, uint32 offset, GeoLocation *loc)
{
	RecordEntry *e;

	if (f->records == NULL)
		f->records = MemoryContextAllocZero(geoip_context, RECORDS * sizeof(RecordEntry));
	e = &f->records[(offset * 2654435769u) >> 24 & (RECORDS - 1)];
	if (!e->used || e->offset != offset)
	{
		memset(e, 0, sizeof(*e));
		e->has_city = geoip_read_record(&f->data, KIND_CITY, offset, &e->location);
		e->offset = offset;
		e->used = true;
	}
	if (e->has_city)
		*loc = e->location;
	return e->has_city;
}

bool
geoip_files_search(GeoKind kind, const struct sockaddr *addr, GeoLocation *loc)
{
	ListCell   *lc;

	foreach(lc, lists[kind].files)
	{
		GeoFile    *f = lfirst(lc);
		MMDB_lookup_result_s result;
		int			status;

		if (!f->is_open || (addr->sa_family == AF_INET6 && f->db.metadata.ip_version == 4))
			continue;
		result = MMDB_lookup_sockaddr(&f->db, addr, &status);
		if (status != MMDB_SUCCESS || !result.found_entry)
			continue;

		if (kind == KIND_CITY ? read_place(f, result.entry.offset, loc) :
			geoip_read_record(&f->data, kind, result.entry.offset, loc))
			return true;
	}
	return false;
}

List *
geoip_status(void)
{
	List	   *result = NIL;

	geoip_files_check(true, false);
	for (int i = 0; i < (int) lengthof(lists); i++)
	{
		ListCell   *lc;

		if (lists[i].error)
		{
			GeoFileStatus *st = palloc0(sizeof(GeoFileStatus));

			st->kind = lists[i].kind;
			st->error = pstrdup(lists[i].error);
			result = lappend(result, st);
		}
		foreach(lc, lists[i].files)
		{
			GeoFile    *f = lfirst(lc);
			GeoFileStatus *st = palloc0(sizeof(GeoFileStatus));

			st->path = pstrdup(f->path);
			st->kind = lists[i].kind;
			if (f->is_open)
			{
				const char *type = f->db.metadata.database_type;
				uint64		epoch = f->db.metadata.build_epoch;

				st->type = type ? text_clean(type, strnlen(type, GEO_TEXT_SIZE), true) : NULL;
				/* up to the year 9999 */
				if (epoch > 0 && epoch < UINT64CONST(253402300800))
				{
					st->has_built = true;
					st->built = time_t_to_timestamptz((pg_time_t) epoch);
				}
			}
			st->error = f->error ? pstrdup(f->error) : NULL;
			result = lappend(result, st);
		}
	}
	return result;
}

const char *
geoip_library_version(void)
{
	return MMDB_lib_version();
}
