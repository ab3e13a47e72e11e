/*
 * user_agent_codes.c
 *		Matomo's short codes for the names that the rules of uap-core give.
 *
 * Matomo's log has these codes in config_os, config_browser_name and
 * config_device_brand; with the same codes, migrated rows and ours agree.
 * Names without a code here are stored as they are.
 */
#include "postgres.h"

#include "enrich/user_agent_codes.h"

static const SystemCode systems[] = {
	{"Windows", "Windows", "WIN", SYSTEM_DESKTOP},
	{"Mac OS X", "Mac", "MAC", SYSTEM_DESKTOP},
	{"Mac OS", "Mac", "MAC", SYSTEM_DESKTOP},
	{"macOS", "Mac", "MAC", SYSTEM_DESKTOP},
	{"Linux", "GNU/Linux", "LIN", SYSTEM_DESKTOP},
	{"Ubuntu", "Ubuntu", "UBT", SYSTEM_DESKTOP},
	{"Kubuntu", "Kubuntu", "KBT", SYSTEM_DESKTOP},
	{"Lubuntu", "Lubuntu", "LBT", SYSTEM_DESKTOP},
	{"Debian", "Debian", "DEB", SYSTEM_DESKTOP},
	{"Fedora", "Fedora", "FED", SYSTEM_DESKTOP},
	{"Red Hat", "Red Hat", "RHT", SYSTEM_DESKTOP},
	{"CentOS", "CentOS", "CES", SYSTEM_DESKTOP},
	{"openSUSE", "SUSE", "SSE", SYSTEM_DESKTOP},
	{"SUSE", "SUSE", "SSE", SYSTEM_DESKTOP},
	{"Arch Linux", "Arch Linux", "ARL", SYSTEM_DESKTOP},
	{"Gentoo", "Gentoo", "GNT", SYSTEM_DESKTOP},
	{"Slackware", "Slackware", "SLW", SYSTEM_DESKTOP},
	{"Linux Mint", "Mint", "MIN", SYSTEM_DESKTOP},
	{"Mageia", "Mageia", "MAG", SYSTEM_DESKTOP},
	{"Mandriva", "Mandriva", "MDR", SYSTEM_DESKTOP},
	{"PCLinuxOS", "PCLinuxOS", "PCL", SYSTEM_DESKTOP},
	{"BackTrack", "BackTrack", "BTR", SYSTEM_DESKTOP},
	{"SerenityOS", "SerenityOS", "SER", SYSTEM_DESKTOP},
	{"Chrome OS", "Chrome OS", "COS", SYSTEM_DESKTOP},
	{"Chromium OS", "Chromium OS", "CRS", SYSTEM_DESKTOP},
	{"FreeBSD", "FreeBSD", "BSD", SYSTEM_DESKTOP},
	{"OpenBSD", "OpenBSD", "OBS", SYSTEM_DESKTOP},
	{"NetBSD", "NetBSD", "NBS", SYSTEM_DESKTOP},
	{"Solaris", "Solaris", "SOS", SYSTEM_DESKTOP},
	{"Haiku", "Haiku OS", "HAI", SYSTEM_DESKTOP},
	{"Android", "Android", "AND", SYSTEM_MOBILE},
	{"Android TV", "Android TV", "ADR", SYSTEM_TV},
	{"Wear OS", "Wear OS", "WER", SYSTEM_WATCH},
	{"Fire OS", "Fire OS", "FIR", SYSTEM_MOBILE},
	{"HarmonyOS", "HarmonyOS", "HAR", SYSTEM_MOBILE},
	{"iOS", "iOS", "IOS", SYSTEM_MOBILE},
	{"iPadOS", "iPadOS", "IPA", SYSTEM_MOBILE},
	{"tvOS", "tvOS", "ATV", SYSTEM_TV},
	{"ATV OS X", "tvOS", "ATV", SYSTEM_TV},
	{"WatchOS", "watchOS", "WAS", SYSTEM_WATCH},
	{"Windows Phone", "Windows Phone", "WPH", SYSTEM_MOBILE},
	{"Windows Mobile", "Windows Mobile", "WMO", SYSTEM_MOBILE},
	{"Windows CE", "Windows CE", "WCE", SYSTEM_MOBILE},
	{"Windows RT", "Windows RT", "WRT", SYSTEM_MOBILE},
	{"BlackBerry OS", "BlackBerry OS", "BLB", SYSTEM_MOBILE},
	{"BlackBerry Tablet OS", "BlackBerry Tablet OS", "QNX", SYSTEM_MOBILE},
	{"Symbian OS", "Symbian OS", "SYS", SYSTEM_MOBILE},
	{"Symbian^3", "Symbian^3", "SY3", SYSTEM_MOBILE},
	{"Symbian^3 Anna", "Symbian^3", "SY3", SYSTEM_MOBILE},
	{"Symbian^3 Belle", "Symbian^3", "SY3", SYSTEM_MOBILE},
	{"Nokia Series 40", "Symbian OS Series 40", "S40", SYSTEM_FEATURE_PHONE},
	{"Nokia Series 30 Plus", "Nokia Series 30 Plus", "", SYSTEM_FEATURE_PHONE},
	{"KaiOS", "KaiOS", "KOS", SYSTEM_FEATURE_PHONE},
	{"Firefox OS", "Firefox OS", "FOS", SYSTEM_MOBILE},
	{"Bada", "Bada", "SBA", SYSTEM_MOBILE},
	{"Brew", "Brew", "BMP", SYSTEM_FEATURE_PHONE},
	{"Brew MP", "Brew", "BMP", SYSTEM_FEATURE_PHONE},
	{"MeeGo", "MeeGo", "SMG", SYSTEM_MOBILE},
	{"Maemo", "Maemo", "MAE", SYSTEM_MOBILE},
	{"Sailfish", "Sailfish OS", "SAF", SYSTEM_MOBILE},
	{"Tizen", "Tizen", "TIZ", SYSTEM_OTHER},
	{"webOS", "webOS", "WOS", SYSTEM_OTHER},
	{"Web0S", "webOS", "WOS", SYSTEM_TV},
	{"GoogleTV", "Google TV", "GTV", SYSTEM_TV},
	{"Chromecast", "Chromecast", "", SYSTEM_TV},
	{"WebTV", "WebTV", "WTV", SYSTEM_TV},
	{"Roku", "Roku OS", "ROK", SYSTEM_TV},
	{"Fuchsia", "Fuchsia", "FUC", SYSTEM_OTHER},
	{"PlayStation", "PlayStation", "PS3", SYSTEM_CONSOLE},
	{"PlayStation Portable", "PlayStation Portable", "PSP", SYSTEM_CONSOLE},
	{"Nintendo", "Nintendo", "WII", SYSTEM_CONSOLE},
	{"Nintendo Mobile", "Nintendo Mobile", "NDS", SYSTEM_CONSOLE},
	{"Xbox", "Xbox", "XBX", SYSTEM_CONSOLE}
};

