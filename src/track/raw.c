/*
 * raw.c
 *		Rows of the user's raw tables.
 *
 * A mapping says which column is which parameter; it is the fourth reader of
 * the table of hit fields.  Values are read as they stand in the row: no
 * expression, no cast function, no input function of somebody's type is run,
 * since whoever owns the raw table need not be trusted with the log.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/sysattr.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/bitmapset.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/inet.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/rel.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "base/compat.h"
#include "base/json.h"
#include "base/text.h"
#include "request/tracking_api.h"
#include "track/raw.h"

#define RAW_TEXT_MAX (1024 * 1024)	/* bytes of a text that are read */
#define DIMENSION_DIGITS 9

/* The arguments of track() and track_request(), and the fields that they are. */
static const struct
{
	const char *name;
	const char *field;
}			aliases[] =
{
	{"user_id", "uid"},
	{"visitor_id", "_id"},
	{"user_agent", "ua"},
	{"accept_language", "lang"}
};

/* Is it dimensionN? */
static bool
is_dimension(const char *name)
{
	size_t		len = strlen(name);

	if (strncmp(name, "dimension", 9) != 0 || len < 10 || len > 9 + DIMENSION_DIGITS || name[9] == '0')
		return false;
	return strspn(name + 9, "0123456789") == len - 9;
}

/* Find out what a parameter is; false if there is none of that name. */
static bool
find_target(const char *name, RawBinding *b)
{
	static const struct
	{
		const char *name;
		RawTarget	target;
	}			others[] =
	{
		{"ip", RAW_IP}, {"at", RAW_AT}, {"consent", RAW_CONSENT}, {"session_cookie", RAW_SESSION_COOKIE},
		{"headers", RAW_HEADERS}, {"query", RAW_QUERY}, {"params", RAW_PARAMS}
	};

	b->name = name;
	b->field = NULL;
	for (int i = 0; i < (int) lengthof(others); i++)
	{
		if (strcmp(name, others[i].name) == 0)
		{
			b->target = others[i].target;
			return true;
		}
	}
	b->target = RAW_FIELD;
	for (int i = 0; i < (int) lengthof(aliases); i++)
	{
		if (strcmp(name, aliases[i].name) == 0)
		{
			b->field = hit_field(aliases[i].field, strlen(aliases[i].field));
			return true;
		}
	}
	b->field = hit_field(name, strlen(name));
	if (b->field != NULL)
		return true;
	b->target = RAW_OTHER;
	return is_dimension(name);
}

/* What a type is to us; false if it cannot be read. */
static bool
find_type(Oid typid, RawColumn *c)
{
	c->typid = getBaseType(typid);
	c->width = get_typlen(c->typid);
	switch (c->typid)
	{
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
			c->type = RAW_TEXT;
			return true;
		case INT2OID:
		case INT4OID:
		case INT8OID:
			c->type = RAW_INT;
			return true;
		case NUMERICOID:
			c->type = RAW_NUMERIC;
			return true;
		case FLOAT4OID:
		case FLOAT8OID:
			c->type = RAW_FLOAT;
			return true;
		case BOOLOID:
			c->type = RAW_BOOL;
			return true;
		case INETOID:
		case CIDROID:
			c->type = RAW_INET;
			return true;
		case TIMESTAMPTZOID:
		case TIMESTAMPOID:
			c->type = RAW_TIME;
			return true;
		case JSONBOID:
			c->type = RAW_JSONB;
			return true;
		case JSONOID:
			c->type = RAW_JSON;
			return true;
		case UUIDOID:
			c->type = RAW_UUID;
			return true;
		default:
			if (c->typid != hexid_type_oid())
				return false;
			c->type = RAW_HEXID;
			return true;
	}
}

#define BIT(type) (1 << (type))
#define TEXT_OR_NUMBER (BIT(RAW_TEXT) | BIT(RAW_INT) | BIT(RAW_NUMERIC) | BIT(RAW_FLOAT))
#define ANY_JSON (BIT(RAW_JSON) | BIT(RAW_JSONB))

