# Section lookup of bench/run: does a visitor cost more to find in a large log?
# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034	# variables of bench/run and bench/lib.sh

# need_visits N: a database with a log of N visits, in memory as far as it fits
need_visits() {
	PGDATABASE=visits_$1
	if make_database "visits_$1"; then
		progress "a log of $1 visits"
		sql -v visits="$1" -f "$top/bench/visits.sql"
		sample "lookup.v$1.size_mb" "$(sql -c "SELECT round(pg_total_relation_size('pk_tracking.log_visit') / 1048576.0, 1)")"
		sql -c "SELECT pg_prewarm(c.oid) FROM pg_class c WHERE c.oid = 'pk_tracking.log_visit'::regclass
			OR c.oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = 'pk_tracking.log_visit'::regclass)" >/dev/null
	fi
}

section_lookup() {
	local v what
	# no checkpoint from here on, so that no hit writes whole pages into the WAL
	# because its page is the only one of its visitor
	for v in $visit_counts; do need_visits "$v"; done
	calibrate
	for ((round = 1; round <= runs; round++)); do
		for what in hit match; do
			for v in $visit_counts; do
				progress "look-up, round $round: $what among $v visits"
				PGDATABASE=visits_$v
				# of all visitors, and of those who came last
				measure "lookup.v$v.$what" "lookup_$what" 1 off -D visits="$v" -D span=$((v / 4))
				if [ "$what" = hit ]; then
					measure "lookup.v$v.${what}_newest" "lookup_$what" 1 off -D visits="$v" -D span=2500
				fi
			done
		done
	done
	round=1
	for v in $visit_counts; do
		PGDATABASE=visits_$v
		# every hit must have continued a visit
		sample "lookup.v$v.continued_share" "$(sql -c "SELECT round(1 - (SELECT count(*) - $v FROM pk_tracking.log_visit)::numeric / count(*), 4) FROM pk_tracking.log_link_visit_action")"
	done
	for v in $visit_counts; do
		idle
		sql -d postgres -c "DROP DATABASE visits_$v"
	done

	need_live
	progress "look-up: making $many visits of one id"
	sql -v many="$many" -f "$top/bench/lookup.sql"
	for ((round = 1; round <= runs; round++)); do
		for what in few_continue many_continue few_amid many_amid few_later many_later; do
			progress "look-up, round $round: $what"
			measure "lookup.one_id.$what" "$what" 1 off -D amid=$((many / 2))
		done
	done
	round=1
	calibrate
	sql -c "DELETE FROM pk_tracking.log_link_visit_action WHERE idsite = 2" -c "DELETE FROM pk_tracking.log_visit WHERE idsite = 2" -c "VACUUM"
}
