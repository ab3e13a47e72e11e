/*
 * visit.h
 *		A visit, as the pure decisions of visit/ use it.
 */
#ifndef PKT_VISIT_H
#define PKT_VISIT_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "storage/itemptr.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"

#include "base/hexid.h"
#include "enrich/referrer.h"
#include "request/consent.h"

/* How a hit was recognised: log_link_visit_action.matched_by. */
typedef enum MatchedBy
{
	MATCHED_NONE = 0,
	MATCHED_USER_ID = 1,
	MATCHED_CID = 2,
	MATCHED_THIRD_PARTY_COOKIE = 3,
	MATCHED_COOKIE = 4,
	MATCHED_FINGERPRINT = 5,
	MATCHED_SESSION_LINK = 6
} MatchedBy;

/* Why a hit continues its visit or begins one: log_link_visit_action.decision. */
typedef enum Reason
{
	REASON_CONTINUE = 0,
	REASON_UNKNOWN = 1,
	REASON_NEW_VISIT = 2,
	REASON_INACTIVITY = 3,
	REASON_MIDNIGHT = 4,
	REASON_USER_CHANGED = 5,
	REASON_CAMPAIGN = 6,
	REASON_WEBSITE = 7,
	REASON_LIMIT = 8
} Reason;

/* A nullable number. */
typedef struct NullableInt
{
	bool		isnull;
	int64		value;
} NullableInt;

static inline NullableInt
some_int(int64 value)
{
	NullableInt r = {false, value};

	return r;
}

static inline NullableInt
no_int(void)
{
	NullableInt r = {true, 0};

	return r;
}

/*
 * The columns of log_visit that decide something or change with a hit.
 * Columns that are only written when a visit begins are in NewVisit.
 */
typedef struct Visit
{
	int64		idvisit;
	int32		idsite;
	ConsentState consent;
	bool		has_idvisitor;
	bool		has_config_id;
	HexId		idvisitor;
	HexId		config_id;
	char	   *user_id;		/* NULL: none */
	TimestampTz first;			/* visit_first_action_time */
	TimestampTz last;			/* visit_last_action_time */
	NullableInt last_idlink_va; /* of the latest hit by time, NULL if that has
								 * no row */
	TimestampTz last_row;		/* time of the last row: no column; DT_NOBEGIN
								 * if there is no row, DT_NOEND if it must be
								 * asked for */
	NullableInt entry_url;		/* visit_entry_idaction_url … */
	NullableInt entry_name;
	NullableInt exit_url;
	NullableInt exit_name;
	int32		total_time;
	int32		total_actions;
	int32		total_interactions;
	int32		count_visits;
	NullableInt since_first;	/* visitor_seconds_since_… */
	NullableInt since_last;
	NullableInt since_order;
	int16		returning;
	int16		profilable;
	int16		goal_buyer;

	/* columns that hits seldom change: written only if this is set */
	bool		seldom_changed;
	Referrer	referrer;		/* referer_type … */
	int32		total_searches;
	int32		total_events;
	int16		goal_converted;
	const char *resolution;		/* config_resolution; NULL: none */
	Jsonb	   *custom_dimensions;	/* number to value; NULL: none */
	Jsonb	   *custom_variables;	/* slot to [name, value]; NULL: none */

	/* NULL if unknown */
	const char *continent;		/* location_… */
	const char *country;
	const char *region;
	const char *city;
	Numeric		latitude;
	Numeric		longitude;

	/* the version of the row, for log/ only */
	ItemPointerData tid;
	TransactionId xmin;
} Visit;

extern const char *matched_by_word(int code);
extern const char *reason_word(int code);

#endif							/* PKT_VISIT_H */
