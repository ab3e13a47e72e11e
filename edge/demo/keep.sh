# Sourced by script/demo after script/lib.sh: the demo that stays.  Its directory,
# $demo, holds server, data, daemon and shop; "pids" there names what runs, "made"
# says of which source it is, and is written last.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154	# variables of script/lib.sh
demo_parent=/var/cache
[ "$(id -u)" = 0 ] || demo_parent=${XDG_CACHE_HOME:-$HOME/.cache}
demo=${PKT_DEMO:-$demo_parent/pk_tracking/demo}

# what the demo is made of, as one line
demo_source() {
	(cd "$top" && tar cf - --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner \
		--exclude=node_modules --exclude='*.o' --exclude='*.so' --exclude='*.bc' --exclude=pk_tracking_httpd \
		Makefile pk_tracking.control src edge client web script test/traffic test/clients 2>/dev/null) | sha256sum | cut -c 1-64
}

# demo_runs NAME: does that process run, and is it the demo's?
demo_runs() {
	local pid
	pid=$(sed -n "s/^$1 //p" "$demo/pids" 2>/dev/null | tail -n 1)
	[ -n "$pid" ] && tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -q -F "$demo/" && echo "$pid"
}

demo_is_up() {
	[ -n "$(demo_runs server)" ] && [ -n "$(demo_runs daemon)" ] && [ -n "$(demo_runs shop)" ] &&
		{ [ ! -e "$demo/web.conf" ] || [ -n "$(demo_runs web)" ]; }
}

# Ends what runs; the server by a fast shutdown.
demo_end() {
	local name pid tries
	for name in shop web daemon server; do
		pid=$(demo_runs $name) || continue
		if [ $name = server ]; then kill -INT "$pid"; else kill "$pid"; fi
		for ((tries = 0; tries < 300; tries++)); do
			[ -d "/proc/$pid" ] || break
			sleep 0.1
		done
	done
	rm -f "$demo/pids"
}

# Removes the demo, if there is one.
demo_remove() {
	[ -e "$demo/pids" ] || [ -e "$demo/is_demo" ] || return 0
	demo_end
	rm -rf "$demo"
}

# Takes the directory for a new demo.
demo_begin() {
	if [ -e "$demo" ] && [ ! -e "$demo/is_demo" ]; then
		say "$demo is there and holds no demo: remove it, or set PKT_DEMO" >&2
		exit 1
	fi
	demo_remove
	mkdir -p "$demo"
	: >"$demo/is_demo"
	chmod 755 "$demo"
	pkt_tmp=$demo
	trap demo_remove EXIT
	trap 'exit 130' INT TERM
}

# demo_detach NAME COMMAND...: runs on when this script and its terminal have ended
demo_detach() {
	local name=$1 tries
	shift
	# shellcheck disable=SC2016	# that shell's $$
	as_pg setsid sh -c 'echo "$0 $$" >>"$1/pids"; shift; exec "$@"' "$name" "$demo" "$@" \
		</dev/null >>"$demo/$name.log" 2>&1 &
	for ((tries = 0; tries < 50; tries++)); do
		! demo_runs "$name" >/dev/null || return 0
		sleep 0.1
	done
	cat "$demo/$name.log" >&2
	exit 1
}

# demo_status PORT PATH: the status that is answered there, if anything is
demo_status() {
	local fd line=""
	exec {fd}<>"/dev/tcp/127.0.0.1/$1" || return 0
	printf 'GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n' "$2" >&"$fd"
	read -r -t 5 -u "$fd" line || true
	exec {fd}>&-
	cut -d ' ' -f 2 <<<"$line"
} 2>/dev/null

# the first port from PORT on where nobody listens
demo_free_port() {
	local port=$1
	while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do port=$((port + 1)); done
	echo "$port"
}

