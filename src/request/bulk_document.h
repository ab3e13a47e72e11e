/*
 * bulk_document.h
 *		A bulk document: a list of requests, as jsonb or as text.
 */
#ifndef PKT_BULK_DOCUMENT_H
#define PKT_BULK_DOCUMENT_H

#include "postgres.h"

#include "utils/jsonb.h"

#include "request/hit.h"

/* Requests of a document, at most. */
#define BULK_REQUESTS_MAX 10000

#define BULK_DOCUMENT_HINT \
	errhint("A bulk document is an object with a list \"requests\", or that list itself.")

typedef struct BulkDocument BulkDocument;

extern BulkDocument *bulk_document_from_jsonb(Jsonb *jsonb);
extern BulkDocument *bulk_document_from_text(const char *str, size_t len);
extern int	bulk_document_size(const BulkDocument *document);
extern char *bulk_document_token(const BulkDocument *document);
extern bool bulk_document_next(BulkDocument *document, bool *is_request);
extern void bulk_document_read(BulkDocument *document, Hit *hit);

#endif							/* PKT_BULK_DOCUMENT_H */
