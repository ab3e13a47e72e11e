/*
 * mmdb.c
 *		Fuzz target: a MaxMind DB file, damaged or hostile, as a file for cities
 *		and as one for networks' owners.
 */
#include "postgres.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <unistd.h>

#include "enrich/geoip_file.h"
#include "settings/gucs.h"

#include "harness.h"

static char path[64];
static char new_path[72];

static void
remove_files(void)
{
	unlink(path);
	unlink(new_path);
}

void
fuzz_begin(void)
{
	/* each input is a new file: in memory, if that can be */
	snprintf(path, sizeof(path), "%s/pkt_fuzz.%d.mmdb",
			 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp", (int) getpid());
	snprintf(new_path, sizeof(new_path), "%s.new", path);
	pkt_geoip_city_file = path;
	pkt_geoip_asn_file = path;
	atexit(remove_files);
}

bool
fuzz_may_raise(int sqlerrcode)
{
	(void) sqlerrcode;
	return false;
}

static void
look_up(const char *address)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	const struct sockaddr *addr;

	if (inet_pton(AF_INET, address, &v4.sin_addr) == 1)
		addr = (const struct sockaddr *) &v4;
	else
	{
		MUST(inet_pton(AF_INET6, address, &v6.sin6_addr) == 1);
		addr = (const struct sockaddr *) &v6;
	}
	for (int kind = KIND_CITY; kind <= KIND_ASN; kind++)
	{
		GeoLocation loc;

		/* twice: a record that was read is kept */
		for (int i = 0; i < 2; i++)
		{
			memset(&loc, 0, sizeof(loc));
			(void) geoip_files_search((GeoKind) kind, addr, &loc);
			fuzz_valid(loc.region);
			fuzz_valid(loc.city);
			fuzz_valid(loc.organisation);
			MUST(strlen(loc.country) < sizeof(loc.country));
			MUST(!loc.has_coordinates || (loc.latitude >= -90 && loc.latitude <= 90 &&
										  loc.longitude >= -180 && loc.longitude <= 180));
		}
	}
}

void
fuzz_one(const uint8_t *data, size_t len)
{
	FILE	   *file = fopen(new_path, "wb");
	Section		section = {0};

	MUST(file != NULL);
	MUST(fwrite(data, 1, len, file) == len);
	MUST(fclose(file) == 0 && rename(new_path, path) == 0);
	geoip_files_check(true, false);
	look_up("0.0.0.0");
	look_up("81.2.69.160");
	look_up("255.255.255.255");
	look_up("2001:218::1");
	look_up("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
	(void) geoip_status();

	/* and as if the whole were a file's data */
	section.data = (const uint8 *) fuzz_string(data, len);
	section.size = len;
	for (uint32 offset = 0; offset < Min(len, 64); offset++)
	{
		GeoLocation loc;

		memset(&loc, 0, sizeof(loc));
		(void) geoip_read_record(&section, (GeoKind) (offset % 2), offset, &loc);
		fuzz_valid(loc.city);
	}
}
