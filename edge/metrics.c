/*
 * metrics.c
 *		What is counted, and the page that Prometheus reads.
 *
 * The page is in the text format 0.0.4.  It holds numbers alone: no label has a
 * value that a client sent.
 */
#include "metrics.h"

#include <inttypes.h>

Metrics		metrics;

/* Upper bounds of buckets; the last bucket has none. */
static const double latency_bounds[] = {
	0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10
};
static const double batch_bounds[] = {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000};

typedef struct Histogram
{
	const char *name;
	const char *help;
	int			nbounds;
	const double *bounds;
	uint64_t	counts[16];
	double		sum;
} Histogram;

#define LENGTH(array) ((int) (sizeof(array) / sizeof((array)[0])))

static Histogram latency = {
	"pk_tracking_hit_duration_seconds", "Time from a hit's arrival to its answer.",
	LENGTH(latency_bounds), latency_bounds, {0}, 0
};
static Histogram batch_size = {
	"pk_tracking_batch_hits", "Hits in a transaction.",
	LENGTH(batch_bounds), batch_bounds, {0}, 0
};

static void
observe(Histogram *histogram, double value)
{
	int			i = 0;

	while (i < histogram->nbounds && value > histogram->bounds[i])
		i++;
	histogram->counts[i]++;
	histogram->sum += value;
}

void
metrics_observe_latency(int64_t microseconds)
{
	observe(&latency, microseconds > 0 ? (double) microseconds / 1e6 : 0);
}

void
metrics_observe_batch(int hits)
{
	observe(&batch_size, hits);
}

static void
write_head(Text *text, const char *name, const char *type, const char *help)
{
	text_printf(text, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void
write_histogram(Text *text, const Histogram *histogram)
{
	uint64_t	count = 0;

	write_head(text, histogram->name, "histogram", histogram->help);
	for (int i = 0; i < histogram->nbounds; i++)
	{
		count += histogram->counts[i];
		text_printf(text, "%s_bucket{le=\"%g\"} %" PRIu64 "\n", histogram->name,
					histogram->bounds[i], count);
	}
	count += histogram->counts[histogram->nbounds];
	text_printf(text, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n%s_sum %.6f\n%s_count %" PRIu64 "\n",
				histogram->name, count, histogram->name, histogram->sum, histogram->name, count);
}

/* A line of a table: values of one name stand together and differ by a label. */
typedef struct Line
{
	const char *name;
	const char *type;
	const char *help;			/* NULL: of the name above */
	const char *label;			/* such as outcome="recorded", "" if there is
								 * none */
	uint64_t	value;
} Line;

void
metrics_write(Text *text, const Metrics *m)
{
	const Line	lines[] = {
		{"pk_tracking_hits_total", "counter", "Hits and documents of hits by what became of them.",
		"outcome=\"recorded\"", m->recorded},
		{"pk_tracking_hits_total", "counter", NULL, "outcome=\"ignored\"", m->ignored},
		{"pk_tracking_hits_total", "counter", NULL, "outcome=\"excluded\"", m->excluded},
		{"pk_tracking_hits_total", "counter", NULL, "outcome=\"invalid\"", m->invalid},
		{"pk_tracking_hits_total", "counter", NULL, "outcome=\"document\"", m->documents},
		{"pk_tracking_hits_total", "counter", NULL, "outcome=\"spooled\"", m->spooled},
		{"pk_tracking_hits_total", "counter", NULL, "outcome=\"unavailable\"", m->unavailable},
		{"pk_tracking_hits_total", "counter", NULL, "outcome=\"failed\"", m->failed},
		{"pk_tracking_requests_other_total", "counter",
		"Requests that are no hits: scripts, the opt-out page, preflights.", "", m->pages},
		{"pk_tracking_requests_refused_total", "counter",
			"Requests and connections that were malformed, too long, too slow or too many.", "",
		m->refused},
		{"pk_tracking_untrusted_forwarded_total", "counter",
			"Requests with headers of a proxy from an address that is not in trusted_proxies.", "",
		m->untrusted_forwarded},
		{"pk_tracking_batches_total", "counter",
		"Transactions of the hits that came together.", "", m->batches},
		{"pk_tracking_batch_failures_total", "counter",
		"Transactions that were done again hit by hit.", "", m->batch_failures},
		{"pk_tracking_lock_waits_total", "counter", "Hits that had to wait for a lock.", "",
		m->waits},
		{"pk_tracking_reconnects_total", "counter", "Connections to PostgreSQL that were lost.", "",
		m->reconnects},
		{"pk_tracking_database_up", "gauge", "Whether PostgreSQL takes hits.", "",
		m->database_up},
		{"pk_tracking_queue_requests", "gauge", "Requests that wait in memory.", "", m->queue},
		{"pk_tracking_client_connections", "gauge", "Connections of clients.", "",
		m->connections},
		{"pk_tracking_spool_bytes", "gauge", "Size of the spool on disk.", "", m->spool_bytes},
		{"pk_tracking_spool_records", "gauge", "Hits that wait in the spool.", "",
		m->spool_records},
		{"pk_tracking_spool_age_seconds", "gauge", "Age of the oldest hit in the spool.", "",
		m->spool_age},
		{"pk_tracking_spool_kept_total", "counter", "Hits that went into the spool.", "",
		m->spool_kept},
		{"pk_tracking_spool_recorded_total", "counter",
			"Hits that were recorded from the spool.", "",
		m->drained},
		{"pk_tracking_spool_refused_total", "counter", "Hits that the spool could not take.", "",
		m->spool_refused},
		{"pk_tracking_spool_lost_total", "counter", "Hits of the spool that were lost.",
		"reason=\"key\"", m->spool_lost_key},
		{"pk_tracking_spool_lost_total", "counter", NULL, "reason=\"damage\"",
		m->spool_lost_damage},
		{"pk_tracking_spool_lost_total", "counter", NULL, "reason=\"age\"", m->spool_lost_age},
	};

	for (int i = 0; i < LENGTH(lines); i++)
	{
		const Line *line = &lines[i];

		if (line->help != NULL)
			write_head(text, line->name, line->type, line->help);
		if (line->label[0] != '\0')
			text_printf(text, "%s{%s} %" PRIu64 "\n", line->name, line->label, line->value);
		else
			text_printf(text, "%s %" PRIu64 "\n", line->name, line->value);
	}
	write_histogram(text, &latency);
	write_histogram(text, &batch_size);
}
