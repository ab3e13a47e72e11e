# Section rollups of bench/run: roll-ups of a year, and the reports that read them.
# shellcheck shell=bash
# shellcheck disable=SC2154	# variables of bench/run and bench/lib.sh

# rollups_load: the rows, by COPY, a twelfth at a time; without the triggers that mark days,
# which look visitors up by indexes that are made last
rollups_load() {
	local what table a b step=$(((rollup_visits + rollup_crowd + 11) / 12)) all=$((rollup_visits + rollup_crowd))
	for what in visit action; do
		table=pk_tracking.log_visit
		[ $what = visit ] || table=pk_tracking.log_link_visit_action
		for ((a = 0; a < all; a += step)); do
			b=$((a + step > all ? all : a + step))
			progress "rollups: ${what}s $a to $b of $all"
			sql -c "COPY ($(sql -c "SELECT bench.${what}s_query($a, $b - 1, $rollup_visits, $rollup_crowd, $rollup_actions)")) TO STDOUT" |
				PGOPTIONS="$PGOPTIONS -c synchronous_commit=off -c session_replication_role=replica" sql -c "COPY $table ($(sql -c "SELECT names FROM bench.${what}_columns")) FROM STDIN"
		done
	done
	progress "rollups: indexes"
	sql <<-'SQL'
		SET maintenance_work_mem = '1GB';
		SELECT bench.indexes(true) \g /dev/null
		INSERT INTO pk_tracking.log_conversion (idvisit, idlink_va, idsite, server_time, idvisitor, consent, idgoal, buster, idorder, items, revenue, revenue_subtotal, referer_type, referer_name, referer_keyword, visitor_count_visits, visitor_returning)
		SELECT v.idvisit, v.last_idlink_va, 1, v.visit_last_action_time, v.idvisitor, v.consent, g, 0, CASE g WHEN 0 THEN 'order ' || v.idvisit END, CASE g WHEN 0 THEN 2 END, CASE g WHEN 1 THEN 5 ELSE 100 + v.idvisit % 50 END,
			CASE g WHEN 0 THEN 90 END, v.referer_type, v.referer_name, v.referer_keyword, v.visitor_count_visits, v.visitor_returning
		FROM pk_tracking.log_visit v, generate_series(0, 1) g WHERE CASE g WHEN 0 THEN v.idvisit % 100 = 0 ELSE v.idvisit % 20 = 0 END;
		INSERT INTO pk_tracking.log_conversion_item (idvisit, idsite, server_time, idvisitor, consent, idaction_sku, idaction_name, idaction_category, quantity, price, idorder, deleted)
		SELECT c.idvisit, 1, c.server_time, c.idvisitor, c.consent, 5000000 + (c.idvisit / 100 + i * 7) % 500, 6000000 + (c.idvisit / 100 + i * 7) % 500, 7000000 + (c.idvisit / 100 + i * 7) % 20, i, 20 + i, c.idorder, false
		FROM pk_tracking.log_conversion c, generate_series(1, 2) i WHERE c.idgoal = 0;
		SELECT setval(pg_get_serial_sequence('pk_tracking.log_visit', 'idvisit'), max(v.idvisit)) FROM pk_tracking.log_visit v \g /dev/null
		SELECT setval(pg_get_serial_sequence('pk_tracking.log_link_visit_action', 'idlink_va'), max(l.idlink_va)) FROM pk_tracking.log_link_visit_action l \g /dev/null
		INSERT INTO pk_tracking.log_visit_length VALUES (1, 3600);
		VACUUM (ANALYZE) pk_tracking.log_visit, pk_tracking.log_link_visit_action, pk_tracking.log_conversion, pk_tracking.log_conversion_item, pk_tracking.log_action;
		CHECKPOINT;
	SQL
}

# rollups_cold: neither the server nor the system has pages of the database in memory
rollups_cold() {
	local f
	as_pg pg_ctl -D "$pkt_tmp/data" -l "$pkt_tmp/server.log" -w -s restart
	postmaster=$(head -n 1 "$pkt_tmp/data/postmaster.pid")
	while read -r f; do
		dd if="$f" of=/dev/null iflag=nocache count=0 2>/dev/null || true
	done < <(find "$pkt_tmp/data/base" -type f)
}

# rollups_reports FROM HOW: all of them, a day, a month, a year
rollups_reports() {
	local span days report ms most
	for span in day month year; do
		case $span in day) days=1 ;; month) days=30 ;; year) days=365 ;; esac
		[ "$2" != cold ] || rollups_cold
		progress "rollups: a $span from $1, $2"
		most=0
		while read -r report ms; do
			sample "rollups.$1.$2.$span.${report}_ms" "$ms"
			most=$(awk -v a="$most" -v b="$ms" 'BEGIN { print (a > b ? a : b) }')
		done < <(sql -v days="$days" -v from="$1" -f "$top/bench/rollups.sql")
		sample "rollups.$1.$2.$span.slowest_ms" "$most"
		progress ""
		say "rollups: a $span from $1, $2: slowest report $most ms"
	done
}

