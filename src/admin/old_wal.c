/*
 * old_wal.c
 *		Does pg_wal hold write-ahead log from before a position?
 *
 * The server renames segments that it needs no more to the names of segments to come
 * (wal_recycle), and their bytes stay until they are written again, page after page.
 * So names do not tell what is in a file; each of its pages tells its position.
 */
#include "postgres.h"

#include <unistd.h>

#include "access/xlog.h"
#include "access/xlog_internal.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/fd.h"
#include "utils/pg_lsn.h"

#include "base/compat.h"

PG_FUNCTION_INFO_V1(pkt_holds_wal_before);

/* Has a page of a segment's file a position before this one?  The file may be gone. */
static bool
file_holds(const char *path, XLogRecPtr before)
{
	int			fd = OpenTransientFile(path, O_RDONLY | PG_BINARY);
	bool		holds = false;

	if (fd < 0)
	{
		if (errno == ENOENT)
			return false;
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not open file \"%s\": %m", path)));
	}
	for (off_t at = 0; at < wal_segment_size && !holds; at += XLOG_BLCKSZ)
	{
		XLogPageHeaderData header;
		ssize_t		n = pread(fd, &header, sizeof(header), at);

		if (n < 0)
			ereport(ERROR,
					(errcode_for_file_access(),
					 errmsg("could not read file \"%s\": %m", path)));
		if (n < (ssize_t) sizeof(header))
			break;
		/* a page that was never written is all zeros */
		holds = header.xlp_magic == XLOG_PAGE_MAGIC && header.xlp_pageaddr < before;
	}
	CloseTransientFile(fd);
	return holds;
}

/*
 * pkt_holds_wal_before
 *		SQL: holds_wal_before(pg_lsn) → boolean.  Has a file of pg_wal a page that begins
 *		before this position?  Reads a few bytes of each page.
 */
Datum
pkt_holds_wal_before(PG_FUNCTION_ARGS)
{
	XLogRecPtr	before = PG_GETARG_LSN(0);
	DIR		   *dir = AllocateDir(XLOGDIR);
	bool		holds = false;
	struct dirent *entry;

	while (!holds && (entry = ReadDir(dir, XLOGDIR)) != NULL)
	{
		char		path[MAXPGPATH];

		CHECK_FOR_INTERRUPTS();
		if (!IsXLogFileName(entry->d_name) && !IsPartialXLogFileName(entry->d_name))
			continue;
		snprintf(path, sizeof(path), XLOGDIR "/%s", entry->d_name);
		holds = file_holds(path, before);
	}
	FreeDir(dir);
	PG_RETURN_BOOL(holds);
}
