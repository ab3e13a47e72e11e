/*
 * files.c
 *		The scripts that operators put into a directory.
 *
 * A file is read again when its time or its size has changed.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"
#include "log.h"
#include "text.h"

/* The longest script. */
#define SCRIPT_MAX (4 * 1024 * 1024)

/* How long browsers may keep it, as Matomo's own web servers do. */
#define KEEP "public, max-age=3600"

typedef struct Script
{
	const char *name;
	const char *other;			/* takes its place */
	char	   *path;			/* that was read */
	struct timespec modified;
	off_t		size;
	char	   *data;
	char		etag[48];
} Script;

static Script scripts[] = {
	{.name = "matomo.js",.other = "piwik.js"},
	{.name = "piwik.js",.other = "matomo.js"},
	{.name = "ppas.js"},
};

static bool
read_whole(int fd, char *data, size_t size)
{
	size_t		done = 0;

	while (done < size)
	{
		ssize_t		n = read(fd, data + done, size - done);

		if (n <= 0)
			return false;
		done += (size_t) n;
	}
	return true;
}

/* Brings a script up to date with a file.  False: there is none. */
static bool
load(Script *script, const char *directory, const char *name)
{
	char		path[4096];
	struct stat st;
	int			fd;
	char	   *data;

	if (snprintf(path, sizeof(path), "%s/%s", directory, name) >= (int) sizeof(path))
		return false;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return false;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size > SCRIPT_MAX)
	{
		close(fd);
		log_line(LOG_LEVEL_WARNING, LOG_FILE, "\"%s\" is no file of at most 4 MB", path);
		return false;
	}
	if (script->path != NULL && strcmp(script->path, path) == 0 && script->size == st.st_size &&
		script->modified.tv_sec == st.st_mtim.tv_sec &&
		script->modified.tv_nsec == st.st_mtim.tv_nsec)
	{
		close(fd);
		return true;
	}
	data = must_alloc((size_t) st.st_size + 1);
	if (!read_whole(fd, data, (size_t) st.st_size))
	{
		close(fd);
		free(data);
		return false;
	}
	close(fd);
	free(script->path);
	free(script->data);
	script->path = must_strdup(path);
	script->data = data;
	script->size = st.st_size;
	script->modified = st.st_mtim;
	snprintf(script->etag, sizeof(script->etag), "\"%" PRIx64 "-%" PRIx64 "\"",
			 (uint64_t) st.st_mtim.tv_sec * 1000000000 + (uint64_t) st.st_mtim.tv_nsec,
			 (uint64_t) st.st_size);
	return true;
}

void
files_answer(const Request *request, const char *directory, Answer *answer)
{
	Script	   *script = NULL;

	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++)
	{
		if (strcmp(scripts[i].name, request->script) == 0)
			script = &scripts[i];
	}
	if (script == NULL || directory[0] == '\0' ||
		!(load(script, directory, script->name) ||
		  (script->other != NULL && load(script, directory, script->other))))
	{
		answer_text(request, 404, "not found\n", answer);
		return;
	}
	memset(answer, 0, sizeof(Answer));
	answer->status = 200;
	answer->body = "";
	answer_add_header(answer, "Cache-Control", KEEP);
	answer_add_header(answer, "ETag", pool_strdup(request->pool, script->etag));
	answer_add_header(answer, "X-Content-Type-Options", "nosniff");
	answer_add_header(answer, "Cross-Origin-Resource-Policy", "cross-origin");
	if (request->if_none_match != NULL && strstr(request->if_none_match, script->etag) != NULL)
	{
		answer->status = 304;
		return;
	}
	answer_add_header(answer, "Content-Type", "application/javascript; charset=utf-8");
	answer->body = script->data;
	answer->body_len = (size_t) script->size;
}
