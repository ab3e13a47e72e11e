# Section profile of bench/run: where a hit's time goes.
# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034	# variables of bench/run and bench/lib.sh

# perf_groups NAME: what perf has seen, by module of ours and by part of the server
perf_groups() {
	DEBUGINFOD_URLS="" perf report -i "$pkt_tmp/perf.$1" -q --stdio --no-children --percent-limit 0 --sort dso,symbol -t '|' 2>"$pkt_tmp/perf.err" >"$pkt_tmp/perf.$1.txt" ||
		{ cat "$pkt_tmp/perf.err" >&2; return 0; }
	perl "$top/bench/profile.pl" "$1" "$pkt_src" "$pkt_tmp/perf.$1.txt" >>"$pkt_tmp/facts"
}

section_profile() {
	local one p title backend="" tries live why
	if ! command -v perf >/dev/null; then
		why="perf is not installed (Debian: linux-perf)"
	elif ! perf record -q -e cpu-clock -F 1999 -o "$pkt_tmp/perf.try" true >/dev/null 2>&1; then
		why="perf may not record here"
	else
		why=""
	fi
	if [ -n "$why" ]; then
		fact run profile_skipped "$why"
		return 0
	fi

	need_bulk
	for one in query columns; do
		progress "profile: COPY by $one"
		clean
		case $one in
			query) p=$(copy_of tracked_query queries) ;;
			*) p=$(copy_of tracked_columns hits) ;;
		esac
		# the second load of a session: rules are read, plans are made
		sql >/dev/null <<-SQL
			SELECT pg_backend_pid() AS pid \gset
			\setenv PID :pid
			INSERT INTO bench.tracked_$one SELECT * FROM bench.plain_$one LIMIT 1;
			\! perf record -q -e cpu-clock -F 1999 -p \$PID -o $pkt_tmp/perf.copy_$one >/dev/null 2>&1 & echo \$! >$pkt_tmp/perf.pid; sleep 0.5
			$p
			\! kill -INT \$(cat $pkt_tmp/perf.pid); sleep 1
		SQL
		perf_groups "copy_$one"
	done
	clean

	need_live
	begin_known
	for one in known_request new_request known_hand; do
		progress "profile: $one"
		idle
		PGOPTIONS="-c client_min_messages=error -c synchronous_commit=off" pgbench -n -M prepared -T 60 -c 1 -D visitors="$visitors" -f "$pkt_tmp/$one.pgbench" >/dev/null 2>&1 &
		live=$!
		sleep 1.5
		backend=""
		for p in $(<"/proc/$postmaster/task/$postmaster/children"); do
			title=""
			{ read -r -d '' title <"/proc/$p/cmdline"; } 2>/dev/null || true
			case $title in *'live [local]'*) backend=$p ;; esac
		done
		if [ -n "$backend" ]; then
			perf record -q -e cpu-clock -F 1999 -p "$backend" -o "$pkt_tmp/perf.$one" sleep "$((seconds + 1))" >/dev/null 2>&1 || true
			perf_groups "$one"
		fi
		kill $live 2>/dev/null || true
		wait $live 2>/dev/null || true
	done
	idle
	sql -c "TRUNCATE pk_tracking.log_link_visit_action, hand.log_link_visit_action"
}
