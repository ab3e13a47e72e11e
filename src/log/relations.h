/*
 * relations.h
 *		The relations of the log: where they are and how they may be written.
 *		Private to src/log.
 */
#ifndef PKT_RELATIONS_H
#define PKT_RELATIONS_H

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
	Oid			by_visitor_id;
	Oid			by_config;
	Oid			names_index;	/* of the dictionary; invalid: none of that
								 * name */
	Oid			seq_visit;
	Oid			seq_action;

	bool		has_user_code;	/* writing runs code that search_path could
								 * lead astray */
	bool		plain;			/* may be written without the executor */
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

extern void relations_init(void);
extern void relations_find(void);
extern void relations_open(Log *log, LOCKMODE mode);

#endif							/* PKT_RELATIONS_H */
