/*
 * seal.c
 *		AES-256-GCM by OpenSSL, and the key that wraps the keys of the spool's
 * segments.
 *
 * The wrapping key lies in memory (tmpfs), so that it survives the death of the
 * daemon and is gone with the machine's power; or systemd hands it over as a
 * credential, and then it survives both.
 */
#include "seal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/vfs.h>
#endif

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

/* Magic numbers of file systems that never reach a disk, but for swap. */
#define FS_TMPFS 0x01021994
#define FS_RAMFS 0x858458f6

#define CREDENTIAL_MAX 4096

bool
seal_random(unsigned char *bytes, size_t size)
{
	return size <= INT_MAX && RAND_bytes(bytes, (int) size) == 1;
}

void
seal_forget(void *secret, size_t size)
{
	OPENSSL_cleanse(secret, size);
}

/* SHA-256 of a label and some bytes; keys and their ids are told apart by it. */
static bool
digest(const char *label, const void *bytes, size_t size, unsigned char out[SEAL_KEY_SIZE])
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	bool		done;

	done = md != NULL &&
		EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1 &&
		EVP_DigestUpdate(md, label, strlen(label) + 1) == 1 &&
		EVP_DigestUpdate(md, bytes, size) == 1 &&
		EVP_DigestFinal_ex(md, out, NULL) == 1;
	EVP_MD_CTX_free(md);
	return done;
}

/* Does this file lie where a power cut wipes it out? */
static bool
is_in_memory(int fd)
{
#ifdef __linux__
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 &&
		((unsigned long) fs.f_type == FS_TMPFS || (unsigned long) fs.f_type == FS_RAMFS);
#else
	(void) fd;
	return true;
#endif
}

/* Reads at most size bytes; -1: could not. */
static ssize_t
read_whole(int fd, unsigned char *bytes, size_t size)
{
	size_t		have = 0;

	while (have < size)
	{
		ssize_t		n = read(fd, bytes + have, size - have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		have += (size_t) n;
	}
	return (ssize_t) have;
}

/*
 * Makes the key file if there is none.  It appears under its name with its whole
 * content, so that a daemon killed here leaves no file that is too short.
 */
static bool
make_key(const char *path, char *error, size_t error_size)
{
	unsigned char key[SEAL_KEY_SIZE];
	char		temporary[PATH_MAX];
	int			fd;
	bool		done;

	if (snprintf(temporary, sizeof(temporary), "%s.new", path) >= (int) sizeof(temporary))
	{
		snprintf(error, error_size, "the name of key file \"%s\" is too long", path);
		return false;
	}
	unlink(temporary);
	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
	{
		snprintf(error, error_size, "could not create key file \"%s\": %s", temporary,
				 strerror(errno));
		return false;
	}
	if (!is_in_memory(fd))
	{
		snprintf(error, error_size,
				 "key file \"%s\" would lie on a disk; it must be on a tmpfs, as /run is", path);
		close(fd);
		unlink(temporary);
		return false;
	}
	done = seal_random(key, sizeof(key)) &&
		write(fd, key, sizeof(key)) == (ssize_t) sizeof(key) &&
		fchmod(fd, 0600) == 0;
	seal_forget(key, sizeof(key));
	if (close(fd) != 0 || !done || link(temporary, path) != 0)
	{
		/* EEXIST: another process made it meanwhile, which is as good */
		if (!done || errno != EEXIST)
		{
			snprintf(error, error_size, "could not write key file \"%s\": %s", path,
					 strerror(errno));
			unlink(temporary);
			return false;
		}
	}
	unlink(temporary);
	return true;
}

/* Is this file one that may hold the key?  A message if not. */
static bool
check_key_file(int fd, const char *path, bool is_credential, char *error, size_t error_size)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		snprintf(error, error_size, "could not read key file \"%s\": %s", path, strerror(errno));
	else if (!S_ISREG(st.st_mode))
		snprintf(error, error_size, "key file \"%s\" is not a regular file", path);
	else if (is_credential)
		return true;
	else if (st.st_uid != geteuid())
		snprintf(error, error_size, "key file \"%s\" belongs to another user", path);
	else if ((st.st_mode & 077) != 0)
		snprintf(error, error_size, "key file \"%s\" must have mode 0600", path);
	else if (!is_in_memory(fd))
		snprintf(error, error_size,
				 "key file \"%s\" lies on a disk; it must be on a tmpfs, as /run is", path);
	else
		return true;
	return false;
}

