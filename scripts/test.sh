#!/usr/bin/env bash
# Every check of the repository, one stage after the other; the output of each is kept in build/logs/.
#
# A stage whose tools or registry cannot be had is left out, and said so plainly. With CI=true nothing may be left out.
# The last line counts the stages: "N passed, M failed", and ", K skipped" when something was left out.
set -uo pipefail  # no -e: a stage that fails must not end the run
cd "$(dirname "$0")/.." || exit 1

logs=build/logs
mkdir -p "$logs"
passed=0
failed=()
left_out=()
number=0

leave_out() {
  left_out+=("$1: $2")
  echo "      LEFT OUT: $2"
}

# start NAME "NEEDED COMMANDS" COMMAND...: a stage that runs beside those that follow, until `join`.
running=()  # "number name" of each
start() {
  local name=$1 needs=$2 tool log
  shift 2
  number=$((number + 1))
  printf '[%2d] %s ...\n' "$number" "$name"
  for tool in $needs; do
    if ! command -v "$tool" >/dev/null; then
      leave_out "$name" "there is no $tool here and it could not be installed"
      return
    fi
  done
  log=$logs/$(printf '%02d' "$number")-${name//[^A-Za-z0-9]/-}.log
  (
    began=$SECONDS
    timeout --foreground 3000 "$@" >"$log" 2>&1 </dev/null
    echo "$? $((SECONDS - began))" >"$log.end"
  ) &
  running+=("$number $name")
}

# join: waits for what was started, and says how it ended.
join() {
  local each name which log last status seconds
  wait
  for each in "${running[@]}"; do
    name=${each#* }
    log=$logs/$(printf '%02d' "${each%% *}")-${name//[^A-Za-z0-9]/-}.log
    read -r status seconds <"$log.end"
    rm "$log.end"
    which=
    ((${#running[@]} == 1)) || which="[${each%% *}] "
    if ((status == 0)); then
      last=$(grep 'tests passed' "$log" || grep -v '^[[:space:]]*$' "$log" | tail -n 1)
      if [[ $last == "left out: "* ]]; then
        leave_out "$name" "${last#left out: }"
        continue
      fi
      passed=$((passed + 1))
      printf '      %spassed in %d s: %s\n' "$which" "$seconds" "$last"
    else
      failed+=("$name")
      grep -A 12 ': Failure$' "$log" | head -n 60 | sed 's/^/      | /'
      tail -n 60 "$log" | sed 's/^/      | /'
      printf '      %sFAILED after %d s; all of it: %s\n' "$which" "$seconds" "$log"
    fi
  done
  running=()
}

# stage NAME "NEEDED COMMANDS" COMMAND...
stage() {
  start "$@"
  join
}

finish() {
  echo
  for name in "${failed[@]}"; do echo "failed: $name"; done
  for name in "${left_out[@]}"; do echo "left out: $name"; done
  if ((${#left_out[@]})) && [[ ${CI:-} == true ]]; then
    echo "Under CI nothing may be left out."
    failed+=("${left_out[@]}")
  fi
  echo "$((SECONDS / 60)) minutes"
  if ((${#left_out[@]})) && [[ ${CI:-} != true ]]; then
    echo "$passed passed, ${#failed[@]} failed, ${#left_out[@]} skipped"
  else
    echo "$passed passed, ${#failed[@]} failed"
  fi
  ((${#failed[@]} == 0))
  exit
}

if ! scripts/install.sh test; then
  echo "Some packages could not be installed; the stages that need them are left out."
fi

stage "release build, warnings are errors" "cmake ninja g++" scripts/build.sh release -- -DDORSALGIA_TESTS=ON -DDORSALGIA_BENCH=ON
if ((passed == 0)); then
  echo "Without a program there is nothing more to check."
  [[ ${#failed[@]} != 0 ]] || failed+=("release build")
  finish
fi
stage "unit tests" "" scripts/unit-tests.sh build
stage "knowledge base" "" build/dorsalgia knowledge check knowledge
stage "base rates" jq scripts/check-base-rates.sh
if [[ -f docs/validation.md ]]; then
  stage "validation page" jq scripts/check-validation.sh
fi
stage "README commands" python3 scripts/check-readme.py
if [[ -f ../shared/cases/cases.jsonl ]]; then
  stage "published cases" jq scripts/check-cases.sh
else
  echo "     (no folder of published cases beside the repository: they are not scored)"
fi
stage "Python package" python3 scripts/python-tests.sh
stage "layout of the sources" clang-format-14 scripts/format.sh check
stage "shell scripts" shellcheck scripts/shell.sh
stage "sanitizers, build" "cmake ninja g++" scripts/build.sh sanitize
stage "clang-tidy" run-clang-tidy-14 scripts/tidy.sh
DORSALGIA_TEST_SHARE=0.02 stage "sanitizers, unit tests" "" scripts/unit-tests.sh build-sanitize 1
# Side by side: fuzzing takes its minutes whatever else runs, and the witness is one process.
start "fuzzing, 60 s each" clang++ fuzz/run.sh 60
start "outside witness" python3 tests/witness/run.sh build --sets 300
join
finish
