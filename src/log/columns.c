/*
 * columns.c
 *		The columns of the log that the library reads and writes.
 *
 * A new column of the visit takes a member of Visit or NewVisit, a row here, the
 * code that decides its value, and the column in make_log_visit() of visit.sql
 * (CONTRIBUTING.md, "Recipes").  Columns that stand in a table but not here get
 * their default.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/inet.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/hexid.h"
#include "base/ip.h"
#include "enrich/user_agent.h"
#include "log/columns.h"
#include "log/log_types.h"

#define OF_VISIT(member) .source = SOURCE_VISIT, .offset = offsetof(Visit, member)
#define OF_NEW(member) .source = SOURCE_NEW_VISIT, .offset = offsetof(NewVisit, member)
#define OF_ACTION(member) .source = SOURCE_ACTION, .offset = offsetof(Action, member)
#define OF_KEY(member) .source = SOURCE_ACTION_KEY, .offset = offsetof(ActionKey, member)
#define OF_NAME(member) .source = SOURCE_NAME, .offset = offsetof(LogName, member)

#define OR_NULL(value) NULL_IF_NONE, .none = (value)
#define IF_GIVEN(type, member) NULL_UNLESS_GIVEN, .given = offsetof(type, member)
#define IF_DETAILS IF_GIVEN(NewVisit, has_details)

static const Column visit_list[] = {
	{"idvisitor", COLUMN_HEXID, OF_VISIT(idvisitor), EVERY_HIT, IF_GIVEN(Visit, has_idvisitor)},
	{"user_id", COLUMN_TEXT, OF_VISIT(user_id), EVERY_HIT},
	{"visit_last_action_time", COLUMN_TIMESTAMPTZ, OF_VISIT(last), EVERY_HIT},
	{"last_idlink_va", COLUMN_INT8_OR_NULL, OF_VISIT(last_idlink_va), EVERY_HIT},
	{"visit_entry_idaction_url", COLUMN_INT8_OR_NULL, OF_VISIT(entry_url), EVERY_HIT},
	{"visit_entry_idaction_name", COLUMN_INT8_OR_NULL, OF_VISIT(entry_name), EVERY_HIT},
	{"visit_exit_idaction_url", COLUMN_INT8_OR_NULL, OF_VISIT(exit_url), EVERY_HIT},
	{"visit_exit_idaction_name", COLUMN_INT8_OR_NULL, OF_VISIT(exit_name), EVERY_HIT},
	{"visit_total_time", COLUMN_INT4, OF_VISIT(total_time), EVERY_HIT},
	{"visit_total_actions", COLUMN_INT4, OF_VISIT(total_actions), EVERY_HIT},
	{"visit_total_interactions", COLUMN_INT4, OF_VISIT(total_interactions), EVERY_HIT},
	{"profilable", COLUMN_INT2, OF_VISIT(profilable), EVERY_HIT},

	{"consent", COLUMN_INT2_OF_INT, OF_VISIT(consent), SOME_HITS},
	{"config_id", COLUMN_HEXID, OF_VISIT(config_id), SOME_HITS, IF_GIVEN(Visit, has_config_id)},
	{"visitor_count_visits", COLUMN_INT4, OF_VISIT(count_visits), SOME_HITS},
	{"visitor_seconds_since_first", COLUMN_INT4_OR_NULL, OF_VISIT(since_first), SOME_HITS},
	{"visitor_seconds_since_last", COLUMN_INT4_OR_NULL, OF_VISIT(since_last), SOME_HITS},
	{"visitor_seconds_since_order", COLUMN_INT4_OR_NULL, OF_VISIT(since_order), SOME_HITS},
	{"visitor_returning", COLUMN_INT2, OF_VISIT(returning), SOME_HITS},
	{"visit_goal_buyer", COLUMN_INT2, OF_VISIT(goal_buyer), SOME_HITS},
	{"visit_goal_converted", COLUMN_INT2, OF_VISIT(goal_converted), SOME_HITS},
	/* never written as NULL, but read as a direct entry if it is */
	{"referer_type", COLUMN_INT2_OF_INT, OF_VISIT(referrer.type), SOME_HITS,
	.none = REFERRER_DIRECT},
	{"referer_name", COLUMN_TEXT, OF_VISIT(referrer.name), SOME_HITS},
	{"referer_keyword", COLUMN_TEXT, OF_VISIT(referrer.keyword), SOME_HITS},
	{"referer_url", COLUMN_TEXT, OF_VISIT(referrer.url), SOME_HITS},
	{"visit_total_searches", COLUMN_INT4, OF_VISIT(total_searches), SOME_HITS},
	{"visit_total_events", COLUMN_INT4, OF_VISIT(total_events), SOME_HITS},
	{"config_resolution", COLUMN_TEXT, OF_VISIT(resolution), SOME_HITS},
	{"custom_dimensions", COLUMN_JSONB, OF_VISIT(custom_dimensions), SOME_HITS},
	{"custom_variables", COLUMN_JSONB, OF_VISIT(custom_variables), SOME_HITS},
	{"location_continent", COLUMN_TEXT, OF_VISIT(continent), SOME_HITS},
	{"location_country", COLUMN_TEXT, OF_VISIT(country), SOME_HITS},
	{"location_region", COLUMN_TEXT, OF_VISIT(region), SOME_HITS},
	{"location_city", COLUMN_TEXT, OF_VISIT(city), SOME_HITS},
	{"location_latitude", COLUMN_NUMERIC, OF_VISIT(latitude), SOME_HITS},
	{"location_longitude", COLUMN_NUMERIC, OF_VISIT(longitude), SOME_HITS},

	{"idvisit", COLUMN_INT8, OF_VISIT(idvisit), FIRST_HIT},
	{"idsite", COLUMN_INT4, OF_VISIT(idsite), FIRST_HIT},
	{"visit_first_action_time", COLUMN_TIMESTAMPTZ, OF_VISIT(first), FIRST_HIT},

	{"location_ip", COLUMN_INET, OF_NEW(location_ip), FIRST_HIT},
	{"location_asn", COLUMN_INT8, OF_NEW(asn), FIRST_HIT, OR_NULL(0)},
	{"location_organisation", COLUMN_TEXT, OF_NEW(organisation), FIRST_HIT},
	{"location_browser_lang", COLUMN_TEXT, OF_NEW(browser_lang), FIRST_HIT},
	{"visitor_localtime", COLUMN_TIME, OF_NEW(localtime), FIRST_HIT, IF_DETAILS},
	{"config_flash", COLUMN_INT2_OF_INT, OF_NEW(plugins[0]), FIRST_HIT, IF_DETAILS},
	{"config_java", COLUMN_INT2_OF_INT, OF_NEW(plugins[1]), FIRST_HIT, IF_DETAILS},
	{"config_quicktime", COLUMN_INT2_OF_INT, OF_NEW(plugins[2]), FIRST_HIT, IF_DETAILS},
	{"config_realplayer", COLUMN_INT2_OF_INT, OF_NEW(plugins[3]), FIRST_HIT, IF_DETAILS},
	{"config_pdf", COLUMN_INT2_OF_INT, OF_NEW(plugins[4]), FIRST_HIT, IF_DETAILS},
	{"config_windowsmedia", COLUMN_INT2_OF_INT, OF_NEW(plugins[5]), FIRST_HIT, IF_DETAILS},
	{"config_silverlight", COLUMN_INT2_OF_INT, OF_NEW(plugins[6]), FIRST_HIT, IF_DETAILS},
	{"config_cookie", COLUMN_INT2_OF_INT, OF_NEW(plugins[7]), FIRST_HIT, IF_DETAILS},
	{"config_os", COLUMN_TEXT, OF_NEW(os), FIRST_HIT},
	{"config_os_version", COLUMN_TEXT, OF_NEW(os_version), FIRST_HIT},
	{"config_browser_name", COLUMN_TEXT, OF_NEW(browser_name), FIRST_HIT},
	{"config_browser_version", COLUMN_TEXT, OF_NEW(browser_version), FIRST_HIT},
	{"config_browser_engine", COLUMN_TEXT, OF_NEW(browser_engine), FIRST_HIT},
	{"config_client_type", COLUMN_INT2_OF_INT, OF_NEW(client_type), FIRST_HIT,
	OR_NULL(CLIENT_UNKNOWN)},
	{"config_device_type", COLUMN_INT2_OF_INT, OF_NEW(device_type), FIRST_HIT,
	OR_NULL(DEVICE_UNKNOWN)},
	{"config_device_brand", COLUMN_TEXT, OF_NEW(device_brand), FIRST_HIT},
	{"config_device_model", COLUMN_TEXT, OF_NEW(device_model), FIRST_HIT},
};

