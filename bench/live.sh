# Sections live and first of bench/run: hits one by one.
# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034	# variables of bench/run and bench/lib.sh

# the database with the hand-written function and $visitors known visitors
need_live() {
	PGDATABASE=live
	if make_database live; then
		progress "the live bench's database"
		sql -f "$top/bench/prepare.sql"
	fi
}

# a log of one visit of each known visitor, just begun
begin_known() {
	progress "known visitors' visits begin"
	sql -c "SET synchronous_commit = off" -c "CALL bench.begin_known($visitors)" -c "VACUUM ANALYZE" -c CHECKPOINT
}

# empty tables again, and no page that was not written since
settle() {
	local t
	for t in "$@"; do sql -c "TRUNCATE $t"; done
	sql -c "VACUUM (ANALYZE) pk_tracking.log_visit" -c "VACUUM (ANALYZE) hand.log_visit" -c CHECKPOINT
}

# contest WHAT CONTESTANT...: by turns, each commit setting and number of clients
contest() {
	local what=$1 commit c one
	shift
	for commit in off on; do
		for c in $clients; do
			for ((round = 1; round <= runs; round++)); do
				for one in "$@"; do
					progress "live, $what, synchronous_commit $commit, $c clients, round $round: $one"
					measure "live.$what.$commit.c$c.$one" "${what}_$one" "$c" "$commit"
				done
			done
			calibrate
			# never an empty table: the function's plans would be for that
			if [ "$what" = new ]; then
				begin_known
			else
				settle pk_tracking.log_link_visit_action hand.log_link_visit_action
			fi
		done
	done
	round=1
}

section_live() {
	local before after
	need_live
	begin_known
	contest known request track hand insert
	contest popular request hand
	contest new request track hand
	# are they new?
	before=$(sql -c "SELECT count(*) FROM pk_tracking.log_visit")
	settle pk_tracking.log_link_visit_action
	measure live.new_check new_request 1 off
	after=$(sql -c "SELECT count(*) - $before FROM pk_tracking.log_visit")
	sample live.new.visits_begun_share "$(sql -c "SELECT round($after::numeric / count(*), 4) FROM pk_tracking.log_link_visit_action")"
	settle pk_tracking.log_link_visit_action
}

# What a new connection's first hit takes, and what its backend then holds.
section_first() {
	local part n=$runs v key value
	need_live
	[ "$n" -ge 5 ] || n=5
	for ((round = 1; round <= n; round++)); do
		for part in hand nothing agent city both; do
			progress "a new connection's first hit, round $round: $part"
			{
				case $part in nothing|city) say "SET pk_tracking.user_agent_rules_file = '';" ;; esac
				case $part in nothing|agent) say "SET pk_tracking.geoip_city_file = '';" ;; esac
				say "SET synchronous_commit = off;"
				for v in 1 2 3 4; do
					printf '%s\n' "SELECT clock_timestamp() AS before$v \\gset"
					if [ $part = hand ]; then
						say "SELECT FROM hand.track(1, '${round}0000000000000f$v', '${round}0000000000000f$v', 1, 1, '81.2.$v.$round', now()) \\g /dev/null"
					else
						say "SELECT FROM pk_tracking.track_request('idsite=1&rec=1&_id=${round}0000000000000f$v&url=https%3A%2F%2Fshop.example.org%2F', '81.2.$v.$round'," \
							"'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:144.0) Gecko/20100101 Firefox/144.0', 'en') \\g /dev/null"
					fi
					printf '%s\n' "SELECT clock_timestamp() AS after$v \\gset"
				done
				cat <<-'SQL'
					SELECT 'ms', round(extract(epoch FROM :'after1'::timestamptz - :'before1'::timestamptz) * 1000, 3);
					SELECT 'later_ms', round(extract(epoch FROM :'after4'::timestamptz - :'before4'::timestamptz) * 1000, 3);
					SELECT 'contexts_mb', round(sum(total_bytes) / 1048576.0, 3) FROM pg_backend_memory_contexts;
					SELECT 'private_mb', round((regexp_match(pg_read_file('/proc/self/status'), 'RssAnon:\s+(\d+)'))[1]::numeric / 1024, 3);
				SQL
			} >"$pkt_tmp/first.sql"
			idle
			while read -r key value; do
				sample "first.$part.$key" "$value"
			done < <(sql -F ' ' -f "$pkt_tmp/first.sql")
		done
	done
	round=1
	sql -c "TRUNCATE pk_tracking.log_link_visit_action, hand.log_link_visit_action"
}
