# SPDX-License-Identifier: Apache-2.0
# The front door; README.md says what each target is for. Everything behind it is Meson (C),
# npm (page) and the scripts in tools/.

PORT ?= 8080
SOURCE ?= sim
STAGE ?= all
ARGS ?=
MINUTES ?= 10
WEB_FILES := $(shell find web -path web/node_modules -prune -o -path web/dist -prune -o -type f -print 2>/dev/null)

.PHONY: all run demo test check fmt docs deb deb-trial image-trial truth soak soak-web long fuzz bench bench-cluster bench-web clean setup-build programs newcomer \
	cluster cluster-status cluster-down cluster-connect cluster-truth monitoring monitoring-down operate-test

all: programs

setup-build:
	@tools/setup.sh build page

# The page is part of the program, so it comes first; both do nothing when nothing changed.
programs: $(if $(wildcard web/package.json),web/dist/index.html) | setup-build
	@tools/build.sh build

web/node_modules/.stofka-stamp: web/package-lock.json | setup-build
	@tools/npm.sh ci && touch $@

web/dist/index.html: web/node_modules/.stofka-stamp $(WEB_FILES)
	@tools/npm.sh run build && touch $@

run: programs
	@tools/demo.py live --port $(PORT)

demo: programs
	@tools/demo.py sim --port $(PORT)

# SOURCE=sim or live, each with data of its own.
cluster: programs
	@tools/setup.sh cluster
	@tools/cluster.py up --source $(SOURCE) --port $(PORT) --dir data/cluster-$(SOURCE) $(ARGS)

cluster-status:
	@tools/cluster.py status --dir data/cluster-$(SOURCE)

cluster-down:
	@tools/cluster.py down --dir data/cluster-$(SOURCE)

# After `make cluster ARGS=--rows`.
cluster-connect:
	@tools/cluster.py connect --dir data/cluster-$(SOURCE)

# Prometheus, Alertmanager and exporters beside the cluster that is up.
monitoring:
	@tools/setup.sh cluster operate
	@tools/cluster.py monitoring --dir data/cluster-$(SOURCE) $(ARGS)

monitoring-down:
	@tools/cluster.py monitoring-down --dir data/cluster-$(SOURCE)

# Faults made on purpose in a watched cluster, with the waits as deployed: each alert in time, and no other. Some 20 minutes.
operate-test: programs
	@tools/setup.sh cluster operate
	@STOFKA_LONG=1 python3 -m pytest -q -s test/operate/faults_test.py $(ARGS)

cluster-truth: programs
	@tools/setup.sh cluster
	@test/cluster/truth_cluster.py $(ARGS)

test:
	@tools/setup.sh build page test check operate
	@$(MAKE) --no-print-directory programs
	@tools/run_tests.py $(STAGE)

check:
	@tools/setup.sh build page check operate
	@$(MAKE) --no-print-directory programs
	@tools/check.py $(ARGS)

fmt:
	@tools/setup.sh check
	@tools/check.py --fix format

docs: programs
	@tools/check.py --fix references chart
	@tools/npm.sh run --silent types

# The Debian package of the embedded process, and a trial of it in a bare Debian (root; some minutes).
deb: programs
	@tools/deb.sh

deb-trial: programs
	@tools/setup.sh operate
	@tools/deb_trial.py

# The container's image, built by buildah on a base made by debootstrap (root; some minutes).
image-trial:
	@tools/setup.sh image
	@tools/image_trial.py $(ARGS)

# `make demo`, `make run` and `make test` in a clean clone on a bare Debian (root; half an hour for each person).
newcomer:
	@tools/setup.sh newcomer
	@tools/newcomer.py $(ARGS)

truth: programs
	@tools/truth_plan.py $(ARGS)

soak: programs
	@test/system/soak.py $(ARGS)

long: programs
	@tools/setup.sh build page test
	@tools/run_tests.py long

fuzz:
	@tools/setup.sh build page test
	@$(MAKE) --no-print-directory programs
	@tools/build_fuzz.sh
	@tools/fuzz.py --minutes $(MINUTES) $(ARGS)

bench: programs
	@tools/setup.sh bench
	@bench/bench.py $(ARGS)

bench-cluster: programs
	@tools/setup.sh cluster
	@bench/cluster_bench.py $(ARGS)

bench-web: programs
	@tools/setup.sh test
	@tools/npm.sh run --silent bench -- $(ARGS)

# The page's long forms: ten minutes asleep, and the heap over half an hour of full rate.
soak-web: programs
	@tools/setup.sh test
	@STOFKA_LONG=1 tools/npm.sh run --silent e2e:live
	@tools/npm.sh run --silent bench -- --soak 30

clean:
	rm -rf build build-* web/dist
