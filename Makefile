# Everything a developer does here. Nothing has to be installed beforehand but Go, Node.js, Java and make.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

SAM_CLI       := 1.170.0
CFN_LINT      := 1.58.0
CHECKOV       := 3.3.30
CHECKERS      := .build/checkers-$(CFN_LINT)-$(CHECKOV)
SCHEMATHESIS  := 4.32.5
GOLANGCI_LINT := v2.15.0
OASDIFF       := github.com/oasdiff/oasdiff@v1.38.0
REDOCLY       := @redocly/cli@2.77.0
SPECTRAL      := @stoplight/spectral-cli@6.16.3
export OAPI_CODEGEN          := github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2
export OPENAPI_PYTHON_CLIENT := 0.29.1
GOVULNCHECK   := golang.org/x/vuln/cmd/govulncheck@v1.9.0

# What `sam build` gives to go build; internal/local/build.go says the same for a run on this machine.
BUILD_FLAGS := -tags=lambda.norpc -trimpath -buildvcs=false -ldflags=-s
# One setting for everything, so that functions, tools and tests share what is compiled.
export GOFLAGS := $(GOFLAGS) -trimpath -buildvcs=false
export CGO_ENABLED := 0

SOURCES   = $(wildcard functions internal)
PACKAGES  ?= ./...
TESTFLAGS ?=
CONSOLE   := functions/console/web
WITH      := .build/bin/with

.PHONY: help run console reference built deploy console-dev console-test seed recover-admin unit test iam race long nightly bench check format vet lint lint-go lint-console \
	vulnerabilities verify-template fuzz-api clients lint-openapi breaking clean go node

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo '  make run PORT=3001 DATA=dir ENVIRONMENT=name ADMIN_PASSWORD=... VERBOSE=1 LOCAL_RETRY_SECONDS=5   (a $$ in a value is written $$$$)'
	@echo '  make test PACKAGES=./internal/... TESTFLAGS="-run TestName -v"'
	@echo '  TEST_DYNAMODB=local make test    on DynamoDB Local everywhere, as .ci/run has it'
	@echo '  With AWS_ENDPOINT_URL_DYNAMODB, _SQS and _S3 set, run, test and bench use those services instead of their own.'

go:
	@command -v go >/dev/null || { echo "go is missing: install Go 1.26 or newer" >&2; exit 1; }

node:
	@command -v node >/dev/null || { echo "node is missing: install Node.js 20 or newer" >&2; exit 1; }

# The runner takes the place of the shell, so that signals meant for `make run` reach it.
run: go ## the whole system on http://localhost:3000, until Ctrl-C
	@[ -e .build/bin/run ] || echo "- building the runner; Go fetches the modules that it has not yet"
	@go build -o .build/bin/run ./internal/local/run && exec .build/bin/run -console

# Without Node.js the service still builds; in place of the console it has a page that says how to build it.
console: reference ## builds the web console, when its sources changed since the last time
	@if command -v node >/dev/null && command -v npm >/dev/null; then node $(CONSOLE)/scripts/build.mjs; \
	else echo "Node.js is missing: the web console is not built"; fi

# The page is made from the route tables and never committed; openapi.json is, and `go run ./internal/apidoc/generate` makes both.
reference: go ## builds the page of the API reference
	@go run ./internal/apidoc/generate -page

# A placeholder that says how to build what is missing is for a developer's machine and not for people who want to sign in.
built: node console ## fails unless the console and the reference page are built
	@for page in app/index.html docs/reference.html; do test -s $(CONSOLE)/dist/$$page || \
	  { echo "$(CONSOLE)/dist/$$page is not built: a deployment would show a placeholder" >&2; exit 1; }; done

deploy: built verify-template ## what is here to the cloud: ENV=dev|prod (samconfig.toml) PARAMETERS="MailSender=..." SAM_FLAGS=...
	@SAM_CLI_TELEMETRY=0 ENV='$(ENV)' PARAMETERS='$(PARAMETERS)' go run ./internal/local/deploy $(SAM_FLAGS)

console-dev: node ## the web console from its sources, renewed as they change, in front of make run (PORT=...)
	@node $(CONSOLE)/scripts/build.mjs --install-only && cd $(CONSOLE) && exec node_modules/.bin/vite

console-test: console ## types, units, bundle budget and every browser test of the web console, on a system of its own
	@if command -v node >/dev/null; then cd $(CONSOLE) && node scripts/test.mjs $(if $(SHORT),--short); \
	else echo "Node.js is missing: the web console is not tested"; fi

seed: go ## the first environment and administrator of a deployed stack: TABLE_NAME= ADMIN_USERNAME= ADMIN_EMAIL= ENVIRONMENT_ID=main TRY_OUT=1 NEW=1
	@go run ./internal/local/seed