/*
 * Families of systems that have another name than the system, by codes in
 * Matomo's way: a distribution is of GNU/Linux, a tablet's and a watch's system
 * of iOS.
 */
static const struct
{
	const char *family;
	const char *codes;
}			system_families[] = {

	{"GNU/Linux", "UBT XBT KBT LBT DEB FED RHT CES SSE ARL GNT SLW MIN MAG MDR PCL BTR SER "
	"SAF ROK FUC"},
	{"Chrome OS", "CRS"},
	{"Unix", "BSD OBS NBS SOS"},
	{"BeOS", "HAI"},
	{"Android", "ADR WER FIR HAR"},
	{"iOS", "IPA ATV WAS"},
	{"Windows Mobile", "WPH WCE WRT"},
	{"BlackBerry", "BLB QNX"},
	{"Symbian", "SYS SY3 S40"},
	{"Firefox OS", "KOS"},
	{"Other Mobile", "SBA SMG MAE TIZ WOS"},
	{"Gaming Console", "PS3 WII"},
	{"Mobile Gaming Console", "PSP NDS XBX"}
};

#define BROWSER(family, code) {family, CLIENT_BROWSER, code}

static const ClientCode clients[] = {
	BROWSER("Chrome", "CH"),
	BROWSER("Chrome Mobile", "CM"),
	BROWSER("Chrome Mobile iOS", "CI"),
	BROWSER("Chrome Mobile WebView", "CV"),
	BROWSER("Chrome Frame", "CF"),
	BROWSER("Chromium", "CR"),
	BROWSER("HeadlessChrome", "HC"),
	BROWSER("Firefox", "FF"),
	BROWSER("Firefox Alpha", "FF"),
	BROWSER("Firefox Beta", "FF"),
	BROWSER("Firefox Mobile", "FM"),
	BROWSER("Firefox iOS", "F1"),
	BROWSER("Firefox Focus", "FK"),
	BROWSER("Focus", "FK"),
	BROWSER("Klar", "FK"),
	BROWSER("Safari", "SF"),
	BROWSER("Mobile Safari", "MF"),
	BROWSER("Mobile Safari UI/WKWebView", "MF"),
	BROWSER("WebKit Nightly", "SF"),
	BROWSER("Edge", "PS"),
	BROWSER("Edge Mobile", "PS"),
	BROWSER("IE", "IE"),
	BROWSER("IE Large Screen", "IE"),
	BROWSER("IE Mobile", "IM"),
	BROWSER("Opera", "OP"),
	BROWSER("Opera Mobile", "OM"),
	BROWSER("Opera Tablet", "OM"),
	BROWSER("Opera Mini", "OI"),
	BROWSER("Opera Neon", "OG"),
	BROWSER("Opera Coast", "C1"),
	BROWSER("Opera GX", "OX"),
	BROWSER("Opera Touch", "OO"),
	BROWSER("Samsung Internet", "SB"),
	BROWSER("Yandex Browser", "YA"),
	BROWSER("UC Browser", "UC"),
	BROWSER("QQ Browser", "QQ"),
	BROWSER("QQ Browser Mobile", "QQ"),
	BROWSER("QQ Browser Mini", "Q1"),
	BROWSER("MiuiBrowser", "MU"),
	BROWSER("Mint Browser", "MT"),
	BROWSER("HuaweiBrowser", "HU"),
	BROWSER("HeyTapBrowser", "PP"),
	BROWSER("VivoBrowser", "VV"),
	BROWSER("DuckDuckGo Mobile", "DD"),
	BROWSER("DuckDuckGo", "DD"),
	BROWSER("Brave", "BR"),
	BROWSER("Vivaldi", "VI"),
	BROWSER("Whale", "WH"),
	BROWSER("Amazon Silk", "MS"),
	BROWSER("Ecosia", "EC"),
	BROWSER("Ecosia iOS", "EC"),
	BROWSER("Ecosia Android", "EC"),
	BROWSER("Puffin", "PU"),
	BROWSER("Maxthon", "MX"),
	BROWSER("Sogou Explorer", "SE"),
	BROWSER("Baidu Browser", "BD"),
	BROWSER("Baidu Explorer", "BD"),
	BROWSER("Coc Coc", "CC"),
	BROWSER("coc_coc_browser", "CC"),
	BROWSER("Comodo Dragon", "CD"),
	BROWSER("Iron", "IR"),
	BROWSER("Iridium", "I1"),
	BROWSER("Seznam prohlížeč", "SZ"),
	BROWSER("Avast", "AS"),
	BROWSER("Avast Secure Browser", "AS"),
	BROWSER("AVG Secure Browser", "VG"),
	BROWSER("Pale Moon", "PM"),
	BROWSER("Basilisk", "BI"),
	BROWSER("Waterfox", "WF"),
	BROWSER("IceCat", "I4"),
	BROWSER("Iceweasel", "IW"),
	BROWSER("Camino", "CA"),
	BROWSER("Epiphany", "EP"),
	BROWSER("Konqueror", "KO"),
	BROWSER("Falkon", "FA"),
	BROWSER("QupZilla", "QZ"),
	BROWSER("Otter", "OT"),
	BROWSER("qutebrowser", "QT"),
	BROWSER("Midori", "MI"),
	BROWSER("Rekonq", "RK"),
	BROWSER("Arora", "AR"),
	BROWSER("K-Meleon", "KM"),
	BROWSER("OmniWeb", "OW"),
	BROWSER("iCab", "IC"),
	BROWSER("Galeon", "GA"),
	BROWSER("Netscape", "NS"),
	BROWSER("Flock", "FL"),
	BROWSER("RockMelt", "RM"),
	BROWSER("Sleipnir", "SL"),
	BROWSER("Lunascape", "LS"),
	BROWSER("Avant", "AA"),
	BROWSER("WebPositive", "WE"),
	BROWSER("Lynx", "LX"),
	BROWSER("Links", "LI"),
	BROWSER("ELinks", "EL"),
	BROWSER("Dillo", "DI"),
	BROWSER("NetSurf", "NE"),
	BROWSER("NCSA Mosaic", "MC"),
	BROWSER("LuaKit", "LU"),
	BROWSER("Conkeror", "CK"),
	BROWSER("Swiftfox", "SX"),
	BROWSER("Android", "AN"),
	BROWSER("BlackBerry", "BB"),
	BROWSER("BlackBerry WebKit", "BB"),
	BROWSER("Nokia Browser", "NB"),
	BROWSER("Nokia OSS Browser", "NO"),
	BROWSER("Ovi Browser", "NV"),
	BROWSER("Nokia Services (WAP) Browser", "NB"),
	BROWSER("NetFront", "NF"),
	BROWSER("NetFront NX", "NF"),
	BROWSER("Polaris", "PO"),
	BROWSER("Obigo", "OB"),
	BROWSER("Openwave", "OV"),
	BROWSER("Tizen Browser", "TZ"),
	BROWSER("SailfishBrowser", "SA"),
	BROWSER("Sailfish Browser", "SA"),
	BROWSER("webOS Browser", "WO"),
	BROWSER("Kindle", "KI"),
	BROWSER("Oculus Browser", "OC"),
	BROWSER("Phantom Browser", "PH"),
	BROWSER("Tenta Browser", "TB"),
	BROWSER("MicroB", "MB"),
	BROWSER("Palm Blazer", "PL"),
	BROWSER("Palm Pre", "PR"),
	BROWSER("ONE Browser", "OE"),
	BROWSER("Espial", "ES"),
	BROWSER("CCleaner Browser", "CL"),

	{"curl", CLIENT_LIBRARY, NULL},
	{"Wget", CLIENT_LIBRARY, NULL},
	{"wget2", CLIENT_LIBRARY, NULL},
	{"Python Requests", CLIENT_LIBRARY, NULL},
	{"python-requests", CLIENT_LIBRARY, NULL},
	{"Python-urllib", CLIENT_LIBRARY, NULL},
	{"Python aiohttp", CLIENT_LIBRARY, NULL},
	{"okhttp", CLIENT_LIBRARY, NULL},
	{"Go-http-client", CLIENT_LIBRARY, NULL},
	{"Apache-HttpClient", CLIENT_LIBRARY, NULL},
	{"Java", CLIENT_LIBRARY, NULL},
	{"libwww-perl", CLIENT_LIBRARY, NULL},
	{"GuzzleHttp", CLIENT_LIBRARY, NULL},
	{"axios", CLIENT_LIBRARY, NULL},
	{"got", CLIENT_LIBRARY, NULL},
	{"reqwest", CLIENT_LIBRARY, NULL},
	{"ureq", CLIENT_LIBRARY, NULL},
	{"aria2", CLIENT_LIBRARY, NULL},
	{"PostmanRuntime", CLIENT_LIBRARY, NULL},
	{"Google-HTTP-Java-Client", CLIENT_LIBRARY, NULL},
	{"WindowsPowerShell", CLIENT_LIBRARY, NULL},
	{"http.rb", CLIENT_LIBRARY, NULL},
	{"PycURL", CLIENT_LIBRARY, NULL},
	{"ReactorNetty", CLIENT_LIBRARY, NULL},
	{"CFNetwork", CLIENT_LIBRARY, NULL},
	{"HTTrack", CLIENT_LIBRARY, NULL},

	{"NetNewsWire", CLIENT_FEED_READER, NULL},
	{"Liferea", CLIENT_FEED_READER, NULL},
	{"RSSRadio", CLIENT_FEED_READER, NULL},

	{"VLC", CLIENT_MEDIA_PLAYER, NULL},
	{"WMPlayer", CLIENT_MEDIA_PLAYER, NULL},
	{"NSPlayer", CLIENT_MEDIA_PLAYER, NULL},
	{"iTunes", CLIENT_MEDIA_PLAYER, NULL},
	{"QuickTime", CLIENT_MEDIA_PLAYER, NULL},
	{"AppleCoreMedia", CLIENT_MEDIA_PLAYER, NULL},
	{"Lavf", CLIENT_MEDIA_PLAYER, NULL},
	{"foobar", CLIENT_MEDIA_PLAYER, NULL},
	{"Clementine", CLIENT_MEDIA_PLAYER, NULL},
	{"Amarok", CLIENT_MEDIA_PLAYER, NULL},

	{"Facebook", CLIENT_MOBILE_APP, NULL},
	{"Facebook Messenger", CLIENT_MOBILE_APP, NULL},
	{"Instagram", CLIENT_MOBILE_APP, NULL},
	{"Pinterest", CLIENT_MOBILE_APP, NULL},
	{"Snapchat", CLIENT_MOBILE_APP, NULL},
	{"Twitter", CLIENT_MOBILE_APP, NULL},
	{"LINE", CLIENT_MOBILE_APP, NULL},
	{"Google", CLIENT_MOBILE_APP, NULL},
	{"Flipboard", CLIENT_MOBILE_APP, NULL},
	{"Spotify", CLIENT_MOBILE_APP, NULL},
	{"WhatsApp", CLIENT_MOBILE_APP, NULL},
	{"AntennaPod", CLIENT_MOBILE_APP, NULL},
	{"Overcast", CLIENT_MOBILE_APP, NULL},
	{"Podcasts", CLIENT_MOBILE_APP, NULL},
	{"Pocket Casts", CLIENT_MOBILE_APP, NULL},
	{"Slack Desktop Client", CLIENT_MOBILE_APP, NULL},

	{"Thunderbird", CLIENT_PIM, NULL},
	{"Outlook", CLIENT_PIM, NULL},
	{"Apple Mail", CLIENT_PIM, NULL},
	{"Windows Live Mail", CLIENT_PIM, NULL},
	{"Lotus Notes", CLIENT_PIM, NULL},
	{"Postbox", CLIENT_PIM, NULL},
	{"The Bat!", CLIENT_PIM, NULL},
	{"YahooMobileMail", CLIENT_PIM, NULL},
	{"DAVdroid", CLIENT_PIM, NULL}
};

