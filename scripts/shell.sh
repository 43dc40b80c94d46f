#!/usr/bin/env bash
# Runs shellcheck over every shell script of the repository.
set -euo pipefail
cd "$(dirname "$0")/.."

mapfile -t files < <(find scripts tests bench fuzz .ci -type f \( -name '*.sh' -o -path '.ci/run' \) | sort)
shellcheck --severity=warning "${files[@]}"
echo "${#files[@]} shell scripts without a warning of shellcheck"
