# Everything a developer types. Each recipe calls a script or a CMake preset; the rest is there.
#   make run      build, start three servers in ./var and show what to try (ARGS=… go to `pando dev`)
#   make test     build and run every test
#   make deploy-test   try the Helm chart and the alerts, with helm, kubeconform and promtool
#   make alerts-test  raise each alert by causing what it is for, which takes minutes
#   make image-test    build the image with buildah, and run it
#   make package  a .deb and a tarball
#   make package-test  install the .deb on a bare Debian, and start the server as its unit does
#   make clients  the clients: the CLI, and the stubs and packages of other languages
#   make test-clients  lint and test those packages against real servers
#   make compat   kazoo's tests, Curator's recipes and random requests, against Pando and ZooKeeper
#   make compare  Pando beside ZooKeeper and etcd, and as it grows, into docs/benchmarks.md; over an hour
#   make check    what CI runs
.PHONY: run test test-clients compat deploy-test alerts-test image-test package package-test bench compare check release clients sim cluster fuzz format lint clean

JOBS ?= $(shell nproc)
RELEASE := build/release

run: release
	@$(RELEASE)/bin/pando dev $(ARGS)

test: release
	@ctest --test-dir $(RELEASE) --output-on-failure --schedule-random -j $(JOBS)

deploy-test: release
	@scripts/deploy-test

alerts-test: release
	@scripts/deploy-tools
	@PYTHONDONTWRITEBYTECODE=1 python3 tests/deploy/alerts_test.py

image-test: release
	@scripts/image-test

package: release
	@scripts/package

package-test: package
	@scripts/package-test

compat: release
	@scripts/compat $(ARGS)

bench: release
	@scripts/bench
	@scripts/bench-server
	@scripts/bench-ensemble
	@scripts/bench-catchup

compare: release
	@scripts/bench-compare
	@scripts/bench-growth
	@scripts/bench-large-tree

check:
	@.ci/run

release:
	@scripts/install-deps
	@scripts/build release

clients:
	@scripts/install-deps
	@scripts/build release pando
	@scripts/gen-clients

test-clients: release
	@scripts/test-clients

sim:
	@scripts/install-deps
	@scripts/sim $(ARGS)

cluster: release
	@scripts/cluster $(ARGS)

fuzz:
	@scripts/install-deps
	@scripts/fuzz

format:
	@scripts/check-format --fix

lint:
	@scripts/check-format
	@scripts/check-graph
	@scripts/lint
	@scripts/lint-protos

clean:
	@rm -rf build
