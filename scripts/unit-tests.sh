#!/usr/bin/env bash
# scripts/unit-tests.sh FOLDER: runs all unit tests of the build in FOLDER, dealt out to one process a core.
# (ctest starts a process for each test: right for one of them, but what many tests share, such as a trial, is then made anew for each.)
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
program=$1/tests/dorsalgia-tests
logs=$1/unit-tests
parts=$(nproc)

mkdir -p "$logs"
pids=()
for ((part = 0; part < parts; ++part)); do
  GTEST_TOTAL_SHARDS=$parts GTEST_SHARD_INDEX=$part "$program" >"$logs/$part.log" 2>&1 &
  pids+=($!)
done
status=0
for pid in "${pids[@]}"; do wait "$pid" || status=1; done
grep -hvE "^\[ (RUN|      OK|---------)|^$" "$logs"/*.log
echo "slowest (ms):"
sed -nE "s/^\[ +OK \] ([^ ]+).* \(([0-9]+) ms\)$/\2 \1/p" "$logs"/*.log | sort -rn | head -n 12
# A part that dies, rather than fails, says nothing at its end.
passed=$(awk '$2 == "PASSED" { n += $4 } END { print n + 0 }' "$logs"/*.log)
((status == 0)) && echo "$passed tests passed" || echo "unit tests failed; $passed passed"
exit $status
