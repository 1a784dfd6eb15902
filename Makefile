# Everything a developer does here. Nothing has to be installed beforehand but Go, Node.js, Java and make.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

SAM_CLI     := 1.170.0
SCHEMATHESIS := 4.32.5
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOVULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.9.0

# What `sam build` gives to go build; internal/local/build.go says the same for a run on this machine.
BUILD_FLAGS := -tags=lambda.norpc -trimpath -buildvcs=false -ldflags=-s
SOURCES      = $(wildcard functions internal)
PACKAGES    ?= ./...
TESTFLAGS   ?=

.PHONY: help run console reference built deploy console-dev console-test seed test race long bench check format vet lint vulnerabilities verify-template fuzz-api clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo '  make run PORT=3001 DATA=dir ADMIN_PASSWORD=... VERBOSE=1 LOCAL_RETRY_SECONDS=5   (a $$ in a value is written $$$$)'
	@echo '  make test PACKAGES=./internal/... TESTFLAGS="-run TestName -v"'
	@echo '  With AWS_ENDPOINT_URL_DYNAMODB, _SQS and _S3 set, run, test and bench use those services instead of their own.'

# The runner takes the place of the shell, so that signals meant for `make run` reach it.
run: console ## the whole system on http://127.0.0.1:3000, until Ctrl-C
	@go build -buildvcs=false -o .build/bin/run ./internal/local/run && exec .build/bin/run

CONSOLE := functions/console/web

# Without Node.js the service still builds; in place of the console it has a page that says how to build it.
console: reference ## builds the web console, when its sources changed since the last time
	@if command -v node >/dev/null && command -v npm >/dev/null; then node $(CONSOLE)/scripts/build.mjs; \
	else echo "Node.js is missing: the web console is not built"; fi

# The page is made from the route tables and never committed; openapi.json is, and `go run ./internal/apidoc/generate` makes both.
reference: ## builds the page of the API reference
	@go run ./internal/apidoc/generate -page

# A placeholder that says how to build what is missing is for a developer's machine and not for people who want to sign in.
built: console ## fails unless the console and the reference page are built
	@for page in app/index.html docs.html; do test -s $(CONSOLE)/dist/$$page || \
	  { echo "$(CONSOLE)/dist/$$page is not built: a deployment would show a placeholder" >&2; exit 1; }; done

deploy: built verify-template ## sam deploy of what is here: STAGE=production, or SAM_FLAGS=--guided for a first time
	@SAM_CLI_TELEMETRY=0 .venv/bin/sam deploy $(if $(STAGE),--config-env $(STAGE)) $(SAM_FLAGS)

console-dev: ## the web console from its sources, renewed as they change, in front of make run (PORT=...)
	@node $(CONSOLE)/scripts/build.mjs --install-only && cd $(CONSOLE) && exec node_modules/.bin/vite

console-test: console ## types, units, bundle budget and every browser test of the web console, on a system of its own
	@if command -v node >/dev/null; then cd $(CONSOLE) && node scripts/test.mjs $(if $(SHORT),--short); \
	else echo "Node.js is missing: the web console is not tested"; fi

seed: ## the first environment and administrator of a deployed stack: TABLE_NAME=... ADMIN_PASSWORD=...
	@go run ./internal/local/seed

test: format vet console ## format, vet and every test, against the real local services
	@echo "== go test $(TESTFLAGS) $(PACKAGES)"
	@go build -buildvcs=false -o .build/bin/with ./internal/local/with && .build/bin/with -- go test -timeout 25m $(TESTFLAGS) $(PACKAGES)
	@$(if $(filter ./...,$(PACKAGES)),$(MAKE) console-test SHORT=1)

# The system tests drive built functions, which are built without the detector: under it they would show nothing more.
race: ## the tests again under the race detector, without the hostile millions and the system tests; needs a C compiler
	@echo "== go test -race $(TESTFLAGS) $(PACKAGES)"
	@go build -buildvcs=false -o .build/bin/with ./internal/local/with && CGO_ENABLED=1 exec .build/bin/with -- go test -race -short -timeout 40m $(TESTFLAGS) $$(go list $(PACKAGES) | grep -v /internal/systemtest)

