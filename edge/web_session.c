/*
 * web_session.c
 *		Sessions of the web pages, and attempts to log in.
 */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "text.h"
#include "web_session.h"

#define BUCKETS 1024

/* Most sessions of public links together, which anybody may begin, and of one role. */
#define LINK_SESSIONS_MAX 10000
#define ROLE_SESSIONS_MAX 100

/* Attempts of a name and of an address that may come at once, and ms until one more. */
#define NAME_BURST 10
#define NAME_INTERVAL 60000
#define PEER_BURST 20
#define PEER_INTERVAL 15000

/* Names and addresses that are remembered; of more the one that is quiet longest goes. */
#define ATTEMPTS_MAX 4096

typedef struct Attempts
{
	unsigned char key[32];
	int64_t		full_at;		/* when all attempts are there again */
} Attempts;

static WebSession *buckets[BUCKETS];
static Attempts attempts[ATTEMPTS_MAX];

static void
sha256(const void *data, size_t len, unsigned char hash[32])
{
	unsigned int size = 32;

	if (EVP_Digest(data, len, hash, &size, EVP_sha256(), NULL) != 1)
		fail("could not compute a hash");
}

static void
to_hex(const unsigned char bytes[32], char hex[WEB_TOKEN_SIZE])
{
	for (int i = 0; i < 32; i++)
		snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
}

static void
random_token(char token[WEB_TOKEN_SIZE])
{
	unsigned char bytes[32];

	if (RAND_bytes(bytes, sizeof(bytes)) != 1)
		fail("could not get random numbers");
	to_hex(bytes, token);
	explicit_bzero(bytes, sizeof(bytes));
}

void
web_hash(const char *text, char hash[WEB_TOKEN_SIZE])
{
	unsigned char bytes[32];

	sha256(text, strlen(text), bytes);
	to_hex(bytes, hash);
}

static WebSession **
bucket(const unsigned char hash[32])
{
	return &buckets[(hash[0] | hash[1] << 8) % BUCKETS];
}

static void
forget(WebSession **place)
{
	WebSession *session = *place;

	*place = session->next;
	free(session->role);
	free(session->stamp);
	explicit_bzero(session, sizeof(WebSession));
	free(session);
}

/*
 * Forgets the oldest session of a role, or of public links (NULL), if they have as many
 * as they may: nobody ends another one's.
 */
static void
make_room(const char *role)
{
	WebSession **oldest = NULL;
	int			n = 0;

	for (int i = 0; i < BUCKETS; i++)
	{
		for (WebSession **place = &buckets[i]; *place != NULL; place = &(*place)->next)
		{
			const char *other = (*place)->role;

			if (role == NULL ? other != NULL : other == NULL || strcmp(role, other) != 0)
				continue;
			n++;
			if (oldest == NULL || (*place)->used < (*oldest)->used)
				oldest = place;
		}
	}
	if (n >= (role == NULL ? LINK_SESSIONS_MAX : ROLE_SESSIONS_MAX))
		forget(oldest);
}

WebSession *
web_session_begin(const char *role, const char *stamp, const char *link, int64_t now,
				  char cookie[WEB_TOKEN_SIZE])
{
	WebSession *session = must_alloc(sizeof(WebSession));
	WebSession **place;

	make_room(role);
	memset(session, 0, sizeof(WebSession));
	random_token(cookie);
	random_token(session->csrf);
	sha256(cookie, strlen(cookie), session->hash);
	session->role = role != NULL ? must_strdup(role) : NULL;
	session->stamp = stamp != NULL ? must_strdup(stamp) : NULL;
	snprintf(session->link, sizeof(session->link), "%s", link != NULL ? link : "");
	session->began = session->used = now;
	place = bucket(session->hash);
	session->next = *place;
	*place = session;
	return session;
}

static WebSession **
find(const char *cookie)
{
	unsigned char hash[32];
	WebSession **place;

	sha256(cookie, strlen(cookie), hash);
	for (place = bucket(hash); *place != NULL; place = &(*place)->next)
	{
		if (CRYPTO_memcmp((*place)->hash, hash, sizeof(hash)) == 0)
			return place;
	}
	return NULL;
}

