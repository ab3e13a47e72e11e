/*
 * gucs.h
 *		Server parameters: files and memory.
 *
 * What changes the rows that are stored is a setting (settings.h), not a
 * server parameter.
 */
#ifndef PKT_GUCS_H
#define PKT_GUCS_H

extern char *pkt_geoip_city_file;
extern char *pkt_geoip_asn_file;
extern char *pkt_user_agent_rules_file;
extern int	pkt_bulk_memory;	/* kB */

/* Define them; once, when the library loads. */
extern void gucs_init(void);

#endif							/* PKT_GUCS_H */