static const struct
{
	const char *brand;
	const char *code;
}			brands[] =

{
	{"Cubot", "CB"}, {"Acer", "AC"}, {"Alcatel", "AL"}, {"Amazon", "KN"}, {"Apple", "AP"},
	{"Archos", "AR"},
	{"Asus", "AU"}, {"BlackBerry", "RM"}, {"Dell", "DL"}, {"Doogee", "DO"}, {"Fairphone", "FA"},
	{"Fujitsu", "FU"}, {"Gionee", "GI"}, {"Google", "GO"}, {"Hisense", "HI"}, {"HP", "HP"},
	{"HTC", "HT"}, {"Huawei", "HU"}, {"Infinix", "IF"}, {"Kyocera", "KY"}, {"Lenovo", "LE"},
	{"LG", "LG"}, {"Meizu", "M1"}, {"Micromax", "MI"}, {"Microsoft", "MS"}, {"Motorola", "MR"},
	{"Nintendo", "NI"}, {"Vivo", "VV"}, {"Wiko", "WI"}, {"XiaoMi", "XI"}, {"ZTE", "ZT"},
	{"Meta", "OQ"}, {"Nokia", "NK"}, {"Nothing Phone", "NOT"}, {"Nvidia", "NV"}, {"OnePlus", "ON"},
	{"Oppo", "OP"}, {"Oukitel", "OE"}, {"Palm", "PM"}, {"Panasonic", "PA"}, {"Philips", "PH"},
	{"Pico", "QP"}, {"POCO", "0P"}, {"Razer", "RZ"}, {"Realme", "RE"}, {"Roku", "RK"},
	{"Samsung", "SA"}, {"Sharp", "SH"}, {"Sony", "SO"}, {"SonyEricsson", "SE"}, {"Sunmi", "2J"},
	{"TCL", "TC"}, {"Tecno", "TB"}, {"Tesla", "TA"}, {"Toshiba", "TS"}, {"Ulefone", "UL"},
	{"Umidigi", "UM"}
};