/* The types that a parameter may come from. */
static int
allowed_types(const RawBinding *b)
{
	switch (b->target)
	{
		case RAW_IP:
			return BIT(RAW_TEXT) | BIT(RAW_INET);
		case RAW_AT:
			return BIT(RAW_TIME) | BIT(RAW_INT) | BIT(RAW_NUMERIC) | BIT(RAW_FLOAT);
		case RAW_CONSENT:
			return BIT(RAW_TEXT) | BIT(RAW_BOOL);
		case RAW_SESSION_COOKIE:
			return BIT(RAW_TEXT) | BIT(RAW_HEXID);
		case RAW_HEADERS:
		case RAW_PARAMS:
			return ANY_JSON;
		case RAW_QUERY:
			return BIT(RAW_TEXT);
		case RAW_OTHER:
			return TEXT_OR_NUMBER | BIT(RAW_BOOL) | BIT(RAW_UUID);
		case RAW_FIELD:
			break;
	}
	switch (b->field->type)
	{
		case FIELD_TEXT:
			if (strcmp(b->field->name, "cip") == 0)
				return BIT(RAW_TEXT) | BIT(RAW_INET);
			if (strcmp(b->field->name, "cdt") == 0)
				return BIT(RAW_TEXT) | BIT(RAW_INT) | BIT(RAW_TIME);
			return TEXT_OR_NUMBER | BIT(RAW_UUID);
		case FIELD_INT:
			return BIT(RAW_TEXT) | BIT(RAW_INT) | BIT(RAW_NUMERIC) | BIT(RAW_BOOL);
		case FIELD_MILLISECONDS:
			return BIT(RAW_TEXT) | BIT(RAW_INT) | BIT(RAW_NUMERIC);
		case FIELD_UNIXTIME:
			return BIT(RAW_TEXT) | BIT(RAW_INT) | BIT(RAW_TIME);
		case FIELD_FLAG:
		case FIELD_UIA:
			return BIT(RAW_TEXT) | BIT(RAW_INT) | BIT(RAW_BOOL);
		case FIELD_FLOAT:
		case FIELD_AMOUNT:
			return TEXT_OR_NUMBER;
		case FIELD_ID:
		case FIELD_ID_COOKIE:
			return BIT(RAW_TEXT) | BIT(RAW_HEXID);
		case FIELD_JSON:
		case FIELD_LIST:
			return BIT(RAW_TEXT) | ANY_JSON;
		case FIELD_CONSENT:
			return BIT(RAW_TEXT) | BIT(RAW_BOOL);
	}
	return 0;
}

static void
raise_mapping(const char *what, const char *name, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg(what, name),
			 hint ? errhint("%s", hint) : 0));
}

/* The column of that name in the map, added if it is not there yet. */
static int
add_column(RawMap *map, Relation rel, const char *name)
{
	TupleDesc	desc = RelationGetDescr(rel);
	RawColumn  *c = &map->columns[map->n_columns];
	Form_pg_attribute att = NULL;

	for (int i = 0; i < map->n_columns; i++)
	{
		if (strcmp(map->columns[i].name, name) == 0)
			return i;
	}
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute a = TupleDescAttr(desc, i);

		if (!a->attisdropped && strcmp(NameStr(a->attname), name) == 0)
			att = a;
	}
	if (att == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("column \"%s\" of relation \"%s\" does not exist",
						name, RelationGetRelationName(rel))));
	c->attnum = att->attnum;
	c->name = pstrdup(name);
	if (!find_type(att->atttypid, c))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" has type %s, which cannot be read as a tracking parameter",
						name, format_type_be(att->atttypid)),
				 errhint("Columns of built-in types can.")));
#if PG_VERSION_NUM >= 180000
	if (att->attgenerated == ATTRIBUTE_GENERATED_VIRTUAL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("column \"%s\" is generated and not stored", name)));
#endif
	return map->n_columns++;
}

