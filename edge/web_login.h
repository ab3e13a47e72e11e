/*
 * web_login.h
 *		Proof of a password: one connection to PostgreSQL as the role, which is closed.
 */
#ifndef EDGE_WEB_LOGIN_H
#define EDGE_WEB_LOGIN_H

#include <stdbool.h>

#include "config.h"
#include "text.h"

typedef enum LoginOutcome
{
	LOGIN_GOOD,
	LOGIN_WRONG,				/* user or password */
	LOGIN_UNPROVED,				/* the server did not ask for the password */
	LOGIN_BUSY,					/* too many at once */
	LOGIN_AWAY					/* PostgreSQL cannot be had */
} LoginOutcome;

typedef struct Login
{
	Pool	   *pool;
	const char *user;
	const char *password;
	LoginOutcome outcome;
	const char *role;			/* of LOGIN_GOOD: as the server calls it */
	void	   *owner;
	void		(*done) (struct Login *login);
} Login;

extern void web_login_start(const Config *config);

/* done() is called once, later or at once.  Until then the login must stay. */
extern void web_login(Login *login);
extern bool web_login_is_empty(void);

#endif