/* Names of browsers in Client Hints, on a desktop and on a phone. */
static const struct
{
	const char *brand;
	const char *family;
	const char *mobile;
}			hinted[] =

{
	{"Google Chrome", "Chrome", "Chrome Mobile"},
	{"Chromium", "Chromium", "Chromium"},
	{"HeadlessChrome", "HeadlessChrome", "HeadlessChrome"},
	{"Android WebView", "Chrome Mobile WebView", "Chrome Mobile WebView"},
	{"Microsoft Edge", "Edge", "Edge Mobile"},
	{"Opera", "Opera", "Opera Mobile"},
	{"Opera Mobile", "Opera Mobile", "Opera Mobile"},
	{"OperaMobile", "Opera Mobile", "Opera Mobile"},
	{"Opera GX", "Opera GX", "Opera GX"},
	{"Brave", "Brave", "Brave"},
	{"Vivaldi", "Vivaldi", "Vivaldi"},
	{"YaBrowser", "Yandex Browser", "Yandex Browser"},
	{"Yandex", "Yandex Browser", "Yandex Browser"},
	{"Samsung Internet", "Samsung Internet", "Samsung Internet"},
	{"HuaweiBrowser", "HuaweiBrowser", "HuaweiBrowser"},
	{"DuckDuckGo", "DuckDuckGo", "DuckDuckGo"},
	{"Whale", "Whale", "Whale"},
	{"Oculus Browser", "Oculus Browser", "Oculus Browser"},
	{"Amazon Silk", "Amazon Silk", "Amazon Silk"},
	{"Avast Secure Browser", "Avast Secure Browser", "Avast Secure Browser"},
	{"AVG Secure Browser", "AVG Secure Browser", "AVG Secure Browser"},
	{"CCleaner Browser", "CCleaner Browser", "CCleaner Browser"},
	{"CocCoc", "Coc Coc", "Coc Coc"},
	{"Ecosia", "Ecosia", "Ecosia"}
};

