/*
 * compat.h
 *		Differences between server versions, written as the newest API.
 *
 * PostgreSQL 15 to 18.  17.1 and 16.5 changed a struct that extensions
 * allocate and are refused.
 */
#ifndef PKT_COMPAT_H
#define PKT_COMPAT_H

#include "nodes/memnodes.h"

#if PG_VERSION_NUM < 150000
#error "pk_tracking needs PostgreSQL 15 or newer"
#endif
#if PG_VERSION_NUM == 170001 || PG_VERSION_NUM == 160005
#error "this minor release has a known ABI break: update the server first"
#endif

/* 16: varatt.h was split from postgres.h */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* 16: soft errors.  Before, an input function can only raise. */
#if PG_VERSION_NUM < 160000
#define ereturn(context, dummy_value, ...) \
	do { (void) (context); ereport(ERROR, __VA_ARGS__); return dummy_value; } while (0)
#define errsave(context, ...) \
	do { (void) (context); ereport(ERROR, __VA_ARGS__); } while (0)
#else
#include "nodes/miscnodes.h"
#endif

/* 18: functions that do not return are marked before their type */
#if PG_VERSION_NUM < 180000
#define pg_noreturn pg_attribute_noreturn()
#endif

/* 18: index_beginscan() takes instrumentation */
#if PG_VERSION_NUM >= 180000
#define pkt_index_beginscan(heap, index, snapshot, nkeys) \
	index_beginscan((heap), (index), (snapshot), NULL, (nkeys), 0)
#else
#define pkt_index_beginscan(heap, index, snapshot, nkeys) \
	index_beginscan((heap), (index), (snapshot), (nkeys), 0)
#endif

/* 16: tuplesort_getdatum() is told whether to copy the value */
#if PG_VERSION_NUM >= 160000
#define pkt_tuplesort_getdatum(sort, value, isnull) \
	tuplesort_getdatum((sort), true, false, (value), (isnull), NULL)
#else
#define pkt_tuplesort_getdatum(sort, value, isnull) \
	tuplesort_getdatum((sort), true, (value), (isnull), NULL)
#endif

/* 16: object_aclcheck() replaced the functions per kind of object */
#if PG_VERSION_NUM >= 160000
#define pkt_proc_aclcheck(proc, role, mode) \
	object_aclcheck(ProcedureRelationId, (proc), (role), (mode))
#else
#define pkt_proc_aclcheck(proc, role, mode) pg_proc_aclcheck((proc), (role), (mode))
#endif

/* 16: likewise object_ownercheck() */
#if PG_VERSION_NUM >= 160000
#define pkt_class_ownercheck(class, role) object_ownercheck(RelationRelationId, (class), (role))
#else
#define pkt_class_ownercheck(class, role) pg_class_ownercheck((class), (role))
#endif

/* 17: the local transaction id became part of a struct (storage/proc.h) */
#if PG_VERSION_NUM >= 170000
#define pkt_my_lxid() (MyProc->vxid.lxid)
#else
#define pkt_my_lxid() (MyProc->lxid)
#endif

/* 16: an update tells apart which indexes want to hear of it */
#if PG_VERSION_NUM >= 160000
#define pkt_summarises(index) ((index)->rd_indam->amsummarizing)
#define pkt_update_indexes TU_UpdateIndexes
#define pkt_any_index(indexes) ((indexes) != TU_None)
#define pkt_only_summarizing(indexes) ((indexes) == TU_Summarizing)
#define pkt_insert_index_tuples(rri, slot, estate, update, only_summarizing) \
	ExecInsertIndexTuples((rri), (slot), (estate), (update), false, NULL, NIL, (only_summarizing))
#else
#define pkt_summarises(index) false
#define pkt_update_indexes bool
#define pkt_any_index(indexes) (indexes)
#define pkt_only_summarizing(indexes) false
#define pkt_insert_index_tuples(rri, slot, estate, update, only_summarizing) \
	((void) (only_summarizing), ExecInsertIndexTuples((rri), (slot), (estate), (update), false, \
		NULL, NIL))
#endif

/* 16: actions of the JSON parser return whether it goes on */
#if PG_VERSION_NUM >= 160000
#define pkt_json_result JsonParseErrorType
#define pkt_json_go_on JSON_SUCCESS
#else
#define pkt_json_result void
#define pkt_json_go_on
#endif

/* 17: a lexer of JSON may live in the caller's memory, takes a const text, and can be freed */
#if PG_VERSION_NUM >= 170000
#define pkt_json_lexer(str, len) \
	makeJsonLexContextCstringLen(NULL, (str), (len), GetDatabaseEncoding(), false)
#define pkt_json_lexer_free(lex) freeJsonLexContext(lex)
#else
#define pkt_json_lexer(str, len) \
	makeJsonLexContextCstringLen(unconstify(char *, (str)), (int) (len), \
								 GetDatabaseEncoding(), false)
#define pkt_json_lexer_free(lex) pfree(lex)
#endif

/*
 * 15 to 18: how a memory context of the kind AllocSet begins, and its blocks.
 * The server keeps both to itself (aset.c); base/wipe.c walks the blocks.
 */
typedef struct PktAllocBlock
{
	void	   *set;
	struct PktAllocBlock *prev;
	struct PktAllocBlock *next;
	char	   *freeptr;		/* up to here it is allocated, or was */
	char	   *endptr;
} PktAllocBlock;

typedef struct PktAllocSet
{
	MemoryContextData header;
	PktAllocBlock *blocks;
} PktAllocSet;

#endif							/* PKT_COMPAT_H */
