#!/usr/bin/env bash
# Makes clients from openapi.json with the usual generators, compiles them, and walks through a system of its own with
# each: clients of run.sh CLIENTS..., of go, typescript and python. PORT changes the address.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."
root=$PWD document=$PWD/functions/console/api/openapi.json journeys=$PWD/internal/apidoc/clients/testdata
work=$PWD/.build/clients
export URL=http://127.0.0.1:${PORT:=3991} PORT WORKBOOK=$PWD/internal/systemtest/testdata/joiners.xlsx
mkdir -p "$work"
folder=$(mktemp -d)
ADMIN_PASSWORD=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
export ADMIN_PASSWORD

make_go() {
  rm -rf "$work/go" && mkdir -p "$work/go/api" && cd "$work/go"
  printf 'module client\n\ngo 1.26\n' >go.mod
  (cd "$root" && GOFLAGS=-mod=mod GOBIN=$work/bin go install "$OAPI_CODEGEN")
  "$work/bin/oapi-codegen" -package api -generate types,client -o api/client.go "$document"
  cp "$journeys/journey.go" main.go
  GOFLAGS=-mod=mod go mod tidy -e 2>/dev/null
  GOFLAGS=-mod=mod go vet ./...
  GOFLAGS=-mod=mod go build -o client .
}
run_go() { "$work/go/client"; }

make_typescript() {
  local modules=$root/functions/console/web/node_modules
  rm -rf "$work/typescript" && mkdir -p "$work/typescript" && cd "$work/typescript"
  ln -s "$modules" node_modules
  printf '{"type":"module"}\n' >package.json
  node_modules/.bin/openapi-typescript "$document" --output schema.d.ts >/dev/null
  cp "$journeys/journey.ts" .
  node_modules/.bin/tsc --strict --noUncheckedIndexedAccess --exactOptionalPropertyTypes --target es2022 --module nodenext \
    --moduleResolution nodenext --lib es2022,dom,dom.iterable --types node --skipLibCheck journey.ts
}
run_typescript() { node "$work/typescript/journey.js"; }

make_python() {
  [ -x "$work/venv/bin/openapi-python-client" ] || {
    python3 -m venv "$work/venv"
    "$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check "openapi-python-client==$OPENAPI_PYTHON_CLIENT" mypy
  }
  rm -rf "$work/python"
  PATH=$work/venv/bin:$PATH openapi-python-client generate --path "$document" --output-path "$work/python" --meta none \
    --fail-on-warning
  rm -rf "$work/venv-client" && mkdir -p "$work/venv-client" && mv "$work/python" "$work/venv-client/user_accounts_client"
  cp "$journeys/journey.py" "$work/venv-client/"
  "$work/venv/bin/python" -m compileall -q "$work/venv-client"
}
run_python() { "$work/venv/bin/python" "$work/venv-client/journey.py"; }

for client in "$@"; do
  echo "== making the $client client"
  (eval "make_$client")
done
cd "$root"
DATA=$folder/data .build/bin/run >"$folder/run.log" 2>&1 &
runner=$!
trap 'kill "$runner" 2>/dev/null; wait "$runner" 2>/dev/null || true; rm -rf "$folder"' EXIT
until curl -sf -o /dev/null "$URL/api/health"; do
  kill -0 "$runner" 2>/dev/null || { cat "$folder/run.log"; exit 1; }
  sleep 1
done
for client in "$@"; do
  echo "== walking with the $client client"
  eval "run_$client"
done
