#!/usr/bin/env bash
# Makes a clone ready to work: Node packages, the build, and the programs of the embedded stack (Temporal, MLflow).
# Does only what is missing, and can be run again at any time. The programs go to a cache outside the clone.
# `scripts/setup.sh packages` stops after the packages: all that unit tests need.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*"; }
fail() {
  printf 'error: %s\n' "$*" >&2
  exit 4
}

# Runs a slow command with its output in a log: a line every 15 s, and the end of the log if it fails.
slowly() {
  local title=$1 log=$2 started=$SECONDS next=15 pid
  shift 2
  (umask 077 && : >"$log")
  "$@" >"$log" 2>&1 </dev/null &
  pid=$!
  while kill -0 "$pid" 2>/dev/null; do
    sleep 0.2
    if ((SECONDS - started >= next)); then
      say "  $title … $((SECONDS - started))s"
      next=$((next + 15))
    fi
  done
  if ! wait "$pid"; then
    tail -n 25 "$log" >&2
    fail "$title failed; the whole log is in $log"
  fi
}

require_node() {
  local how='install Node 20.19 or newer from https://nodejs.org'
  command -v node >/dev/null || fail "Node is not on the PATH; $how"
  command -v npm >/dev/null || fail "npm is not on the PATH, it comes with Node; $how"
  node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' ||
    fail "Node $(node -v) is too old; $how"
}

# As the commands make it: for its owner only, and never in git.
state_folder() {
  mkdir -p .retrain
  chmod 700 .retrain
  [ -e .retrain/.gitignore ] || echo '*' >.retrain/.gitignore
}

# Two set-ups in one clone would delete each other's packages.
lock() {
  local dir=.retrain/setup.lock told=no holder
  state_folder
  until mkdir "$dir" 2>/dev/null; do
    holder=$(cat "$dir/pid" 2>/dev/null || true)
    if [ -n "$holder" ] && ! kill -0 "$holder" 2>/dev/null; then
      rm -rf "$dir"
      continue
    fi
    if [ "$told" = no ]; then say "Waiting for another set-up (process ${holder:-unknown}); if there is none, remove $dir"; fi
    told=yes
    sleep 1
  done
  echo $$ >"$dir/pid"
  trap 'rm -rf .retrain/setup.lock' EXIT
}

# Packages are those of the lock file, built for this Node.
packages() {
  local stamp=node_modules/.retrain-setup wanted
  wanted="$(cat package.json package-lock.json .npmrc | cksum) $(node -p 'process.version.split(".")[0] + process.platform + process.arch')"
  if [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then return; fi
  say 'Installing Node packages (about a minute)'
  # Without the packages' own scripts: see scripts/check-packages.mjs.
  slowly 'npm ci' .retrain/logs/npm.log npm ci --ignore-scripts --no-progress
  echo "$wanted" >"$stamp"
}

SOURCES='contracts ml stages integrations pipeline activities workflows worker client temporal bench scripts serving package.json tsconfig.json tsconfig.build.json'

build() {
  # shellcheck disable=SC2086 # a list of folders
  if [ -e dist/.built ] && [ -z "$(find $SOURCES -newer dist/.built 2>/dev/null | head -n 1)" ]; then return; fi
  say 'Building'
  local begun=.retrain/build-begun
  touch "$begun"
  slowly 'npm run build' .retrain/logs/build.log npm run --silent build
  mv "$begun" dist/.built
}

# Bundled on the spot, so that the programs install while the project is still being compiled.
programs() {
  local bundle=node_modules/.cache/retrain/setup-programs.cjs
  node_modules/.bin/esbuild scripts/setup-programs.ts --bundle --platform=node --packages=external \
    --log-level=error --outfile="$bundle" &&
    node "$bundle" </dev/null
}

require_node
lock
mkdir -p .retrain/logs
packages
if [ "${1:-}" = packages ]; then exit 0; fi
build &
building=$!
programs || {
  wait "$building" || true
  exit 4
}
wait "$building"
say 'Everything is set up.'
