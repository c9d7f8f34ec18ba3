#!/usr/bin/env bash
# The programs that judge us in tests: the real dvc, the real model_signing, a real S3 server (MinIO). Installs those that are
# missing, side by side, into the cache outside the clone; jest.config.cjs finds them there. Can be run again at any time.
set -euo pipefail
cd "$(dirname "$0")/.."

cache="${RETRAIN_TOOLS_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/retrain}/test-tools"
mkdir -p "$cache"
# Two set-ups at a time would write into one another's folders.
exec 9>"$cache/lock"
flock 9

MINIO=v0.0.0-20260212201848-7aac2a2c5b7c

# A virtual environment that is there only when it is whole.
venv() {
  local name=$1 requirements=$2 dir="$cache/$1"
  if [ -f "$dir/complete" ] && cmp -s "$dir/complete" "$requirements"; then return; fi
  echo "  $name: installing"
  rm -rf "$dir"
  python3 -m venv "$dir"
  "$dir/bin/pip" install --quiet --disable-pip-version-check --requirement "$requirements"
  cp "$requirements" "$dir/complete"
  echo "  $name: installed"
}

minio() {
  local dir="$cache/minio-$MINIO" part="$cache/minio.part"
  if [ -x "$dir/minio" ]; then return; fi
  command -v go >/dev/null || { echo '  minio: Go is not on the PATH; its tests are skipped (in CI they fail)'; return; }
  echo '  minio: building, about 3 minutes on 2 cores'
  rm -rf "$part"
  GOBIN="$part" go install "github.com/minio/minio@$MINIO"
  rm -rf "$dir"
  mv "$part" "$dir"
  echo '  minio: built'
}

pids=()
venv dvc test/tools/dvc-requirements.txt & pids+=($!)
venv model-signing test/tools/model-signing-requirements.txt & pids+=($!)
minio & pids+=($!)
failed=0
for pid in "${pids[@]}"; do wait "$pid" || failed=1; done
exit "$failed"
