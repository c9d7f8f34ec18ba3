#!/usr/bin/env bash
# Builds the images that tests use, in line with those that build one themselves (test/integration/docker/images.ts): two at once
# would both do what they have in common. The engine's cache makes this quick where nothing has changed.
set -uo pipefail
cd "$(dirname "$0")/.."
DOCKER_HOST=$(scripts/setup-docker.sh host) && export DOCKER_HOST DOCKER_BUILDKIT="${DOCKER_BUILDKIT:-0}"
PATH="$PATH:$(scripts/setup-docker.sh path)"

failed=0
for image in stage worker train-sklearn mlflow; do
  flock "${TMPDIR:-/tmp}/retrain-image-build.lock" \
    docker build --quiet --file "images/$image/Dockerfile" --tag "retrain/$image:test" . || failed=1
done
exit "$failed"