static const Column action_list[] = {
	{"idlink_va", COLUMN_INT8, OF_KEY(idlink_va), EVERY_HIT},
	{"idvisit", COLUMN_INT8, OF_VISIT(idvisit), EVERY_HIT},
	{"idvisitor", COLUMN_HEXID, OF_VISIT(idvisitor), EVERY_HIT, IF_GIVEN(Visit, has_idvisitor)},
	{"idsite", COLUMN_INT4, OF_VISIT(idsite), EVERY_HIT},
	{"server_time", COLUMN_TIMESTAMPTZ, OF_KEY(at), EVERY_HIT},
	{"matched_by", COLUMN_INT2_OF_INT, OF_KEY(matched_by), EVERY_HIT},
	{"decision", COLUMN_INT2_OF_INT, OF_KEY(reason), EVERY_HIT},
	{"idaction_url", COLUMN_INT8_OR_NULL, OF_ACTION(idaction_url), EVERY_HIT},
	{"idaction_name", COLUMN_INT8_OR_NULL, OF_ACTION(idaction_name), EVERY_HIT},
	{"idaction_url_ref", COLUMN_INT8_OR_NULL, OF_ACTION(idaction_url_ref), EVERY_HIT},
	{"idaction_name_ref", COLUMN_INT8_OR_NULL, OF_ACTION(idaction_name_ref), EVERY_HIT},
	{"pageview_position", COLUMN_INT4_OR_NULL, OF_ACTION(pageview_position), EVERY_HIT},
	{"time_spent_ref_action", COLUMN_INT4, OF_ACTION(time_spent_ref_action), EVERY_HIT},
	{"consent", COLUMN_INT2_OF_INT, OF_ACTION(consent), EVERY_HIT},
	{"idpageview", COLUMN_TEXT, OF_ACTION(idpageview), EVERY_HIT},

	{"custom_float", COLUMN_NUMERIC, OF_ACTION(custom_float), SOME_HITS},
	{"idaction_event_category", COLUMN_INT8, OF_ACTION(event_category), SOME_HITS, OR_NULL(0)},
	{"idaction_event_action", COLUMN_INT8, OF_ACTION(event_action), SOME_HITS, OR_NULL(0)},
	{"idaction_content_name", COLUMN_INT8, OF_ACTION(content_name), SOME_HITS, OR_NULL(0)},
	{"idaction_content_piece", COLUMN_INT8, OF_ACTION(content_piece), SOME_HITS, OR_NULL(0)},
	{"idaction_content_target", COLUMN_INT8, OF_ACTION(content_target), SOME_HITS, OR_NULL(0)},
	{"idaction_content_interaction", COLUMN_INT8, OF_ACTION(content_interaction), SOME_HITS,
	OR_NULL(0)},
	{"idaction_product_sku", COLUMN_INT8, OF_ACTION(product_sku), SOME_HITS, OR_NULL(0)},
	{"idaction_product_name", COLUMN_INT8, OF_ACTION(product_name), SOME_HITS, OR_NULL(0)},
	{"idaction_product_cat", COLUMN_INT8, OF_ACTION(product_categories[0]), SOME_HITS, OR_NULL(0)},
	{"idaction_product_cat2", COLUMN_INT8, OF_ACTION(product_categories[1]), SOME_HITS, OR_NULL(0)},
	{"idaction_product_cat3", COLUMN_INT8, OF_ACTION(product_categories[2]), SOME_HITS, OR_NULL(0)},
	{"idaction_product_cat4", COLUMN_INT8, OF_ACTION(product_categories[3]), SOME_HITS, OR_NULL(0)},
	{"idaction_product_cat5", COLUMN_INT8, OF_ACTION(product_categories[4]), SOME_HITS, OR_NULL(0)},
	{"product_price", COLUMN_NUMERIC, OF_ACTION(product_price), SOME_HITS},
	{"search_cat", COLUMN_TEXT, OF_ACTION(search_cat), SOME_HITS},
	{"search_count", COLUMN_INT4, OF_ACTION(search_count), SOME_HITS, OR_NULL(NOT_SENT)},
	{"time_network", COLUMN_INT4, OF_ACTION(timings[0]), SOME_HITS, OR_NULL(NOT_SENT)},
	{"time_server", COLUMN_INT4, OF_ACTION(timings[1]), SOME_HITS, OR_NULL(NOT_SENT)},
	{"time_transfer", COLUMN_INT4, OF_ACTION(timings[2]), SOME_HITS, OR_NULL(NOT_SENT)},
	{"time_dom_processing", COLUMN_INT4, OF_ACTION(timings[3]), SOME_HITS, OR_NULL(NOT_SENT)},
	{"time_dom_completion", COLUMN_INT4, OF_ACTION(timings[4]), SOME_HITS, OR_NULL(NOT_SENT)},
	{"time_on_load", COLUMN_INT4, OF_ACTION(timings[5]), SOME_HITS, OR_NULL(NOT_SENT)},
	{"custom_dimensions", COLUMN_JSONB, OF_ACTION(custom_dimensions), SOME_HITS},
	{"custom_variables", COLUMN_JSONB, OF_ACTION(custom_variables), SOME_HITS},
};

