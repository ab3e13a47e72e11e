# Sourced by test/traffic/run and script/demo.
traffic_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# traffic_prepare DATABASE [NAME=VALUE...]: a database with the extension, the
# recorded requests (site 1) and the generated ones (sites 2 to 4).
traffic_prepare() {
	local db=$1 f set=()
	shift
	for f in "$@"; do set+=(-v "$f"); done
	export PGOPTIONS="-c client_min_messages=warning" PGDATABASE=$db
	psql -X -q -d postgres -c "DROP DATABASE IF EXISTS $db" -c "CREATE DATABASE $db"
	# made-up places for made-up addresses
	perl "$traffic_dir/places.pl" "$PGHOST/places.mmdb"
	chmod 644 "$PGHOST/places.mmdb"
	psql -X -q -v ON_ERROR_STOP=1 -c "ALTER DATABASE $db SET pk_tracking.geoip_city_file = '$PGHOST/places.mmdb'"
	psql -X -q -v ON_ERROR_STOP=1 <<'SQL'
CREATE EXTENSION pgcrypto;
CREATE EXTENSION pk_tracking;
SELECT pk_tracking.create_log() \g /dev/null
SELECT pk_tracking.add_site('Real trackers', ARRAY['http://127.0.0.1:8099', 'http://shop.example.org'], profile => 'faq') \g /dev/null
-- they convert goal 1 by hand
SELECT pk_tracking.add_goal(1, 'Sign-up, by hand', 'manually', allow_multiple => true), pk_tracking.add_goal(1, 'Any video', 'event_category', 'Video', 'exact', revenue => 0.50),
	pk_tracking.add_goal(1, 'Zip file', 'file', '\.zip$', 'regex'), pk_tracking.add_goal(1, 'Account page', 'url', '/account'),
	pk_tracking.add_dimension(1, 'level', 'action') \g /dev/null
CREATE SCHEMA clients;
CREATE TABLE clients.request (line serial, j jsonb NOT NULL);
SQL
	for f in browser server-side; do
		# a line is a document: no quoting, no delimiter
		psql -X -q -v ON_ERROR_STOP=1 -c "\\copy clients.request (j) FROM STDIN WITH (FORMAT csv, QUOTE E'\\x01', DELIMITER E'\\x02')" <"$traffic_dir/../clients/$f.jsonl"
	done
	psql -X -q -v ON_ERROR_STOP=1 -f "$traffic_dir/../clients/hits.sql"
	psql -X -q -v ON_ERROR_STOP=1 -v first_site=2 ${set[@]+"${set[@]}"} -f "$traffic_dir/generate.sql"
}

# Sends all of it; on a terminal a line says how far it is.
traffic_send() {
	local shown=/dev/null status
	[ -t 1 ] && shown=/dev/tty
	set +e
	PGOPTIONS="-c client_min_messages=notice" psql -X -q -v ON_ERROR_STOP=1 -f "$traffic_dir/load.sql" 2>&1 |
		while IFS= read -r line; do
			case $line in
				*'NOTICE:  progress: '*) printf '\r  %s hits ' "${line##*progress: }" >$shown ;;
				*) printf '%s\n' "$line" >&2 ;;
			esac
		done
	status=${PIPESTATUS[0]}
	set -e
	[ $shown = /dev/null ] || printf '\r%40s\r' '' >$shown
	return "$status"
}
