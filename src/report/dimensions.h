/*
 * dimensions.h
 *		What a filter of reports can name: one table of dimensions.
 */
#ifndef PKT_DIMENSIONS_H
#define PKT_DIMENSIONS_H

#include "postgres.h"

#include "utils/array.h"

/* The rows that have the value.  Several actions of a visit may have one each. */
typedef enum DimensionScope
{
	SCOPE_VISIT,				/* v, log_visit */
	SCOPE_ACTION,				/* l, log_link_visit_action */
	SCOPE_CONVERSION,			/* c, log_conversion */
	SCOPE_ITEM					/* i, log_conversion_item */
} DimensionScope;

#define N_SCOPES (SCOPE_ITEM + 1)

typedef enum DimensionType
{
	DIMENSION_TEXT,				/* compared without regard to case */
	DIMENSION_NAME,				/* number of a row of the dictionary; equal:
								 * to the letter */
	DIMENSION_URL,				/* the same, without http://, https:// and
								 * www. */
	DIMENSION_NUMBER,
	DIMENSION_CHOICE,			/* a word for a code of the log */
	DIMENSION_VISITOR,			/* hexid: 16 hexadecimal digits */
	DIMENSION_ADDRESS			/* inet; equal: within the network */
} DimensionType;

/* A word for a code, and the label of report_by(), if it is another. */
typedef struct DimensionWord
{
	const char *word;
	int			code;
	const char *label;
} DimensionWord;

/*
 * expression is SQL over the alias of the scope, $1, the site, and $6, its time
 * zone; in a numbered one, whose name ends with N, "%d" stands for the number.
 *
 * How report_by() groups visits by it: key, SQL that may differ from expression;
 * labels, a list of words for the keys 0, 1, 2 and so on, all of which have a row,
 * or label, SQL over the key k1, or neither, if the key is the label.
 */
typedef struct Dimension
{
	const char *name;
	DimensionScope scope;
	DimensionType type;
	const char *expression;
	const char *types;			/* of a name: its types in the dictionary */
	const DimensionWord *words; /* of a choice; ends with a word NULL */
	bool		numbered;
	bool		alone;			/* never has to hold for the same row as
								 * others */
	const char *key;
	const char *label;
	const char *labels;
	const char *description;
} Dimension;

/*
 * The custom dimensions of a site: of the visit, and of the action; each ends with 0.
 */
typedef struct CustomDimensions
{
	const int  *visit;
	const int  *action;
} CustomDimensions;

extern const Dimension *dimension_find(const char *name, const CustomDimensions *custom);
extern const char *dimension_names(bool of_visit);
extern const char *dimension_operators(DimensionType type);
extern int *dimension_numbers(ArrayType *array);

#endif							/* PKT_DIMENSIONS_H */
