#!/bin/sh
# Looks at every page in a browser: sh orchestrator/scripts/browser/check.sh [PROGRAM [OUT [DATABASE]]]
# Needs Node 18, npm and a Chromium or Chrome (CHROME names another). The packages are pinned in package-lock.json.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
program=${1:-$root/target/release/reward-search}
out=${2:-$(mktemp -d)}
work=${TMPDIR:-/tmp}/reward-search-browser
mkdir -p "$work" "$out"
cp "$here/package.json" "$here/package-lock.json" "$here/check.mjs" "$here/search.mjs" "$work/"
(cd "$work" && { [ -d node_modules/axe-core ] || npm ci --silent --no-audit --no-fund; })
exec node "$work/check.mjs" "$program" "$out" ${3:+"$3"}
