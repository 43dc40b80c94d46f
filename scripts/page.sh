#!/usr/bin/env bash
# page.sh: builds the page into build/page: the engine as WebAssembly, then the page around it. Needs build/ (scripts/build.sh release).
set -euo pipefail
cd "$(dirname "$0")/.."

ninja -C build page-knowledge >/dev/null
[[ -f build-wasm/build.ninja ]] || cmake --preset wasm >/dev/null
ninja -C build-wasm
# The lock file says exactly what; a second time only when it changed.
if ! cmp -s web/package-lock.json web/node_modules/.built-from; then
  (cd web && npm ci --no-audit --no-fund --loglevel=error)
  cp web/package-lock.json web/node_modules/.built-from
fi
(cd web && npm run --silent build)
