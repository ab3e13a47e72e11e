/*
 * pk_tracking.c
 *		Module magic and start: nothing but calls into the rooms.
 */
#include "postgres.h"

#include "fmgr.h"

#include "compat.h"
#include "identity/salt.h"
#include "identity/session_link.h"
#include "request/hit.h"
#include "settings.h"
#include "track/engine.h"
#include "track/site_rules.h"
#include "visit/action.h"
#include "visit/store.h"

#ifdef PG_MODULE_MAGIC_EXT
PG_MODULE_MAGIC_EXT(.name = "pk_tracking", .version = "1.0");
#else
PG_MODULE_MAGIC;
#endif

#if PG_VERSION_NUM < 160000
extern PGDLLEXPORT void _PG_init(void);
#endif

void
_PG_init(void)
{
	settings_init();
	salt_init();
	session_link_init();
	hit_init();
	action_init();
	store_init();
	engine_init();
	site_rules_init();
}
