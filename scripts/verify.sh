#!/usr/bin/env bash
# Looks whether the whole of it works: MLflow, the API, a model in production, a prediction. Changes nothing but the prediction log.
#
#   scripts/verify.sh [ROW.json]      a row for the model in production; default: the one that its registry entry has as its example
#
# MLFLOW_TRACKING_URI and RETRAIN_API_URL say where they are; default: as `retrain up` and docker compose start them. RETRAIN_API_KEY,
# where the API wants one.
set -euo pipefail

mlflow=${MLFLOW_TRACKING_URI:-http://localhost:${RETRAIN_MLFLOW_PORT:-5000}}
api=${RETRAIN_API_URL:-http://localhost:${RETRAIN_API_PORT:-8000}}
row=${1:-}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

step() { echo "$1/6 $2"; }
fail() {
  echo "  failed: $1" >&2
  echo "  next: $2" >&2
  exit 1
}
# get URL FILE [curl options]: the body into FILE, whatever the status; prints the status, 000 when nobody answers.
get() {
  local url=$1 file=$2
  shift 2
  curl --silent --max-time 20 --output "$file" --write-out '%{http_code}' \
    ${RETRAIN_API_KEY:+--header "X-API-Key: $RETRAIN_API_KEY"} "$@" "$url" || true
}
# field FILE EXPRESSION: prints a value of a JSON file; `it` is what the file holds.
field() {
  node --eval '
    const it = JSON.parse(require("node:fs").readFileSync(process.argv[1], "utf8"));
    const value = new Function("it", `return ${process.argv[2]}`)(it);
    console.log(typeof value === "object" ? JSON.stringify(value) : String(value));
  ' "$1" "$2" 2>/dev/null || echo '(no JSON)'
}

step 1 'programs'
for program in node curl; do
  command -v "$program" >/dev/null || fail "there is no $program" "install $program"
done
[ -z "$row" ] || [ -f "$row" ] || fail "there is no file $row" 'name a file with one row, such as examples/credit-risk/sample_input.json'

step 2 "MLflow at $mlflow"
status=$(get "$mlflow/health" "$work/mlflow")
[ "$status" = 200 ] || fail "it answered $status" 'start it: retrain up, or docker compose up'

step 3 "API at $api"
status=$(get "$api/health" "$work/health")
[ "$status" != 000 ] || fail 'nobody answers' 'start it: retrain up, or docker compose up'
[ "$status" = 200 ] || fail "it answered $status: $(field "$work/health" 'it.why ?? it.status')" 'do what it says'
echo "  $(field "$work/health" 'it.status')"

step 4 'a model is in production'
status=$(get "$api/model/info" "$work/info")
[ "$status" = 200 ] || fail "it answered $status: $(field "$work/info" 'it.detail')" 'train one: retrain start --wait'
stage=$(field "$work/info" 'it.model_stage')
[ "$stage" = Production ] || fail "its stage is $stage, expected Production" 'look at it: retrain history MODEL'
echo "  $(field "$work/info" '`${it.model_name} version ${it.model_version}, run ${it.run_id}`')"

step 5 'it can be traced to its data'
hash=$(field "$work/info" 'it.data_hash ?? ""')
[ -n "$hash" ] || fail 'nothing is recorded of its data' 'register models with retrain start, which records it'
echo "  data $hash"

step 6 'a prediction'
if [ -n "$row" ]; then
  cp "$row" "$work/row"
else
  field "$work/info" '(it.example ?? [])[0] ?? ""' >"$work/row"
  [ -s "$work/row" ] && [ "$(cat "$work/row")" != '' ] || fail 'the model has no example row' "name one: $0 ROW.json"
fi
status=$(get "$api/predict" "$work/answer" --header 'Content-Type: application/json' --data-binary "@$work/row")
[ "$status" = 200 ] || fail "it answered $status: $(field "$work/answer" 'it.detail')" "look at $api/ui, which has a form of the model's columns"
prediction=$(field "$work/answer" 'it.prediction ?? ""')
[ -n "$prediction" ] || fail 'the answer has no prediction' "look at $api/docs"
echo "  $prediction, by version $(field "$work/answer" 'it.model_version')"

echo 'All is well.'
