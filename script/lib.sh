# What script/demo and script/test share: packages, build, a throw-away server.
# Sourced, with $top set to the checkout.
set -euo pipefail

pkt_tmp=""
PG_CONFIG=${PG_CONFIG:-}

say() { printf '%s\n' "$*"; }

# Install what is missing, from Debian's packages.  Needs root only if something is.
pkt_packages() {
	local missing=() p
	for p in "$@"; do
		dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing+=("$p")
	done
	[ ${#missing[@]} -eq 0 ] && return 0
	say "installing: ${missing[*]}"
	if [ "$(id -u)" != 0 ]; then
		say "not root: please install them, then run this again" >&2
		exit 1
	fi
	export DEBIAN_FRONTEND=noninteractive
	apt-get update -qq >/dev/null
	# no cluster of the distribution's is wanted beside ours
	apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

pkt_find_pg() {
	if [ -z "$PG_CONFIG" ]; then
		PG_CONFIG=/usr/lib/postgresql/15/bin/pg_config
		[ -x "$PG_CONFIG" ] || PG_CONFIG=$(command -v pg_config)
	fi
	export PG_CONFIG
	pgbin=$("$PG_CONFIG" --bindir)
	pkglibdir=$("$PG_CONFIG" --pkglibdir)
	PATH=$pgbin:$PATH
}

# The checkout is copied, so that neither a read-only tree nor one that belongs
# to somebody else is in the way, and nothing is left in it.
pkt_build() {
	pkt_src=$pkt_tmp/src
	mkdir -p "$pkt_src"
	(cd "$top" && tar cf - --exclude=.git --exclude='*.o' --exclude='*.so' --exclude=results --exclude=tmp_check .) | tar xf - -C "$pkt_src"
	make -s -C "$pkt_src" -j"$(nproc)" with_llvm=no PG_CONFIG="$PG_CONFIG" "$@" >"$pkt_tmp/build.log" 2>&1 || { cat "$pkt_tmp/build.log" >&2; exit 1; }
	if grep -q 'warning:' "$pkt_tmp/build.log"; then
		cat "$pkt_tmp/build.log" >&2
		say "the build must not warn" >&2
		exit 1
	fi
	make -s -C "$pkt_src" with_llvm=no PG_CONFIG="$PG_CONFIG" install >>"$pkt_tmp/build.log" 2>&1 || { cat "$pkt_tmp/build.log" >&2; exit 1; }
}

# as_pg CMD...: run as the unprivileged user that owns the server.
as_pg() {
	if [ "$(id -u)" = 0 ]; then
		setpriv --reuid=postgres --regid=postgres --init-groups env HOME="$pkt_tmp" PATH="$PATH" "$@"
	else
		"$@"
	fi
}

# pkt_start [NAME=VALUE...]: a server of our own on a private socket.
pkt_start() {
	local opts="" o
	for o in "$@"; do opts="$opts -c $o"; done
	as_pg initdb -D "$pkt_tmp/data" -N -A trust -U postgres -E UTF8 --locale=C.UTF-8 >"$pkt_tmp/initdb.log" 2>&1 || { cat "$pkt_tmp/initdb.log" >&2; exit 1; }
	as_pg pg_ctl -D "$pkt_tmp/data" -l "$pkt_tmp/server.log" -w -s \
		-o "-c listen_addresses='' -k $pkt_tmp -c fsync=off -c max_connections=200 -c shared_buffers=256MB $opts" start ||
		{ cat "$pkt_tmp/server.log" >&2; exit 1; }
	export PGHOST=$pkt_tmp PGPORT=5432 PGUSER=postgres PGDATABASE=postgres
	unset PGSERVICE PGPASSWORD PGOPTIONS || true
}

pkt_stop() {
	if [ -n "$pkt_tmp" ] && [ -d "$pkt_tmp" ]; then
		[ -f "$pkt_tmp/data/postmaster.pid" ] && as_pg pg_ctl -D "$pkt_tmp/data" -m immediate -s stop || true
		rm -rf "$pkt_tmp"
	fi
}

pkt_workdir() {
	pkt_tmp=$(mktemp -d /tmp/pk_tracking.XXXXXX)
	trap pkt_stop EXIT
	trap 'exit 130' INT TERM
	chmod 755 "$pkt_tmp"
}

# Hand the work directory to the server's user (after the build).
pkt_own() {
	if [ "$(id -u)" = 0 ]; then chown -R postgres: "$pkt_tmp"; fi
}
