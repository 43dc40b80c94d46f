#!/usr/bin/env bash
# run.sh [SECONDS]: builds every fuzz target and runs each for so long (60 unless told).
set -euo pipefail
FUZZ_SECONDS=${1:-60} exec "$(dirname "$0")/../scripts/fuzz.sh"