recover-admin: go ## lets an administrator in again who is locked out: TABLE_NAME= ADMIN_USERNAME= ENVIRONMENT_ID=main REMOVE_FACTORS=1
	@go run ./internal/local/seed recover

# Tests make much garbage on small heaps, of which the collector made half of their time. go test would vet what make vet
# and make lint vet whole.
QUICK   := GOGC=400
GO_TEST := go test -vet=off

unit: go ## every test that needs no service: a minute of one core
	@$(QUICK) TEST_SERVICES=none $(GO_TEST) $(TESTFLAGS) $(PACKAGES) | { grep -v '\[no test files\]' || true; }

test: format vet console $(WITH) ## format, vet and every test, with the local services: five minutes on two cores
	@echo "== go test $(TESTFLAGS) $(PACKAGES)"
	@$(QUICK) $(WITH) -- $(GO_TEST) -parallel 4 -timeout 25m $(TESTFLAGS) $(PACKAGES) | { grep -v '\[no test files\]' || true; }
	@$(if $(filter ./...,$(PACKAGES)),$(MAKE) console-test SHORT=1)

iam: console $(WITH) ## the system tests, with every call to a service held against the role of the function that makes it
	@CHECK_ROLES=1 $(QUICK) $(WITH) -- go test -parallel 4 -timeout 25m $(TESTFLAGS) ./internal/systemtest

$(WITH): go FORCE
	@go build -o $@ ./internal/local/with

FORCE:

# The system tests drive built functions, which are built without the detector: under it they would show nothing more.
race: $(WITH) ## the tests again under the race detector, without the hostile millions and the system tests; needs a C compiler
	@echo "== go test -race $(TESTFLAGS) $(PACKAGES)"
	@CGO_ENABLED=1 exec $(WITH) -- go test -race -short -timeout 40m $(TESTFLAGS) $$(go list $(PACKAGES) | grep -v /internal/systemtest)

LONG := KILL_ROUNDS=$${KILL_ROUNDS:-30} LONG_SCHEDULES=$${LONG_SCHEDULES:-100000} CONTRACT_STEPS=$${CONTRACT_STEPS:-20000}

long: $(WITH) ## the long runs: workers killed KILL_ROUNDS times, LONG_SCHEDULES schedules of crashes, edits and late workers
	@$(LONG) LONG=1 $(WITH) -- go test -timeout 90m -v -run '$(LONG_TESTS)' $(LONG_PACKAGES) | { grep -Ev '^=== |^ *--- SKIP|no tests to run' || true; }

LONG_TESTS    := ^(TestEveryScheduleOfTwoCrashes|TestRandomSchedules|TestImportWhoseWorkerIsKilled|TestKilledWorkersImportIsDeliveredAgain|TestFakeAnswersAsDynamoDBLocal|TestStrangersWhoGuessForLongKeepNobodyOut)$$
LONG_PACKAGES := ./internal/transfer ./internal/dynamo ./internal/systemtest ./internal/local/dynamofake

# What takes longer than anybody waits for. Each part runs, and the first that fails is told at the end.
nightly: ## everything long: make long, fuzzing with new seeds, generated requests with new seeds, every target on a fresh clone
	@.ci/nightly

bench: $(WITH) ## every benchmark, against the real local services; ends with the table of internal/docs/measured.md
	@mkdir -p .build && printf '| measured | ours | against | ratio | aim |\n|---|---|---|---|---|\n' >.build/bench.md
	@TEST_DYNAMODB=local BENCH_TABLE='$(CURDIR)/.build/bench.md' BENCH_BUILD_FLAGS='$(BUILD_FLAGS)' $(WITH) -- go test -p 1 -timeout 30m -run '^$$' -bench . -benchmem $(TESTFLAGS) $(PACKAGES)
	@echo; cat .build/bench.md

check: format vet lint ## format, vet and lint

format: go
	@echo "== gofmt"
	@unformatted="$$(gofmt -l $(SOURCES))"; if [ -n "$$unformatted" ]; then echo "not formatted:"; echo "$$unformatted"; exit 1; fi

vet: go
	@echo "== go vet $(PACKAGES)"
	@go vet $(PACKAGES)

lint: lint-go lint-console ## golangci-lint (.golangci.yml) and the console's ESLint and Prettier

GOLANGCI := .build/bin/golangci-lint-$(GOLANGCI_LINT)

lint-go: $(GOLANGCI)
	@echo "== golangci-lint $(PACKAGES)"
	@$(GOLANGCI) run $(PACKAGES)

