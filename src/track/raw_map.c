/*
 * raw_map.c
 *		Which column of a raw table is which parameter.
 *
 * A mapping is the fourth reader of the table of hit fields.  It reads values
 * only as they are in the row: no expression, no cast function and no input
 * function of a user's type is run, because the owner of a raw table need not be
 * trusted with the log.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/sysattr.h"
#include "access/table.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "nodes/bitmapset.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "base/compat.h"
#include "base/json.h"
#include "track/raw.h"

#define DIMENSION_DIGITS 9

/* The arguments of track() and track_request(), and the hit fields that they set. */
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

	if (strncmp(name, "dimension", 9) != 0 || len < 10 || len > 9 + DIMENSION_DIGITS ||
		name[9] == '0')
		return false;
	return strspn(name + 9, "0123456789") == len - 9;
}

/* Find out where a parameter goes; false if there is none of that name. */
static bool
find_target(const char *name, RawBinding *b)
{
	static const struct
	{
		const char *name;
		RawTarget	target;
	}			others[] =
	{
		{"ip", RAW_IP}, {"at", RAW_AT}, {"consent", RAW_CONSENT},
		{"session_cookie", RAW_SESSION_COOKIE},
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

/* The kind of a type; false if it cannot be read. */
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
				 errhint("Only columns of built-in types can be read.")));
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
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown tracking parameter \"%s\"", name),
				 errhint("Parameters are listed in pk_tracking.hit_fields. Other valid names are ip, at, "
						 "user_agent, accept_language, user_id, visitor_id, consent, session_cookie, "
						 "headers, query, params and dimensionN.")));
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

		member = getKeyJsonValueFromContainer(v->val.binary.data, "column", 6, &buf);
		if (member != NULL && member->type == jbvString)
			b->column = add_column(map, rel, json_scalar_text(member));
		else
		{
			member = getKeyJsonValueFromContainer(v->val.binary.data, "value", 5, &buf);
			if (member != NULL)
				b->constant = json_scalar_text(member);
		}
	}
	if (b->column < 0 && b->constant == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("mapping of parameter \"%s\" is neither a column's name nor {\"value\": constant}",
						name)));
	if (b->column >= 0 && (allowed_types(b) & BIT(map->columns[b->column].type)) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" of type %s cannot be tracking parameter \"%s\"",
						map->columns[b->column].name,
						format_type_be(map->columns[b->column].typid), name)));
	if (b->constant != NULL && b->target != RAW_FIELD && b->target != RAW_OTHER &&
		b->target != RAW_CONSENT)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("tracking parameter \"%s\" cannot be a constant", name)));
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

/* Does the parameter come from the connection?  A query string overrides it. */
static bool
is_connection(const RawBinding *b)
{
	return b->target == RAW_IP ||
		strcmp(b->name, "user_agent") == 0 || strcmp(b->name, "accept_language") == 0;
}

/* Check the mapping as a whole, and put its parameters into the order in which they are read. */
static void
complete_map(RawMap *map)
{
	bool		site = false;
	bool		params = false;

	map->has_query = false;
	for (int i = 0; i < map->n_bindings; i++)
	{
		const RawBinding *x = &map->bindings[i];

		map->has_query |= x->target == RAW_QUERY;
		params |= x->target == RAW_PARAMS;
		site |= strcmp(x->name, "idsite") == 0;
		for (int j = 0; j < i; j++)
		{
			const RawBinding *y = &map->bindings[j];

			if (x->field != NULL && x->field == y->field && !is_connection(x) && !is_connection(y))
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("tracking parameter \"%s\" is mapped twice", x->name)));
		}
	}
	if (!site && !map->has_query && !params)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("relation \"%s\" does not say which site its rows belong to", map->table),
				 errhint("Map parameter \"idsite\" to a column, or to a constant: {\"idsite\": {\"value\": 1}}.")));
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

	/* a number or UUID may be shown for a row that is rejected */
	primary = RelationGetIndexAttrBitmap(rel, INDEX_ATTR_BITMAP_PRIMARY_KEY);
	if (bms_get_singleton_member(primary, &attnum))
	{
		Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel),
											  attnum + FirstLowInvalidHeapAttributeNumber - 1);
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
 *		Read options that raw_options() has made, for a table as it is now.  Errors:
 *		undefined_column, datatype_mismatch, invalid_parameter_value.
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
				 errhint("Create the trigger of a raw table with pk_tracking.attach().")));
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
 * raw_table_arg
 *		The raw table that is argument 0 of a function.  Errors:
 *		null_value_not_allowed.
 */
