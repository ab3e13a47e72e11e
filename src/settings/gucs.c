/*
 * gucs.c
 *		Server parameters.
 */
#include "postgres.h"

#include <limits.h>

#include "utils/guc.h"

#include "base/compat.h"
#include "settings/gucs.h"

/* Superusers only: backends open the files that these name. */
char	   *pkt_geoip_city_file = NULL;
char	   *pkt_geoip_asn_file = NULL;
char	   *pkt_user_agent_rules_file = NULL;

/* Memory, in kB, that a statement of many hits may use.  Superusers only. */
int			pkt_bulk_memory = 128 * 1024;

void
gucs_init(void)
{
	DefineCustomIntVariable("pk_tracking.bulk_memory",
							"Sets the memory that a statement of many hits may use before it writes.",
							NULL,
							&pkt_bulk_memory,
							128 * 1024, 1024, MAX_KILOBYTES,
							PGC_SUSET, GUC_UNIT_KB,
							NULL, NULL, NULL);
	DefineCustomStringVariable("pk_tracking.geoip_asn_file",
							   "Lists the GeoIP files with networks and their organisations.",
							   "Several files are separated by commas and searched in this order.",
							   &pkt_geoip_asn_file,
							   "",
							   PGC_SUSET, GUC_LIST_INPUT | GUC_SUPERUSER_ONLY,
							   NULL, NULL, NULL);
	DefineCustomStringVariable("pk_tracking.geoip_city_file",
							   "Lists the GeoIP files with cities or countries.",
							   "Several files are separated by commas and searched in this order.",
							   &pkt_geoip_city_file,
							   "",
							   PGC_SUSET, GUC_LIST_INPUT | GUC_SUPERUSER_ONLY,
							   NULL, NULL, NULL);
	DefineCustomStringVariable("pk_tracking.user_agent_rules_file",
							   "Sets the file with the rules that recognise user agents.",
							   NULL,
							   &pkt_user_agent_rules_file,
							   "/usr/share/uap-core/regexes.yaml",
							   PGC_SUSET, GUC_SUPERUSER_ONLY,
							   NULL, NULL, NULL);

	MarkGUCPrefixReserved("pk_tracking");
}
