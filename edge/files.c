/*
 * files.c
 *		Scripts: ours, and those that operators put into a directory.
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

/* The same with settings of a site, which may ask for consent from now on. */
#define KEEP_SETTINGS "public, max-age=300"

typedef struct Script
{
	const char *name;
	const char *other;			/* takes its place */
	bool		ours;			/* is installed in PKT_CLIENT_DIR */
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
	{.name = "pk.js",.ours = true},
	{.name = "consent.js",.ours = true},
};

bool
files_read(int fd, char *data, size_t size)
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
	if (!files_read(fd, data, (size_t) st.st_size))
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

/* Brings a script up to date from wherever it is.  False: there is none. */
static bool
find(Script *script, const char *directory)
{
	if (directory[0] != '\0' &&
		(load(script, directory, script->name) ||
		 (script->other != NULL && load(script, directory, script->other))))
		return true;
	return script->ours && load(script, PKT_CLIENT_DIR, script->name);
}

/* FNV-1a: tells apart the settings that a site has had. */
static uint64_t
hash_of(const char *str)
{
	uint64_t	hash = 14695981039346656037u;

	for (; *str != '\0'; str++)
		hash = (hash ^ (unsigned char) *str) * 1099511628211u;
	return hash;
}

/*
 * The script with the settings of a site before it.  Without settings there is no
 * script: it would not know whether the site asks for consent.
 */
static void
answer_with_settings(const Request *request, const Script *script, const char *number,
					 const Facts *facts, Answer *answer)
{
	const Site *site = facts_site(facts, atoi(number));
	Text text = {0};

	if (site == NULL || site->page == NULL)
	{
		answer_text(request, facts->known ? 404 : 503,
					facts->known ? "not found\n" : "tracking is not available\n", answer);
		return;
	}
	memset(answer, 0, sizeof(Answer));
	answer->status = 200;
	answer->body = "";
	text_printf(&text, "%.*s-%" PRIx64 "\"", (int) strlen(script->etag) - 1, script->etag,
				hash_of(site->page));
	answer_add_header(answer, "ETag", pool_strndup(request->pool, text.data, text.len));
	text.		len = 0;

	text_printf(&text, "window.pkSettings = %s;\n", site->page);
	text_add(&text, script->data, (size_t) script->size);
	answer->body = pool_strndup(request->pool, text.data, text.len);
	answer->body_len = text.len;

	text_free(&text);
}

void
files_answer(const Request *request, const char *directory, const Facts *facts, Answer *answer)
{
	Script	   *script = NULL;
	char		number[16];

	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++)
	{
		if (strcmp(scripts[i].name, request->script) == 0)
			script = &scripts[i];
	}
	if (script == NULL || !find(script, directory))
	{
		answer_text(request, 404, "not found\n", answer);
		return;
	}
	if (script->ours && query_value(request->query, "idsite", number, sizeof(number)))
	{
		answer_with_settings(request, script, number, facts, answer);
		if (answer->status != 200)
			return;
		answer_add_header(answer, "Cache-Control", KEEP_SETTINGS);
	}
	else
	{
		memset(answer, 0, sizeof(Answer));
		answer->status = 200;
		answer->body = script->data;
		answer->body_len = (size_t) script->size;
		answer_add_header(answer, "ETag", pool_strdup(request->pool, script->etag));
		answer_add_header(answer, "Cache-Control", KEEP);
	}
	answer_add_header(answer, "X-Content-Type-Options", "nosniff");
	answer_add_header(answer, "Cross-Origin-Resource-Policy", "cross-origin");
	if (request->if_none_match != NULL &&
		strstr(request->if_none_match, answer->headers[0].value) != NULL)
	{
		answer->status = 304;
		answer->body = "";
		answer->body_len = 0;
		return;
	}
	answer_add_header(answer, "Content-Type", "application/javascript; charset=utf-8");
}