$(GOLANGCI): | go
	@echo "building golangci-lint $(GOLANGCI_LINT) (once, a few minutes)"
	@GOBIN='$(CURDIR)/.build/bin/$(GOLANGCI_LINT)' go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT)
	@mv '.build/bin/$(GOLANGCI_LINT)/golangci-lint' $@ && rmdir '.build/bin/$(GOLANGCI_LINT)'

lint-console: console
	@if command -v node >/dev/null; then echo "== eslint, prettier"; cd $(CONSOLE) && npm run --silent lint; \
	else echo "Node.js is missing: the web console is not linted"; fi

vulnerabilities: go ## known vulnerabilities of the dependencies; asks the Go vulnerability database
	@echo "== govulncheck $(PACKAGES)"
	@go run $(GOVULNCHECK) $(PACKAGES)

# What the checkers find and is meant stands in .checkov.yaml with the reason.
verify-template: console .venv/sam-$(SAM_CLI) $(CHECKERS)/ready ## sam validate, cfn-lint, checkov, sam build and the questions of sam deploy --guided
	@echo "== cfn-lint, checkov"
	@$(CHECKERS)/bin/cfn-lint template.yaml
	@$(CHECKERS)/bin/checkov --config-file .checkov.yaml --file template.yaml --quiet --compact 2>/dev/null
	@echo "== sam validate --lint"
	@SAM_CLI_TELEMETRY=0 .venv/bin/sam validate --lint --template template.yaml
	@echo "== sam build"
	@SAM_CLI_TELEMETRY=0 GOFLAGS="$(BUILD_FLAGS)" .venv/bin/sam build --template template.yaml
	@echo "== sam deploy --guided"
	@.ci/guided-deploy

$(CHECKERS)/ready:
	@command -v python3 >/dev/null || { echo "python3 is missing: it runs cfn-lint and checkov" >&2; exit 1; }
	@echo "installing cfn-lint and checkov into $(@D) (once)"
	@rm -rf $(@D) && python3 -m venv $(@D)
	@$(@D)/bin/python -m pip install --quiet --disable-pip-version-check cfn-lint==$(CFN_LINT) checkov==$(CHECKOV)
	@touch $@

.venv/sam-$(SAM_CLI):
	@command -v python3 >/dev/null || { echo "python3 is missing: it runs the SAM CLI" >&2; exit 1; }
	@echo "installing the SAM CLI $(SAM_CLI) into .venv (once)"
	@rm -rf .venv && python3 -m venv .venv && .venv/bin/python -m pip install --quiet --disable-pip-version-check aws-sam-cli==$(SAM_CLI)
	@touch $@

# Where PyPI is not reached there is nothing to ask with, which stops nothing.
fuzz-api: go ## generated requests against the OpenAPI document, on a system of its own: FUZZ_SEED=1 FUZZ_EXAMPLES=10 PORT=3990
	@go build -o .build/bin/run ./internal/local/run
	@if $(MAKE) .build/schemathesis-$(SCHEMATHESIS)/ready; then exec internal/apidoc/fuzz/run.sh .build/schemathesis-$(SCHEMATHESIS)/bin/st; \
	else echo "not run: schemathesis $(SCHEMATHESIS) could not be installed; it needs python3 and PyPI"; fi

# Clients that people generate, made and used: a contract is what they can rely on.
clients: go console ## clients in Go, TypeScript and Python made from openapi.json, compiled and used on a system: CLIENTS="go typescript python"
	@go build -o .build/bin/run ./internal/local/run
	@exec internal/apidoc/clients/run.sh $(or $(CLIENTS),go typescript python)

lint-openapi: ## Redocly's strict rules and Spectral's rules of OpenAPI over openapi.json; needs npm
	@npx --yes $(REDOCLY) lint --extends=recommended-strict functions/console/api/openapi.json
	@npx --yes --package $(SPECTRAL) spectral lint --fail-severity warn --ruleset internal/apidoc/spectral.yaml functions/console/api/openapi.json

# The document is held against that of the last release. What breaks a client needs a line in the change log; see the script.
breaking: go ## what of openapi.json breaks a client of the last release, and is not in the change log
	@OASDIFF=$(OASDIFF) internal/apidoc/breaking.sh

.build/schemathesis-$(SCHEMATHESIS)/ready:
	@echo "installing schemathesis $(SCHEMATHESIS) into $(@D) (once)"
	@rm -rf $(@D) && python3 -m venv $(@D) && $(@D)/bin/python -m pip install --quiet --disable-pip-version-check schemathesis==$(SCHEMATHESIS)
	@touch $@

clean: ## removes everything that was installed or built; data folders stay
	@chmod -R u+w .build 2>/dev/null || true
	rm -rf .build .aws-sam .venv $(CONSOLE)/node_modules $(CONSOLE)/dist/app $(CONSOLE)/dist/docs $(CONSOLE)/src/api/schema.d.ts $(CONSOLE)/screenshots