/* Browsers whose usual name is not the first of their families. */
static const struct
{
	const char *code;
	const char *name;
}			usual_names[] = {
	{"PS", "Microsoft Edge"}, {"SB", "Samsung Browser"}, {"IE", "Internet Explorer"},
	{"AN", "Android Browser"}, {"CV", "Chrome Webview"}, {"HC", "Headless Chrome"},
	{"F1", "Firefox Mobile iOS"}, {"MU", "MIUI Browser"}, {"BB", "BlackBerry Browser"}
};

const SystemCode *
system_code(const char *family)
{
	for (int i = 0; i < (int) lengthof(systems); i++)
		if (pg_strcasecmp(systems[i].family, family) == 0)
			return &systems[i];
	return NULL;
}

const ClientCode *
client_code(const char *family)
{
	for (int i = 0; i < (int) lengthof(clients); i++)
		if (pg_strcasecmp(clients[i].family, family) == 0)
			return &clients[i];
	return NULL;
}

const char *
brand_code(const char *brand)
{
	for (int i = 0; i < (int) lengthof(brands); i++)
		if (pg_strcasecmp(brands[i].brand, brand) == 0)
			return brands[i].code;
	return NULL;
}

const char *
system_name(const char *code)
{
	if (code[0] == '\0')
		return NULL;
	for (int i = 0; i < (int) lengthof(systems); i++)
		if (strcmp(systems[i].code, code) == 0)
			return systems[i].name;
	return NULL;
}

const char *
system_family(const char *code)
{
	size_t		len = strlen(code);

	for (int i = 0; len > 0 && i < (int) lengthof(system_families); i++)
	{
		const char *found = strstr(system_families[i].codes, code);

		/* codes are of three characters */
		if (found && len == 3)
			return system_families[i].family;
	}
	return system_name(code);
}

const char *
client_name(const char *code)
{
	for (int i = 0; i < (int) lengthof(usual_names); i++)
		if (strcmp(usual_names[i].code, code) == 0)
			return usual_names[i].name;
	for (int i = 0; i < (int) lengthof(clients); i++)
		if (clients[i].code != NULL && strcmp(clients[i].code, code) == 0)
			return clients[i].family;
	return NULL;
}

const char *
brand_name(const char *code)
{
	for (int i = 0; i < (int) lengthof(brands); i++)
		if (strcmp(brands[i].code, code) == 0)
			return brands[i].brand;
	return NULL;
}

const char *
hinted_family(const char *brand, bool mobile)
{
	for (int i = 0; i < (int) lengthof(hinted); i++)
		if (pg_strcasecmp(hinted[i].brand, brand) == 0)
			return mobile ? hinted[i].mobile : hinted[i].family;
	return NULL;
}
