/*
 * web_session_test.c
 *		Tests of web_session.c with a clock of their own.
 *
 *   edge/test/run web_session  builds it with the sanitizers and runs it
 *
 * modules: text log
 * libraries: libcrypto
 */
#include "../web_session.c"

#define NOW INT64_C(1800000000000)
#define IDLE INT64_C(60000)
#define LONGEST INT64_C(600000)

static int	passed;
static int	failed;

static void
check(bool good, const char *name)
{
	printf("%s - %s\n", good ? "ok" : "not ok", name);
	if (good)
		passed++;
	else
		failed++;
}

/* How many attempts are remembered, of whatever name or address. */
static int
remembered(void)
{
	static const unsigned char nothing[32];
	int			n = 0;

	for (int i = 0; i < ATTEMPTS_MAX; i++)
		n += memcmp(attempts[i].key, nothing, sizeof(nothing)) != 0;
	return n;
}

static int
sessions(void)
{
	int			n = 0;

	for (int i = 0; i < BUCKETS; i++)
	{
		for (WebSession *session = buckets[i]; session != NULL; session = session->next)
			n++;
	}
	return n;
}

static void
test_room(void)
{
	char		link[WEB_TOKEN_SIZE];
	char		ann[WEB_TOKEN_SIZE];
	char		bob[WEB_TOKEN_SIZE];
	char		cookie[WEB_TOKEN_SIZE];

	web_session_begin(NULL, NULL, "hash", NOW, link);
	web_session_begin("ann", "1", NULL, NOW + 1, ann);
	web_session_begin("bob", "1", NULL, NOW + 2, bob);
	for (int i = 0; i < LINK_SESSIONS_MAX; i++)
		web_session_begin(NULL, NULL, "hash", NOW + 3, cookie);
	check(sessions() == LINK_SESSIONS_MAX + 2, "public links have so many sessions");
	check(web_session_find(link, NOW + 4, IDLE, LONGEST) == NULL, "their oldest one goes");
	check(web_session_find(ann, NOW + 4, IDLE, LONGEST) != NULL, "and nobody else's");
	for (int i = 0; i < ROLE_SESSIONS_MAX; i++)
		web_session_begin("bob", "1", NULL, NOW + 5, cookie);
	check(sessions() == LINK_SESSIONS_MAX + 1 + ROLE_SESSIONS_MAX, "a role has so many");
	check(web_session_find(bob, NOW + 6, IDLE, LONGEST) == NULL &&
		  web_session_find(cookie, NOW + 6, IDLE, LONGEST) != NULL, "its oldest one goes");
	check(web_session_find(ann, NOW + 6, IDLE, LONGEST) != NULL, "and nobody else's");
	web_sessions_sweep(NOW + 2 * LONGEST, IDLE, LONGEST);
	check(sessions() == 0, "all are over then");
}

static void
test_sessions(void)
{
	char		cookie[WEB_TOKEN_SIZE];
	char		other[WEB_TOKEN_SIZE];
	int64_t		now = NOW;

	web_session_begin("ann", "1", NULL, now, cookie);
	web_session_begin("bob", "1", NULL, now, other);
	check(strcmp(cookie, other) != 0, "each session has a cookie of its own");
	check(strcmp(web_session_find(cookie, now, IDLE, LONGEST)->role, "ann") == 0,
		  "a cookie finds its session");
	check(web_session_find("x", now, IDLE, LONGEST) == NULL, "another text finds none");
	for (int i = 0; i < 10; i++)
		web_session_find(cookie, now += IDLE, IDLE, LONGEST);
	check(web_session_find(cookie, now, IDLE, LONGEST) != NULL, "who uses it keeps it");
	check(web_session_find(other, now, IDLE, LONGEST) == NULL, "an idle session is over");
	check(web_session_find(cookie, now + 1, IDLE, LONGEST) == NULL,
		  "so is one that began too long ago");
	check(sessions() == 0, "and both are forgotten");
	web_session_begin("ann", "1", NULL, now, cookie);
	web_sessions_sweep(now + IDLE, IDLE, LONGEST);
	check(sessions() == 1, "what is not over stays");
	web_sessions_sweep(now + IDLE + 1, IDLE, LONGEST);
	check(sessions() == 0, "what is over goes without being asked for");
	web_session_begin("ann", "1", NULL, now, cookie);
	web_session_end(cookie);
	check(web_session_find(cookie, now, IDLE, LONGEST) == NULL, "who logs out is out");
}

static void
test_attempts(void)
{
	Peer		home = {.bytes = {203, 0, 113, 77}};
	Peer		away = {.bytes = {203, 0, 113, 78}};
	Peer		socket = {.local = true};
	int64_t		now = NOW;
	int			allowed = 0;
	char		name[20];

	for (int i = 0; i < 200; i++)
		allowed += web_attempt("ann", &home, now) == 0;
	check(allowed == NAME_BURST, "200 attempts on a name: ten at once");
	check(web_attempt("zoe", &home, now) == 0, "what is not tried does not count for the address");
	for (int i = 0; i < PEER_BURST; i++)
		web_attempt("zoe", &home, now);
	check(web_attempt("ann", &home, now) == NAME_INTERVAL / 1000,
		  "of two limits the longer wait is told");
	check(web_attempt("ann", &home, now + NAME_INTERVAL - 1) == 1, "until it is over");
	check(web_attempt("ann", &socket, now) > 0, "nor more through a socket");
	check(web_attempt("ann", &away, now + NAME_INTERVAL) == 0, "a minute later one more");
	check(web_attempt("ann", &away, now + NAME_INTERVAL) > 0, "and no second one");
	allowed = 0;
	for (int i = 0; i < 200; i++)
	{
		snprintf(name, sizeof(name), "user %d", i);
		allowed += web_attempt(name, &home, now + 20 * PEER_INTERVAL) == 0;
	}
	check(allowed == PEER_BURST, "200 attempts from an address: twenty at once");
	web_attempt_good("user 0", &home);
	check(web_attempt("user 0", &home, now + 20 * PEER_INTERVAL) == 0,
		  "a right password takes back its attempt");

	check(remembered() > 0, "names and addresses are remembered");
	web_sessions_sweep(now + 21 * PEER_INTERVAL, IDLE, LONGEST);
	check(web_attempt("user 1", &home, now + 21 * PEER_INTERVAL) == 0 &&
		  web_attempt("user 1", &home, now + 21 * PEER_INTERVAL) > 0,
		  "and limited, after forgetting others");
	web_sessions_sweep(now + 60 * NAME_INTERVAL, IDLE, LONGEST);
	check(remembered() == 0, "until all their attempts are there again");
}

int
main(void)
{
	test_sessions();
	test_room();
	test_attempts();
	printf("web_session: %d passed, %d failed\n", passed, failed);
	return failed > 0;
}
