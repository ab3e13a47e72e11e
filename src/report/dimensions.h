/*
 * dimensions.h
 *		What a filter of reports can name: one table of dimensions.
 */
#ifndef PKT_DIMENSIONS_H
#define PKT_DIMENSIONS_H

/* What has the value. */
typedef enum DimensionScope
{
	SCOPE_VISIT,
	SCOPE_ACTION,
	SCOPE_CONVERSION
} DimensionScope;

typedef enum DimensionType
{
	DIMENSION_TEXT,				/* compared without regard to case */
	DIMENSION_NUMBER,
	DIMENSION_CHOICE			/* a word for a code of the log */
} DimensionType;

/* A word for a code. */
typedef struct DimensionWord
{
	const char *word;
	int			code;
} DimensionWord;

typedef struct Dimension
{
	const char *name;
	DimensionScope scope;
	DimensionType type;
	const char *expression;		/* SQL over v, the visit */
	const DimensionWord *words; /* of a choice; ends with a word NULL */
	const char *description;
} Dimension;

extern const Dimension *dimension_find(const char *name);
extern const char *dimension_names(void);

#endif							/* PKT_DIMENSIONS_H */
