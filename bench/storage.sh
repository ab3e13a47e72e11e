# Sections storage and memory of bench/run: what hits leave on the disk, in the
# WAL and in a backend.
# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034	# variables of bench/run and bench/lib.sh

# wal_of KEY HITS SCRIPT: WAL bytes a hit of so many hits
wal_of() {
	local key=$1 many=$2 before after
	idle
	before=$(sql -c "SELECT pg_current_wal_insert_lsn() - '0/0'")
	PGOPTIONS="-c client_min_messages=error -c synchronous_commit=off" pgbench -n -M prepared -c 2 -j 1 -t $((many / 2)) -D visitors="$visitors" -f "$pkt_tmp/$3.pgbench" >"$pkt_tmp/pgbench.out" 2>&1 || { cat "$pkt_tmp/pgbench.out" >&2; exit 1; }
	after=$(sql -c "SELECT pg_current_wal_insert_lsn() - '0/0'")
	sample "$key" "$(((after - before) / many))"
}

# hot_of KEY COMMAND...: share of HOT updates of log_visit while the command runs
hot_of() {
	local key=$1
	shift
	idle
	sql -c "SELECT pg_sleep(1.1)" -c "SELECT pg_stat_reset_single_table_counters('pk_tracking.log_visit'::regclass)" >/dev/null
	"$@"
	idle
	sample "$key" "$(sql -c "SELECT pg_sleep(1.1)" -c "SELECT round(n_tup_hot_upd::numeric / nullif(n_tup_upd, 0), 4) FROM pg_stat_user_tables WHERE relid = 'pk_tracking.log_visit'::regclass" | tail -n 1)"
}

# sizes PREFIX: bytes a row of heap and indexes
sizes() {
	while read -r key value; do
		sample "$1.$key" "$value"
	done < <(sql -F ' ' <<-'SQL'
		SELECT x.what || x.part, round(x.bytes::numeric / nullif(x.n, 0), 1)
		FROM (VALUES ('visit', 'pk_tracking.log_visit', (SELECT count(*) FROM pk_tracking.log_visit)),
				('action', 'pk_tracking.log_link_visit_action', (SELECT count(*) FROM pk_tracking.log_link_visit_action)),
				('name', 'pk_tracking.log_action', (SELECT count(*) FROM pk_tracking.log_action))) t (what, tab, n),
			LATERAL (VALUES (t.what, '_bytes', pg_table_size(t.tab), t.n), (t.what, '_index_bytes', pg_indexes_size(t.tab), t.n)) x (what, part, bytes, n)
		UNION ALL
		SELECT 'hit_bytes', round((pg_total_relation_size('pk_tracking.log_visit') + pg_total_relation_size('pk_tracking.log_link_visit_action')
			+ pg_total_relation_size('pk_tracking.log_action'))::numeric / (SELECT count(*) FROM pk_tracking.log_link_visit_action), 1)
		SQL
	)
}

section_storage() {
	local f plain wal_hits=$((visitors * 2))
	need_bulk
	progress "storage: a day of hits"
	clean
	cost "$(copy_of plain_columns hits)"
	plain=$cost_wal
	clean
	cost "$(copy_of tracked_columns hits)"
	sample storage.bulk.wal_bytes "$(((cost_wal - plain) / n))"
	sizes storage.bulk
	clean
	# two hits of three, so that the visits are as long as the day's
	progress "storage: the same hits one by one"
	PGOPTIONS="-c client_min_messages=error -c synchronous_commit=off" pgbench -n -M prepared -c 2 -j 1 -t $((n / 3)) -D n=0 -D clients=2 -D hits="$n" -f "$pkt_tmp/mixed.pgbench" >"$pkt_tmp/pgbench.out" 2>&1
	sizes storage.live
	clean

	need_live
	begin_known
	progress "storage: WAL and HOT updates"
	# the first hits after a checkpoint write whole pages
	sql -c CHECKPOINT
	wal_of storage.known.wal_bytes_after_checkpoint $wal_hits known_request
	wal_of storage.known.wal_bytes $wal_hits known_request
	wal_of storage.known_hand.wal_bytes $wal_hits known_hand
	hot_of storage.hot_share.known wal_of storage.unused $wal_hits known_request
	wal_of storage.new.wal_bytes $wal_hits new_request
	wal_of storage.new_hand.wal_bytes $wal_hits new_hand
	hot_of storage.hot_share.shared_networks wal_of storage.unused $wal_hits popular_request
	hot_of storage.hot_share.logins sql -v visitors=$((visitors / 5)) -v every=5 -v prefix=e -f "$top/bench/logins.sql"
	hot_of storage.hot_share.everybody_logs_in sql -v visitors=$((visitors / 5)) -v every=1 -v prefix=f -f "$top/bench/logins.sql"
	for f in 100 90 80 60; do
		progress "storage: fillfactor $f"
		sql -c "ALTER TABLE pk_tracking.log_visit SET (fillfactor = $f)"
		begin_known
		hot_of "storage.fillfactor_$f.hot_share" wal_of "storage.fillfactor_$f.wal_bytes" $((visitors * 5)) known_request
		sample "storage.fillfactor_$f.visit_bytes" "$(sql -c "SELECT round(pg_relation_size('pk_tracking.log_visit')::numeric / $visitors, 1)")"
		sample "storage.fillfactor_$f.index_bytes" "$(sql -c "SELECT round(pg_indexes_size('pk_tracking.log_visit')::numeric / $visitors, 1)")"
	done
	sql -c "ALTER TABLE pk_tracking.log_visit SET (fillfactor = 80)" -c "TRUNCATE pk_tracking.log_link_visit_action, hand.log_link_visit_action"
	calibrate
}

section_memory() {
	local key after contexts private
	PGDATABASE=memory
	if make_database memory; then sql -f "$top/bench/memory.sql"; fi
	progress "memory: $different_hits different hits"
	while read -r key after contexts private; do
		[ "$key" = memory ] || continue
		sample "memory.h$after.contexts_mb" "$contexts"
		sample "memory.h$after.private_mb" "$private"
	done < <({
		for after in $((different_hits / 100)) $((different_hits / 10)) $((different_hits)); do
			cat <<-SQL
				CALL bench.different_hits($after);
				SELECT sum(total_bytes) FROM pg_backend_memory_contexts \g /dev/null
				SELECT 'memory', $after, round(sum(total_bytes) / 1048576.0, 3),
					round((regexp_match(pg_read_file('/proc/self/status'), 'RssAnon:\s+(\d+)'))[1]::numeric / 1024, 3)
				FROM pg_backend_memory_contexts;
			SQL
		done
	} | sql -F ' ')
	fact run different_hits "$different_hits"
	sql -c "SELECT 1 / (count(*) = $different_hits)::int FROM pk_tracking.log_link_visit_action" >/dev/null
	idle
	sql -d postgres -c "DROP DATABASE memory"
}