Oid
raw_table_arg(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("raw table must not be NULL")));
	return PG_GETARG_OID(0);
}

/*
 * raw_options_args
 *		The options that are arguments of a function: mapping is argument 1;
 *		hit_order, on_error and trusted follow each other from argument first on.
 */
RawOptions
raw_options_args(FunctionCallInfo fcinfo, int first, const char *default_order)
{
	RawOptions	options;

	options.mapping = PG_ARGISNULL(1) ? NULL : DatumGetJsonbPCopy(PG_GETARG_DATUM(1));
	options.order = PG_ARGISNULL(first) ? default_order : text_to_cstring(PG_GETARG_TEXT_PP(first));
	options.on_error = PG_ARGISNULL(first + 1) ? "reject" :
		text_to_cstring(PG_GETARG_TEXT_PP(first + 1));
	options.trusted = !PG_ARGISNULL(first + 2) && PG_GETARG_BOOL(first + 2);
	return options;
}

/*
 * raw_open
 *		Open a raw table for reading: an ordinary table, or with
 *		partitioned_too a partitioned one.  Errors: wrong_object_type.
 */
Relation
raw_open(Oid relid, bool partitioned_too)
{
	Relation	rel = table_open(relid, AccessShareLock);
	char		relkind = rel->rd_rel->relkind;

	if (relkind == RELKIND_RELATION || (partitioned_too && relkind == RELKIND_PARTITIONED_TABLE))
		return rel;
	if (partitioned_too)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a table", RelationGetRelationName(rel)),
				 relkind == RELKIND_FOREIGN_TABLE ?
				 errhint("Attach an ordinary table, and copy the foreign table's rows into it "
						 "with INSERT.") :
				 errhint("Attach the table that it reads, with a mapping of that table's "
						 "columns, or an ordinary table into which its rows are copied with "
						 "INSERT.")));
	ereport(ERROR,
			(errcode(ERRCODE_WRONG_OBJECT_TYPE),
			 errmsg("\"%s\" is not an ordinary table", RelationGetRelationName(rel)),
			 relkind == RELKIND_PARTITIONED_TABLE ?
			 errhint("Name its partitions one by one.") :
			 errhint("Copy its rows into an ordinary table first: "
					 "CREATE TABLE ... AS SELECT ..., then a primary key.")));
}

/*
 * raw_options
 *		Check the options against a table, and give them in the form that a
 *		trigger keeps, with every parameter named (mapping NULL: columns are
 *		parameters by name).  Errors: those of raw_map().
 */
Jsonb *
raw_options(Relation rel, const RawOptions *options)
{
	RawMap	   *map = create_map(rel);
	JsonbParseState *state = NULL;
	JsonbValue	v;

	if (!parse_order(options->order, &map->order))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for argument \"hit_order\""),
				 errhint("Valid values are \"given\" and \"time\".")));
	if (!parse_on_error(options->on_error, &map->raise))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for argument \"on_error\""),
				 errhint("Valid values are \"reject\" and \"raise\".")));
	if (options->mapping != NULL)
		map_by_json(map, rel, &options->mapping->root);
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
		json_push_text(&state, WJB_VALUE, b->column >= 0 ? map->columns[b->column].name :
					   b->constant);
		(void) pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	}
	(void) pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	json_push_text(&state, WJB_KEY, "order");
	json_push_text(&state, WJB_VALUE, options->order);
	json_push_text(&state, WJB_KEY, "on_error");
	json_push_text(&state, WJB_VALUE, options->on_error);
	json_push_text(&state, WJB_KEY, "trusted");
	v.type = jbvBool;
	v.val.boolean = options->trusted;
	(void) pushJsonbValue(&state, WJB_VALUE, &v);
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

/*
 * raw_map_bare
 *		A map without a parameter, for what asks for a table's key alone.
 */
RawMap *
raw_map_bare(Relation rel)
{
	return create_map(rel);
}

/*
 * raw_map_key
 *		The index, among the map's columns, of a column in whose order the table
 *		can be read: of integers, timestamptz or UUIDs, NOT NULL and unique by
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
				 errmsg("relation \"%s\" has no single-column primary key of an integer type or uuid",
						map->table),
				 errhint("Either name a unique column with key => 'column', or pass consume => true so that the rows are deleted as they are read.")));
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
				 errhint("A key must be of an integer type, timestamptz or uuid, NOT NULL, and unique by itself.")));
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
		appendStringInfo(&buf, "%s%s.%s", i > 0 ? ", " : "", alias,
						 quote_identifier(map->columns[i].name));
	return buf.data;
}
