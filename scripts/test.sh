#!/usr/bin/env bash
# Runs the tests, with everything that they need: Node packages, the build, real servers, the programs that judge us, a browser,
# a Docker engine. What is missing is installed into the cache outside the clone; nothing of the machine is changed, and what was
# started is stopped, however this ends. A test whose need cannot be met on this machine is skipped, and named at the end with its reason.
#
#   scripts/test.sh [unit] [tools] [integration] [soak] [-- options of jest]     default: unit tools integration
#
# RETRAIN_TEST_RESULTS is the folder for Jest's results and the logs (default .retrain/test).
set -uo pipefail
cd "$(dirname "$0")/.."

projects=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do
  case "$1" in
    unit | tools | integration | soak) projects+=("$1") ;;
    *) echo "usage: scripts/test.sh [unit] [tools] [integration] [soak] [-- options of jest]" >&2; exit 2 ;;
  esac
  shift
done
[ "${1:-}" != -- ] || shift
[ ${#projects[@]} -gt 0 ] || projects=(unit tools integration)

results=${RETRAIN_TEST_RESULTS:-.retrain/test}
mkdir -p "$results"
rm -f "$results"/*.json "$results"/*.reason "$results/left-over.txt" "$results/engine.settled"

# Of what the tests make on an engine of our own, images alone may stay: they are the cache of the next run.
left_over() {
  local host
  host=$(scripts/setup-docker.sh host 2>/dev/null) || return 0
  [ "${CI:-}" = true ] && [[ $host == */retrain-docker-*/docker.sock ]] || return 0
  PATH="$PATH:$(scripts/setup-docker.sh path)"
  {
    docker --host "$host" ps --all --filter label=retrain.scope --format 'container {{.Names}}'
    docker --host "$host" ps --all --filter name=retrain- --format 'container {{.Names}}'
    docker --host "$host" volume ls --filter name=retrain --format 'volume {{.Name}}'
    docker --host "$host" network ls --filter name=retrain --format 'network {{.Name}}'
  } >"$results/left-over.txt"
}

has() { [[ " ${projects[*]} " == *" $1 "* ]]; }
needs_servers() { has integration || has soak; }
images=(stage worker train-sklearn)
! has soak || images+=(mlflow)
needs_programs() { has tools || needs_servers; }

# An engine of our own ends when this process does, even by SIGKILL: its guard waits at a pipe that the kernel closes then. No
# child of ours may hold the pipe open.
exec 7>/dev/null
guard() {
  exec 7> >(trap '' INT TERM HUP; exec >/dev/null 2>&1; cat; scripts/setup-docker.sh release $$)
}

# Each need that cannot be met leaves its reason in a file; its tests are skipped.
engine() {
  local host
  host=$(scripts/setup-docker.sh host 2>"$results/docker.reason") || return 0
  if [ -z "$host" ]; then
    scripts/setup-docker.sh may-start 2>"$results/docker.reason" || return 0
  fi
  rm -f "$results/docker.reason"
  if ! RETRAIN_DOCKER_FOR=$$ scripts/setup-docker.sh start >"$results/docker.log" 2>&1 ||
    ! scripts/setup-docker.sh images >>"$results/docker.log" 2>&1; then
    grep -a '^error: ' "$results/docker.log" | tail -n 1 | sed 's/^error: //' >"$results/docker.reason"
  fi
}

# The images are built while the tests run: a suite that wants one meanwhile waits in line, and one that cannot be built fails there.
engine_and_images() {
  engine
  touch "$results/engine.settled"
  [ -s "$results/docker.reason" ] || scripts/build-test-images.sh "${images[@]}" >>"$results/docker.log" 2>&1
}

engine_settled() {
  until [ -e "$results/engine.settled" ] || ! kill -0 "$docker" 2>/dev/null; do sleep 0.2; done
  [ ! -s "$results/docker.reason" ] || export RETRAIN_TEST_ENGINE=none
}

programs() { scripts/setup-test-tools.sh "$results"; }

run() {
  local project=$1
  shift
  echo "== $project tests"
  node_modules/.bin/jest --selectProjects "$project" --json --outputFile "$results/$project.json" --passWithNoTests "$@" 7>&-
}

failed=0
if needs_servers; then
  guard
  engine_and_images 7>&- &
  docker=$!
fi
if needs_programs; then
  programs 7>&- &
  tools=$!
fi
if needs_programs; then scripts/setup.sh; else scripts/setup.sh packages; fi 7>&- || exit
for project in "${projects[@]}"; do
  if [ "$project" = tools ] || [ "$project" = integration ]; then wait "${tools:-}" 2>/dev/null; fi
  case "$project" in
    # Its suites wait for servers most of the time.
    integration | soak) engine_settled; run "$project" --maxWorkers 3 "$@" || failed=1 ;;
    *) run "$project" "$@" || failed=1 ;;
  esac
done
if has integration; then left_over; fi
node test/tools/sum-up.mjs "$results" "${projects[@]}" || failed=1
exit "$failed"
