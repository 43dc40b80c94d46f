#!/usr/bin/env bash
# Holds the model against the published studies: docs/validation.md, its pictures, and build/validation.json.
set -euo pipefail
cd "$(dirname "$0")/.."

program=${DORSALGIA:-build/dorsalgia}
python=
for candidate in python3 /usr/bin/python3; do  # the system's own has what apt-get installed
  if "$candidate" -c 'import matplotlib' 2>/dev/null; then
    python=$candidate
    break
  fi
done
[[ -n $python ]] || { echo "This needs matplotlib: apt-get install python3-matplotlib" >&2; exit 1; }
mkdir -p build
"$program" validate --json -o build/validation.json --page docs/validation.md
"$python" scripts/plot-validation.py build/validation.json docs
echo "docs/validation.md, build/validation.json"