# rollups_live WHAT: how long each of $live_rate hits a second takes, of two clients
rollups_live() {
	local p50 p99 most
	progress "rollups: live hits beside $1"
	rm -f "$pkt_tmp"/rollups_log.*
	pgbench -n -M prepared -f "$pkt_tmp/known_request.pgbench" -D visitors="$visitors" -c 2 -R "$live_rate" -T "$((10 * seconds))" \
		-l --log-prefix="$pkt_tmp/rollups_log" "$PGDATABASE" >/dev/null 2>&1
	read -r p50 p99 most < <(cat "$pkt_tmp"/rollups_log.* | awk '{ print $3 }' | sort -n |
		awk '{ a[NR] = $1 } END { print a[int(NR / 2) + 1] / 1000, a[int(NR * 0.99) + 1] / 1000, a[NR] / 1000 }')
	sample "rollups.$1.p50_ms" "$p50"
	sample "rollups.$1.p99_ms" "$p99"
	sample "rollups.$1.max_ms" "$most"
	progress ""
	say "rollups: live hits beside $1: p50 $p50 ms, p99 $p99 ms, longest $most ms"
}

# rollups_beside WHAT STATEMENT: live hits beside maintain(), which has the days to build
# that the statement says
rollups_beside() {
	local maintaining
	sql -c "$2" -c CHECKPOINT
	rollups_all >/dev/null 2>&1 &
	maintaining=$!
	rollups_live "$1"
	if ! kill -0 "$maintaining" 2>/dev/null; then say "rollups: maintain() was over before the hits were: more visits are needed"; fi
	kill "$maintaining" 2>/dev/null || true
	wait "$maintaining" 2>/dev/null || true
	sql -c "SELECT pg_terminate_backend(a.pid) FROM pg_stat_activity a WHERE a.query ~ 'maintain' AND a.pid <> pg_backend_pid()" >/dev/null
}

# rollups_all: maintain() until no day is missing; prints the seconds
rollups_all() {
	local began=$EPOCHREALTIME
	while [ "$(sql -c "SELECT m.done > 0 FROM pk_tracking.maintain() m WHERE m.task = 'days of roll-ups built'")" = t ]; do :; done
	awk -v from="$began" -v to="$EPOCHREALTIME" 'BEGIN { printf "%.2f\n", to - from }'
}

section_rollups() {
	local s burner
	PGDATABASE=rollups
	if make_database rollups; then
		sql -f "$top/bench/rollups_log.sql"
		rollups_load
	fi
	rollups_reports log warm
	progress "rollups: all days are built"
	s=$(rollups_all)
	sample rollups.build.year_s "$s"
	sql -c "VACUUM (ANALYZE)" -c CHECKPOINT
	# the last one was built when nothing was in the way
	cost "SELECT pk_tracking.rebuild_rollups(1, (now() AT TIME ZONE 'Europe/Berlin')::date - 20, (now() AT TIME ZONE 'Europe/Berlin')::date - 20);"
	sample rollups.build.day_s "$cost_s"
	cost "SELECT pk_tracking.rebuild_rollups(1, (now() AT TIME ZONE 'Europe/Berlin')::date - 40, (now() AT TIME ZONE 'Europe/Berlin')::date - 40);"
	sample rollups.build.crowd_s "$cost_s"
	sample rollups.build.crowd_hits "$(((rollup_crowd + rollup_visits / 366) * rollup_actions))"
	say "rollups: a year was built in $s s, a day of $(((rollup_crowd + rollup_visits / 366) * rollup_actions)) hits in $cost_s s"
	rollups_reports rollups warm
	rollups_reports rollups warm
	rollups_reports rollups cold
	sample rollups.size.log_mb "$(sql -c "SELECT round(sum(pg_total_relation_size(c.oid)) / 1048576.0, 1) FROM pg_class c WHERE c.relnamespace = 'pk_tracking'::regnamespace AND c.relkind = 'r' AND c.relname ~ '^log_'")"
	sample rollups.size.rollups_mb "$(sql -c "SELECT round(sum(pg_total_relation_size(c.oid)) / 1048576.0, 1) FROM pg_class c WHERE c.relnamespace = 'pk_tracking'::regnamespace AND c.relkind = 'r' AND c.relname ~ '^rollup_'")"
	sql -F ' ' -c "SELECT 'rollups: bytes of ' || c.relname || ': ' || pg_total_relation_size(c.oid) FROM pg_class c WHERE c.relnamespace = 'pk_tracking'::regnamespace AND c.relkind = 'r' AND c.relname ~ '^(log|rollup)_' AND pg_total_relation_size(c.oid) > 1000000 ORDER BY 1"
	rollups_live nothing
	# what a session costs that only wants the processor
	printf '%s\n' 'SELECT sum(sqrt(g)) FROM generate_series(1, 300000) g;' >"$pkt_tmp/rollups_burner.pgbench"
	chmod 644 "$pkt_tmp/rollups_burner.pgbench"
	pgbench -n -f "$pkt_tmp/rollups_burner.pgbench" -c 1 -T $((10 * seconds + 2)) "$PGDATABASE" >/dev/null 2>&1 &
	burner=$!
	rollups_live burner
	wait "$burner"
	rollups_live nothing
	# days that are built for the first time, then days that are built anew
	rollups_beside maintain "TRUNCATE pk_tracking.rollup_visit, pk_tracking.rollup_fact, pk_tracking.rollup_times;
		UPDATE pk_tracking.rollup_day SET built = NULL, spans_built = '{}'"
	rollups_live nothing
	rollups_beside maintain_again "UPDATE pk_tracking.rollup_day SET stale = true"
	rollups_live nothing
}
