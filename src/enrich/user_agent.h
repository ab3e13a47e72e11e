/*
 * user_agent.h
 *		The visitor's system, browser and device, from the user agent string
 *		and Client Hints.
 */
#ifndef PKT_USER_AGENT_H
#define PKT_USER_AGENT_H

#include "postgres.h"

#include "utils/jsonb.h"

#include "enrich/user_agent_codes.h"

/* As Matomo numbers them. */
typedef enum DeviceType
{
	DEVICE_UNKNOWN = -1,
	DEVICE_DESKTOP = 0,
	DEVICE_SMARTPHONE = 1,
	DEVICE_TABLET = 2,
	DEVICE_FEATURE_PHONE = 3,
	DEVICE_CONSOLE = 4,
	DEVICE_TV = 5,
	DEVICE_CAR_BROWSER = 6,
	DEVICE_SMART_DISPLAY = 7,
	DEVICE_CAMERA = 8,
	DEVICE_PORTABLE_MEDIA_PLAYER = 9,
	DEVICE_PHABLET = 10,
	DEVICE_SMART_SPEAKER = 11,
	DEVICE_WEARABLE = 12,
	DEVICE_PERIPHERAL = 13
} DeviceType;

/* Unknown texts are "", except the first two codes. */
typedef struct UserAgent
{
	char		config_os[4];	/* Matomo's code, BOT or UNK */
	/* Matomo's code of a browser, other programs' name, UNK */
	char		config_browser_name[41];
	char		fingerprint_browser[4]; /* the code if it is a browser, else
										 * UNK */
	char		config_device_brand[4]; /* Matomo's code, or "" */
	char		os_family[41];
	char		os_version[21];
	char		browser_family[41];
	char		browser_version[21];	/* major.minor */
	char		browser_engine[11];
	char		brand[41];
	char		model[101];
	int8		device_type;	/* DeviceType */
	int8		client_type;	/* ClientType */
	bool		is_bot;
} UserAgent;

/*
 * Detect system, browser and device; the result is palloc'd.  ua may be "";
 * its first 1024 bytes are read.  uadata: the object of the parameter of that
 * name; headers: request headers by lower-case name; either may be NULL, and
 * uadata wins.  Never raises, whatever these contain.  Without rules
 * everything is unknown except what the hints give; there is one warning per
 * session.
 */
extern const UserAgent *user_agent_detect(const char *ua, Jsonb *uadata, Jsonb *headers);

/* Are there rules now?  Without them the fingerprint uses the agent itself. */
extern bool user_agent_has_rules(void);

#endif							/* PKT_USER_AGENT_H */
