# Dorsalgia. `make run` shows a report, `make test` runs every check; the work is done by scripts/*.sh.
.DEFAULT_GOAL := help
.PHONY: run serve test page-test bench format lint fuzz calibrate validate picture clean help

run:      ## install what is missing, build, and assess a published case
	@scripts/run.sh

serve:    ## build the page and open it at http://localhost:8480
	@scripts/serve.sh

test:     ## every check there is (about 40 minutes on two slow cores)
	@scripts/test.sh

page-test: ## the page's own checks: agreement with the program, size, journeys in a browser (seven minutes)
	@scripts/page-test.sh

bench:    ## measure everything, write docs/benchmarks.md (PART=peers: only that part)
	@scripts/bench.sh $(PART)

format:   ## lay out the C++ sources by .clang-format
	@scripts/format.sh write

lint:     ## layout, clang-tidy and shellcheck
	@scripts/format.sh check
	@scripts/tidy.sh
	@scripts/shell.sh

fuzz:     ## run every fuzz target for FUZZ_SECONDS (60) each
	@scripts/install.sh test
	@fuzz/run.sh $${FUZZ_SECONDS:-60}

calibrate: ## fit the model's numbers to the calibration studies
	@scripts/calibrate.sh

validate: ## hold the model against the studies; docs/validation.md
	@scripts/validate.sh

picture:  ## draw docs/report.png from the example (needs chromium)
	@scripts/picture.sh

clean:    ## remove all build folders
	rm -rf build build-debug build-sanitize build-wasm web/node_modules

help:     ## this list
	@sed -n 's/^\([a-z-]*\): *## /\1\t/p' Makefile | expand -t 11
