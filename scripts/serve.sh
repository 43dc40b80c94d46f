#!/usr/bin/env bash
# serve.sh [options of dorsalgia serve]: installs what is missing, builds program and page, opens it in the browser.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/install.sh page
scripts/build.sh release dorsalgia
scripts/page.sh
if command -v xdg-open >/dev/null && [[ -n ${DISPLAY:-}${WAYLAND_DISPLAY:-} && $# == 0 ]]; then
  (sleep 1 && xdg-open http://localhost:8480/ >/dev/null 2>&1) &
fi
exec build/dorsalgia serve "$@"
