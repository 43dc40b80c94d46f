#!/usr/bin/env bash
# web-tests.sh: builds the page and tests it: logic, agreement with the native program, size, and journeys in a real browser.
# Leaves pictures of every room and state in build/page-pictures. Needs build/ (scripts/build.sh release).
set -euo pipefail
cd "$(dirname "$0")/.."

if ! cmp -s web/package-lock.json web/node_modules/.built-from; then
  if ! (cd web && npm ci --no-audit --no-fund --loglevel=error); then
    echo "left out: npm ci does not work (is the registry within reach?), and web/node_modules is not there"
    [[ ${CI:-} != true ]] || exit 1
    exit 0
  fi
  cp web/package-lock.json web/node_modules/.built-from
fi
scripts/page.sh
cd web
npx vitest run
npm run --silent browser | tee ../build/page-journeys.log | grep -E "^(not ok|# (pass|fail) )|^ *(error|message)" || true
grep -q "^# fail 0$" ../build/page-journeys.log
echo "page: $(grep -c "^ok" ../build/page-journeys.log) journeys passed in Chromium; pictures in build/page-pictures"
