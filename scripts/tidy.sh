#!/usr/bin/env bash
# clang-tidy over src/ on all cores. Uses the compile commands of the release build.
set -euo pipefail
cd "$(dirname "$0")/.."

[[ -f build/compile_commands.json ]] || scripts/build.sh release dorsalgia
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! run-clang-tidy-14 -quiet -p build -j "$(nproc)" "$PWD/src/.*\.cpp$" >"$log" 2>&1; then
  grep -E '(warning|error|note):' "$log" | sort -u || cat "$log"
  exit 1
fi
echo "$(find src -name '*.cpp' | wc -l) files without a warning of clang-tidy"
