# pk_tracking: PGXS build.  "make", "make install", "make installcheck"; also from
# another directory by "make -f DIR/Makefile VPATH=DIR", and "make dist".
# script/test builds, installs and tests everything on a throw-away server.
EXTENSION = pk_tracking
MODULE_big = pk_tracking

# PGXS sets srcdir in the same way, but later.
srcdir := $(or $(VPATH),$(patsubst %/,%,$(dir $(lastword $(MAKEFILE_LIST)))))

# The version stands in the control file alone.
EXTVERSION := $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" $(srcdir)/$(EXTENSION).control)

# The directories of src/, the lowest first: a module includes headers of its own
# floor and of lower ones (test/layout/run).
FLOORS = base settings identity request enrich visit log track rollup report subject admin

OBJS := $(patsubst $(srcdir)/%.c,%.o,$(foreach dir,src $(addprefix src/,$(FLOORS)),$(sort $(wildcard $(srcdir)/$(dir)/*.c))))

# The install script: begin.sql, the modules' SQL, floor by floor and in
# alphabetical order on each, end.sql.  Bodies of functions may name what comes
# later; template.sql makes functions that its floor calls while it is installed.
floor_sql = $(patsubst $(srcdir)/%,%,$(sort $(wildcard $(srcdir)/src/$(1)/*.sql)))
SQL_PARTS := src/begin.sql $(foreach dir,$(FLOORS), \
	$(filter %/template.sql,$(call floor_sql,$(dir))) $(filter-out %/template.sql,$(call floor_sql,$(dir)))) src/end.sql
DATA_built = $(EXTENSION)--$(EXTVERSION).sql

# sql/ and expected/ are the regression tests; the others are below test/.
REGRESS := $(sort $(notdir $(basename $(wildcard $(srcdir)/sql/*.sql))))
REGRESS_OPTS = --load-extension=pgcrypto --load-extension=pk_tracking
ISOLATION := $(sort $(notdir $(basename $(wildcard $(srcdir)/test/isolation/specs/*.spec))))
ISOLATION_OPTS = --inputdir=$(srcdir)/test/isolation --load-extension=pgcrypto --load-extension=pk_tracking
TAP_TESTS = 1
PROVE_TESTS = test/tap/*.pl

PG_CONFIG ?= pg_config
PKG_CONFIG ?= pkg-config
# libmaxminddb reads GeoIP files, libyaml the rules for user agents, PCRE2 compiles
# their regular expressions, libidn2 knows the ASCII form of host names.
LIBRARIES = libmaxminddb yaml-0.1 libpcre2-8 libidn2
LIBRARY_CFLAGS ?= $(shell $(PKG_CONFIG) --cflags $(LIBRARIES))
LIBRARY_LIBS ?= $(or $(shell $(PKG_CONFIG) --libs $(LIBRARIES)),-lmaxminddb -lyaml -lpcre2-8 -lidn2)

# The server's headers are system headers, so that -Wextra speaks of our code.
PG_CPPFLAGS = -I$(srcdir)/src -isystem $(shell $(PG_CONFIG) --includedir-server) $(LIBRARY_CFLAGS) \
	-DPKT_VERSION='"$(EXTVERSION)"'
PG_CFLAGS = -Wall -Wextra -Wmissing-prototypes -Wdeclaration-after-statement
SHLIB_LINK = $(LIBRARY_LIBS)
# The server loads every library for all to see: our names are for ourselves.
ifeq ($(shell uname -s),Linux)
SHLIB_LINK += -Wl,-Bsymbolic
endif
EXTRA_CLEAN = $(DATA_built) results output_iso tmp_check regression.diffs regression.out \
	$(EXTENSION)-*.zip $(EXTENSION)-*.tmp

PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

# An empty list would build an empty library, or test nothing, without an error.
$(foreach list,EXTVERSION OBJS SQL_PARTS REGRESS ISOLATION,$(if $(or $($(list)),$(filter command,$(origin $(list)))),, \
	$(error $(list) is empty: no files found in $(srcdir))))

ifdef VPATH
# make would take the objects there for ours
ifneq ($(filter-out $(CURDIR),$(realpath $(srcdir))),)
ifneq ($(wildcard $(addprefix $(srcdir)/,$(OBJS) $(DATA_built))),)
ifneq ($(MAKECMDGOALS),clean)
$(error there is a build in $(srcdir): run "make clean" there first)
endif
endif
endif
endif

# A changed header rebuilds every object: there are few of both.
HEADERS := $(wildcard $(srcdir)/src/*.h $(srcdir)/src/*/*.h)
$(OBJS) $(OBJS:.o=.bc): $(HEADERS) $(srcdir)/$(EXTENSION).control | build-directories

.PHONY: build-directories dist
build-directories:
	@mkdir -p $(sort $(dir $(OBJS)))

$(DATA_built): $(SQL_PARTS)
	cat $^ > $@

# Of a build elsewhere the directories go too; PGXS's own rule comes after this.
clean: clean-directories
.PHONY: clean-directories
clean-directories:
	@rm -f $(OBJS) $(OBJS:.o=.bc)
	@[ ! -d src ] || find src -type d -empty -delete

# The HTTP daemon is built and installed where its libraries are.
EDGE_LIBRARIES = libmicrohttpd libcrypto
EDGE_MISSING := $(shell $(PKG_CONFIG) --print-errors --exists $(EDGE_LIBRARIES) 2>&1 || echo .)
EDGE_MAKE = +@mkdir -p edge && $(MAKE) -C edge -f $(abspath $(srcdir))/edge/Makefile PG_CONFIG="$(PG_CONFIG)" PKG_CONFIG="$(PKG_CONFIG)"
.PHONY: edge edge-install edge-uninstall edge-clean
ifeq ($(EDGE_MISSING),)
all: edge
install: edge-install
uninstall: edge-uninstall
edge:
	$(EDGE_MAKE) all
edge-install: edge
	$(EDGE_MAKE) install
edge-uninstall:
	$(EDGE_MAKE) uninstall
else
all: edge
edge:
	@echo "pk_tracking_httpd is not built: it needs libmicrohttpd-dev and libssl-dev"
endif
clean: edge-clean
edge-clean:
	+@[ ! -d edge ] || $(MAKE) -C edge -f $(abspath $(srcdir))/edge/Makefile clean
	@[ ! -d edge ] || rmdir edge 2>/dev/null || true

# A release for PGXN, of the commit that is checked out; PGXN's versions have three parts.
DISTVERSION = $(EXTVERSION)$(if $(filter 2,$(words $(subst ., ,$(EXTVERSION)))),.0)
DISTNAME = $(EXTENSION)-$(DISTVERSION)
dist:
	@git -C $(srcdir) diff --quiet HEAD || { echo "commit first: a release is made of a commit" >&2; exit 1; }
	mkdir -p $(DISTNAME).tmp
	sed 's/@VERSION@/$(DISTVERSION)/' $(srcdir)/META.json.in > $(DISTNAME).tmp/META.json
	git -C $(srcdir) archive --format=zip --prefix=$(DISTNAME)/ --add-file=$(CURDIR)/$(DISTNAME).tmp/META.json \
		-o $(CURDIR)/$(DISTNAME).zip HEAD
	rm -r $(DISTNAME).tmp
