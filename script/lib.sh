# What script/ and bench/ share: packages, build, a throw-away server.
# Sourced, with $top set to the checkout.
set -euo pipefail

pkt_tmp=""
PG_CONFIG=${PG_CONFIG:-}

say() { printf '%s\n' "$*"; }

# The versions that pk_tracking runs on.
pkt_oldest=15
pkt_newest=18
# What the build needs of Debian, and what the tests need besides.
pkt_build_packages=(gcc make pkg-config libmaxminddb-dev libyaml-dev libpcre2-dev libidn2-dev uap-core libmicrohttpd-dev libpq-dev libssl-dev)
pkt_test_packages=(perl libmaxmind-db-writer-perl valgrind xz-utils)

# pkt_packages [PACKAGE...]: install what is missing of the server, of what the
# build and the tests need, and of these packages.  Needs root only if something is.
pkt_packages() {
	local missing=() p conf=/etc/postgresql-common/createcluster.conf ours=""
	local policy=/usr/sbin/policy-rc.d silenced="" status=0
	command -v dpkg-query >/dev/null || return 0
	pkt_server_packages
	for p in "${pkt_server[@]}" "${pkt_build_packages[@]}" "${pkt_test_packages[@]}" "$@"; do
		pkt_installed "$p" || missing+=("$p")
	done
	[ ${#missing[@]} -eq 0 ] && return 0
	pkt_need_root "${missing[*]}"
	say "installing: ${missing[*]}"
	# Debian creates and starts a cluster when it installs a server: not for us
	if [ ! -e $conf ]; then
		mkdir -p "${conf%/*}"
		echo 'create_main_cluster = false' >$conf
		ours=yes
	fi
	# nor do servers start, such as nginx
	if [ ! -e $policy ]; then
		printf '#!/bin/sh\nexit 101\n' >$policy
		chmod 755 $policy
		silenced=yes
	fi
	(pkt_apt update; pkt_apt install --no-install-recommends "${missing[@]}") || status=$?
	[ -z "$silenced" ] || rm $policy
	if [ -n "$ours" ]; then
		cp /usr/share/postgresql-common/createcluster.conf $conf
		rm -f $conf.ucf-*
	fi
	[ "$status" = 0 ] || exit "$status"
}

pkt_installed() { dpkg-query -W -f='${Status}' "$1" 2>/dev/null | grep -q 'ok installed'; }

pkt_need_root() {
	[ "$(id -u)" = 0 ] || {
		say "not root: please install $1, then run this again" >&2
		exit 1
	}
}

# pkt_server: the packages of the server that pkt_find_pg will take.  Of one that
# PG_CONFIG names only the headers are asked for, if they are missing.
pkt_server_packages() {
	local major
	pkt_server=()
	if [ -n "$PG_CONFIG" ]; then
		[ -x "$PG_CONFIG" ] || { say "PG_CONFIG: there is no $PG_CONFIG" >&2; exit 1; }
		[ -e "$("$PG_CONFIG" --pgxs)" ] || pkt_server=("postgresql-server-dev-$(pkt_major "$PG_CONFIG")")
		return 0
	fi
	major=$(pkt_installed_major)
	if [ -z "$major" ]; then
		# a server outside Debian's packages
		! pkt_in_path || return 0
		pkt_need_root "a PostgreSQL server from $pkt_oldest to $pkt_newest"
		pkt_apt update
		major=$(apt-cache pkgnames postgresql- | sed -n 's/^postgresql-\([0-9]*\)$/\1/p' | pkt_newest_of)
		[ -n "$major" ] || { say "no PostgreSQL from $pkt_oldest to $pkt_newest in this system's archive" >&2; exit 1; }
	fi
	pkt_server=("postgresql-$major" "postgresql-server-dev-$major")
}

# pkt_major PG_CONFIG: the major version of a server
pkt_major() { "$1" --version | sed -E 's/^PostgreSQL ([0-9]+).*/\1/'; }

# the greatest of the numbers on standard input that is a version for us
pkt_newest_of() { awk -v a=$pkt_oldest -v b=$pkt_newest '$1 >= a && $1 <= b && $1 > m { m = $1 } END { if (m) print m }'; }

# the newest of Debian's servers that are installed
pkt_installed_major() {
	local f
	for f in /usr/lib/postgresql/*/bin/postgres; do
		[ ! -x "$f" ] || { f=${f%/bin/postgres}; echo "${f##*/}"; }
	done | pkt_newest_of
}

# does pg_config in the path belong to a server?
pkt_in_path() { command -v pg_config >/dev/null && [ -x "$(pg_config --bindir)/postgres" ]; }

# Quiet, unless it fails.
pkt_apt() {
	local out
	out=$(DEBIAN_FRONTEND=noninteractive UCF_FORCE_CONFFOLD=1 apt-get -y -q "$@" 2>&1 </dev/null) || {
		printf '%s\n' "$out" >&2
		say "apt-get $1 failed" >&2
		exit 1
	}
}

# Which server: $PG_CONFIG, else the newest of Debian's, else the one in the path.
pkt_find_pg() {
	local major
	if [ -z "$PG_CONFIG" ]; then
		major=$(pkt_installed_major)
		if [ -n "$major" ]; then
			PG_CONFIG=/usr/lib/postgresql/$major/bin/pg_config
		elif pkt_in_path; then
			PG_CONFIG=$(command -v pg_config)
		else
			say "no pg_config: set PG_CONFIG to that of your PostgreSQL" >&2
			exit 1
		fi
	fi
	pkt_use_pg
	# Without the right to install there, take a copy of the server beside the build.
	if [ ! -w "$pkglibdir" ] && [ -n "$pkt_tmp" ]; then
		pkt_copy_pg "$pkt_tmp/pg"
	fi
}

# pkt_copy_pg DIR: use a copy of the server, which finds its files by their place; what
# is built with it finds libpq there, too
pkt_copy_pg() {
	local dir include
	for dir in "$pgbin" "$pkglibdir" "$("$PG_CONFIG" --sharedir)" "$("$PG_CONFIG" --includedir-server)"; do
		mkdir -p "$1$dir"
		cp -RL "$dir/." "$1$dir/"
	done
	include=$("$PG_CONFIG" --includedir)
	mkdir -p "$1$include" "$1$("$PG_CONFIG" --libdir)"
	for dir in libpq-fe.h libpq-events.h postgres_ext.h pg_config_ext.h; do
		[ ! -e "$include/$dir" ] || cp -L "$include/$dir" "$1$include/"
	done
	for dir in "$("$PG_CONFIG" --libdir)"/libpq.*; do
		[ ! -e "$dir" ] || cp -L "$dir" "$1$dir"
	done
	PG_CONFIG=$1$pgbin/pg_config
	pkt_use_pg
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

# pkt_start [NAME=VALUE...]: a server of our own on a private socket, with the data
# that is there, if any.
pkt_start() {
	local opts="" o
	for o in "$@"; do opts="$opts -c $o"; done
	[ -e "$pkt_tmp/data/PG_VERSION" ] || as_pg initdb -D "$pkt_tmp/data" -N -A trust -U postgres -E UTF8 --locale=C.UTF-8 >"$pkt_tmp/initdb.log" 2>&1 || { cat "$pkt_tmp/initdb.log" >&2; exit 1; }
	as_pg pg_ctl -D "$pkt_tmp/data" -l "$pkt_tmp/server.log" -w -s \
		-o "-c listen_addresses='' -k $pkt_tmp -c fsync=off -c max_connections=200 -c shared_buffers=256MB $opts" start ||
		{ cat "$pkt_tmp/server.log" >&2; exit 1; }
	# nothing of the caller's connection settings
	local v
	for v in "${!PG@}"; do [ "$v" = PG_CONFIG ] || unset "$v"; done
	export PGHOST=$pkt_tmp PGPORT=5432 PGUSER=postgres PGDATABASE=postgres
}

pkt_stop() {
	local data
	if [ -n "$pkt_tmp" ] && [ -d "$pkt_tmp" ]; then
		for data in "$pkt_tmp/data" "$pkt_tmp"/*/data; do
			[ ! -f "$data/postmaster.pid" ] || as_pg pg_ctl -D "$data" -m immediate -s stop >/dev/null 2>&1 || true
		done
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
