#!/usr/bin/env bash
# format.sh check | write: the layout of all C++ sources by .clang-format.
set -euo pipefail
cd "$(dirname "$0")/.."

mapfile -t files < <(find src tests bench fuzz include examples/c -name '*.cpp' -o -name '*.h' -o -name '*.c' 2>/dev/null | sort)
case "${1:-check}" in
  check)
    if ! clang-format-14 --dry-run --Werror "${files[@]}"; then
      echo "Remedy: make format"
      exit 1
    fi
    echo "${#files[@]} files laid out by .clang-format"
    ;;
  write) clang-format-14 -i "${files[@]}" ;;
  *) echo "usage: format.sh check|write" >&2; exit 2 ;;
esac
