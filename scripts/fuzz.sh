#!/usr/bin/env bash
# fuzz.sh [PROGRAM]: builds and runs every fuzz target, or the one given, for FUZZ_SECONDS (60). As many run at once as
# there are cores. Seeds are in fuzz/corpus/TARGET, what is learnt stays in build-fuzz/, and so do inputs that crash.
set -euo pipefail
cd "$(dirname "$0")/.."

if (($# == 0)); then
  scripts/build.sh fuzz
  mapfile -t programs < <(find build-fuzz/fuzz -maxdepth 1 -type f -executable | sort)
  if ((${#programs[@]} == 0)); then
    echo "no fuzz target was built" >&2
    exit 1
  fi
  printf '%s\n' "${programs[@]}" | xargs -P "$(nproc)" -n 1 scripts/fuzz.sh
  exit
fi

program=$1
seconds=${FUZZ_SECONDS:-60}
name=$(basename "$program")
corpora=("build-fuzz/corpus/$name")
[[ -d fuzz/corpus/$name ]] && corpora+=("fuzz/corpus/$name")
log=build-fuzz/$name.log
mkdir -p build-fuzz/crashes "${corpora[0]}"
if ! "$program" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=4096 -print_final_stats=1 \
  -artifact_prefix="build-fuzz/crashes/$name-" "${corpora[@]}" >"$log" 2>&1; then
  tail -n 40 "$log"
  echo "$name: FAILED; the input is in build-fuzz/crashes"
  exit 1
fi
echo "$name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs in $seconds s, no fault"