static const Column name_list[] = {
	{"idaction", COLUMN_INT8, OF_NAME(idaction), EVERY_HIT},
	{"idsite", COLUMN_INT4, OF_NAME(idsite), EVERY_HIT},
	{"type", COLUMN_INT2, OF_NAME(type), EVERY_HIT},
	{"url_prefix", COLUMN_INT2, OF_NAME(prefix), EVERY_HIT, OR_NULL(-1)},
	{"name", COLUMN_TEXT, OF_NAME(text), EVERY_HIT},
};

StaticAssertDecl(HIT_PLUGIN_COOKIE == 7 && HIT_PLUGINS == 8,
				 "visit_list has another order of plugins");
StaticAssertDecl(lengthof(visit_list) + 3 <= KEPT_PLAN_ARGS &&
				 lengthof(action_list) <= KEPT_PLAN_ARGS, "KEPT_PLAN_ARGS is too small");
StaticAssertDecl(sizeof(ConsentState) == sizeof(int32) && sizeof(ReferrerType) == sizeof(int32) &&
				 sizeof(MatchedBy) == sizeof(int32) && sizeof(Reason) == sizeof(int32),
				 "an enum is read and written as int32");

ColumnTable visit_columns = {
	.relation = "log_visit",.columns = visit_list,.n = lengthof(visit_list)
};