/* Read one entry of a mapping. */
static void
add_binding(RawMap *map, Relation rel, char *name, const JsonbValue *v)
{
	RawBinding *b = &map->bindings[map->n_bindings];

	if (!find_target(name, b))
		raise_mapping("unknown tracking parameter \"%s\"", name,
					  "They are listed in pk_tracking.hit_fields; besides there are ip, at, user_agent, accept_language, user_id, visitor_id, consent, headers, query, params and dimensionN.");
	if (v->type == jbvNull)
		return;
	b->column = -1;
	b->constant = NULL;
	if (v->type == jbvString)
		b->column = add_column(map, rel, json_scalar_text(v));
	else if (v->type == jbvBinary && JsonContainerIsObject(v->val.binary.data) &&
			 JsonContainerSize(v->val.binary.data) == 1)
	{
		JsonbValue	buf;
		JsonbValue *member;

		if ((member = getKeyJsonValueFromContainer(v->val.binary.data, "column", 6, &buf)) != NULL &&
			member->type == jbvString)
			b->column = add_column(map, rel, json_scalar_text(member));
		else if ((member = getKeyJsonValueFromContainer(v->val.binary.data, "value", 5, &buf)) != NULL)
			b->constant = json_scalar_text(member);
	}
	if (b->column < 0 && b->constant == NULL)
		raise_mapping("mapping of parameter \"%s\" is neither a column's name nor {\"value\": constant}", name, NULL);
	if (b->column >= 0 && (allowed_types(b) & BIT(map->columns[b->column].type)) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" of type %s cannot be tracking parameter \"%s\"",
						map->columns[b->column].name,
						format_type_be(map->columns[b->column].typid), name)));
	if (b->constant != NULL && b->target != RAW_FIELD && b->target != RAW_OTHER && b->target != RAW_CONSENT)
		raise_mapping("tracking parameter \"%s\" cannot be a constant", name, NULL);
	map->n_bindings++;
}

static int
compare_bindings(const void *a, const void *b)
{
	const RawBinding *x = a;
	const RawBinding *y = b;

	if (x->phase != y->phase)
		return x->phase - y->phase;
	return strcmp(x->name, y->name);
}

/* Is it what the connection said, which a query string overrides? */
static bool
is_connection(const RawBinding *b)
{
	return b->target == RAW_IP ||
		strcmp(b->name, "user_agent") == 0 || strcmp(b->name, "accept_language") == 0;
}

/* What the whole mapping means; errors where it cannot work. */
static void
complete_map(RawMap *map)
{
	bool		site = false;
	bool		params = false;

	map->has_query = false;
	for (int i = 0; i < map->n_bindings; i++)
	{
		map->has_query |= map->bindings[i].target == RAW_QUERY;
		params |= map->bindings[i].target == RAW_PARAMS;
		site |= strcmp(map->bindings[i].name, "idsite") == 0;
		for (int j = 0; j < i; j++)
		{
			if (map->bindings[i].field != NULL && map->bindings[i].field == map->bindings[j].field &&
				!is_connection(&map->bindings[i]) && !is_connection(&map->bindings[j]))
				raise_mapping("tracking parameter \"%s\" is mapped twice", map->bindings[i].name, NULL);
		}
	}
	if (!site && !map->has_query && !params)
		raise_mapping("relation \"%s\" has no column for the site", map->table,
					  "Map parameter \"idsite\" to a column, or to a constant: {\"idsite\": {\"value\": 1}}.");
	map->plain_key = site;
	map->has_params = params;

	for (int i = 0; i < map->n_bindings; i++)
	{
		RawBinding *b = &map->bindings[i];

		switch (b->target)
		{
			case RAW_HEADERS:
				b->phase = 2;
				break;
			case RAW_QUERY:
				b->phase = 3;
				break;
			case RAW_PARAMS:
				b->phase = 4;
				break;
			default:
				b->phase = map->has_query && is_connection(b) ? 1 : 5;
		}
	}
	qsort(map->bindings, map->n_bindings, sizeof(RawBinding), compare_bindings);
}

