#!/usr/bin/env bash
# Serves the production model, and starts again whenever the compiler has written something else: `make api-dev`.
set -euo pipefail
cd "$(dirname "$0")/.."
node_modules/.bin/tsc -p tsconfig.build.json --watch --preserveWatchOutput &
compiler=$!
trap 'kill "$compiler" 2>/dev/null || true' EXIT
node --watch-path=dist/serving --watch-path=dist/contracts --watch-path=dist/client --watch-path=dist/ml --watch-path=dist/integrations \
  dist/client/main.js serve "$@"