bool
seal_load_key(const char *path, bool is_credential,
			  unsigned char key[SEAL_KEY_SIZE], unsigned char id[SEAL_KEY_ID_SIZE],
			  char *error, size_t error_size)
{
	unsigned char secret[CREDENTIAL_MAX + 1];
	unsigned char hash[SEAL_KEY_SIZE];
	ssize_t		size;
	bool		done = false;
	int			fd;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && errno == ENOENT && !is_credential)
	{
		if (!make_key(path, error, error_size))
			return false;
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	}
	if (fd < 0)
	{
		snprintf(error, error_size, "could not open key file \"%s\": %s", path, strerror(errno));
		return false;
	}
	if (!check_key_file(fd, path, is_credential, error, error_size))
	{
		close(fd);
		return false;
	}

	size = read_whole(fd, secret, sizeof(secret));
	if (size < 0)
		snprintf(error, error_size, "could not read key file \"%s\": %s", path, strerror(errno));
	else if (size < SEAL_KEY_SIZE)
		snprintf(error, error_size, "key file \"%s\" is shorter than %d bytes", path,
				 SEAL_KEY_SIZE);
	else if (size > (is_credential ? CREDENTIAL_MAX : SEAL_KEY_SIZE))
		snprintf(error, error_size, "key file \"%s\" is longer than %d bytes", path,
				 is_credential ? CREDENTIAL_MAX : SEAL_KEY_SIZE);
	else if (!digest("pk_tracking spool key", secret, (size_t) size, key) ||
			 !digest("pk_tracking spool key id", key, SEAL_KEY_SIZE, hash))
		snprintf(error, error_size, "could not compute the spool's key");
	else
	{
		memcpy(id, hash, SEAL_KEY_ID_SIZE);
		done = true;
	}
	close(fd);
	seal_forget(secret, sizeof(secret));
	return done;
}

bool
seal(const unsigned char key[SEAL_KEY_SIZE], const unsigned char nonce[SEAL_NONCE_SIZE],
	 const void *context, size_t context_size, const void *plain, size_t size,
	 unsigned char *sealed, unsigned char tag[SEAL_TAG_SIZE])
{
	EVP_CIPHER_CTX *cipher;
	int			n = 0;
	bool		done;

	if (size > INT_MAX || context_size > INT_MAX)
		return false;
	cipher = EVP_CIPHER_CTX_new();
	done = cipher != NULL &&
		EVP_EncryptInit_ex(cipher, EVP_aes_256_gcm(), NULL, key, nonce) == 1 &&
		EVP_EncryptUpdate(cipher, NULL, &n, context, (int) context_size) == 1 &&
		(size == 0 || EVP_EncryptUpdate(cipher, sealed, &n, plain, (int) size) == 1) &&
		EVP_EncryptFinal_ex(cipher, sealed + size, &n) == 1 &&
		EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_GET_TAG, SEAL_TAG_SIZE, tag) == 1;
	EVP_CIPHER_CTX_free(cipher);
	return done;
}

bool
seal_open(const unsigned char key[SEAL_KEY_SIZE], const unsigned char nonce[SEAL_NONCE_SIZE],
		  const void *context, size_t context_size, const unsigned char *sealed, size_t size,
		  const unsigned char tag[SEAL_TAG_SIZE], void *plain)
{
	EVP_CIPHER_CTX *cipher;
	unsigned char copy[SEAL_TAG_SIZE];
	int			n = 0;
	bool		done;

	if (size > INT_MAX || context_size > INT_MAX)
		return false;
	memcpy(copy, tag, SEAL_TAG_SIZE);
	cipher = EVP_CIPHER_CTX_new();
	done = cipher != NULL &&
		EVP_DecryptInit_ex(cipher, EVP_aes_256_gcm(), NULL, key, nonce) == 1 &&
		EVP_DecryptUpdate(cipher, NULL, &n, context, (int) context_size) == 1 &&
		(size == 0 || EVP_DecryptUpdate(cipher, plain, &n, sealed, (int) size) == 1) &&
		EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_SET_TAG, SEAL_TAG_SIZE, copy) == 1 &&
		EVP_DecryptFinal_ex(cipher, (unsigned char *) plain + size, &n) == 1;
	EVP_CIPHER_CTX_free(cipher);
	if (!done)
		seal_forget(plain, size);
	return done;
}
