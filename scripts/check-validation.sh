#!/usr/bin/env bash
# Fails when docs/validation.md is not what `dorsalgia validate --page` writes now. Pictures are not compared: other
# versions of matplotlib draw a little differently.
set -euo pipefail
cd "$(dirname "$0")/.."

program=${DORSALGIA:-build/dorsalgia}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
[[ -f docs/validation.md ]] || { echo "docs/validation.md is missing: make validate writes it" >&2; exit 1; }
"$program" validate --json -o "$folder/validation.json" --page "$folder/validation.md"
if ! diff -u docs/validation.md "$folder/validation.md"; then
  echo "docs/validation.md is not what the model says now: run make validate and look at what changed" >&2
  exit 1
fi
jq -r '"validation: \(.counts.validation.inside) of \(.counts.validation.figures) figures inside, calibration: " +
  "\(.counts.calibration.inside) of \(.counts.calibration.figures)"' "$folder/validation.json"
