/*
 * anonymise.c
 *		What is left of a hit whose visitor has not consented (design section 7).
 */
#include "postgres.h"

#include "track/anonymise.h"

static char nothing[] = "";

/* How much of the device may be told: the site's level, nothing with dda=1. */
DeviceLevel
anonymous_device_level(const Hit *hit, const Settings *s)
{
	return hit->dda ? DEVICE_NONE : s->anonymous_device_level;
}

/* How fine the location may be: never finer than that of those who consented. */
GeoLevel
anonymous_geo_level(const Settings *s)
{
	return Min(s->anonymous_geo_level, s->geo_level);
}

/*
 * anonymise_hit
 *		Take out of a hit what may name its visitor: ids, user, what cookies
 *		tell of earlier visits, the order id, and of the device what the
 *		settings do not allow.  The address, the agent and the languages stay:
 *		they are needed in memory, and are not stored.  What decides about an
 *		order or a session has been read before.
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
 *		A device with what a level allows: all, the families of system and
 *		browser and the kind of device, or nothing.
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
		strlcpy(left->config_browser_name, device->config_browser_name, sizeof(left->config_browser_name));
		left->device_type = device->device_type;
		left->client_type = device->client_type;
	}
	return left;
}

/* Of "de-at" the language alone is left, or nothing. */
void
anonymise_language(char *primary, DeviceLevel level)
{
	if (level == DEVICE_NONE)
		primary[0] = '\0';
	else if (level == DEVICE_FAMILY && primary[0] != '\0')
		primary[strcspn(primary, "-")] = '\0';
}