/* An empty map for a table. */
static RawMap *
create_map(Relation rel)
{
	RawMap	   *map = palloc0_object(RawMap);
	Bitmapset  *primary;
	int			attnum;

	map->table = quote_qualified_identifier(get_namespace_name(RelationGetNamespace(rel)),
											RelationGetRelationName(rel));
	map->columns = palloc0_array(RawColumn, RelationGetDescr(rel)->natts + 1);	/* never more */
	map->key = -1;

	/* a key that is a number or UUID may be named for a row that is rejected */
	primary = RelationGetIndexAttrBitmap(rel, INDEX_ATTR_BITMAP_PRIMARY_KEY);
	if (bms_get_singleton_member(primary, &attnum))
	{
		Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), attnum + FirstLowInvalidHeapAttributeNumber - 1);
		RawColumn	c;

		if (find_type(att->atttypid, &c) && (c.type == RAW_INT || c.type == RAW_UUID))
			map->key = add_column(map, rel, NameStr(att->attname));
	}
	bms_free(primary);
	return map;
}

/* The columns whose names are parameters. */
static void
map_by_name(RawMap *map, Relation rel)
{
	TupleDesc	desc = RelationGetDescr(rel);

	map->bindings = palloc0_array(RawBinding, desc->natts + 1);
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		RawBinding	b;
		JsonbValue	v;

		if (att->attisdropped || !find_target(NameStr(att->attname), &b))
			continue;
		v.type = jbvString;
		v.val.string.val = pstrdup(NameStr(att->attname));
		v.val.string.len = strlen(v.val.string.val);
		add_binding(map, rel, v.val.string.val, &v);
	}
}

static void
map_by_json(RawMap *map, Relation rel, JsonbContainer *mapping)
{
	JsonbIterator *it;
	JsonbIteratorToken token;
	JsonbValue	key,
				value;

	if (!JsonContainerIsObject(mapping))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("mapping must be a JSON object of parameters and columns")));
	map->bindings = palloc0_array(RawBinding, JsonContainerSize(mapping) + 1);
	it = JsonbIteratorInit(mapping);
	token = JsonbIteratorNext(&it, &key, false);
	Assert(token == WJB_BEGIN_OBJECT);
	while ((token = JsonbIteratorNext(&it, &key, false)) == WJB_KEY)
	{
		(void) JsonbIteratorNext(&it, &value, true);
		add_binding(map, rel, pnstrdup(key.val.string.val, key.val.string.len), &value);
	}
}

static bool
parse_order(const char *str, RawOrder *order)
{
	*order = strcmp(str, "time") == 0 ? RAW_ORDER_TIME : RAW_ORDER_GIVEN;
	return *order == RAW_ORDER_TIME || strcmp(str, "given") == 0;
}

static bool
parse_on_error(const char *str, bool *raise)
{
	*raise = strcmp(str, "raise") == 0;
	return *raise || strcmp(str, "reject") == 0;
}

static JsonbValue *
member(Jsonb *options, const char *name, JsonbValue *buf)
{
	return getKeyJsonValueFromContainer(&options->root, name, strlen(name), buf);
}

/*
 * raw_map
 *		Read the options that raw_options() has made, as a trigger has them,
 *		against a table as it is now.  Errors: undefined_column,
 *		datatype_mismatch, invalid_parameter_value.
 */
RawMap *
raw_map(Relation rel, Jsonb *options)
{
	RawMap	   *map = create_map(rel);
	JsonbValue	buf;
	JsonbValue *v;

	v = JB_ROOT_IS_OBJECT(options) ? member(options, "mapping", &buf) : NULL;
	if (v == NULL || v->type != jbvBinary)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid options of a raw table"),
				 errhint("Triggers for raw tables are made by pk_tracking.attach().")));
	map_by_json(map, rel, v->val.binary.data);
	complete_map(map);
	v = member(options, "trusted", &buf);
	map->trusted = v != NULL && v->type == jbvBool && v->val.boolean;
	v = member(options, "order", &buf);
	if (v != NULL && v->type == jbvString)
		(void) parse_order(json_scalar_text(v), &map->order);
	v = member(options, "on_error", &buf);
	if (v != NULL && v->type == jbvString)
		(void) parse_on_error(json_scalar_text(v), &map->raise);
	return map;
}

