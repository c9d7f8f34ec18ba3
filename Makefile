# What people type. Each target can be run again at any time and does only what is missing.
# The commands behind them: `bin/retrain --help`.

.DEFAULT_GOAL := help
SHELL := /bin/bash

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## install what is missing: Node packages, the build, Temporal, MLflow
	@scripts/setup.sh

.PHONY: demo
demo: setup ## bring up the stack, train on data/iris.csv, print the outcome and the links, ask for a prediction
	@bin/retrain up
	@bin/retrain start --wait
	@echo
	@node scripts/first-prediction.mjs
	@echo
	@echo 'The stack stays up. Stop it with: npx --no retrain down'

.PHONY: demo-loop
demo-loop: setup ## play 180 days of card prices through: collect, predict, watch, alarm, retrain, promote, serve; prints one page (minutes)
	@node dist/scripts/demo-loop/main.js $(ARGS)

.PHONY: up
up: setup ## start Temporal, MLflow, a worker and the prediction API on this machine
	@bin/retrain up

.PHONY: down
down: ## stop them; their state stays in .retrain/
	@bin/retrain down

.PHONY: doctor
doctor: ## say for each part whether it is there, and how to get it
	@bin/retrain doctor

.PHONY: run
run: setup ## train on the data of params.yaml (the stack must be up)
	@bin/retrain start --wait $(ARGS)

.PHONY: run-push
run-push: run ## train, then push data and model to the remote of .dvc/config
	@bin/retrain data push

.PHONY: collect
collect: setup ## fetch the days that are due from the sources of params.yaml into data/raw; no servers needed
	@bin/retrain collect $(SOURCE) $(ARGS)

.PHONY: preprocess
preprocess: setup ## run one stage on the project's files; no servers needed
	@bin/retrain stage preprocess $(ARGS)

.PHONY: train
train: setup ## the same; train takes what preprocess left
	@bin/retrain stage train $(ARGS)

.PHONY: evaluate
evaluate: setup ## the same; evaluate takes what both left
	@bin/retrain stage evaluate $(ARGS)

.PHONY: pipeline
pipeline: setup ## run the three of them; what did not change is reused
	@for stage in preprocess train evaluate; do bin/retrain stage $$stage $(ARGS) || exit; done

.PHONY: dvc-status
dvc-status: setup ## say what differs from dvc.lock and .dvc files
	@bin/retrain data status $(ARGS)

.PHONY: dvc-push
dvc-push: setup ## bring data, model and cached results to the remote
	@bin/retrain data push $(ARGS)

.PHONY: dvc-pull
dvc-pull: setup ## fetch what dvc.lock and .dvc files record
	@bin/retrain data pull $(ARGS)

.PHONY: restore
restore: setup ## put back the data of dvc.lock, or data and model of MODEL=name VERSION=number|alias
	@bin/retrain restore $(if $(MODEL),$(MODEL)@$(or $(VERSION),production)) $(ARGS)

.PHONY: reproduce
reproduce: setup ## say how MODEL=name VERSION=number|alias was made; ARGS=--run makes it again
	@bin/retrain reproduce $(or $(MODEL),$(error name the model: make reproduce MODEL=iris-classifier))$(if $(VERSION),@$(VERSION)) $(ARGS)

.PHONY: mlflow-local
mlflow-local: setup ## start the servers without a worker
	@bin/retrain up --no-worker

.PHONY: api
api: setup ## serve the production model on port 8000 (MLflow must be up; ARGS=--port 8080)
	@bin/retrain serve $(ARGS)

.PHONY: api-dev
api-dev: setup ## the same, compiled and started again whenever code changes
	@node scripts/api-dev.mjs $(ARGS)

.PHONY: test
test: ## run every test; installs what tests need, starts servers of its own and stops them
	@scripts/test.sh -- $(ARGS)

.PHONY: test-unit
test-unit: ## run the tests that need nothing but Node
	@scripts/test.sh unit -- $(ARGS)

.PHONY: test-tools
test-tools: ## run the tests that need the compiled project, or programs that judge us: dvc, an S3 server, …
	@scripts/test.sh tools -- $(ARGS)

.PHONY: test-integration
test-integration: ## run the tests that need servers
	@scripts/test.sh integration -- $(ARGS)

.PHONY: test-soak
test-soak: ## run those that take minutes, or go by chance: servers away, workers killed at random moments
	@scripts/test.sh soak -- $(ARGS)

.PHONY: lint
lint: setup ## check style, formatting and who imports whom
	@npm run --silent lint

.PHONY: packages
packages: ## check the licences and install scripts of all packages
	@node scripts/check-packages.mjs

SBOM ?= sbom.cdx.json

.PHONY: sbom
sbom: ## write the bill of materials of what is shipped: sbom.cdx.json, CycloneDX
	@npm sbom --silent --sbom-format cyclonedx --sbom-type application --omit dev --package-lock-only >$(SBOM)

.PHONY: typecheck
typecheck: setup ## check the types, tests included
	@npm run --silent typecheck

.PHONY: build
build: setup ## compile the project

.PHONY: clean
clean: ## stop the stack; remove the build and the test coverage (state and caches stay)
	@if [ -e dist/client/main.js ]; then bin/retrain down; fi
	@rm -rf dist coverage

include docker.mk
