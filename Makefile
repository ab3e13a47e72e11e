# pk_tracking: PGXS build.  "make", "make install", "make installcheck".
# script/test builds, installs and runs everything on a throw-away server.
EXTENSION = pk_tracking
MODULE_big = pk_tracking
EXTVERSION = 1.0

OBJS = $(patsubst %.c,%.o,$(wildcard src/*.c src/*/*.c))

# The install script is put together from the rooms' SQL, in the order in
# which they need each other.
SQL_PARTS = \
	src/base/header.sql \
	src/base/hexid.sql \
	src/base/ip.sql \
	src/enrich/geoip.sql \
	src/identity/salt.sql \
	src/identity/session_link.sql \
	src/identity/secret_table.sql \
	src/settings/site.sql \
	src/settings/settings.sql \
	src/request/hit.sql \
	src/visit/goal.sql \
	src/visit/custom.sql \
	src/log/log.sql \
	src/log/visit.sql \
	src/log/action.sql \
	src/log/conversion.sql \
	src/log/upgrade.sql \
	src/identity/fingerprint.sql \
	src/enrich/user_agent.sql \
	src/enrich/referrer.sql \
	src/track/track.sql \
	src/track/token.sql \
	src/track/exclude.sql \
	src/track/requests.sql \
	src/track/trigger.sql \
	src/track/ingest.sql \
	src/track/parts.sql \
	src/admin/status.sql \
	src/report/names.sql \
	src/report/period.sql \
	src/report/template.sql \
	src/report/visits.sql \
	src/report/actions.sql \
	src/report/entry_exit.sql \
	src/report/goals.sql \
	src/report/visit_log.sql \
	src/admin/privacy_profile.sql \
	src/admin/maintain.sql \
	src/admin/grants.sql

DATA_built = $(EXTENSION)--$(EXTVERSION).sql

# sql/ and expected/ are the regression tests; the others are below test/.
REGRESS = $(sort $(notdir $(basename $(wildcard $(srcdir)/sql/*.sql))))
REGRESS_OPTS = --load-extension=pgcrypto --load-extension=pk_tracking
ISOLATION = $(sort $(notdir $(basename $(wildcard $(srcdir)/test/isolation/specs/*.spec))))
ISOLATION_OPTS = --inputdir=$(srcdir)/test/isolation --load-extension=pgcrypto --load-extension=pk_tracking
TAP_TESTS = 1
PROVE_TESTS = test/tap/*.pl

PG_CONFIG ?= pg_config
# libmaxminddb reads the GeoIP files.
PKG_CONFIG ?= pkg-config
MMDB_CFLAGS ?= $(shell $(PKG_CONFIG) --cflags libmaxminddb 2>/dev/null)
MMDB_LIBS ?= $(or $(shell $(PKG_CONFIG) --libs libmaxminddb 2>/dev/null),-lmaxminddb)
SHLIB_LINK = $(MMDB_LIBS)

# The server's headers are system headers, so that -Wextra speaks of our code.
PG_CPPFLAGS = -I$(srcdir)/src -isystem $(shell $(PG_CONFIG) --includedir-server) $(MMDB_CFLAGS)
PG_CFLAGS = -Wall -Wextra -Wmissing-prototypes -Wdeclaration-after-statement
# The rules for user agents: YAML, and regular expressions by the thousand.
PKG_CONFIG ?= pkg-config
PG_CPPFLAGS += $(shell $(PKG_CONFIG) --cflags yaml-0.1 libpcre2-8)
SHLIB_LINK += $(shell $(PKG_CONFIG) --libs yaml-0.1 libpcre2-8)
# The server loads every library for all to see: our names are for ourselves.
ifeq ($(shell uname -s),Linux)
SHLIB_LINK += -Wl,-Bsymbolic
endif
EXTRA_CLEAN = $(DATA_built) results output_iso tmp_check regression.diffs regression.out \
	$(wildcard src/*.bc src/*/*.bc)

PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

# A changed header rebuilds every object: there are few of both.
$(OBJS): $(wildcard src/*.h src/*/*.h)

$(EXTENSION)--$(EXTVERSION).sql: $(SQL_PARTS)
	cat $^ > $@