ColumnTable action_columns = {
	.relation = "log_link_visit_action",.columns = action_list,.n = lengthof(action_list)
};

ColumnTable name_columns = {
	.relation = "log_action",.columns = name_list,.n = lengthof(name_list)
};

/* Members of Visit that point to something, which a batch has to keep: their offsets. */
static int	n_kept_texts;
static int	kept_texts[lengthof(visit_list)];
static int	n_kept_varlenas;
static int	kept_varlenas[lengthof(visit_list)];

static void
count_columns(ColumnTable *table)
{
	table->n_every = table->n_some = table->n_read = 0;
	for (int i = 0; i < table->n; i++)
	{
		const Column *c = &table->columns[i];

		Assert(i == 0 || table->columns[i - 1].writers <= c->writers);
		table->n_every += c->writers == EVERY_HIT;
		table->n_some += c->writers <= SOME_HITS;
		Assert(table != &visit_columns || c->source != SOURCE_VISIT || table->n_read == i);
		table->n_read += c->source == SOURCE_VISIT;
	}
}

/* columns_init: called once when the library loads. */
void
columns_init(void)
{
	count_columns(&visit_columns);
	count_columns(&action_columns);
	count_columns(&name_columns);
	for (int i = 0; i < visit_columns.n_read; i++)
	{
		const Column *c = &visit_list[i];

		if (c->kind == COLUMN_TEXT)
			kept_texts[n_kept_texts++] = c->offset;
		else if (c->kind == COLUMN_NUMERIC || c->kind == COLUMN_JSONB)
			kept_varlenas[n_kept_varlenas++] = c->offset;
	}
}

