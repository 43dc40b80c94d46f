#!/usr/bin/env bash
# clang-tidy over src/ on all cores. Uses the compile commands of the release build.
set -euo pipefail
cd "$(dirname "$0")/.."

[[ -f build/compile_commands.json ]] || scripts/build.sh release dorsalgia
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
log=$folder/log
# clang does not read the headers that gcc has compiled: every source stands on its own includes here.
sed -E 's/ -(Winvalid-pch|fpch-preprocess)//g; s/ -include [^ "]*cmake_pch\.hxx//g' build/compile_commands.json >"$folder/compile_commands.json"
if ! run-clang-tidy-14 -quiet -p "$folder" -j "$(nproc)" "$PWD/src/.*\.cpp$" >"$log" 2>&1; then
  grep -E '(warning|error|note):' "$log" | sort -u || cat "$log"
  exit 1
fi
echo "$(find src -name '*.cpp' | wc -l) files without a warning of clang-tidy"
