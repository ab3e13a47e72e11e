/*
 * rights.h
 *		What a role may do besides tracking: the right to execute a function that
 *		does nothing.
 */
#ifndef PKT_RIGHTS_H
#define PKT_RIGHTS_H

typedef enum Right
{
	RIGHT_TRUSTED,				/* pass trusted => true */
	RIGHT_FULL_ANSWERS			/* see what tracking found out about a visitor */
} Right;

#define RIGHTS (RIGHT_FULL_ANSWERS + 1)

extern void rights_init(void);
extern bool role_has(Oid role, Right right);

#endif							/* PKT_RIGHTS_H */