/* column_find: the place in the table of the column of that name, which is there. */
int
column_find(const ColumnTable *table, const char *name)
{
	for (int i = 0; i < table->n; i++)
	{
		if (strcmp(table->columns[i].name, name) == 0)
			return i;
	}
	elog(ERROR, "column \"%s\" is not in the table of columns", name);
}

/* column_type: the type that the column has; InvalidOid for hexid, as in KeptPlan. */
Oid
column_type(const Column *column)
{
	switch (column->kind)
	{
		case COLUMN_INT2:
		case COLUMN_INT2_OF_INT:
			return INT2OID;
		case COLUMN_INT4:
		case COLUMN_INT4_OR_NULL:
			return INT4OID;
		case COLUMN_INT8:
		case COLUMN_INT8_OR_NULL:
			return INT8OID;
		case COLUMN_TIMESTAMPTZ:
			return TIMESTAMPTZOID;
		case COLUMN_TIME:
			return TIMEOID;
		case COLUMN_INET:
			return INETOID;
		case COLUMN_TEXT:
			return TEXTOID;
		case COLUMN_NUMERIC:
			return NUMERICOID;
		case COLUMN_JSONB:
			return JSONBOID;
		case COLUMN_HEXID:
			break;
	}
	return InvalidOid;
}

/*
 * column_reads_as
 *		Do values of that type look in memory as those of the column's own type,
 *		as far as reading them goes?  Its domains do; and an integer of another
 *		width and text of a limited length.
 */
bool
column_reads_as(const Column *column, Oid type)
{
	Oid			own = OidIsValid(column_type(column)) ? column_type(column) : hexid_type_oid();
	Oid			base = getBaseType(type);

	switch (own)
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
			return base == INT2OID || base == INT4OID || base == INT8OID;
		case TEXTOID:
			return base == TEXTOID || base == VARCHAROID || base == BPCHAROID;
		default:
			return base == own;
	}
}

/*
 * columns_insert_plan
 *		The INSERT of the table's first n columns; parameter $i is column i - 1.
 */
void
columns_insert_plan(const ColumnTable *table, int n, KeptPlan *plan, StringInfo sql)
{
	appendStringInfo(sql, "INSERT INTO pk_tracking.%s (", table->relation);
	for (int i = 0; i < n; i++)
		appendStringInfo(sql, i == 0 ? "%s" : ", %s", table->columns[i].name);
	appendStringInfoString(sql, ") VALUES (");
	for (int i = 0; i < n; i++)
	{
		appendStringInfo(sql, i == 0 ? "$%d" : ", $%d", i + 1);
		plan->argtypes[i] = column_type(&table->columns[i]);
	}
	appendStringInfoChar(sql, ')');
	plan->nargs = n;
}

/*
 * columns_update_plan
 *		"UPDATE ... SET" of the table's first n columns, whose parameters come
 *		after the plan's nargs that there are already.
 */
