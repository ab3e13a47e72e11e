/*
 * filter.h
 *		Filters of reports: from the text to SQL.
 */
#ifndef PKT_FILTER_H
#define PKT_FILTER_H

#include "postgres.h"

#include "nodes/pg_list.h"

#include "report/dimensions.h"

/*
 * A filter as SQL over a visit v or, if over_actions is true, over an action l; it
 * names the site as $1, its time zone as $6, the limits of time as {range v} and so
 * on, and the values as (parameter)[n], from 1.  *values: these, texts in their
 * order.  palloc'd; raises invalid_parameter_value for what is no filter.
 */
extern char *filter_sql(const char *filter, bool over_actions, const char *parameter,
						const CustomDimensions *custom, List **values);

#endif							/* PKT_FILTER_H */
