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

/* Bytes of bulk_memory for each purpose; together at most all of it. */
#define BULK_SHARE(part) ((Size) pkt_bulk_memory * 1024 / (part))
#define BULK_LOG BULK_SHARE(2)	/* visits, names, actions: log/writer_batch.c */
#define BULK_HITS BULK_SHARE(4) /* hits of a group: track/raw_run.c */
#define BULK_SORT BULK_SHARE(8) /* rows by time: track/raw_sort.c */
#define BULK_LINKS BULK_SHARE(32)	/* of anonymous sessions:
									 * session_link_batch.c */
#define BULK_MEMO BULK_SHARE(256)	/* each kind of results: track/memo.c */
#define BULK_MEMO_TEXTS BULK_SHARE(64)	/* texts of the memo's referrers */

/* Define them; once, when the library loads. */
extern void gucs_init(void);

#endif							/* PKT_GUCS_H */