void
columns_update_plan(const ColumnTable *table, int n, KeptPlan *plan, StringInfo sql)
{
	appendStringInfo(sql, "UPDATE pk_tracking.%s SET ", table->relation);
	for (int i = 0; i < n; i++)
	{
		plan->argtypes[plan->nargs++] = column_type(&table->columns[i]);
		appendStringInfo(sql, i == 0 ? "%s = $%d" : ", %s = $%d",
						 table->columns[i].name, plan->nargs);
	}
}

/* Does the member stand for NULL by the column's rule? */
static bool
is_null(const Column *c, const void *source)
{
	const char *member = (const char *) source + c->offset;

	if (c->null == NULL_UNLESS_GIVEN)
		return !*((const bool *) source + c->given);
	switch (c->kind)
	{
		case COLUMN_INT2:
			return *(const int16 *) member == c->none;
		case COLUMN_INT2_OF_INT:
		case COLUMN_INT4:
			return *(const int32 *) member == c->none;
		case COLUMN_INT8:
			return *(const int64 *) member == c->none;
		default:
			return false;
	}
}

/* The value of a column; *null becomes 'n' if it is NULL.  Texts and addresses are palloc'd. */
static inline Datum
value_of(const Column *c, const void *source, char *null)
{
	const char *member = (const char *) source + c->offset;
	const void *pointer;

	if (unlikely(c->null != NULL_NEVER) && is_null(c, source))
	{
		*null = 'n';
		return (Datum) 0;
	}
	switch (c->kind)
	{
		case COLUMN_INT2:
			return Int16GetDatum(*(const int16 *) member);
		case COLUMN_INT2_OF_INT:
			return Int16GetDatum((int16) Max(Min(*(const int32 *) member, PG_INT16_MAX),
											 PG_INT16_MIN));
		case COLUMN_INT4:
			return Int32GetDatum(*(const int32 *) member);
		case COLUMN_INT4_OR_NULL:
			if (((const NullableInt *) member)->isnull)
				break;
			return Int32GetDatum((int32) ((const NullableInt *) member)->value);
		case COLUMN_INT8:
		case COLUMN_TIMESTAMPTZ:
		case COLUMN_TIME:
			return Int64GetDatum(*(const int64 *) member);
		case COLUMN_INT8_OR_NULL:
			if (((const NullableInt *) member)->isnull)
				break;
			return Int64GetDatum(((const NullableInt *) member)->value);
		case COLUMN_HEXID:
			return HexIdGetDatum(*(const HexId *) member);
		case COLUMN_INET:
			if (((const PktIp *) member)->len == 0)
				break;
			return InetPGetDatum(ip_to_inet((const PktIp *) member));
		case COLUMN_TEXT:
			pointer = *(const char *const *) member;
			if (pointer == NULL)
				break;
			return CStringGetTextDatum((const char *) pointer);
		case COLUMN_NUMERIC:
		case COLUMN_JSONB:
			pointer = *(const void *const *) member;
			if (pointer == NULL)
				break;
			return PointerGetDatum(pointer);
		default:
			pg_unreachable();
	}
	*null = 'n';
	return (Datum) 0;
}

/*
 * columns_values
 *		The values of the table's first n columns ('n' in nulls: NULL), taken
 *		from sources[], an array by ColumnSource of which those that the columns
 *		name are given.
 */
void
columns_values(const ColumnTable *table, int n, const void *const *sources,
			   Datum *values, char *nulls)
{
	const Column *c = table->columns;

	memset(nulls, ' ', n);
	for (int i = 0; i < n; i++, c++)
		values[i] = value_of(c, sources[c->source], &nulls[i]);
}