/*
 * raw_options
 *		Check a mapping (NULL: by name) and the options, and give both in the
 *		form that a trigger keeps.  Errors as raw_map().
 */
Jsonb *
raw_options(Relation rel, Jsonb *mapping, const char *order, const char *on_error, bool trusted)
{
	RawMap	   *map = create_map(rel);
	JsonbParseState *state = NULL;
	JsonbValue	v;

	if (!parse_order(order, &map->order))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for argument \"order\""),
				 errhint("It is given or time.")));
	if (!parse_on_error(on_error, &map->raise))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for argument \"on_error\""),
				 errhint("It is reject or raise.")));
	if (mapping != NULL)
		map_by_json(map, rel, &mapping->root);
	else
		map_by_name(map, rel);
	complete_map(map);

	(void) pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	json_push_text(&state, WJB_KEY, "mapping");
	(void) pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < map->n_bindings; i++)
	{
		const RawBinding *b = &map->bindings[i];

		json_push_text(&state, WJB_KEY, b->name);
		(void) pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
		json_push_text(&state, WJB_KEY, b->column >= 0 ? "column" : "value");
		json_push_text(&state, WJB_VALUE, b->column >= 0 ? map->columns[b->column].name : b->constant);
		(void) pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	}
	(void) pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	json_push_text(&state, WJB_KEY, "order");
	json_push_text(&state, WJB_VALUE, order);
	json_push_text(&state, WJB_KEY, "on_error");
	json_push_text(&state, WJB_VALUE, on_error);
	json_push_text(&state, WJB_KEY, "trusted");
	v.type = jbvBool;
	v.val.boolean = trusted;
	(void) pushJsonbValue(&state, WJB_VALUE, &v);
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

/* An integer column's value. */
static int64
int_value(const RawColumn *c, Datum value)
{
	return c->width == 2 ? DatumGetInt16(value) : c->width == 4 ? DatumGetInt32(value) : DatumGetInt64(value);
}

/*
 * A value as text, as the tracking API would have sent it; not terminated.
 * unix_seconds of a time.
 */
static const char *
value_text(const RawColumn *c, Datum value, size_t *len)
{
	char	   *str;

	switch (c->type)
	{
		case RAW_TEXT:
		case RAW_JSON:
			{
				text	   *t = DatumGetTextPP(value);

				*len = VARSIZE_ANY_EXHDR(t);
				return VARDATA_ANY(t);
			}
		case RAW_INT:
			str = palloc(MAXINT8LEN + 1);
			pg_lltoa(int_value(c, value), str);
			break;
		case RAW_NUMERIC:
			str = DatumGetCString(DirectFunctionCall1(numeric_out, value));
			break;
		case RAW_FLOAT:
			str = DatumGetCString(c->width == 4 ? DirectFunctionCall1(float4out, value) :
								  DirectFunctionCall1(float8out, value));
			break;
		case RAW_BOOL:
			str = pstrdup(DatumGetBool(value) ? "1" : "0");
			break;
		case RAW_INET:
			{
				PktIp		ip = ip_from_inet(DatumGetInetPP(value));

				str = DatumGetCString(DirectFunctionCall1(inet_out, InetPGetDatum(ip_to_inet(&ip))));
				break;
			}
		case RAW_TIME:
			str = TIMESTAMP_NOT_FINITE(DatumGetTimestampTz(value)) ? pstrdup("") :
				psprintf(INT64_FORMAT, (int64) timestamptz_to_time_t(DatumGetTimestampTz(value)));
			break;
		case RAW_JSONB:
			{
				Jsonb	   *jb = DatumGetJsonbP(value);

				str = JsonbToCString(NULL, &jb->root, VARSIZE(jb));
				break;
			}
		case RAW_HEXID:
			str = palloc(HEXID_TEXT_LEN + 1);
			hexid_format(DatumGetHexId(value), str);
			break;
		case RAW_UUID:
			str = DatumGetCString(DirectFunctionCall1(uuid_out, value));
			break;
		default:
			str = pstrdup("");
	}
	*len = strlen(str);
	return str;
}

