# Section retention of bench/run: live hits beside a purge of half of a large log.
# shellcheck shell=bash
# shellcheck disable=SC2154	# variables of bench/run and bench/lib.sh

# retention_live WHAT: how long each live hit of two clients takes, for five times $seconds
retention_live() {
	local p50 p99 most time=$((5 * seconds))
	progress "retention: beside $1"
	rm -f "$pkt_tmp"/retention_log.*
	pgbench -n -M prepared -f "$pkt_tmp/known_request.pgbench" -D visitors="$visitors" -c 2 -T "$time" \
		-l --log-prefix="$pkt_tmp/retention_log" "$PGDATABASE" >/dev/null 2>&1
	read -r p50 p99 most < <(cat "$pkt_tmp"/retention_log.* | awk '{ print $3 }' | sort -n |
		awk '{ a[NR] = $1 } END { print a[int(NR / 2) + 1] / 1000, a[int(NR * 0.99) + 1] / 1000, a[NR] / 1000 }')
	sample "retention.$1.p50_ms" "$p50"
	sample "retention.$1.p99_ms" "$p99"
	sample "retention.$1.max_ms" "$most"
	progress ""
	say "retention: live hits beside $1: p50 $p50 ms, p99 $p99 ms, longest $most ms"
}

# retention_size WHEN: of the log's two large tables
retention_size() {
	sample "retention.$1.size_mb" "$(sql -c "SELECT round(sum(pg_total_relation_size(c)) / 1048576.0, 1) FROM unnest('{pk_tracking.log_visit,pk_tracking.log_link_visit_action}'::regclass[]) c")"
	sample "retention.$1.day_pages" "$(sql -c "SELECT retention_pages(25)")"
}

# A log of $retention_visits visits of 100 days with two actions each; what is older than 50 goes.
section_retention() {
	local purge began
	PGDATABASE=retention
	if make_database retention; then
		progress "a log of $retention_visits visits"
		sql -v visits="$retention_visits" <<'SQL'
CREATE EXTENSION pgcrypto;
CREATE EXTENSION pk_tracking;
SELECT pk_tracking.create_log() \g /dev/null
SELECT pk_tracking.add_site('shop', ARRAY['https://shop.example.org'], 'UTC') \g /dev/null
SET synchronous_commit = off;
INSERT INTO pk_tracking.log_visit (idvisitor, config_id, visit_first_action_time, visit_last_action_time, last_idlink_va,
	visit_entry_idaction_url, visit_exit_idaction_url, idsite, visit_total_time, visit_total_actions, profilable, referer_type,
	location_ip, location_browser_lang, location_country, location_region, location_city, config_resolution, config_os, config_browser_name)
SELECT lpad(to_hex(v), 16, 'c')::hexid, lpad(to_hex(v), 16, 'd')::hexid, t.at, t.at + interval '5 minutes', v, 1, 3, 1, 301, 2, 1, 1,
	'10.1.0.0', 'en', 'de', 'BE', 'Berlin', '1920x1080', 'WIN', 'CH'
FROM generate_series(0, :visits - 1) v, LATERAL (SELECT date_trunc('day', now()) - interval '100 days' + v * (interval '100 days' / :visits) AS at) t;
INSERT INTO pk_tracking.log_link_visit_action (idvisit, idvisitor, idsite, server_time, idaction_url, idaction_name)
SELECT v.idvisit, v.idvisitor, 1, v.visit_first_action_time + n * interval '5 minutes', 1 + n, 3
FROM pk_tracking.log_visit v, generate_series(0, 1) n;
INSERT INTO pk_tracking.log_visit_length VALUES (1, 1800);
VACUUM (ANALYZE, FREEZE) pk_tracking.log_visit, pk_tracking.log_link_visit_action;
-- pages of visits that a report of a day reads
CREATE FUNCTION retention_pages(days integer) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	plan json;
BEGIN
	SET LOCAL enable_seqscan = off;
	EXECUTE format('EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT count(*) FROM pk_tracking.log_visit WHERE idsite = 1 AND visit_first_action_time >= current_date - %s AND visit_first_action_time < current_date - %s', days, days - 1) INTO plan;
	RETURN (plan -> 0 -> 'Plan' ->> 'Shared Hit Blocks')::bigint + (plan -> 0 -> 'Plan' ->> 'Shared Read Blocks')::bigint;
END
$$;
CHECKPOINT;
SQL
	fi
	printf '%s\n' 'SELECT count(*) FROM generate_series(1, 300000);' >"$pkt_tmp/retention_burner.pgbench"
	chmod 644 "$pkt_tmp/retention_burner.pgbench"
	retention_size before
	# visitors' first hits, and the pages
	pgbench -n -M prepared -f "$pkt_tmp/known_request.pgbench" -D visitors="$visitors" -c 2 -T 2 "$PGDATABASE" >/dev/null 2>&1
	retention_live nothing
	# what a session costs that only wants the processor
	pgbench -n -f "$pkt_tmp/retention_burner.pgbench" -c 1 -T $((5 * seconds + 2)) "$PGDATABASE" >/dev/null 2>&1 &
	purge=$!
	retention_live burner
	wait "$purge"
	began=$EPOCHREALTIME
	sql -c 'CALL pk_tracking.purge(1, 50)' >"$pkt_tmp/retention_purged" &
	purge=$!
	retention_live purge
	if ! kill -0 "$purge" 2>/dev/null; then say "retention: the purge was over before the hits were: more visits are needed"; fi
	wait "$purge"
	sample retention.purge.visits_per_s "$(awk -F '|' -v from="$began" -v to="$EPOCHREALTIME" '{ printf "%.0f\n", $1 / (to - from) }' "$pkt_tmp/retention_purged")"
	sql -c 'VACUUM pk_tracking.log_visit, pk_tracking.log_link_visit_action'
	retention_size after
	# the same number of visits again: files that do not grow, and a day that is read as fast
	sql -c "INSERT INTO pk_tracking.log_visit (idvisitor, idsite, visit_first_action_time, visit_last_action_time, location_country, config_os, config_browser_name, location_city, referer_type, visit_total_actions)
		SELECT lpad(to_hex(v), 16, 'e')::hexid, 1, t.at, t.at, 'de', 'WIN', 'CH', 'Berlin', 1, 2
		FROM generate_series(0, $retention_visits / 2 - 1) v, LATERAL (SELECT date_trunc('day', now()) + v * (interval '50 days' / ($retention_visits / 2)) AS at) t"
	retention_size refilled
}
