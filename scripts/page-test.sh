#!/usr/bin/env bash
# The page's own checks. Not part of make test: the engine takes ten minutes to compile to WebAssembly on two cores.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/install.sh page-test
scripts/build.sh release
scripts/web-tests.sh