/* Set the member that the column stands for. */
static inline void
set_value(const Column *c, Datum d, bool isnull, Visit *visit)
{
	char	   *member = (char *) visit + c->offset;

	if (c->null == NULL_UNLESS_GIVEN)
		*((bool *) visit + c->given) = !isnull;
	switch (c->kind)
	{
		case COLUMN_INT2:
			*(int16 *) member = isnull ? (int16) c->none : DatumGetInt16(d);
			break;
		case COLUMN_INT2_OF_INT:
			*(int32 *) member = isnull ? c->none : DatumGetInt16(d);
			break;
		case COLUMN_INT4:
			*(int32 *) member = isnull ? c->none : DatumGetInt32(d);
			break;
		case COLUMN_INT4_OR_NULL:
			*(NullableInt *) member = isnull ? no_int() : some_int(DatumGetInt32(d));
			break;
		case COLUMN_INT8:
		case COLUMN_TIME:
			*(int64 *) member = isnull ? c->none : DatumGetInt64(d);
			break;
		case COLUMN_INT8_OR_NULL:
			*(NullableInt *) member = isnull ? no_int() : some_int(DatumGetInt64(d));
			break;
		case COLUMN_TIMESTAMPTZ:
			*(TimestampTz *) member = isnull ? c->none : DatumGetTimestampTz(d);
			break;
		case COLUMN_HEXID:
			*(HexId *) member = isnull ? 0 : DatumGetHexId(d);
			break;
		case COLUMN_TEXT:
			*(char **) member = isnull ? NULL : TextDatumGetCString(d);
			break;
		case COLUMN_NUMERIC:
			*(Numeric *) member = isnull ? NULL : DatumGetNumericCopy(d);
			break;
		case COLUMN_JSONB:
			*(Jsonb **) member = isnull ? NULL : DatumGetJsonbPCopy(d);
			break;
		case COLUMN_INET:
			Assert(false);		/* no visit is read with its address */
			break;
	}
}

/*
 * columns_read_visit
 *		Make a Visit of a row of log_visit.  att: the attribute number of each
 *		column of visit_columns.  What it points to is palloc'd.
 */
void
columns_read_visit(TupleTableSlot *slot, const AttrNumber *att, Visit *visit)
{
	bool		isnull;
	Datum		xmin;

	for (int i = 0; i < visit_columns.n_read; i++)
	{
		int			at = att[i] - 1;

		set_value(&visit_list[i], slot->tts_values[at], slot->tts_isnull[at], visit);
	}
	visit->seldom_changed = false;
	/* if the latest hit has a row, that is the last one */
	visit->last_row = visit->last_idlink_va.isnull ? DT_NOEND : visit->last;
	visit->tid = slot->tts_tid;
	xmin = slot_getsysattr(slot, MinTransactionIdAttributeNumber, &isnull);
	visit->xmin = DatumGetTransactionId(xmin);
}

/* A copy of the text, unless it is the one that was there. */
static char *
keep_text(char *new, char *old, MemoryContext context)
{
	if (new == NULL || new == old)
		return new;
	if (old != NULL && strcmp(new, old) == 0)
		return old;
	return MemoryContextStrdup(context, new);
}

static void *
keep_varlena(void *new, void *old, MemoryContext context)
{
	void	   *copy;

	if (new == NULL || new == old)
		return new;
	if (old != NULL && VARSIZE_ANY(new) == VARSIZE_ANY(old) &&
		memcmp(new, old, VARSIZE_ANY(new)) == 0)
		return old;
	copy = MemoryContextAlloc(context, VARSIZE_ANY(new));
	memcpy(copy, new, VARSIZE_ANY(new));
	return copy;
}

/*
 * columns_keep_visit
 *		Copy a visit over another, of which it may be a later state, and what it
 *		points to into the context, unless the other has the same there.
 */
void
columns_keep_visit(Visit *kept, const Visit *visit, MemoryContext context)
{
	Visit		old = *kept;

	*kept = *visit;
	for (int i = 0; i < n_kept_texts; i++)
	{
		char	  **member = (char **) ((char *) kept + kept_texts[i]);

		*member = keep_text(*member, *(char **) ((char *) &old + kept_texts[i]), context);
	}
	for (int i = 0; i < n_kept_varlenas; i++)
	{
		void	  **member = (void **) ((char *) kept + kept_varlenas[i]);

		*member = keep_varlena(*member, *(void **) ((char *) &old + kept_varlenas[i]), context);
	}
}
