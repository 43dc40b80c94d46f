#!/usr/bin/env bash
# python-tests.sh [options of pytest]: builds the Python package, installs it into an environment of its own in build/, and runs its
# tests with the real pyarrow, polars, duckdb, pandas and Spark (needs PyPI the first time).
set -euo pipefail
cd "$(dirname "$0")/.."

environment=build/python-venv
requirements=python/tests/requirements.txt
log=build/python-tests.log
mkdir -p build

left_out() {
  echo "left out: Python package ($1)"
  [[ ${CI:-} != true ]] || exit 1
  exit 0
}

system=python3
[[ -x /usr/bin/python3 ]] && system=/usr/bin/python3  # the one that apt-get installed venv for
if ! cmp -s "$requirements" "$environment/made-from"; then
  rm -rf "$environment"
  "$system" -m venv "$environment" >"$log" 2>&1 || left_out "python3 -m venv does not work: Debian has it in python3-venv"
  "$environment/bin/python" -m pip install --quiet --disable-pip-version-check --upgrade pip >"$log" 2>&1 &&
    "$environment/bin/python" -m pip install --quiet --disable-pip-version-check -r "$requirements" >"$log" 2>&1 || {
    tail -n 3 "$log" >&2
    left_out "PyPI not reachable"
  }
  cp "$requirements" "$environment/made-from"
fi

# Without isolation: what it is built with is in the environment already, and nothing is fetched again. In the folder of the release
# build, with its options: the library has been compiled there once.
if ! "$environment/bin/python" -m pip install --disable-pip-version-check --no-build-isolation --no-deps --force-reinstall \
  -C build-dir=../build -C cmake.define.DORSALGIA_TESTS=ON -C cmake.define.DORSALGIA_BENCH=ON ./python >"$log" 2>&1; then
  tail -n 40 "$log" >&2
  echo "the Python package does not build" >&2
  exit 1
fi

tests=(python/tests)
if ! command -v java >/dev/null; then
  [[ ${CI:-} != true ]] || { echo "Spark needs java: apt-get install openjdk-17-jre-headless" >&2; exit 1; }
  echo "no java here: the tests of Spark are left out"
  tests+=(--ignore=python/tests/test_spark.py)
fi
"$environment/bin/python" -m pytest -q --tb=short --disable-warnings -p no:cacheprovider "${tests[@]}" "$@"
