#!/usr/bin/env bash
# Builds the images that tests use, in line with those that build one themselves (test/integration/docker/images.ts): two at once
# would both do what they have in common. The engine's cache makes this quick where nothing has changed.
#
#   scripts/build-test-images.sh IMAGE...     folders of images/
set -uo pipefail
cd "$(dirname "$0")/.."
DOCKER_HOST=$(scripts/setup-docker.sh host) && export DOCKER_HOST DOCKER_BUILDKIT="${DOCKER_BUILDKIT:-0}"
PATH="$PATH:$(scripts/setup-docker.sh path)"

in_line=
! command -v flock >/dev/null || in_line="flock ${TMPDIR:-/tmp}/retrain-image-build.lock"
failed=0
for image in "$@"; do
  # shellcheck disable=SC2086 # a command and its argument, or nothing
  $in_line docker build --quiet --file "images/$image/Dockerfile" --tag "retrain/$image:test" . || failed=1
done
# On an engine of our own, what earlier builds left and no tag holds goes after a day: each commit leaves some 100 MB.
if [[ $DOCKER_HOST == */retrain-docker-*/docker.sock ]]; then
  docker image prune --force --filter until=24h >/dev/null
fi
exit "$failed"
