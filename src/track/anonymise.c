/*
 * anonymise.c
 *		What is left of a hit without consent (doc/internals.md, "Consent and
 *		anonymous visits").
 *
 * URLs, contents and referrers are cut in describe.c (page_url, clicked_url,
 * content_part, describe_referrer) where they are normalised: goals, searches and
 * campaigns are found in the URL as it was sent, so the hit must keep it.  Texts
 * other than URLs, as titles, are stored as sent; log/anonymous.c refuses rows
 * that hold anything forbidden.
 */
#include "postgres.h"

#include "track/anonymise.h"

static char nothing[] = "";

/*
 * anonymous_device_level
 *		How much of the device may be stored: the site's level, or nothing if the
 *		hit says dda=1.
 */
DeviceLevel
anonymous_device_level(const Hit *hit, const Settings *s)
{
	return hit->dda ? DEVICE_NONE : s->anonymous_device_level;
}

/*
 * anonymous_geo_level
 *		How fine the location may be: never finer than that of hits with consent.
 */
GeoLevel
anonymous_geo_level(const Settings *s)
{
	return Min(s->anonymous_geo_level, s->geo_level);
}

/*
 * anonymise_hit
 *		Remove from a hit what might identify its visitor: ids, the user, what
 *		cookies tell of earlier visits, the order id, and those properties of the
 *		device that the settings do not allow.  The address, the agent and the
 *		languages stay: they are needed in memory, and are not stored.  Orders
 *		and sessions have been read from the hit before.
 */
void
anonymise_hit(Hit *hit, const Settings *s)
{
	hit->user_id = nothing;
	memset(&hit->cid, 0, sizeof(hit->cid));
	memset(&hit->visitor_id, 0, sizeof(hit->visitor_id));
	memset(&hit->third_party_id, 0, sizeof(hit->third_party_id));
	hit->idvc = 0;
	hit->idts = hit->viewts = hit->ects = 0;
	hit->ec_id = nothing;
	hit->rcn = hit->rck = hit->ref = nothing;
	if (anonymous_device_level(hit, s) != DEVICE_FULL)
		hit->resolution = nothing;
}

/*
 * anonymise_device
 *		The properties of a device that a level allows: all; the families of
 *		system and browser and the kind of device; or none.
 */
const UserAgent *
anonymise_device(const UserAgent *device, DeviceLevel level)
{
	UserAgent  *left;

	if (level == DEVICE_FULL)
		return device;
	left = palloc0_object(UserAgent);
	left->device_type = DEVICE_UNKNOWN;
	if (level == DEVICE_FAMILY)
	{
		strlcpy(left->config_os, device->config_os, sizeof(left->config_os));
		strlcpy(left->config_browser_name, device->config_browser_name,
				sizeof(left->config_browser_name));
		left->device_type = device->device_type;
		left->client_type = device->client_type;
	}
	return left;
}

/*
 * anonymise_language
 *		Shorten a language in place: of "de-at", level DEVICE_FAMILY leaves "de",
 *		DEVICE_NONE nothing.
 */
void
anonymise_language(char *primary, DeviceLevel level)
{
	if (level == DEVICE_NONE)
		primary[0] = '\0';
	else if (level == DEVICE_FAMILY && primary[0] != '\0')
		primary[strcspn(primary, "-")] = '\0';
}
