#!/usr/bin/env bash
# Starts a system of its own, signs in as an administrator whom nobody guesses at, and holds the system against its OpenAPI
# document with requests that schemathesis makes. FUZZ_SEED, FUZZ_EXAMPLES, FUZZ_PHASES and PORT change it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."
st=$PWD/$1 url=http://127.0.0.1:${PORT:=3990} folder=$(mktemp -d)
export PORT DATA=$folder/data
ADMIN_PASSWORD=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
export ADMIN_PASSWORD
.build/bin/run >"$folder/run.log" 2>&1 &
runner=$!
trap 'kill "$runner" 2>/dev/null; wait "$runner" 2>/dev/null || true; rm -rf "$folder"' EXIT
until curl -sf -o /dev/null "$url/api/docs"; do
  kill -0 "$runner" 2>/dev/null || { cat "$folder/run.log"; exit 1; }
  sleep 1
done
json() { node -pe 'JSON.parse(require("fs").readFileSync(0))'"$1"; }
sign_in() { curl -sS --fail-with-body "$url/api/login" -H 'Content-Type: application/json' -d "{\"identifier\":\"$1\",\"password\":\"$2\"}"; }
post() { curl -sS --fail-with-body "$url$1" -H "Authorization: Bearer $token" -H 'Content-Type: application/json' -d "$2"; }

# The document's examples guess at the password of admin; the one who asks is another, whose session they do not end.
token=$(sign_in admin "$ADMIN_PASSWORD" | json .accessToken)
id=$(post /api/accounts '{"username":"fuzzer","name":"Fuzzer","email":"fuzzer@example.com","userType":"FULL","roles":["ADMIN"]}' | json .id)
post "/api/accounts/$id/password" "{\"password\":\"$ADMIN_PASSWORD\",\"forceChange\":false}" >/dev/null
post "/api/accounts/$id/allow" '{}' >/dev/null
token=$(sign_in fuzzer "$ADMIN_PASSWORD" | json .accessToken)

# Left out is what ends the session, and what asks for the caller's password: five wrong ones block the caller.
here=$PWD/internal/apidoc/fuzz
cd "$folder" # where it leaves what it found
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$here SCHEMATHESIS_HOOKS=hooks "$st" --config-file "$here/schemathesis.toml" run "$url/api/openapi.json" -H "Authorization: Bearer $token" \
  --phases "${FUZZ_PHASES:-examples,coverage}" --mode all --seed "${FUZZ_SEED:-1}" -n "${FUZZ_EXAMPLES:-10}" -w 1 --continue-on-failure --no-color --warnings off \
  --exclude-path-regex '^/api/(logout|me/(mfa|links|password)|accounts/\{id\}/mfa/)' --exclude-operation-id deleteSessions --exclude-method TRACE
curl -sS --fail-with-body -o /dev/null "$url/api/me" -H "Authorization: Bearer $token" # what was asked as nobody says nothing