static Jsonb *
value_jsonb(const RawColumn *c, Datum value)
{
	const char *str;
	size_t		len;

	if (c->type == RAW_JSONB)
		return DatumGetJsonbPCopy(value);
	str = value_text(c, value, &len);
	return text_to_jsonb(text_clean(str, Min(len, RAW_TEXT_MAX), false));
}

/* Put a text into its field; texts here are in the database's encoding. */
static void
set_field(Hit *hit, const HitField *field, const char *str, size_t len)
{
	if (field->type == FIELD_TEXT || field->type == FIELD_LIST)
	{
		if (len > 0)
			*(char **) ((char *) hit + field->offset) = text_clean(str, Min(len, RAW_TEXT_MAX), false);
	}
	else
		hit_set(hit, field, str, len);
}

static void
set_invalid(Hit *hit, const char *name)
{
	if (hit->invalid == NULL)
		hit->invalid = name;
}

/* When it was; false if that is no time. */
static bool
value_time(const RawColumn *c, Datum value, TimestampTz *at)
{
	double		seconds;

	switch (c->type)
	{
		case RAW_TIME:
			/* one without time zone is taken as UTC */
			*at = DatumGetTimestampTz(value);
			return true;
		case RAW_INT:
			seconds = (double) int_value(c, value);
			break;
		case RAW_FLOAT:
			seconds = c->width == 4 ? DatumGetFloat4(value) : DatumGetFloat8(value);
			break;
		default:
			seconds = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, value));
	}
	if (!(seconds > -1e11 && seconds < 1e11))
		return false;
	seconds -= (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * (double) SECS_PER_DAY;
	*at = (TimestampTz) (seconds * USECS_PER_SEC);
	return true;
}

/* Read one parameter of a row. */
static void
read_binding(const RawMap *map, const RawBinding *b, const RawRow *row, Hit *hit, JsonbParseState **others)
{
	const RawColumn *c = NULL;
	Datum		value = (Datum) 0;
	const char *str;
	size_t		len;

	if (b->column >= 0)
	{
		if (row->nulls[b->column])
			return;
		c = &map->columns[b->column];
		value = row->values[b->column];
	}

	switch (b->target)
	{
		case RAW_IP:
			if (c->type == RAW_INET)
				hit->ip = ip_from_inet(DatumGetInetPP(value));
			else
			{
				str = value_text(c, value, &len);
				if (len > 0 && !ip_parse(str, len, &hit->ip))
					set_invalid(hit, "ip");
			}
			return;

		case RAW_AT:
			{
				TimestampTz at;

				if (!value_time(c, value, &at) ||
					!hit_set_time(hit, at, GetCurrentStatementStartTimestamp()))
					set_invalid(hit, "at");
				return;
			}

		case RAW_CONSENT:
			{
				Consent		consent;

				if (c == NULL)
					str = b->constant;
				else if (c->type == RAW_BOOL)
					str = DatumGetBool(value) ? "granted" : "denied";
				else
				{
					str = value_text(c, value, &len);
					str = pnstrdup(str, len);
				}
				len = strlen(str);
				/* a word that nobody knows might be a no */
				if (len > 0 && !consent_parse(str, &consent))
					set_invalid(hit, "consent");
				else
					hit_set(hit, hit_field("consent", 7), str, len);
				return;
			}

		case RAW_SESSION_COOKIE:
			str = value_text(c, value, &len);
			hit->session_cookie.given = len == HEXID_TEXT_LEN &&
				hexid_parse(str, len, &hit->session_cookie.id);
			return;

		case RAW_HEADERS:
		case RAW_PARAMS:
			{
				Jsonb	   *jb = value_jsonb(c, value);

				if (jb == NULL || !JB_ROOT_IS_OBJECT(jb))
					set_invalid(hit, b->name);
				else if (b->target == RAW_HEADERS)
					tracking_api_read_headers(hit, jb);
				else
					tracking_api_read_json(hit, jb, NULL, 0);
				return;
			}

		case RAW_QUERY:
			str = value_text(c, value, &len);
			if (len <= QUERY_MAX)
				str = pnstrdup(str, len);	/* the hit points into it */
			tracking_api_read_query(hit, str, len);
			return;

		case RAW_FIELD:
			if (c != NULL && b->field->type == FIELD_JSON && c->type == RAW_JSONB)
			{
				*(Jsonb **) ((char *) hit + b->field->offset) = DatumGetJsonbPCopy(value);
				return;
			}
			/* FALLTHROUGH */
		case RAW_OTHER:
			if (c != NULL)
				str = value_text(c, value, &len);
			else
			{
				str = b->constant;
				len = strlen(str);
			}
			if (b->target == RAW_FIELD)
				set_field(hit, b->field, str, len);
			else
			{
				JsonbValue	v;

				if (*others == NULL)
					(void) pushJsonbValue(others, WJB_BEGIN_OBJECT, NULL);
				json_push_text(others, WJB_KEY, b->name);
				v.type = jbvString;
				v.val.string.val = text_clean(str, Min(len, RAW_TEXT_MAX), false);
				v.val.string.len = strlen(v.val.string.val);
				(void) pushJsonbValue(others, WJB_VALUE, &v);
			}
			return;
	}
}

