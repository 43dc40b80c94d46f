#!/bin/sh
# Prints how fast it is: the table of bench/inference_bench.cpp, then what a user meets who starts the program cold, and
# the most memory it takes. Usage: bench/run.sh [BUILD_DIR] [benchmark options]
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
build=${1:-$here/build}
[ $# -gt 0 ] && shift
program=$build/dorsalgia

"$build/bench/inference-bench" --benchmark_counters_tabular=true "$@"

people=$(find "$here/examples" -name '*.json' 2>/dev/null | sort)
if [ ! -x "$program" ] || [ -z "$people" ]; then
  echo "no $program or no examples/*.json: cold start not measured" >&2
  exit 0
fi

echo
echo "Cold start: dorsalgia assess, one process a person"
if command -v hyperfine >/dev/null; then
  for person in $people; do
    hyperfine --warmup 2 --shell=none --ignore-failure "$program assess $person"
  done
else
  for person in $people; do
    runs=20 i=0
    begin=$(date +%s%N)
    while [ $i -lt $runs ]; do
      "$program" assess "$person" >/dev/null || true
      i=$((i + 1))
    done
    end=$(date +%s%N)
    echo "  $(basename "$person"): $(((end - begin) / runs / 1000)) us, mean of $runs"
  done
fi

echo
first=$(echo "$people" | head -n 1)
if [ -x /usr/bin/time ]; then
  peak=$(/usr/bin/time -f '%M' "$program" assess "$first" 2>&1 >/dev/null | tail -n 1)
else
  peak=$(python3 -c 'import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)' "$program" assess "$first")
fi
echo "Peak memory of one assessment: $peak kB"