long: ## the long run of imports: workers killed KILL_ROUNDS times, LONG_SCHEDULES schedules of crashes, edits and late workers
	@go build -buildvcs=false -o .build/bin/with ./internal/local/with && KILL_ROUNDS=$${KILL_ROUNDS:-30} LONG_SCHEDULES=$${LONG_SCHEDULES:-100000} .build/bin/with -- go test -timeout 60m -v -run '^(TestRandomSchedules|TestImportWhoseWorkerIsKilled)$$' ./internal/transfer ./internal/dynamo | grep -v '^=== '

bench: ## every benchmark, against the real local services; ends with the table of internal/docs/measured.md
	@mkdir -p .build && printf '| measured | ours | against | ratio | aim |\n|---|---|---|---|---|\n' >.build/bench.md
	@go build -buildvcs=false -o .build/bin/with ./internal/local/with && BENCH_TABLE=$(CURDIR)/.build/bench.md BENCH_BUILD_FLAGS='$(BUILD_FLAGS)' .build/bin/with -- go test -p 1 -timeout 30m -run '^$$' -bench . -benchmem $(TESTFLAGS) $(PACKAGES)
	@echo; cat .build/bench.md

check: format vet lint ## format, vet and staticcheck

format:
	@echo "== gofmt"
	@unformatted="$$(gofmt -l $(SOURCES))"; if [ -n "$$unformatted" ]; then echo "not formatted:"; echo "$$unformatted"; exit 1; fi

vet:
	@echo "== go vet $(PACKAGES)"
	@go vet $(PACKAGES)

lint:
	@echo "== staticcheck $(PACKAGES)"
	@go run $(STATICCHECK) $(PACKAGES)

vulnerabilities: ## known vulnerabilities of the dependencies; asks the Go vulnerability database
	@echo "== govulncheck $(PACKAGES)"
	@go run $(GOVULNCHECK) $(PACKAGES)

verify-template: console .venv/sam-$(SAM_CLI) ## sam validate --lint and sam build on template.yaml
	@echo "== sam validate --lint"
	@SAM_CLI_TELEMETRY=0 .venv/bin/sam validate --lint --template template.yaml
	@echo "== sam build"
	@SAM_CLI_TELEMETRY=0 GOFLAGS="$(BUILD_FLAGS)" .venv/bin/sam build --template template.yaml

.venv/sam-$(SAM_CLI):
	@command -v python3 >/dev/null || { echo "python3 is missing: it runs the SAM CLI" >&2; exit 1; }
	@echo "installing the SAM CLI $(SAM_CLI) into .venv (once)"
	@rm -rf .venv && python3 -m venv .venv && .venv/bin/pip install --quiet --disable-pip-version-check aws-sam-cli==$(SAM_CLI)
	@touch $@

# Where PyPI is not reached there is nothing to ask with, which stops nothing.
fuzz-api: ## generated requests against the OpenAPI document, on a system of its own: FUZZ_SEED=1 FUZZ_EXAMPLES=10 PORT=3990
	@go build -buildvcs=false -o .build/bin/run ./internal/local/run
	@if $(MAKE) .build/schemathesis-$(SCHEMATHESIS)/ready; then exec internal/apidoc/fuzz/run.sh .build/schemathesis-$(SCHEMATHESIS)/bin/st; \
	else echo "not run: schemathesis $(SCHEMATHESIS) could not be installed; it needs python3 and PyPI"; fi

.build/schemathesis-$(SCHEMATHESIS)/ready:
	@echo "installing schemathesis $(SCHEMATHESIS) into $(@D) (once)"
	@rm -rf $(@D) && python3 -m venv $(@D) && $(@D)/bin/pip install --quiet --disable-pip-version-check schemathesis==$(SCHEMATHESIS)
	@touch $@

clean: ## removes everything that was installed or built; data folders stay
	@chmod -R u+w .build 2>/dev/null || true
	rm -rf .build .aws-sam .venv