/*
 * raw_read
 *		The hit that a row is, in the current memory context, which must last as
 *		long as it; the row need not.  What the row has wrong makes the hit invalid; no error.
 */
Hit *
raw_read(const RawMap *map, const RawRow *row)
{
	Hit		   *hit = hit_create();
	JsonbParseState *others = NULL;
	bool		has_ip = false;
	bool		has_at = false;
	bool		own_cip = false;
	bool		own_cdt = false;

	/* rows that are no query strings are all to be recorded, unless a column says no */
	hit->rec = !map->has_query;
	(void) hit_set_time(hit, GetCurrentStatementStartTimestamp(), GetCurrentStatementStartTimestamp());

	for (int i = 0; i < map->n_bindings; i++)
	{
		const RawBinding *b = &map->bindings[i];
		bool		given = b->column < 0 || !row->nulls[b->column];

		read_binding(map, b, row, hit, &others);
		if (b->target == RAW_PARAMS && !map->has_query)
			hit->rec = true;
		has_ip |= b->target == RAW_IP && given;
		has_at |= b->target == RAW_AT && given;
		if (b->field != NULL && given)
		{
			own_cip |= b->field->offset == offsetof(Hit, cip);
			own_cdt |= b->field->offset == offsetof(Hit, cdt) || b->field->offset == offsetof(Hit, cdo);
		}
	}
	if (others != NULL)
		tracking_api_read_json(hit, JsonbValueToJsonb(pushJsonbValue(&others, WJB_END_OBJECT, NULL)), NULL, 0);

	/* as with track(): a column beats params */
	if (!map->has_query && has_ip && !own_cip)
		hit->cip = pstrdup("");
	if (!map->has_query && has_at && !own_cdt)
	{
		hit->cdt = pstrdup("");
		hit->cdo_given = false;
	}
	hit->trusted = map->trusted;
	return hit;
}

/* Does a column of its own say which site a row is of? */
static bool
has_own_site(const RawMap *map, const RawRow *row)
{
	for (int i = 0; map->plain_key && i < map->n_bindings; i++)
	{
		const RawBinding *b = &map->bindings[i];

		if (b->field != NULL && b->field->offset == offsetof(Hit, idsite))
			return b->column < 0 || !row->nulls[b->column] || !(map->has_query || map->has_params);
	}
	return false;
}

/*
 * raw_site_and_time
 *		What hits are sorted by: the site, 0 if there is none, and the time that
 *		the row gives.  Leaves memory in the current context.
 */
