/*
 * relations.h
 *		The relations of the log: where they are and how they may be written.
 *		Private to src/log.
 */
#ifndef PKT_RELATIONS_H
#define PKT_RELATIONS_H

#include "base/index.h"
#include "log/log_types.h"
#include "log/row_writer.h"

typedef struct LogRelations
{
	bool		valid;			/* else relations_find() is to be called */
	Oid			owner;			/* of log_visit */
	Oid			log_visit;
	Oid			log_action;
	Oid			log_link_visit_action;
	Oid			log_visit_length;
	Oid			conversions[2]; /* log_conversion, log_conversion_item */
	Oid			beside[4];		/* written while a batch is in memory:
								 * log_excluded, ingest_run, rejected_hit,
								 * log_new_names */
	Oid			by_visitor_id;	/* indexes of log_visit */
	Oid			by_config;
	Oid			by_number;
	Oid			names_index;	/* of the dictionary; invalid: none that
								 * serves */
	Oid			seq_visit;
	Oid			seq_action;

	bool		has_user_code;	/* writing runs code that search_path could
								 * lead astray */
	bool		plain;			/* may be written without the executor */
	bool		may_keep;		/* nobody's code asks for visits that a batch
								 * keeps in memory */
	RowShape	visit_shape;
	RowShape	action_shape;
	RowShape	name_shape;

	/* columns of log_visit that look-ups read before the rest of a row */
	AttrNumber	last_att;		/* the largest that a Visit is read from */
	AttrNumber	att_idvisit;
	AttrNumber	att_first;
	AttrNumber	att_last;
	AttrNumber	att_user_id;
	AttrNumber	att_profilable;
	/* of the dictionary */
	AttrNumber	att_type;
	AttrNumber	att_name;
	AttrNumber	att_prefix;
	RegProcedure hexid_eq;		/* InvalidOid: not looked up yet */
} LogRelations;

/* Written by relations.c alone, but for hexid_eq. */
extern LogRelations log_relations;

/* What tables of the log are read by. */
typedef enum LogIndex
{
	INDEX_VISIT_BY_NUMBER,
	INDEX_VISIT_BY_VISITOR_ID,
	INDEX_VISIT_BY_CONFIG,
	INDEX_NAME,
	N_LOG_INDEXES
} LogIndex;

extern const IndexKeys log_indexes[N_LOG_INDEXES];

extern void relations_init(void);
extern void relations_find(void);
extern void relations_need_version(void);
extern void relations_open(Log *log, LOCKMODE mode);
extern bool relation_has_user_code(Oid relid);
extern bool relation_has_triggers(Oid relid);

#endif							/* PKT_RELATIONS_H */
