/*
 * web_files.c
 *		Files of the web pages.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"
#include "web_files.h"

#define PREFIX "/web/"

/* The longest file. */
#define FILE_MAX (16 * 1024 * 1024)

static const struct
{
	const char *suffix;
	const char *type;
}			types[] = {
	{".html", "text/html; charset=utf-8"},
	{".css", "text/css; charset=utf-8"},
	{".js", "text/javascript; charset=utf-8"},
	{".mjs", "text/javascript; charset=utf-8"},
	{".json", "application/json"},
	{".svg", "image/svg+xml"},
	{".png", "image/png"},
	{".ico", "image/x-icon"},
	{".woff2", "font/woff2"},
	{".txt", "text/plain; charset=utf-8"},
};

/* NULL: files of this name are not served. */
static const char *
type_of(const char *name)
{
	const char *suffix = strrchr(name, '.');

	for (size_t i = 0; suffix != NULL && i < sizeof(types) / sizeof(types[0]); i++)
	{
		if (strcmp(types[i].suffix, suffix) == 0)
			return types[i].type;
	}
	return NULL;
}

/* Plain names, none of which begins with a dot: no way leads out of the directory. */
static bool
is_plain(const char *name)
{
	bool		begins = true;

	if (name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/")] !=
		'\0')
		return false;
	for (; *name != '\0'; name++)
	{
		if (begins && (*name == '.' || *name == '/'))
			return false;
		begins = *name == '/';
	}
	return !begins;
}

static int
open_file(const char *directory, const char *name, const char *more, struct stat *st)
{
	char		path[4096];
	int			fd;

	if (snprintf(path, sizeof(path), "%s/%s%s", directory, name, more) >= (int) sizeof(path))
		return -1;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -1;
	if (fstat(fd, st) == 0 && S_ISREG(st->st_mode) && st->st_size <= FILE_MAX)
		return fd;
	close(fd);
	return -1;
}

void
web_files_answer(WebRequest *request, const char *path, const char *directory)
{
	const char *name = strcmp(path, "/") == 0 ? "index.html" :
		starts_with(path, PREFIX) ? path + strlen(PREFIX) : "";
	const char *type = type_of(name);
	const char *encodings = request_header(&request->raw, "accept-encoding");
	bool		packed = true;
	struct stat st;
	char	   *etag = pool_alloc(request->pool, 64);
	char	   *data;
	int			fd = -1;

	if (type != NULL && is_plain(name))
	{
		/* "gzip" may stand beside it, packed */
		if (encodings != NULL && strcasestr(encodings, "gzip") != NULL)
			fd = open_file(directory, name, ".gz", &st);
		if (fd < 0)
		{
			packed = false;
			fd = open_file(directory, name, "", &st);
		}
	}
	if (fd < 0)
	{
		web_problem(request, 404, "not found", NULL, NULL);
		return;
	}
	data = pool_alloc(request->pool, (size_t) st.st_size + 1);
	if (!files_read(fd, data, (size_t) st.st_size))
	{
		close(fd);
		web_problem(request, 404, "not found", NULL, NULL);
		return;
	}
	close(fd);
	snprintf(etag, 64, "\"%" PRIx64 "-%" PRIx64 "%s\"",
			 (uint64_t) st.st_mtim.tv_sec * 1000000000 + (uint64_t) st.st_mtim.tv_nsec,
			 (uint64_t) st.st_size, packed ? "-gzip" : "");
	web_answer_kept(request, type, data, (size_t) st.st_size, etag,
					request_header(&request->raw, "if-none-match"));
	answer_add_header(&request->answer, "Vary", "Accept-Encoding");
	if (packed && request->answer.status == 200)
		answer_add_header(&request->answer, "Content-Encoding", "gzip");
}