void
raw_site_and_time(const RawMap *map, const RawRow *row, int32 *idsite, TimestampTz *at)
{
	Hit		   *hit;

	if (!has_own_site(map, row))
		hit = raw_read(map, row);
	else
	{
		JsonbParseState *none = NULL;

		hit = hit_create();
		(void) hit_set_time(hit, GetCurrentStatementStartTimestamp(), GetCurrentStatementStartTimestamp());
		for (int i = 0; i < map->n_bindings; i++)
		{
			const RawBinding *b = &map->bindings[i];

			if (b->target == RAW_AT || (b->field != NULL && b->field->offset == offsetof(Hit, idsite)))
				read_binding(map, b, row, hit, &none);
		}
	}
	*idsite = hit->idsite;
	*at = hit->at;
}

/*
 * raw_site
 *		The same for the site alone, and quicker.
 */
int32
raw_site(const RawMap *map, const RawRow *row)
{
	TimestampTz at;
	int32		idsite;

	bool		own = has_own_site(map, row);

	for (int i = 0; i < map->n_bindings; i++)
	{
		const RawBinding *b = &map->bindings[i];
		const RawColumn *c = b->column >= 0 ? &map->columns[b->column] : NULL;
		bool		given = c != NULL && !row->nulls[b->column];

		if (own && given && c->type == RAW_INT && b->field != NULL && b->field->offset == offsetof(Hit, idsite))
		{
			int64		n = int_value(c, row->values[b->column]);

			return n > 0 && n <= PG_INT32_MAX ? (int32) n : 0;
		}
		if (!own && !map->has_params && b->target == RAW_QUERY && given)
		{
			size_t		len;
			const char *query = value_text(c, row->values[b->column], &len);

			return tracking_api_query_site(query, len);
		}
	}
	raw_site_and_time(map, row, &idsite, &at);
	return idsite;
}

/*
 * raw_key
 *		The row's primary key as text if it is one number or UUID, else NULL.
 */
char *
raw_key(const RawMap *map, const RawRow *row)
{
	const char *str;
	size_t		len;

	if (map->key < 0 || row->nulls[map->key])
		return NULL;
	str = value_text(&map->columns[map->key], row->values[map->key], &len);
	return pnstrdup(str, len);
}

/*
 * raw_map_key
 *		The place, in the map's columns, of a column by which rows can be walked
 *		through: of integers, timestamptz or UUIDs, NOT NULL and unique by
 *		itself.  name NULL: the primary key.  Errors: undefined_column,
 *		datatype_mismatch, invalid_parameter_value.
 */
int
raw_map_key(RawMap *map, Relation rel, const char *name)
{
	int			column = name == NULL ? map->key : add_column(map, rel, name);
	const RawColumn *c = &map->columns[column];
	bool		unique = false;
	ListCell   *lc;

	if (column < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("relation \"%s\" has no primary key of one integer or UUID", map->table),
				 errhint("Name a unique column with key, or let the rows be consumed with consume => true.")));
	foreach(lc, RelationGetIndexList(rel))
	{
		Relation	index = index_open(lfirst_oid(lc), AccessShareLock);
		Form_pg_index form = index->rd_index;

		unique |= form->indisunique && form->indisvalid && form->indimmediate &&
			form->indnkeyatts == 1 && form->indkey.values[0] == c->attnum &&
			RelationGetIndexPredicate(index) == NIL;
		index_close(index, AccessShareLock);
	}
	if (!unique || !TupleDescAttr(RelationGetDescr(rel), c->attnum - 1)->attnotnull ||
		(c->type != RAW_INT && c->type != RAW_UUID && c->typid != TIMESTAMPTZOID))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("column \"%s\" cannot be the key", c->name),
				 errhint("A key is of integers, timestamptz or UUIDs, NOT NULL and unique by itself.")));
	return column;
}

/*
 * raw_select_list
 *		The map's columns, in their order, for a SELECT or RETURNING.
 */
char *
raw_select_list(const RawMap *map, const char *alias)
{
	StringInfoData buf;

	initStringInfo(&buf);
	for (int i = 0; i < map->n_columns; i++)
		appendStringInfo(&buf, "%s%s.%s", i > 0 ? ", " : "", alias, quote_identifier(map->columns[i].name));
	return buf.data;
}
