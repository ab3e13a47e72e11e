# Section edge of bench/run: hits by HTTP, beside pgbench.
# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034	# variables of bench/run and bench/lib.sh
edge_port=18087
edge_pid=""

# edge_start COMMIT: the daemon behind a proxy, as edge/examples/nginx.conf has it
edge_start() {
	local tries=0
	cat >"$pkt_tmp/edge.conf" <<-CONF
		listen = 127.0.0.1:$edge_port
		database = 'host=$PGHOST port=$PGPORT dbname=live user=bench_edge options=''-c synchronous_commit=$1'''
		spool_directory = $pkt_tmp/spool
		spool_key_file = $edge_memory/key
	CONF
	rm -f "$pkt_tmp/edge.pid"
	# shellcheck disable=SC2016	# that shell's $$
	as_pg sh -c 'echo $$ >"$1/edge.pid"; exec "$2/pk_tracking_httpd" --config "$1/edge.conf"' sh "$pkt_tmp" "$pgbin" \
		>>"$pkt_tmp/edge.log" 2>&1 </dev/null &
	edge_job=$!
	until curl -s -f -o /dev/null "http://127.0.0.1:$edge_port/healthz"; do
		tries=$((tries + 1))
		if [ $tries -gt 100 ]; then cat "$pkt_tmp/edge.log" >&2; exit 1; fi
		sleep 0.1
	done
	edge_pid=$(<"$pkt_tmp/edge.pid")
}

edge_stop() {
	if [ -n "$edge_pid" ]; then
		kill "$edge_pid" 2>/dev/null || true
		wait "$edge_job" || true
	fi
	edge_pid=""
}

# nanoseconds that the daemon has been on a processor: edge_ns
edge_cpu() {
	edge_ns=$(cat /proc/"$edge_pid"/task/*/schedstat | awk '{ s += $1 } END { printf "%.0f", s }')
}

# wrk_figures CONNECTIONS SECONDS [close]: one line of edge.lua
wrk_figures() {
	visitors=$visitors wrk -t "$(($1 < 2 ? 1 : 2))" -c "$1" -d "$2" --timeout 30s -s "$top/bench/edge.lua" \
		"http://127.0.0.1:$edge_port/" -- "${3-}" | sed -n 's/^figures //p'
}

# measure_edge KEY CONNECTIONS SECONDS [close]: as measure() does, by HTTP; connections
# are made and plans are there before
measure_edge() {
	local key=$1 requests us status errors p50 p99 most server edge
	wrk_figures "$2" 1 "${4-}" >/dev/null
	backends_cpu
	server=$cpu_ns
	edge_cpu
	edge=$edge_ns
	read -r requests us status errors p50 p99 most < <(wrk_figures "$2" "$3" "${4-}")
	edge_cpu
	backends_cpu
	if [ "$((status + errors))" != 0 ]; then
		printf '%s: %s answers were no success, %s connections broke\n' "$key" "$status" "$errors" >&2
		exit 1
	fi
	server=$((cpu_ns - server)) edge=$((edge_ns - edge))
	sample "$key.hits_per_s" "$(awk -v n="$requests" -v us="$us" 'BEGIN { printf "%.1f", n * 1e6 / us }')"
	sample "$key.server_us" "$(awk -v n="$requests" -v ns="$server" 'BEGIN { printf "%.3f", ns / 1000 / n }')"
	sample "$key.daemon_us" "$(awk -v n="$requests" -v ns="$edge" 'BEGIN { printf "%.3f", ns / 1000 / n }')"
	sample "$key.cpu_us" "$(awk -v n="$requests" -v ns=$((server + edge)) 'BEGIN { printf "%.3f", ns / 1000 / n }')"
	sample "$key.p50_ms" "$p50"
	sample "$key.p99_ms" "$p99"
}

# The server restarts while hits come: what was answered must be there afterwards.
measure_restart() {
	local key=$1 before after requests us status errors p50 p99 most tries=0 fd
	before=$(sql -c "SELECT count(*) FROM pk_tracking.log_link_visit_action")
	exec {fd}< <(wrk_figures 64 $((seconds + 5)))
	sleep 2
	as_pg pg_ctl -D "$pkt_tmp/data" -l "$pkt_tmp/server.log" -w -s -m fast restart
	read -r -u "$fd" requests us status errors p50 p99 most
	exec {fd}<&-
	postmaster=$(head -n 1 "$pkt_tmp/data/postmaster.pid")
	# until the spool is empty, and what was under way when wrk ended is done
	until curl -s "http://127.0.0.1:$edge_port/metrics" | grep -q '^pk_tracking_spool_records 0$'; do
		tries=$((tries + 1))
		if [ $tries -gt 600 ]; then say "$key: the spool is not empty after 60 s" >&2; exit 1; fi
		sleep 0.1
	done
	sleep 0.5
	after=$(sql -c "SELECT count(*) FROM pk_tracking.log_link_visit_action")
	sample "$key.hits_per_s" "$(awk -v n="$requests" -v us="$us" 'BEGIN { printf "%.1f", n * 1e6 / us }')"
	sample "$key.p50_ms" "$p50"
	sample "$key.p99_ms" "$p99"
	sample "$key.most_ms" "$most"
	sample "$key.refused" $((status + errors))
	if [ $((after - before - requests + status)) -lt 0 ]; then
		say "$key: $((requests - status - after + before)) hits were answered and are not recorded" >&2
		exit 1
	fi
	# at most one a connection was under way at the end, unanswered
	sample "$key.recorded_beyond_answered" $((after - before - requests + status))
}

section_edge() {
	local commit c
	need_live
	sql -c "SELECT pk_tracking.set_instance('proxy_client_headers', '{x-forwarded-for}')" -o /dev/null
	# some of the visitors' networks are known for crawlers, whose hits are answered, too
	sql -c "SELECT pk_tracking.set_instance('track_bots', 'on')" -o /dev/null
	sql -c "CREATE ROLE bench_edge LOGIN" -c "SELECT pk_tracking.grant_tracker('bench_edge', edge => true)" -o /dev/null
	edge_memory=$(as_pg mktemp -d /dev/shm/pk_bench.XXXXXX)
	trap 'edge_stop; rm -rf "$edge_memory"; pkt_stop' EXIT
	for commit in off on; do
		begin_known
		edge_start "$commit"
		for ((round = 1; round <= runs; round++)); do
			for c in 1 8 64; do
				progress "edge, synchronous_commit $commit, $c clients, round $round"
				measure "edge.$commit.c$c.pgbench" known_request "$c" "$commit"
				measure_edge "edge.$commit.c$c.kept" "$c" "$seconds"
			done
			progress "edge, synchronous_commit $commit, a connection for each hit, round $round"
			measure_edge "edge.$commit.c64.close" 64 "$seconds" close
			settle pk_tracking.log_link_visit_action
		done
		calibrate
		for ((round = 1; round <= runs; round++)); do
			progress "edge, synchronous_commit $commit, PostgreSQL restarts, round $round"
			measure_restart "edge.$commit.restart"
		done
		edge_stop
	done
	round=1
	rm -rf "$edge_memory"
	trap pkt_stop EXIT
}