static bool
is_over(const WebSession *session, int64_t now, int64_t idle, int64_t longest)
{
	return now - session->used > idle || now - session->began > longest;
}

WebSession *
web_session_find(const char *cookie, int64_t now, int64_t idle, int64_t longest)
{
	WebSession **place = find(cookie);

	if (place == NULL)
		return NULL;
	if (is_over(*place, now, idle, longest))
	{
		forget(place);
		return NULL;
	}
	(*place)->used = now;
	return *place;
}

void
web_session_end(const char *cookie)
{
	WebSession **place = find(cookie);

	if (place != NULL)
		forget(place);
}

void
web_sessions_sweep(int64_t now, int64_t idle, int64_t longest)
{
	for (int i = 0; i < BUCKETS; i++)
	{
		for (WebSession **place = &buckets[i]; *place != NULL;)
		{
			if (is_over(*place, now, idle, longest))
				forget(place);
			else
				place = &(*place)->next;
		}
	}
	/* an address stays in memory no longer than it is limited */
	for (int i = 0; i < ATTEMPTS_MAX; i++)
	{
		if (attempts[i].full_at <= now)
			explicit_bzero(&attempts[i], sizeof(Attempts));
	}
}

/* The attempts under a key, or NULL. */
static Attempts *
find_attempts(const unsigned char key[32])
{
	for (int i = 0; i < ATTEMPTS_MAX; i++)
	{
		if (attempts[i].full_at != 0 && memcmp(attempts[i].key, key, 32) == 0)
			return &attempts[i];
	}
	return NULL;
}

/* ms until there may be another attempt. */
static int64_t
wait_for(const unsigned char key[32], int burst, int64_t interval, int64_t now)
{
	const Attempts *a = find_attempts(key);
	int64_t		wait = a != NULL ? a->full_at + interval - now - burst * interval : 0;

	return wait > 0 ? wait : 0;
}

/* Counts an attempt; the place of the key that is quiet longest is taken if it has none. */
static void
take(const unsigned char key[32], int64_t interval, int64_t now)
{
	Attempts   *a = find_attempts(key);

	if (a == NULL)
	{
		a = &attempts[0];
		for (int i = 1; i < ATTEMPTS_MAX; i++)
		{
			if (attempts[i].full_at < a->full_at)
				a = &attempts[i];
		}
		memcpy(a->key, key, 32);
		a->full_at = 0;
	}
	a->full_at = (a->full_at > now ? a->full_at : now) + interval;
}

static void
name_key(const char *name, unsigned char key[32])
{
	char text[	200];

	snprintf(text, sizeof(text), "name %s", name);
	sha256(text, strlen(text), key);
}

static void
peer_key(const Peer *peer, unsigned char key[32])
{
	unsigned char address[17] = {0};

	address[0] = peer->ipv6 ? 6 : 4;
	memcpy(address + 1, peer->bytes, peer->ipv6 ? 8 : 4);
	sha256(address, sizeof(address), key);
}

int
web_attempt(const char *name, const Peer *peer, int64_t now)
{
	unsigned char of_name[32];
	unsigned char of_peer[32];
	int64_t		wait;

	name_key(name, of_name);
	wait = wait_for(of_name, NAME_BURST, NAME_INTERVAL, now);
	/* a socket has no address */
	if (!peer->local)
	{
		int64_t		other;

		peer_key(peer, of_peer);
		other = wait_for(of_peer, PEER_BURST, PEER_INTERVAL, now);
		wait = other > wait ? other : wait;
	}
	/* what is not tried does not count, and after the wait both are free */
	if (wait > 0)
		return (int) ((wait + 999) / 1000);
	take(of_name, NAME_INTERVAL, now);
	if (!peer->local)
		take(of_peer, PEER_INTERVAL, now);
	return 0;
}

void
web_attempt_good(const char *name, const Peer *peer)
{
	unsigned char key[32];
	Attempts   *a;

	name_key(name, key);
	if ((a = find_attempts(key)) != NULL)
		explicit_bzero(a, sizeof(Attempts));
	if (peer->local)
		return;
	peer_key(peer, key);
	if ((a = find_attempts(key)) != NULL)
		a->full_at -= PEER_INTERVAL;
}
