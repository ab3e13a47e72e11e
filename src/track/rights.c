/*
 * rights.c
 *		What a role may do besides tracking: the right to execute a function that
 *		does nothing.
 *
 * So GRANT, REVOKE, membership in roles, dumps and superusers mean what they
 * always mean.  Each hit asks, so the last answer is kept until a function or a
 * role changes.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "fmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/syscache.h"

#include "base/compat.h"
#include "track/rights.h"

PG_FUNCTION_INFO_V1(pkt_trusted_tracking);
PG_FUNCTION_INFO_V1(pkt_full_answers);

/* By Right, in schema pk_tracking_internal. */
static const char *const functions[RIGHTS] = {"trusted_tracking", "full_answers"};

/* Whether a role has a right. */
typedef struct KeptAnswer
{
	Oid			role;			/* InvalidOid: none is kept */
	bool		has;
	uint64		asked_at;		/* changes when the catalog was asked */
} KeptAnswer;

static KeptAnswer kept[RIGHTS];

/* How many changes of functions and roles we have heard of. */
static uint64 changes = 0;

/*
 * Invalidation: a function, a role or a membership has changed.  May be called at any time, so
 * it only counts.
 */
static void
role_changed(Datum arg pg_attribute_unused(), int cacheid pg_attribute_unused(),
			 uint32 hashvalue pg_attribute_unused())
{
	changes++;
}

/* rights_init: called once, when the library loads. */
void
rights_init(void)
{
	CacheRegisterSyscacheCallback(PROCOID, role_changed, (Datum) 0);
	CacheRegisterSyscacheCallback(AUTHOID, role_changed, (Datum) 0);
	CacheRegisterSyscacheCallback(AUTHMEMROLEMEM, role_changed, (Datum) 0);
}

/* Ask the catalog. */
static bool
look_up(Oid role, Right right)
{
	Oid			namespace = get_namespace_oid("pk_tracking_internal", true);
	Oid			proc = InvalidOid;

	if (OidIsValid(namespace))
		proc = GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid,
							   CStringGetDatum(functions[right]),
							   PointerGetDatum(buildoidvector(NULL, 0)),
							   ObjectIdGetDatum(namespace));
	return OidIsValid(proc) && pkt_proc_aclcheck(proc, role, ACL_EXECUTE) == ACLCHECK_OK;
}

/*
 * role_has
 *		Has the role this right?  Nobody has one whose function is missing.
 */
bool
role_has(Oid role, Right right)
{
	KeptAnswer *k = &kept[right];

	if (k->role != role || k->asked_at != changes)
	{
		/* before the look-up: a change that comes during it outdates it */
		uint64		now = changes;

		k->role = InvalidOid;
		k->has = look_up(role, right);
		k->role = role;
		k->asked_at = now;
	}
	return k->has;
}

/* SQL: trusted_tracking().  Only its privileges matter. */
Datum
pkt_trusted_tracking(PG_FUNCTION_ARGS)
{
	(void) fcinfo;
	PG_RETURN_VOID();
}

/* SQL: full_answers().  Only its privileges matter. */
Datum
pkt_full_answers(PG_FUNCTION_ARGS)
{
	(void) fcinfo;
	PG_RETURN_VOID();
}
