# Images and the stack in containers; included by the Makefile.

GIT_COMMIT := $(shell git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
PACKAGE_VERSION := $(shell sed -n 's/^  "version": "\(.*\)",/\1/p' package.json)
IMAGES := stage worker train-sklearn mlflow
# Without buildx, as with Debian's docker.io, the builder of the engine itself.
export DOCKER_BUILDKIT ?= $(shell docker buildx version >/dev/null 2>&1 && echo 1 || echo 0)

.PHONY: docker-engine
docker-engine: ## have a Docker engine: the one that is there, or one of our own (root on Debian)
	@scripts/setup-docker.sh start

.PHONY: docker-build
docker-build: ## build the images: retrain/stage, worker, train-sklearn, mlflow
	@for image in $(IMAGES); do \
	  echo "building retrain/$$image:$(PACKAGE_VERSION)"; \
	  docker build --quiet --file images/$$image/Dockerfile --build-arg GIT_COMMIT=$(GIT_COMMIT) \
	    --tag retrain/$$image:$(PACKAGE_VERSION) --tag retrain/$$image:latest . || exit 1; \
	done

.PHONY: docker-clean
docker-clean: ## remove our images, their build cache, and stages' containers that are left
	@docker ps --all --quiet --filter label=retrain.stage | xargs -r docker rm --force --volumes
	@docker images --quiet --filter reference='retrain/*' | sort -u | xargs -r docker rmi --force
	@docker image prune --force --filter label=retrain.build

.PHONY: compose-up
compose-up: docker-build ## bring up Temporal, PostgreSQL, MLflow, S3 storage and a worker in containers
	@docker compose $$(scripts/compose-env.sh) --profile mlflow up --detach --wait

.PHONY: compose-env
compose-env: ## make the passwords of the servers in containers, in .retrain/compose.env
	@scripts/compose-env.sh >/dev/null

.PHONY: compose-down
compose-down: ## stop them; their state stays in named volumes
	@docker compose $$(scripts/compose-env.sh) --profile mlflow down
