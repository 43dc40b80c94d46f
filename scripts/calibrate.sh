#!/usr/bin/env bash
# Fits the model's numbers to the calibration studies: knowledge/fitted.yaml, and says what comes next.
set -euo pipefail
cd "$(dirname "$0")/.."

program=${DORSALGIA:-build/dorsalgia}
"$program" --knowledge knowledge calibrate -o knowledge/fitted.yaml
echo
echo "Next: scripts/build.sh release dorsalgia (packs the fitted numbers), then make validate (holds them against the studies)."
