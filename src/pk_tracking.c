/*
 * pk_tracking.c
 *		Module magic and start: calls into the modules only.
 */
#include "postgres.h"

#include "fmgr.h"

#include "base/compat.h"
#include "base/wipe.h"
#include "identity/salt.h"
#include "identity/session_link.h"
#include "log/log.h"
#include "request/hit.h"
#include "settings/gucs.h"
#include "settings/settings.h"
#include "track/batch.h"
#include "track/rights.h"
#include "track/site_rules.h"

#ifdef PG_MODULE_MAGIC_EXT
PG_MODULE_MAGIC_EXT(.name = "pk_tracking",.version = PKT_VERSION);
#else
PG_MODULE_MAGIC;
#endif

#if PG_VERSION_NUM < 160000
extern PGDLLEXPORT void _PG_init(void);
#endif

void
_PG_init(void)
{
	gucs_init();
	wipe_init();
	settings_init();
	salt_init();
	session_link_init();
	hit_init();
	log_init();
	batch_init();
	rights_init();
	site_rules_init();
}
