#!/usr/bin/env bash
# clang-tidy over src/ on all cores. With the compile commands of the sanitizer build: there clang compiles the headers of others once,
# and clang-tidy need not read them again for every source.
set -euo pipefail
cd "$(dirname "$0")/.."

log=build-sanitize/tidy.log
cmake --preset sanitize >/dev/null
ninja -C build-sanitize CMakeFiles/{knowledge,core,dorsalgia,abi}.dir/cmake_pch.hxx.pch >"$log" || { cat "$log"; exit 1; }
if ! run-clang-tidy-14 -quiet -p build-sanitize -j "$(nproc)" "$PWD/src/.*\.cpp$" >"$log" 2>&1; then
  grep -E '(warning|error|note):' "$log" | sort -u || cat "$log"
  exit 1
fi
echo "$(find src -name '*.cpp' | wc -l) files without a warning of clang-tidy"
