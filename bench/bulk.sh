# Sections bulk and ingest of bench/run: a day of hits at once.
# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034	# variables of bench/run and bench/lib.sh

# the database with a day of hits, as rows and as files
need_bulk() {
	PGDATABASE=bulk
	if make_database bulk; then
		progress "a day of hits"
		sql -v hits="$hits" -f "$top/bench/bulk.sql"
		sql -f "$top/bench/bulk_tables.sql"
		sql -c "\\copy bench.queries TO '$pkt_tmp/queries'" -c "\\copy bench.hits TO '$pkt_tmp/hits'"
		sql -c CHECKPOINT
	fi
	n=$(sql -c "SELECT count(*) FROM bench.hits")
	fact run bulk_hits "$n"
}

clean() { sql -c "SELECT bench.clean()" -c CHECKPOINT >/dev/null; }

copy_of() { printf "\\\\copy bench.%s FROM '%s'" "$1" "$pkt_tmp/$2"; }

section_bulk() {
	local one commit c
	need_bulk
	for ((round = 1; round <= bulk_runs; round++)); do
		for one in plain_query tracked_query plain_columns tracked_columns window; do
			progress "bulk, round $round: $one"
			clean
			case $one in
				*_query) cost_sample "bulk.$one" "$n" "$(copy_of "$one" queries)" ;;
				*_columns) cost_sample "bulk.$one" "$n" "$(copy_of "$one" hits)" ;;
				window) cost_sample bulk.window "$n" "CALL bench.sessionise();" ;;
			esac
			case $one in tracked_*)
				sql -c "SELECT bench.check_load($n)" >/dev/null
				sample "bulk.$one.hits_per_visit" "$(sql -c "SELECT round((SELECT count(*) FROM pk_tracking.log_link_visit_action)::numeric / count(*), 3) FROM pk_tracking.log_visit")"
				sample "bulk.$one.anonymous_share" "$(sql -c "SELECT round(avg((consent >= 2)::int), 4) FROM pk_tracking.log_link_visit_action")"
				sample "bulk.$one.located_share" "$(sql -c "SELECT round(avg((location_city IS NOT NULL)::int), 4) FROM pk_tracking.log_visit")" ;;
			esac
		done
		calibrate
	done

	# the same hits one by one, a transaction each
	for ((round = 1; round <= runs; round++)); do
		for commit in off on; do
			for c in $clients; do
				progress "bulk: the same hits one by one, round $round, synchronous_commit $commit, $c clients"
				clean
				measure "bulk.live.$commit.c$c" mixed "$c" "$commit" -D n=0 -D clients="$c" -D hits="$n"
			done
		done
		# they are fetched from a table by the same statement: what does that cost?
		measure bulk.fetch fetch 1 off -D n=0 -D clients=1 -D hits="$n"
		measure bulk.nothing nothing 1 off
	done

	# what one more index costs, and one less
	for ((round = 1; round <= runs; round++)); do
		for one in as_is actions_btree visits_btree no_brin; do
			progress "bulk, indexes, round $round: $one"
			clean
			case $one in
				actions_btree) sql -c "CREATE INDEX extra ON pk_tracking.log_link_visit_action (idsite, server_time)" ;;
				visits_btree) sql -c "CREATE INDEX extra ON pk_tracking.log_visit (idsite, visit_first_action_time)" ;;
				no_brin) sql -c "DROP INDEX pk_tracking.log_visit_time, pk_tracking.log_link_visit_action_time" ;;
			esac
			cost_sample "bulk.index.$one" "$n" "$(copy_of tracked_columns hits)"
			sql -c "DROP INDEX IF EXISTS pk_tracking.extra"
		done
		sql -c "CREATE INDEX log_visit_time ON pk_tracking.log_visit USING brin (visit_first_action_time)" \
			-c "CREATE INDEX log_link_visit_action_time ON pk_tracking.log_link_visit_action USING brin (server_time)"
	done
	round=1
	calibrate
}

