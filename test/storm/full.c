/*
 * full.c
 *		Preloaded into a server, makes the file system below STORM_SPACE full while
 *		the file STORM_SPACE/full exists: a file there cannot grow.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/* Would a write that ends there need more space than there is? */
static int
is_full(int fd, off_t end)
{
	const char *space = getenv("STORM_SPACE");
	char		path[4096];
	char		link[64];
	struct stat st;
	ssize_t		n;

	if (space == NULL || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || end <= st.st_size)
		return 0;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	if (n < 0)
		return 0;
	path[n] = '\0';
	if (strncmp(path, space, strlen(space)) != 0)
		return 0;
	snprintf(path, sizeof(path), "%s/full", space);
	return access(path, F_OK) == 0;
}

ssize_t
pwrite64(int fd, const void *data, size_t len, off64_t at)
{
	static ssize_t (*real) (int, const void *, size_t, off64_t);

	if (real == NULL)
		real = (ssize_t (*) (int, const void *, size_t, off64_t)) dlsym(RTLD_NEXT, "pwrite64");
	if (is_full(fd, at + len))
	{
		errno = ENOSPC;
		return -1;
	}
	return real(fd, data, len, at);
}

ssize_t
pwrite(int fd, const void *data, size_t len, off_t at)
{
	return pwrite64(fd, data, len, at);
}

ssize_t
pwritev64(int fd, const struct iovec *parts, int n, off64_t at)
{
	static ssize_t (*real) (int, const struct iovec *, int, off64_t);
	off64_t		end = at;

	if (real == NULL)
		real = (ssize_t (*) (int, const struct iovec *, int, off64_t)) dlsym(RTLD_NEXT, "pwritev64");
	for (int i = 0; i < n; i++)
		end += parts[i].iov_len;
	if (is_full(fd, end))
	{
		errno = ENOSPC;
		return -1;
	}
	return real(fd, parts, n, at);
}

ssize_t
pwritev(int fd, const struct iovec *parts, int n, off_t at)
{
	return pwritev64(fd, parts, n, at);
}

int
posix_fallocate64(int fd, off64_t at, off64_t len)
{
	static int	(*real) (int, off64_t, off64_t);

	if (real == NULL)
		real = (int (*) (int, off64_t, off64_t)) dlsym(RTLD_NEXT, "posix_fallocate64");
	return is_full(fd, at + len) ? ENOSPC : real(fd, at, len);
}

int
posix_fallocate(int fd, off_t at, off_t len)
{
	return posix_fallocate64(fd, at, len);
}
