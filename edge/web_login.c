/*
 * web_login.c
 *		Proof of a password: one connection to PostgreSQL as the role, which is closed.
 */
#include <libpq-fe.h>
#include <poll.h>
#include <string.h>

#include "database.h"
#include "log.h"
#include "loop.h"
#include "web_login.h"
#include "web_pool.h"

/* Log-ins at the same time: each costs the server a process and a key derivation. */
#define LOGINS_MAX 4

#define LOGIN_TIMEOUT 10000

/* A role's name has fewer bytes; libpq would cut it, and log in another one. */
#define ROLE_SIZE 64

typedef struct Slot
{
	Login	   *login;			/* NULL: free */
	PGconn	   *conn;
	Watch	   *watch;
	Timer		timer;
} Slot;

static const Config *config;
static Slot slots[LOGINS_MAX];

static void on_event(void *context, short events);

static void
finish(Slot *slot, LoginOutcome outcome)
{
	Login	   *login = slot->login;

	if (slot->watch != NULL)
		loop_unwatch(slot->watch);
	if (slot->conn != NULL)
		PQfinish(slot->conn);
	slot->watch = NULL;
	slot->conn = NULL;
	slot->login = NULL;
	slot->timer.at = 0;
	login->outcome = outcome;
	login->done(login);
}

static void
too_late(void *context)
{
	finish(context, LOGIN_AWAY);
}

static void
watch_socket(Slot *slot, short events)
{
	if (slot->watch != NULL)
		loop_unwatch(slot->watch);
	slot->watch = loop_watch(PQsocket(slot->conn), events, on_event, slot);
}

static void
connected(Slot *slot)
{
	const char *role = PQparameterStatus(slot->conn, "session_authorization");

	/* by trust, peer or a certificate any password would do */
	if (!PQconnectionUsedPassword(slot->conn) || role == NULL)
	{
		log_line(LOG_LEVEL_ERROR, LOG_LOGIN,
				 "PostgreSQL did not ask for a password: pg_hba.conf must ask for one from the"
				 " roles that log in to the web pages");
		finish(slot, LOGIN_UNPROVED);
		return;
	}
	slot->login->role = pool_strdup(slot->login->pool, role);
	finish(slot, LOGIN_GOOD);
}

/* Whether the role does not exist or the password is wrong, nobody is told. */
static void
refused(Slot *slot)
{
	if (PQconnectionUsedPassword(slot->conn))
	{
		finish(slot, LOGIN_WRONG);
		return;
	}
	log_line(LOG_LEVEL_ERROR, LOG_LOGIN,
			 "PostgreSQL refused a log-in without asking for a password: is it away, or does"
			 " pg_hba.conf not ask for one?");
	finish(slot, web_pool_is_connected() ? LOGIN_WRONG : LOGIN_AWAY);
}

static void
on_event(void *context, short events)
{
	Slot	   *slot = context;

	(void) events;
	switch (PQconnectPoll(slot->conn))
	{
		case PGRES_POLLING_READING:
			watch_socket(slot, POLLIN);
			return;
		case PGRES_POLLING_WRITING:
			watch_socket(slot, POLLOUT);
			return;
		case PGRES_POLLING_OK:
			connected(slot);
			return;
		default:
			refused(slot);
			return;
	}
}

void
web_login_start(const Config *new_config)
{
	config = new_config;
	for (int i = 0; i < LOGINS_MAX; i++)
	{
		slots[i].timer.callback = too_late;
		slots[i].timer.context = &slots[i];
		loop_add_timer(&slots[i].timer);
	}
}

void
web_login(Login *login)
{
	Slot	   *slot = NULL;

	for (int i = 0; i < LOGINS_MAX && slot == NULL; i++)
	{
		if (slots[i].login == NULL)
			slot = &slots[i];
	}

	/*
	 * without a password libpq would look for one in files of the daemon's
	 * user
	 */
	if (slot == NULL || login->password[0] == '\0' || login->user[0] == '\0' ||
		strlen(login->user) >= ROLE_SIZE)
	{
		login->outcome = slot == NULL ? LOGIN_BUSY : LOGIN_WRONG;
		login->done(login);
		return;
	}
	slot->login = login;
	slot->conn = database_start(config->web_login[0] != '\0' ? config->web_login :
								config->database, login->user, login->password, "");
	if (slot->conn == NULL || PQstatus(slot->conn) == CONNECTION_BAD)
	{
		finish(slot, LOGIN_AWAY);
		return;
	}
	slot->timer.at = loop_now() + LOGIN_TIMEOUT;
	watch_socket(slot, POLLOUT);
}

bool
web_login_is_empty(void)
{
	for (int i = 0; i < LOGINS_MAX; i++)
	{
		if (slots[i].login != NULL)
			return false;
	}
	return true;
}
