#!/usr/bin/env bash
# Builds and runs every benchmark of bench/. Options are handed on (--benchmark_filter=posterior).
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/install.sh test
scripts/build.sh release -- -DDORSALGIA_BENCH=ON
find build/bench -maxdepth 1 -type f -executable | sort | while read -r program; do
  "$program" "$@"
done
