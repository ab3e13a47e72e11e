# What the benches share: samples, CPU of backends, a quiet machine.  Sourced by
# bench/run after script/lib.sh.  All figures go into one file as "key, round,
# value"; bench/report.pl makes medians, ratios, tables and JSON of them.
# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034	# pkt_tmp and PGHOST are script/lib.sh's, options bench/run's
export LC_ALL=C
cores=$(getconf _NPROCESSORS_ONLN)
round=1

# one row, no decoration; stops at errors
sql() { psql -X -q -A -t -v ON_ERROR_STOP=1 "$@"; }

# what goes on now, on a terminal only
progress() { if [ -t 2 ]; then printf '\r%-78.78s' "$*" >&2; fi; }

# sample KEY VALUE: one figure of this round
sample() { printf '%s\t%s\t%s\n' "$1" "$round" "$2" >>"$pkt_tmp/samples"; }

# fact GROUP KEY VALUE: something about the machine or the run
fact() { printf '%s\t%s\t%s\n' "$1" "$2" "$3" >>"$pkt_tmp/facts"; }

# make_database NAME: made once; true if it had to be made
make_database() {
	[ "$(sql -d postgres -c "SELECT count(*) FROM pg_database WHERE datname = '$1'")" = 0 ] || return 1
	sql -d postgres -c "CREATE DATABASE $1"
}

# nanoseconds that the clients' backends have been on a processor: cpu_ns, and
# how many there are: backends (but for those of the HTTP daemon, which stay)
backends_cpu() {
	local p title ns
	cpu_ns=0 backends=0
	for p in $(<"/proc/$postmaster/task/$postmaster/children"); do
		title=""
		{ read -r -d '' title <"/proc/$p/cmdline"; } 2>/dev/null || true
		case $title in
			*'[local]'*)
				case $title in *' bench_edge '*) ;; *) backends=$((backends + 1)) ;; esac
				if { read -r ns _ <"/proc/$p/schedstat"; } 2>/dev/null; then cpu_ns=$((cpu_ns + ns)); fi ;;
		esac
	done
}

# wait until no client's backend is left
idle() {
	local tries=0
	while backends_cpu; [ "$backends" != 0 ] && [ $tries -lt 200 ]; do
		tries=$((tries + 1))
		sleep 0.05
	done
}

# measure KEY SCRIPT CLIENTS COMMIT [pgbench options]: KEY.hits_per_s and KEY.cpu_us
# of $seconds seconds, after one in which connections are made, rules are read
# and plans are made.  Clients, backends and the load generator share the cores.
measure() {
	local key=$1 script=$2 clients=$3 commit=$4 line pid fd n=0 tps="" out="" done="" from to cpu
	shift 4
	idle
	exec {fd}< <(PGOPTIONS="-c client_min_messages=error -c synchronous_commit=$commit" \
		exec pgbench -n -M prepared -P 1 -T $((seconds + 6)) -f "$pkt_tmp/$script.pgbench" -c "$clients" -j "$((clients < 2 ? 1 : 2))" -D visitors="$visitors" "$@" 2>&1)
	pid=$!
	while read -r -u "$fd" line; do
		out+=$line$'\n'
		case $line in
			progress:*)
				n=$((n + 1))
				if [ $n = 1 ]; then
					backends_cpu
					cpu=$cpu_ns from=$EPOCHREALTIME
					continue
				fi
				tps+=" ${line#*s, }"
				if [ $n -gt "$seconds" ]; then
					backends_cpu
					cpu=$((cpu_ns - cpu)) to=$EPOCHREALTIME done=yes
					break
				fi ;;
			*ERROR*|*error:*|*aborted*) break ;;
		esac
	done
	kill "$pid" 2>/dev/null || true
	exec {fd}<&-
	wait "$pid" 2>/dev/null || true
	if [ -z "$done" ]; then
		printf '%s: pgbench failed\n%s\n' "$key" "$out" >&2
		exit 1
	fi
	read -r tps cpu < <(awk -v from="$from" -v to="$to" -v cpu="$cpu" '
		{ for (i = 1; i <= NF; i++) if ($i == "tps,") { n++; sum += $(i - 1) } }
		END { tps = sum / n; printf "%.1f %.3f\n", tps, cpu / 1000 / (to - from) / tps }' <<<"$tps")
	sample "$key.hits_per_s" "$tps"
	sample "$key.cpu_us" "$cpu"
}

