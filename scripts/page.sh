#!/usr/bin/env bash
# page.sh: builds the page into build/page: the engine as WebAssembly, then the page around it. Needs build/ (scripts/build.sh release).
set -euo pipefail
cd "$(dirname "$0")/.."

ninja -C build page-knowledge >/dev/null
[[ -f build-wasm/build.ninja ]] || cmake --preset wasm >/dev/null
ninja -C build-wasm
# A sixth less to fetch than gzip would leave. One small window, no alignment: what it holds is mostly text.
if [[ ! build-wasm/dorsalgia.wasm.xz -nt build-wasm/dorsalgia.wasm ]]; then
  xz --keep --force --check=crc32 --lzma2=preset=9e,dict=2MiB,lc=4,pb=0 build-wasm/dorsalgia.wasm
fi
# The lock file says exactly what; a second time only when it changed.
if ! cmp -s web/package-lock.json web/node_modules/.built-from; then
  (cd web && npm ci --no-audit --no-fund --loglevel=error)
  cp web/package-lock.json web/node_modules/.built-from
fi
(cd web && npm run --silent build)
