/*
 * subject_key.c
 *		Keyed hashes of what a person is known by.
 *
 * Until the salt "erasure" is destroyed they are pseudonyms: whoever has it can try
 * ids.  The message is the kind, the site and the value, each after its length, so
 * that no two keys have one message.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "port/pg_bswap.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "base/compat.h"
#include "base/crypto.h"
#include "base/spi.h"
#include "base/text.h"
#include "identity/fingerprint.h"
#include "identity/salt.h"
#include "identity/subject_key.h"

PG_FUNCTION_INFO_V1(pkt_subject_key_hash);
PG_FUNCTION_INFO_V1(pkt_user_id_forms);

#define USER_ID_CHARS 200		/* that log_visit holds at most */
#define USER_ID_BLANKS 5		/* forms by blanks */

static void
append_field(StringInfo message, const void *bytes, size_t len)
{
	uint32		n = pg_hton32((uint32) len);

	appendBinaryStringInfo(message, (const char *) &n, sizeof(n));
	appendBinaryStringInfo(message, bytes, (int) len);
}

/* subject_key_hash: see subject_key.h. */
void
subject_key_hash(int32 idsite, const char *kind, const char *value, size_t len, uint8 *hash)
{
	const Salt *salt = salt_erasure();
	uint32		site = pg_hton32((uint32) idsite);
	StringInfoData message;
	const char *problem;

	initStringInfo(&message);
	append_field(&message, kind, strlen(kind));
	append_field(&message, &site, sizeof(site));
	append_field(&message, value, len);
	problem = hmac_sha256(salt->bytes, salt->len, message.data, message.len, hash);
	explicit_bzero(message.data, message.len);
	pfree(message.data);
	if (problem != NULL)
		raise_hash_failure("HMAC-SHA-256", problem);
}

/*
 * pkt_subject_key_hash
 *		SQL: subject_key_hash(idsite integer, kind text, value text) → bytea.
 */
Datum
pkt_subject_key_hash(PG_FUNCTION_ARGS)
{
	text	   *value = PG_GETARG_TEXT_PP(2);
	bytea	   *result = palloc(VARHDRSZ + SUBJECT_KEY_LEN);

	SET_VARSIZE(result, VARHDRSZ + SUBJECT_KEY_LEN);
	spi_connect();
	subject_key_hash(PG_GETARG_INT32(0), text_to_cstring(PG_GETARG_TEXT_PP(1)),
					 VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value), (uint8 *) VARDATA(result));
	spi_finish();
	PG_RETURN_BYTEA_P(result);
}

/* A copy without blanks at both ends; of a text that is all blanks, the text. */
static char *
trim_blanks(const char *id)
{
	const char *from = id + strspn(id, " ");
	size_t		len = strlen(from);

	if (len == 0)
		return pstrdup(id);
	while (from[len - 1] == ' ')
		len--;
	return pnstrdup(from, len);
}

/* Put a text into the list, unless it is there. */
static int
add_form(Datum *forms, int n, const char *form)
{
	for (int i = 0; i < n; i++)
	{
		if (strcmp(TextDatumGetCString(forms[i]), form) == 0)
			return n;
	}
	forms[n] = CStringGetTextDatum(form);
	return n + 1;
}

/*
 * pkt_user_id_forms
 *		SQL: user_id_forms(user_id text, pseudonyms boolean) → text[].  The forms in
 *		which the log may hold a user id or an order id: as it is, and with or without
 *		a blank before and after it, which a page may have sent along and which no
 *		tracker takes away; each also escaped as it is when a hit brings it, and cut
 *		to what a visit holds; with pseudonyms also what anonymize_user_id makes of
 *		them.
 */
Datum
pkt_user_id_forms(PG_FUNCTION_ARGS)
{
	char	   *given = text_to_cstring(PG_GETARG_TEXT_PP(0));
	char	   *bare = trim_blanks(given);
	char	   *sent[2 * USER_ID_BLANKS];
	Datum		forms[3 * 2 * USER_ID_BLANKS];
	int			n = 0;

	sent[0] = given;
	sent[1] = bare;
	sent[2] = psprintf(" %s", bare);
	sent[3] = psprintf("%s ", bare);
	sent[4] = psprintf(" %s ", bare);
	for (int i = 0; i < USER_ID_BLANKS; i++)
		sent[USER_ID_BLANKS + i] = text_sanitise(pstrdup(sent[i]));
	for (int i = 0; i < 2 * USER_ID_BLANKS; i++)
	{
		char	   *cut = pstrdup(sent[i]);

		n = add_form(forms, n, sent[i]);
		text_cut_chars(cut, USER_ID_CHARS);
		n = add_form(forms, n, cut);
	}
	if (PG_GETARG_BOOL(1))
	{
		char		pseudonym[USER_ID_PSEUDONYM_LEN + 1];
		MemoryContext caller = CurrentMemoryContext;
		const Salt *salt;

		spi_connect();
		salt = salt_user_id();
		MemoryContextSwitchTo(caller);
		for (int i = 0; i < 2 * USER_ID_BLANKS; i++)
		{
			user_id_pseudonym(sent[i], strlen(sent[i]), salt->bytes, salt->len, pseudonym);
			n = add_form(forms, n, pseudonym);
		}
		spi_finish();
	}
	PG_RETURN_ARRAYTYPE_P(construct_array(forms, n, TEXTOID, -1, false, TYPALIGN_INT));
}
