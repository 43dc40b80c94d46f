#!/usr/bin/env bash
# bench.sh [PART ...]: builds, measures and writes docs/benchmarks.md; without a part, everything (an hour). `bench.sh page` only writes the page
# again. Parts: machine start single batch scaling roofline peers parquet. Needs PyPI the first time, for the libraries it measures
# beside ours. ROWS=200000 makes the run through Parquet shorter, SECONDS_EACH=3 that of the others (for each library and question; 15).
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/install.sh bench
scripts/build.sh release measure dorsalgia dorsalgia_c -- -DDORSALGIA_BENCH=ON

environment=build/bench-venv
if ! cmp -s bench/requirements.txt "$environment/made-from"; then
  rm -rf "$environment"
  python3 -m venv "$environment"
  "$environment/bin/python" -m pip install --quiet --disable-pip-version-check -r bench/requirements.txt
  cp bench/requirements.txt "$environment/made-from"
fi
# The Python package as it stands, beside the library just built.
mkdir -p build/bench/python/dorsalgia
cp python/dorsalgia/*.py build/bench/python/dorsalgia/
cp -L build/libdorsalgia.so build/bench/python/dorsalgia/

exec "$environment/bin/python" bench/bench.py build "$@"
