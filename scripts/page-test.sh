#!/usr/bin/env bash
# The page's own checks: engine, page, agreement and journeys. Beside make test, which they would make seven minutes longer.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/install.sh page-test
scripts/build.sh release
scripts/web-tests.sh
