#!/usr/bin/env bash
# Draws docs/report.png: the HTML report of the README's example, as a browser shows it. Needs chromium.
set -euo pipefail
cd "$(dirname "$0")/.."

case=examples/breast-12y-55f.json
program=${DORSALGIA:-build/dorsalgia}
command -v chromium >/dev/null || { echo "This needs chromium: apt-get install chromium" >&2; exit 1; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$program" assess --html "$case" -o "$folder/report.html"
chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --force-device-scale-factor=1.25 --user-data-dir="$folder/profile" \
  --window-size=1000,2255 --screenshot="$folder/report.png" "file://$folder/report.html" >"$folder/log" 2>&1 || { cat "$folder/log" >&2; exit 1; }
mv "$folder/report.png" docs/report.png
echo "docs/report.png drawn from $case"
