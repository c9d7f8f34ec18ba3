#!/usr/bin/env bash
# The programs that judge us in tests: the real dvc, the real model_signing, a real S3 server (MinIO), schemathesis, docker compose, kustomize, the
# schemas of Kubernetes, Prometheus with promtool. Installs those that are missing, side by side, into the cache outside the clone; jest.config.cjs finds them there. Can be run again at any time.
#
#   scripts/setup-test-tools.sh [FOLDER]
#
# One that cannot be had is no error: why is written to FOLDER/NEED.reason, and its tests are skipped.
set -euo pipefail
reasons=${1:-$(mktemp -d)}
mkdir -p "$reasons"
reasons=$(cd "$reasons" && pwd)
cd "$(dirname "$0")/.."

cache="${RETRAIN_TOOLS_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/retrain}/test-tools"
mkdir -p "$cache"
# Two set-ups at a time would write into one another's folders.
exec 9>"$cache/lock"
! command -v flock >/dev/null || flock 9

MINIO=v0.0.0-20260212201848-7aac2a2c5b7c

cannot() {
  echo "  $1: $2"
  echo "$2" >"$reasons/$1.reason"
}

# A virtual environment that is there only when it is whole.
venv() {
  local name=$1 requirements=$2 dir="$cache/$1" need=${3:-$1}
  if [ -f "$dir/complete" ] && cmp -s "$dir/complete" "$requirements"; then return; fi
  command -v python3 >/dev/null || { cannot "$need" 'Python 3 is not on the PATH'; return; }
  echo "  $name: installing"
  rm -rf "$dir"
  if ! python3 -m venv "$dir" >"$dir.log" 2>&1 ||
    ! "$dir/bin/pip" install --quiet --disable-pip-version-check --requirement "$requirements" >>"$dir.log" 2>&1; then
    cannot "$need" "it could not be installed: $(tail -n 1 "$dir.log"); the log is $dir.log"
    return
  fi
  cp "$requirements" "$dir/complete"
  echo "  $name: installed"
}

minio() {
  local dir="$cache/minio-$MINIO" part="$cache/minio.part"
  if [ -x "$dir/minio" ]; then return; fi
  command -v go >/dev/null || { cannot minio 'Go is not on the PATH to build it'; return; }
  echo '  minio: building, about 3 minutes on 2 cores'
  rm -rf "$part"
  if ! GOBIN="$part" go install "github.com/minio/minio@$MINIO" >"$dir.log" 2>&1; then
    cannot minio "it could not be built: $(tail -n 1 "$dir.log"); the log is $dir.log"
    return
  fi
  rm -rf "$dir"
  mv "$part" "$dir"
  echo '  minio: built'
}

# docker compose 2 and kustomize: the machine's own, or those of Debian 13, unpacked into the cache, as Debian 12 has none.
containers() {
  local dir="$cache/containers" part="$cache/containers.part" packages=() sources
  if [ -x "$dir/docker-compose" ] && [ -x "$dir/kustomize" ]; then return; fi
  rm -rf "$part"
  mkdir -p "$part/lists/partial" "$part/archives/partial" "$part/bin"
  case "$(docker compose version --short 2>/dev/null)" in
    2.* | v2.* | 5.* | v5.*)
      printf '#!/bin/sh\nexec docker compose "$@"\n' >"$part/bin/docker-compose"
      chmod +x "$part/bin/docker-compose"
      ;;
    *) packages+=(docker-compose) ;;
  esac
  if command -v kustomize >/dev/null; then ln -s "$(command -v kustomize)" "$part/bin/kustomize"; else packages+=(kustomize); fi
  if [ ${#packages[@]} -gt 0 ]; then
    if ! command -v apt-get >/dev/null || ! [ -f /usr/share/keyrings/debian-archive-keyring.gpg ]; then
      for need in compose kubernetes; do cannot "$need" "${packages[*]}: not on this machine, and only Debian's can be unpacked"; done
      return
    fi
    echo "  ${packages[*]}: fetching from Debian 13"
    sources="deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian trixie main"
    echo "$sources" >"$part/sources.list"
    # Lists and archives of its own: what this machine installs, and may install, stays as it is.
    local apt=(apt-get -qq -o "Dir::Etc::sourcelist=$part/sources.list" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$part/lists"
      -o "Dir::Cache=$part" -o Dir::State::status=/dev/null -o APT::Sandbox::User=
      -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false)
    if ! { "${apt[@]}" update && (cd "$part" && "${apt[@]}" download "${packages[@]}"); } >"$cache/containers.log" 2>&1; then
      for need in compose kubernetes; do cannot "$need" "${packages[*]}: $(tail -n 1 "$cache/containers.log")"; done
      return
    fi
    for package in "$part"/*.deb; do dpkg-deb --extract "$package" "$part/root"; done
    find "$part/root" -type f \( -name docker-compose -o -name kustomize \) -perm -u+x -exec mv {} "$part/bin/" \;
  fi
  rm -rf "$dir"
  mv "$part/bin" "$dir"
  rm -rf "$part"
}

# Prometheus and promtool: the machine's own, or those of Debian 12, unpacked into the cache.
prometheus() {
  local dir="$cache/prometheus" part="$cache/prometheus.part"
  if [ -x "$dir/prometheus" ] && [ -x "$dir/promtool" ]; then return; fi
  rm -rf "$part"
  mkdir -p "$part/lists/partial" "$part/archives/partial" "$part/bin"
  if command -v prometheus >/dev/null && command -v promtool >/dev/null; then
    ln -s "$(command -v prometheus)" "$(command -v promtool)" "$part/bin"
  elif ! command -v apt-get >/dev/null || ! [ -f /usr/share/keyrings/debian-archive-keyring.gpg ]; then
    cannot prometheus 'not on this machine, and only that of Debian can be unpacked'
    return
  else
    echo '  prometheus: fetching from Debian 12'
    echo 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian bookworm main' >"$part/sources.list"
    # Lists and archives of its own, as above.
    local apt=(apt-get -qq -o "Dir::Etc::sourcelist=$part/sources.list" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$part/lists"
      -o "Dir::Cache=$part" -o Dir::State::status=/dev/null -o APT::Sandbox::User=
      -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false)
    if ! { "${apt[@]}" update && (cd "$part" && "${apt[@]}" download prometheus); } >"$cache/prometheus.log" 2>&1; then
      cannot prometheus "$(tail -n 1 "$cache/prometheus.log")"
      return
    fi
    dpkg-deb --extract "$part"/prometheus_*.deb "$part/root"
    mv "$part/root/usr/bin/prometheus" "$part/root/usr/bin/promtool" "$part/bin"
  fi
  rm -rf "$dir"
  mv "$part/bin" "$dir"
  rm -rf "$part"
}

pids=()
venv dvc test/tools/dvc-requirements.txt & pids+=($!)
venv model-signing test/tools/model-signing-requirements.txt & pids+=($!)
venv skl2onnx test/tools/skl2onnx-requirements.txt & pids+=($!)
venv kubernetes-validate test/tools/kubernetes-validate-requirements.txt & pids+=($!)
venv schemathesis test/tools/schemathesis-requirements.txt & pids+=($!)
containers & pids+=($!)
minio & pids+=($!)
prometheus & pids+=($!)
failed=0
for pid in "${pids[@]}"; do wait "$pid" || failed=1; done
exit "$failed"
