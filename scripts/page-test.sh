#!/usr/bin/env bash
# The page's own checks. Not part of make test: engine, page, agreement and journeys take seven minutes more on two cores.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/install.sh page-test
scripts/build.sh release
scripts/web-tests.sh
