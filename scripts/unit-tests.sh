#!/usr/bin/env bash
# scripts/unit-tests.sh FOLDER [PARTS]: runs all unit tests of the build in FOLDER, dealt out to so many processes a core (4), one a core
# at a time. More parts even out tests that take minutes; fewer make anew less of what tests share.
# (ctest starts a process for each test: right for one of them, but what many tests share, such as a trial, is then made anew for each.)
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
program=$1/tests/dorsalgia-tests
logs=$1/unit-tests
parts=$((${2:-4} * $(nproc)))

mkdir -p "$logs"
rm -f "$logs"/*.log
status=0
export GTEST_TOTAL_SHARDS=$parts
# shellcheck disable=SC2016  # expanded by the shell that xargs starts
seq 0 $((parts - 1)) | xargs -P "$(nproc)" -I{} sh -c 'GTEST_SHARD_INDEX={} exec "$0" >"$1/{}.log" 2>&1' "$program" "$logs" || status=1
grep -hvE "^\[ (RUN|      OK|---------)|^$" "$logs"/*.log
echo "slowest (ms):"
sed -nE "s/^\[ +OK \] ([^ ]+).* \(([0-9]+) ms\)$/\2 \1/p" "$logs"/*.log | sort -rn | head -n 12
# A part that dies, rather than fails, says nothing at its end.
passed=$(awk '$2 == "PASSED" { n += $4 } END { print n + 0 }' "$logs"/*.log)
((status == 0)) && echo "$passed tests passed" || echo "unit tests failed; $passed passed"
exit $status