# The shop's site in the database $PGDATABASE, the daemon and the shop.
demo_serve() {
	local shop_port daemon_port site tries
	# shellcheck disable=SC2016	# that shell's $1
	as_pg sh -c 'echo "server $(head -n 1 "$1/data/postmaster.pid")" >>"$1/pids"' sh "$demo"
	shop_port=$(demo_free_port 8181)
	daemon_port=$(demo_free_port $((shop_port + 1)))
	site=$(psql -X -q -A -t -v ON_ERROR_STOP=1 -v url="http://127.0.0.1:$shop_port" <<-'SQL'
		SELECT count(*) = 0 AS is_new FROM pk_tracking.site WHERE name = 'Corner shop' \gset
		\if :is_new
			SELECT pk_tracking.add_site('Corner shop', ARRAY[:'url'], currency => 'EUR') AS site \gset
			SELECT pk_tracking.set_site(:site, 'consent_mode', 'ask_else_anonymous') \g /dev/null
			CREATE ROLE demo_daemon LOGIN;
			SELECT pk_tracking.grant_tracker('demo_daemon', edge => true) \g /dev/null
		\else
			UPDATE pk_tracking.site SET urls = ARRAY[:'url'] WHERE name = 'Corner shop';
		\endif
		SELECT idsite FROM pk_tracking.site WHERE name = 'Corner shop';
	SQL
	)
	cat >"$demo/httpd.conf" <<-CONF
		listen = 127.0.0.1:$daemon_port
		direct = on
		database = 'host=$demo port=5432 dbname=$PGDATABASE user=demo_daemon'
	CONF
	demo_detach daemon "$pgbin/pk_tracking_httpd" --config "$demo/httpd.conf"
	for ((tries = 0; tries < 100; tries++)); do
		[ "$(demo_status "$daemon_port" /healthz)" != 200 ] || break
		sleep 0.1
	done
	mkdir -p "$demo/shop"
	cp "$top"/edge/demo/*.html "$top"/edge/demo/*.css "$top"/edge/demo/*.svg "$top"/edge/demo/*.js "$demo/shop/"
	cat >"$demo/shop/config.js" <<-JS
		window.config = { look: 'script/demo --look' };
		window.pk = function () { (window.pk.q = window.pk.q || []).push(arguments); };
		/* the pages say themselves when they are complete */
		window.pk('set', 'auto', false);
		document.head.append(Object.assign(document.createElement('script'), { src: 'http://127.0.0.1:$daemon_port/pk.js?idsite=$site' }));
	JS
	chmod -R a+rX "$demo/shop"
	demo_detach shop busybox httpd -f -p "127.0.0.1:$shop_port" -h "$demo/shop"
	demo_serve_web $((daemon_port + 1))
	echo "http://127.0.0.1:$shop_port/" >"$demo/url"
	printf '%s\n' "$pgbin" "$PGDATABASE" "$site" >"$demo/where"
}

# demo_serve_web PORT: the pages that show the reports, on the first free port from
# PORT on, for the user "reader", who may read all sites.  Needs npm, for three files.
demo_serve_web() {
	local port tries
	if ! command -v npm >/dev/null; then
		say "no npm: the statistics in the browser are left out"
		return 0
	fi
	port=$(demo_free_port "$1")
	if [ ! -e "$demo/pages/index.html" ]; then
		make -s -C "$top/web" install MODULES="$(PKT_CHROOTS=$demo/npm "$top/test/npm" "$top/web")" webdir="$demo/pages"
		chmod -R a+rX "$demo/pages"
	fi
	if [ ! -e "$demo/password" ]; then
		(umask 077; head -c 9 /dev/urandom | base64 | tr '+/' '-_' >"$demo/password")
		psql -X -q -v ON_ERROR_STOP=1 -v password="$(<"$demo/password")" -o /dev/null <<-'SQL'
			SET log_statement = 'none';
			CREATE ROLE demo_web LOGIN NOINHERIT;
			CREATE ROLE reader LOGIN PASSWORD :'password';
			SELECT pk_tracking.grant_analyst('reader'), pk_tracking.grant_web('reader', 'demo_web');
		SQL
		# the reader is asked for the password
		sed -i '1i local all reader scram-sha-256' "$demo/data/pg_hba.conf"
		psql -X -q -c 'SELECT pg_reload_conf()' -o /dev/null
	fi
	cat >"$demo/web.conf" <<-CONF
		listen = 127.0.0.1:$port
		web_root = '$demo/pages'
		database = 'host=$demo port=5432 dbname=$PGDATABASE user=demo_web'
	CONF
	demo_detach web "$pgbin/pk_tracking_httpd" --config "$demo/web.conf"
	for ((tries = 0; tries < 100; tries++)); do
		[ "$(demo_status "$port" /)" != 200 ] || break
		sleep 0.1
	done
	echo "http://127.0.0.1:$port/$(psql -X -q -A -t -c "SELECT '?site=2&period=range&date=2026-11-14&to=2026-11-20' WHERE to_regclass('traffic.hit') IS NOT NULL")" >"$demo/statistics"
}

# demo_again: starts servers that are not running, on the data that is there
demo_again() {
	demo_end
	pkt_tmp=$demo
	PG_CONFIG=$(head -n 1 "$demo/where")/pg_config
	pkt_use_pg
	pkt_start autovacuum=on
	PGDATABASE=$(sed -n 2p "$demo/where")
	demo_serve
}

# The last visits and actions of the shop.
demo_look() {
	local pgbin database site
	{ read -r pgbin; read -r database; read -r site; } <"$demo/where" || { say "no demo is kept" >&2; exit 1; }
	"$pgbin/psql" -X -q -P pager=off -P footer=off -P null= -h "$demo" -p 5432 -U postgres -d "$database" -v site="$site" -f "$top/edge/demo/look.sql"
}

demo_say_web() {
	[ ! -e "$demo/web.conf" ] || printf 'Statistics:      %s\n                 user reader, password %s\n ' "$(<"$demo/statistics")" "$(<"$demo/password")"
}

demo_say() {
	cat <<-TEXT

		A shop to visit: $(<"$demo/url")
		$(demo_say_web)
		  script/demo --look     what became of it: the last visits and actions
		  script/demo --stop     stops server, daemon and shop, and removes all
	TEXT
}
