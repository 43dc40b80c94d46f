#!/usr/bin/env bash
# From nothing to a report: packages, build, and the assessment of a published case.
set -euo pipefail
cd "$(dirname "$0")/.."

case=${1:-examples/breast-12y-55f.json}

scripts/install.sh run
if [[ -f build/build.ninja ]]; then
  scripts/build.sh release dorsalgia
else
  scripts/build.sh release dorsalgia -- -DDORSALGIA_TESTS=OFF -DDORSALGIA_BENCH=OFF
fi
echo
echo "\$ build/dorsalgia assess $case"
echo
build/dorsalgia assess "$case"
echo
echo "More: build/dorsalgia --help; other cases in examples/; make test runs every check."
