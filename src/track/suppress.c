/*
 * suppress.c
 *		People who are not to be tracked again.
 *
 * The table pk_tracking.suppressed has keyed hashes of their ids.  It is read once, and
 * while it is empty a hit costs a comparison.
 */
#include "postgres.h"

#include "base/hexid.h"
#include "identity/subject_key.h"
#include "track/site_rules.h"
#include "track/suppress.h"

static int
compare_sites(const void *a, const void *b)
{
	int32		x = ((const SuppressedKey *) a)->idsite;
	int32		y = ((const SuppressedKey *) b)->idsite;

	return (x > y) - (x < y);
}

static int
compare_keys(const void *a, const void *b)
{
	int			order = compare_sites(a, b);

	return order != 0 ? order :
		memcmp(((const SuppressedKey *) a)->hash, ((const SuppressedKey *) b)->hash,
			   SUBJECT_KEY_LEN);
}

/* Is this id of the site in the list? */
static bool
is_listed(const SuppressedKey *list, int n, int32 idsite, const char *kind, const char *value)
{
	SuppressedKey key = {.idsite = idsite};

	subject_key_hash(idsite, kind, value, strlen(value), key.hash);
	return bsearch(&key, list, n, sizeof(key), compare_keys) != NULL;
}

static bool
id_is_listed(const SuppressedKey *list, int n, int32 idsite, const OptionalId *id)
{
	char		hex[HEXID_TEXT_LEN + 1];

	if (!id->given)
		return false;
	hexid_format(id->id, hex);
	return is_listed(list, n, idsite, SUBJECT_VISITOR_ID, hex);
}

/* hit_is_suppressed: see suppress.h. */
bool
hit_is_suppressed(const Hit *hit, const Identity *id)
{
	int			n;
	const SuppressedKey *list = site_suppressed(&n);
	const OptionalId *const ids[] = {
		&hit->visitor_id, &hit->cid, &hit->third_party_id, &id->own, &id->user
	};
	const SuppressedKey site = {.idsite = hit->idsite};

	if (n == 0 || bsearch(&site, list, n, sizeof(site), compare_sites) == NULL)
		return false;
	if (hit->user_id[0] && is_listed(list, n, hit->idsite, SUBJECT_USER_ID, hit->user_id))
		return true;
	if (id->user_id != NULL && is_listed(list, n, hit->idsite, SUBJECT_USER_ID, id->user_id))
		return true;
	for (int i = 0; i < (int) lengthof(ids); i++)
	{
		if (id_is_listed(list, n, hit->idsite, ids[i]))
			return true;
	}
	return false;
}
