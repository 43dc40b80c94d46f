#!/usr/bin/env bash
# run.sh [SECONDS]: builds every fuzz target and runs each for so long (60 unless told), as many at once as there are
# cores. Seeds are in fuzz/corpus/TARGET; what is learnt stays in build-sanitize/corpus, and an input that breaks something in
# build-sanitize/broken-TARGET-*: give its name to build-sanitize/fuzz/TARGET to see it again. What takes a minute counts as broken: a
# table of which every row goes through the exact engine takes ten seconds under sanitizers, on a slow machine.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-60}
targets=(person knowledge arrow)

run() {
  local name=$1 log=build-sanitize/$1.log
  mkdir -p "build-sanitize/corpus/$name"
  local words=()
  [[ ! -f fuzz/$name.dict ]] || words=(-dict="fuzz/$name.dict")
  if ! "build-sanitize/fuzz/$name" -max_total_time="$seconds" -timeout=60 -rss_limit_mb=4096 -max_len=16384 -print_final_stats=1 \
    "${words[@]}" -artifact_prefix="build-sanitize/broken-$name-" "build-sanitize/corpus/$name" "fuzz/corpus/$name" >"$log" 2>&1; then
    tail -n 40 "$log"
    echo "$name: FAILED; the input is build-sanitize/broken-$name-*"
    return 1
  fi
  echo "$name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs in $seconds s, no fault"
}

cmake --preset sanitize >/dev/null
ninja -C build-sanitize "${targets[@]/%/_fuzz}"
export -f run
export seconds
printf '%s\n' "${targets[@]}" | xargs -P "$(nproc)" -I{} bash -c 'set -euo pipefail; run {}'