# cost COMMANDS: what one backend takes for psql's COMMANDS, after those in
# $before: cost_s, cost_cpu (seconds on a processor) and cost_wal (bytes, of the server)
cost() {
	local asked='SELECT extract(epoch FROM clock_timestamp()), split_part(pg_read_file('\''/proc/self/schedstat'\''), '\'' '\'', 1), pg_current_wal_insert_lsn() - '\''0/0'\'';'
	idle
	read -r cost_s cost_cpu cost_wal < <(
		printf '%s\n' "${before:-}" '\o' "$asked" "\\o $pkt_tmp/cost.out" "$1" '\o' "$asked" >"$pkt_tmp/cost.sql"
		sql -F ' ' -f "$pkt_tmp/cost.sql" | awk '
			NF == 3 { s[++n] = $1; cpu[n] = $2; wal[n] = $3 }
			END { if (n != 2) exit 1; printf "%.6f %.9f %.0f\n", s[2] - s[1], (cpu[2] - cpu[1]) / 1e9, wal[2] - wal[1] }')
	[ -n "$cost_s" ]
}

# cost_sample KEY HITS COMMANDS: their hits/s and CPU a hit
cost_sample() {
	cost "$3"
	sample "$1.hits_per_s" "$(awk -v n="$2" -v s="$cost_s" 'BEGIN { printf "%.1f", n / s }')"
	sample "$1.cpu_us" "$(awk -v n="$2" -v s="$cost_cpu" 'BEGIN { printf "%.4f", s * 1e6 / n }')"
}

# what of the processors' time was used in the last second, by anybody
busy_share() {
	local a b
	read -r _ a < <(grep '^cpu ' /proc/stat)
	sleep 1
	read -r _ b < <(grep '^cpu ' /proc/stat)
	awk -v a="$a" -v b="$b" 'BEGIN {
		n = split(a, x); split(b, y)
		for (i = 1; i <= 8 && i <= n; i++) { d = y[i] - x[i]; all += d; if (i != 4 && i != 5) used += d }
		printf "%.3f", all ? used / all : 0 }'
}

# milliseconds that the slowest core takes for some work, all of them at it at once
calibration() {
	local i pids=() began=$EPOCHREALTIME
	for ((i = 0; i < cores; i++)); do
		awk 'BEGIN { for (i = 0; i < 4000000; i++) s += i % 7 }' &
		pids+=($!)
	done
	wait "${pids[@]}"
	awk -v a="$began" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", (b - a) * 1000 }'
}

# Is the machine ours alone?  While our server has nothing to do but to write
# what it has: that ends within some seconds, so the quietest of five counts.
calibrate() {
	local was=$round least=1 share tries
	progress "is the machine quiet?"
	idle
	quiet_round=$((${quiet_round:-0} + 1)) round=$quiet_round
	for ((tries = 0; tries < 5; tries++)); do
		share=$(busy_share)
		least=$(awk -v a="$share" -v b="$least" 'BEGIN { print (a < b ? a : b) }')
		if awk -v s="$least" 'BEGIN { exit !(s <= 0.05) }'; then break; fi
	done
	sample quiet.busy_share "$least"
	sample quiet.calibration_ms "$(calibration)"
	round=$was
}

# quiet_before: before anything of ours runs; stops unless --anyway
quiet_before() {
	local load share
	read -r load _ </proc/loadavg
	share=$(busy_share)
	fact quiet load_before "$load"
	fact quiet busy_before "$share"
	if awk -v l="$load" -v s="$share" -v c="$cores" 'BEGIN { exit !(l > 0.5 * c || s > 0.05) }'; then
		say "The machine is not quiet: load $load, $(awk -v s="$share" 'BEGIN { printf "%.0f", s * 100 }') % of $cores cores in use." >&2
		if [ -z "$anyway" ]; then
			say "Wait until it is, or measure all the same with --anyway." >&2
			exit 3
		fi
	fi
}
