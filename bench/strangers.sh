# Section strangers of bench/run: live hits beside documents without a token.
# shellcheck shell=bash
# shellcheck disable=SC2154	# variables of bench/run and bench/lib.sh

# strangers_beside WHAT: how long each live hit of four clients takes, for ten times
# $seconds, beside nothing, four sessions that only burn CPU, or four attackers with
# documents of 10,000 ids; and what the clients' backends are seen doing.
strangers_beside() {
	local what=$1 other="" time=$((10 * seconds)) seen p50 p99 most
	progress "strangers, round $round: beside $what"
	idle
	rm -f "$pkt_tmp"/strangers_log.*
	if [ "$what" != nothing ]; then
		pgbench -n -f "$pkt_tmp/strangers_$what.pgbench" -c 4 -T $((time + 2)) "$PGDATABASE" >/dev/null 2>&1 &
		other=$!
		sleep 1
	fi
	PGAPPNAME=live pgbench -n -M prepared -f "$pkt_tmp/known_request.pgbench" -D visitors="$visitors" -c 4 -T "$time" \
		-l --log-prefix="$pkt_tmp/strangers_log" "$PGDATABASE" >/dev/null 2>&1 &
	# of the backends that have something to do: how many wait for a lock, and how many for a site
	seen=$(sql -c "SELECT * FROM strangers_seen($time)")
	wait $! ${other:+"$other"}
	read -r p50 p99 most < <(cat "$pkt_tmp"/strangers_log.* | awk '{ print $3 }' | sort -n |
		awk '{ a[NR] = $1 } END { print a[int(NR / 2) + 1] / 1000, a[int(NR * 0.99) + 1] / 1000, a[NR] / 1000 }')
	sample "strangers.$what.hits" "$(cat "$pkt_tmp"/strangers_log.* | wc -l)"
	sample "strangers.$what.p50_ms" "$p50"
	sample "strangers.$what.p99_ms" "$p99"
	sample "strangers.$what.max_ms" "$most"
	progress ""
	say "strangers: beside $what: $(cat "$pkt_tmp"/strangers_log.* | wc -l) hits, p50 $p50 ms, p99 $p99 ms, longest $most ms; $seen"
}

section_strangers() {
	PGDATABASE=strangers
	if make_database strangers; then
		sql <<'SQL'
CREATE EXTENSION pgcrypto;
CREATE EXTENSION pk_tracking;
SELECT pk_tracking.create_log() \g /dev/null
SELECT pk_tracking.add_site('shop', ARRAY['https://shop.example.org'], 'Europe/Berlin') \g /dev/null
-- a document of 10,000 ids that nobody has seen
CREATE FUNCTION strangers_document() RETURNS text LANGUAGE sql VOLATILE AS $$
	SELECT jsonb_build_object('requests', jsonb_agg(format('?idsite=1&rec=1&url=https://shop.example.org/%s&_id=%s%s', i, lpad(to_hex((random() * 1e9)::bigint), 8, '0'), lpad(to_hex(i), 8, '0'))))::text
	FROM generate_series(1, 10000) i
$$;
CREATE TABLE strangers_documents AS SELECT n, strangers_document() AS document FROM generate_series(1, 40) n;
CREATE FUNCTION strangers_seen(seconds integer, OUT said text) LANGUAGE plpgsql AS $$
DECLARE
	runs bigint := 0;
	locks bigint := 0;
	gates bigint := 0;
	over timestamptz := clock_timestamp() + $1 * interval '1 s';
	n record;
BEGIN
	WHILE clock_timestamp() < over LOOP
		PERFORM pg_stat_clear_snapshot();
		SELECT count(*) FILTER (WHERE a.wait_event_type IS NULL) AS runs, count(*) FILTER (WHERE a.wait_event_type = 'Lock') AS locks,
			count(*) FILTER (WHERE EXISTS (SELECT FROM pg_locks l WHERE l.pid = a.pid AND NOT l.granted AND l.objsubid = 28779 AND l.mode = 'ShareLock')) AS gates
		INTO n FROM pg_stat_activity a WHERE a.application_name = 'live' AND a.state = 'active';
		runs := runs + n.runs;
		locks := locks + n.locks;
		gates := gates + n.gates;
		PERFORM pg_sleep(0.05);
	END LOOP;
	said := format('live backends seen on or waiting for a processor %s times, waiting for a lock %s times, for a site %s times', runs, locks, gates);
END
$$;
SQL
	fi
	printf '%s\n' 'SELECT count(*) FROM generate_series(1, 300000);' >"$pkt_tmp/strangers_burners.pgbench"
	printf '%s\n' '\set n random(1, 40)' "SELECT pk_tracking.track_requests_answer(d.document, '198.51.100.' || :client_id::text, 'stranger') FROM strangers_documents d WHERE d.n = :n;" |
		sed "s/'198.51.100.' || :client_id::text/('198.51.100.' || :client_id::text)::inet/" >"$pkt_tmp/strangers_attackers.pgbench"
	chmod 644 "$pkt_tmp"/strangers_*.pgbench
	for ((round = 1; round <= runs; round++)); do
		strangers_beside nothing
		strangers_beside burners
		strangers_beside attackers
	done
	round=1
}