# latencies FROM TO: median, 99th percentile and longest, in milliseconds, of the
# live hits that were due between, and how many; a hit waits from when it is due
latencies() {
	awk -v from="$1" -v to="$2" '{ due = $5 + ($6 - $3) / 1e6 } due >= from && due <= to { print $3 / 1000 }' "$pkt_tmp"/live_log.* | sort -n |
		awk '{ v[NR] = $1 } END { if (NR < 20) exit 1; printf "%.3f %.3f %.3f %d\n", v[int((NR + 1) / 2)], v[int(NR * 0.99)], v[NR], NR }'
}

# sample_latencies KEY FROM TO: as samples
sample_latencies() {
	local median p99 most many
	read -r median p99 most many < <(latencies "$2" "$3") || true
	if [ -z "${median:-}" ]; then
		# a load of half a second is over before there is much to see
		say "$1: too few live hits while it ran: more --hits" >&2
		return 0
	fi
	sample "$1.median_ms" "$median"
	sample "$1.p99_ms" "$p99"
	sample "$1.most_ms" "$most"
	sample "$1.live_hits" "$many"
}

# Live hits of the same sites, $live_rate a second, while ingest() runs and while it does not.
section_ingest() {
	local batch from to live pid
	need_bulk
	sql -c "DROP TABLE IF EXISTS bench.raw" -c "CREATE TABLE bench.raw AS SELECT row_number() OVER (ORDER BY h.at) AS id, h.* FROM bench.hits h" \
		-c "ALTER TABLE bench.raw ADD PRIMARY KEY (id)" -c "VACUUM ANALYZE bench.raw" -c CHECKPOINT
	for ((round = 1; round <= runs; round++)); do
		for batch in 0 1000 10000 100000; do
			progress "ingest beside live hits, round $round: batch $batch"
			clean
			idle
			rm -f "$pkt_tmp"/live_log.*
			(cd "$pkt_tmp" && exec pgbench -n -M prepared -T 600 -R "$live_rate" -c 4 -j 1 -f "$pkt_tmp/beside.pgbench" --log --log-prefix="$pkt_tmp/live_log" >"$pkt_tmp/beside.out" 2>&1) &
			live=$!
			sleep 2
			from=$EPOCHREALTIME
			if [ $batch = 0 ]; then
				sleep "$((seconds * 2))"
			else
				sql -c "CALL pk_tracking.ingest('bench.raw', '{\"idsite\": \"idsite\", \"at\": \"at\", \"ip\": \"ip\", \"user_agent\": \"user_agent\", \"accept_language\": \"accept_language\", \"url\": \"url\", \"action_name\": \"action_name\", \"urlref\": \"urlref\", \"_id\": \"_id\", \"pv_id\": \"pv_id\", \"res\": \"res\", \"e_c\": \"e_c\", \"e_a\": \"e_a\", \"e_n\": \"e_n\", \"consent\": \"consent\"}', batch => $batch, trusted => true)"
			fi
			to=$EPOCHREALTIME
			# what pgbench has not yet written to its log
			sleep 1.5
			kill $live 2>/dev/null || true
			wait $live 2>/dev/null || true
			if grep -q 'ERROR\|aborted' "$pkt_tmp/beside.out"; then
				cat "$pkt_tmp/beside.out" >&2
				exit 1
			fi
			if [ $batch = 0 ]; then
				sample_latencies ingest.without "$from" "$to"
			else
				sql -c "SELECT bench.check_load($n)" >/dev/null
				sample_latencies "ingest.batch_$batch" "$from" "$to"
				sample "ingest.batch_$batch.hits_per_s" "$(awk -v n="$n" -v a="$from" -v b="$to" 'BEGIN { printf "%.1f", n / (b - a) }')"
			fi
		done
		calibrate
	done
	round=1
	sql -c "DROP TABLE bench.raw"
}
