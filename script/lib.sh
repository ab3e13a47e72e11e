# What script/demo and script/test share: packages, build, a throw-away server.
# Sourced, with $top set to the checkout.
set -euo pipefail

pkt_tmp=""
PG_CONFIG=${PG_CONFIG:-}

say() { printf '%s\n' "$*"; }

# Install what is missing, from Debian's packages.  Needs root only if something is.
pkt_packages() {
	local missing=() p conf=/etc/postgresql-common/createcluster.conf ours=""
	command -v dpkg-query >/dev/null || return 0
	for p in "$@"; do
		dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing+=("$p")
	done
	[ ${#missing[@]} -eq 0 ] && return 0
	if [ "$(id -u)" != 0 ]; then
		say "not root: please install ${missing[*]}, then run this again" >&2
		exit 1
	fi
	say "installing: ${missing[*]}"
	# Debian starts a server of its own when it installs one: not for us
	if [ ! -e $conf ]; then
		mkdir -p "${conf%/*}"
		echo 'create_main_cluster = false' >$conf
		ours=yes
	fi
	pkt_apt update
	pkt_apt install --no-install-recommends "${missing[@]}"
	if [ -n "$ours" ]; then
		cp /usr/share/postgresql-common/createcluster.conf $conf
		rm -f $conf.ucf-*
	fi
}

# Quiet, unless it fails.
pkt_apt() {
	local out
	out=$(DEBIAN_FRONTEND=noninteractive UCF_FORCE_CONFFOLD=1 apt-get -y -q "$@" 2>&1 </dev/null) || {
		printf '%s\n' "$out" >&2
		say "apt-get $1 failed" >&2
		exit 1
	}
}

# Which server: $PG_CONFIG, else Debian's 15, else the one in the path.
pkt_find_pg() {
	if [ -z "$PG_CONFIG" ]; then
		PG_CONFIG=/usr/lib/postgresql/15/bin/pg_config
		[ -x "$PG_CONFIG" ] || PG_CONFIG=$(command -v pg_config) || {
			say "no pg_config: set PG_CONFIG to that of your PostgreSQL" >&2
			exit 1
		}
	fi
	pkt_use_pg
	# Who may not install there gets a copy of the server beside the build.
	if [ ! -w "$pkglibdir" ] && [ -n "$pkt_tmp" ]; then
		local dir
		for dir in "$pgbin" "$pkglibdir" "$("$PG_CONFIG" --sharedir)" "$("$PG_CONFIG" --includedir-server)"; do
			mkdir -p "$pkt_tmp/pg$dir"
			cp -RL "$dir/." "$pkt_tmp/pg$dir/"
		done
		PG_CONFIG=$pkt_tmp/pg$pgbin/pg_config
		pkt_use_pg
	fi
}

pkt_use_pg() {
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
	# nothing of the caller's connection settings
	local v
	for v in "${!PG@}"; do [ "$v" = PG_CONFIG ] || unset "$v"; done
	export PGHOST=$pkt_tmp PGPORT=5432 PGUSER=postgres PGDATABASE=postgres
}

pkt_stop() {
	if [ -n "$pkt_tmp" ] && [ -d "$pkt_tmp" ]; then
		if [ -f "$pkt_tmp/data/postmaster.pid" ]; then
			as_pg pg_ctl -D "$pkt_tmp/data" -m immediate -s stop >/dev/null 2>&1 || true
		fi
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
