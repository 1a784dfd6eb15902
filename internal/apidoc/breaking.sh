#!/usr/bin/env bash
# Fails for each change of openapi.json against released.json that breaks a client, unless the Unreleased part of the change
# log names the operation as `METHOD /path`. A release copies openapi.json onto released.json. That problems gain codes
# breaks nobody: the document's description says that they do, and clients take an unknown one by its status.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
unreleased=$(sed -n '/^## \[Unreleased\]/,/^## \[[0-9]/p' internal/docs/CHANGELOG.md)
found=$(go run "$OASDIFF" breaking --format json internal/apidoc/released.json functions/console/api/openapi.json)
missing=0
while IFS=$'\t' read -r operation text; do
  [ -n "$operation" ] || continue
  grep -qF "\`$operation\`" <<<"$unreleased" && continue
  echo "$operation: $text"
  missing=1
done < <(node -e '
  for (const change of JSON.parse(require("fs").readFileSync(0, "utf8") || "[]") ?? [])
    if (change.id !== "response-property-enum-value-added" || !change.text.includes("to the `code` response property"))
      console.log(`${change.operation ?? ""} ${change.path ?? ""}\t${change.text}`)' <<<"$found")
if [ "$missing" -ne 0 ]; then
  echo 'These changes break clients of the last release: keep the old form, or name each operation in internal/docs/CHANGELOG.md' >&2
  exit 1
fi
echo "nothing breaks a client of the last release but what the change log says"
