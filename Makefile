# What people type. `make` alone lists the targets.

# The architecture of `make functions`: by default the host's. CDK asks for the one of its context.
GOARCH   ?= $(shell go env GOARCH)
# Options of cdk, such as CDK_ARGS="-c environment=prod -c batchSize=10".
CDK_ARGS ?=
# Where `make deploy` writes the stack's outputs.
OUTPUTS  ?= build/outputs.json

# CDK runs on Node 20, whose end of life jsii else announces in a box on every run (cdk.json says it too).
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION := 20

TASKS     := $(patsubst functions/%/bootstrap/,%,$(wildcard functions/*/bootstrap/))
FUNCTIONS := build/functions/$(GOARCH)
CDK       := npx --no-install cdk
NODE      := node_modules/.package-lock.json
LINTERS   := .venv/.installed

# These compile for this machine with the flags of the functions and the CDK app, so that all share compiled packages.
build lint test test-aws simulate chaos: export CGO_ENABLED := 0
build lint test test-aws simulate chaos: export GOFLAGS := $(GOFLAGS) -trimpath

.DEFAULT_GOAL := help
.PHONY: help build functions $(addprefix function-,$(TASKS)) install synth deploy lint

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

build: functions ## Compile everything, and the functions for GOARCH
	go build ./...

functions: $(addprefix function-,$(TASKS)) ## Build the functions for GOARCH (arm64, amd64) into build/functions/

$(addprefix function-,$(TASKS)): function-%:
	CGO_ENABLED=0 GOOS=linux GOARCH=$(GOARCH) go build -tags lambda.norpc -trimpath -buildvcs=false -ldflags="-s -w" \
	  -o $(FUNCTIONS)/$*/bootstrap ./functions/$*/bootstrap

install: ## Install the operator's command, snapshot-status
	go install -trimpath -buildvcs=auto ./cmd/snapshot-status

synth: $(NODE) ## Build the functions and write the stack's template into cdk.out/
	$(CDK) synth --quiet $(CDK_ARGS)

deploy: $(NODE) ## Build and deploy to AWS; settings by CDK_ARGS="-c key=value"
	@mkdir -p $(dir $(OUTPUTS))
	$(CDK) deploy --outputs-file $(OUTPUTS) $(CDK_ARGS)

# Beside the default template, lint judges one of other settings and one that uses what exists already.
OTHER    := -c environment=other -c workflowType=EXPRESS -c batchSize=20 -c exemptStatuses=Blocked_Topic \
  -c alarmTopicArn=arn:aws:sns:eu-west-1:111122223333:pager -c lateAfterMinutes=full=480 \
  -c kmsKeyArn=arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-3333-4444-555555555555
EXISTING_TABLE := arn:aws:dynamodb:eu-west-1:111122223333:table/UCExportToCrownStatus
EXISTING := -c environment=existing -c exportStatusTableName=UCExportToCrownStatus \
  -c exportStatusTableStreamArn=$(EXISTING_TABLE)/stream/2026-01-01T00:00:00.000 \
  -c fileReceivedQueueArn=arn:aws:sqs:eu-west-1:111122223333:files \
  -c exportStateQueueArn=arn:aws:sqs:eu-west-1:111122223333:export-state.fifo \
  -c monitoringTopicArn=arn:aws:sns:eu-west-1:111122223333:monitoring
TEMPLATES = build/lint/*/*.template.json

# Sources whose lines have at most 120 columns. Text of Markdown and strings of JSON cannot be wrapped.
WRAPPED := '*.go' '*.js' '*.py' '*.sh' '*.java' '*.css' '*.html' '*.xml' '*.y*ml' Makefile tools/release \
  ':!operator/page/assets/vendor'

lint: synth $(LINTERS) ## gofmt, go vet, staticcheck; the linters of the templates
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); \
	  test -z "$$unformatted" || { echo "run gofmt -w on:" $$unformatted; exit 1; }
	@! LC_ALL=C.UTF-8 git grep -nE '^.{121}' -- $(WRAPPED) || { echo "wrap these lines at 120 columns"; exit 1; }
	go vet ./...
	go tool staticcheck ./...
	go vet -tags testaws ./test/aws/... ./internal/store
	go tool staticcheck -tags testaws ./test/aws/... ./internal/store
	@rm -rf build/lint
	$(CDK) synth --quiet --output build/lint/other $(OTHER)
	$(CDK) synth --quiet --output build/lint/existing $(EXISTING)
	@mkdir build/lint/default && cp cdk.out/*.template.json build/lint/default/
	@# cfn-lint knows no substitutions of a definition, and no partition but aws.
	@sed -i 's/arn:$${Partition}:states:/arn:aws:states:/g' $(TEMPLATES)
	.venv/bin/cfn-lint $(TEMPLATES)
	.venv/bin/python tools/templates.py $(TEMPLATES)
	.venv/bin/checkov --config-file tools/checkov.yaml --file $(TEMPLATES)

# --- local: up, demo, down -------------------------------------------------------------------------------------------

# PORT (default: the running engine's, else 4566), COLLECTIONS, FILES and KEEP are environment variables of the program.
# Settings of the CDK app are CDK_ARGS="-c key=value", as for deploy.
LOCAL := build/local

.PHONY: up demo down $(LOCAL)

up: $(LOCAL) ## Start the local stack, or update it; outputs in .local/outputs.json
	@$(LOCAL) up $(CDK_ARGS)

demo: $(LOCAL) ## Send a run through the local stack and check it (COLLECTIONS=6 FILES=5; KEEP=1 leaves the page up)
	@$(LOCAL) demo $(CDK_ARGS)

down: $(LOCAL) ## Stop what up started
	@$(LOCAL) down

# With the flags of the functions, so that both share compiled packages. Downloads the modules of the CDK app meanwhile.
$(LOCAL):
	@start=$$(date +%s); go list -deps ./infra >/dev/null 2>&1 & \
	CGO_ENABLED=0 go build -trimpath -buildvcs=false -o $@ ./cmd/local && \
	  { s=$$(($$(date +%s) - start)); [ $$s -lt 2 ] || printf '%5d s  compile the local tool\n' $$s; }

# --- tests -----------------------------------------------------------------------------------------------------------

# How many schedules `make simulate` tries.
SEEDS ?= 20000

.PHONY: test simulate chaos

test: $(NODE) ## All tests: unit, both tables, simulation, definition, deployed stack (starts what it needs)
	@# Four packages at a time, since those with an engine mostly wait, and the long ones first. lint vets.
	go test -p 4 -vet off -timeout 45m ./test/... ./operator/... ./...

# AWS's own code, as Java programs, and the checksums of its jars.
ORACLES  := dynamodblocal ruler
COMPARED := build/test-aws/compared.txt
JARS     := $(ORACLES:%=build/test-aws/%/.installed)
RIE      := build/test-aws/aws-lambda-rie

test-aws: test-aws-needs $(JARS) $(RIE) $(NODE) functions ## Hold it against AWS's own code (Java 17, Maven, Node)
	@rm -f $(COMPARED)
	COMPARED=$(CURDIR)/$(COMPARED) go test -count=1 -tags testaws ./test/aws/... ./internal/store
	@sort $(COMPARED)

.PHONY: test-aws test-aws-needs test-aws-pin
test-aws-needs:
	@test/aws/needs.sh

build/test-aws/%/.installed: test/aws/%/pom.xml test/aws/%/jars.sha256
	@rm -rf $(@D)
	@mvn --batch-mode --quiet -Dstyle.color=never --file $< dependency:copy-dependencies -DoutputDirectory=$(CURDIR)/$(@D)
	@cd $(@D) && sha256sum * | diff $(CURDIR)/test/aws/$*/jars.sha256 - || \
	  { echo "the jars differ from test/aws/$*/jars.sha256 (< pinned, > fetched): do not run them" >&2; exit 1; }
	@touch $@

$(RIE): test/aws/rie/go.mod test/aws/rie/go.sum
	@mkdir -p $(@D)
	go -C test/aws/rie build -o $(CURDIR)/$@ github.com/aws/aws-lambda-runtime-interface-emulator/cmd/aws-lambda-rie

test-aws-pin:
	@for oracle in $(ORACLES); do rm -rf build/test-aws/$$oracle && \
	  mvn --batch-mode --quiet --file test/aws/$$oracle/pom.xml dependency:copy-dependencies \
	    -DoutputDirectory=$(CURDIR)/build/test-aws/$$oracle && \
	  (cd build/test-aws/$$oracle && sha256sum *) > test/aws/$$oracle/jars.sha256 || exit 1; done

simulate: ## Try SEEDS schedules of the simulation (SEEDS=20000) and say what held
	go run ./cmd/simulate --seeds $(SEEDS)

chaos: ## Inject faults around the deployed stack (COLLECTIONS=100 MESSAGES=10000 COUNT_BY=file)
	@go run ./cmd/chaos

# --- measurements ----------------------------------------------------------------------------------------------------

.PHONY: bench bench-compare

bench: ## Measure speed, calls and price, against BASE=<commit> too; writes docs/benchmarks.md (FILES=1000)
	@go run ./test/bench run

bench-compare: ## Compare two results of bench: A=<name in build/bench> B=<another>
	@go run ./test/bench compare $(A) $(B)

# --- the page ---------------------------------------------------------------------------------------------------------

VENDORED := operator/page/assets/vendor

.PHONY: vendor screenshots

screenshots: $(NODE) ## Make the pictures of the page in docs/images/ of a run that is played for them
	@mkdir -p docs/images
	go test ./operator/page -count=1 -run TestScreenshots -screenshots $(CURDIR)/docs/images

vendor: $(NODE) ## Copy the scripts of others that the page serves from their pinned packages
	cp node_modules/uplot/dist/uPlot.iife.min.js node_modules/uplot/dist/uPlot.min.css $(VENDORED)/
	cp node_modules/@dagrejs/dagre/dist/dagre.min.js $(VENDORED)/
	cp node_modules/uplot/LICENSE $(VENDORED)/uPlot.LICENSE
	cp node_modules/@dagrejs/dagre/LICENSE $(VENDORED)/dagre.LICENSE

# --- tools -----------------------------------------------------------------------------------------------------------

$(NODE): package.json package-lock.json
	npm ci --no-audit --no-fund

$(LINTERS): tools/requirements.txt
	python3 -m venv .venv
	.venv/bin/pip install --quiet --disable-pip-version-check --require-hashes -r tools/requirements.txt
	@touch $@
