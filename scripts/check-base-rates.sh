#!/usr/bin/env bash
# Plain people must get plain numbers: the model's probabilities of cancer against what is known of populations.
set -euo pipefail
cd "$(dirname "$0")/.."

program=${DORSALGIA:-build/dorsalgia}
failed=0

malignant() { "$program" assess --json - <<<"$1" | jq -e .probability.malignant; }
between() {  # between NAME PERSON LOW HIGH
  local got verdict=ok
  got=$(malignant "$2")
  if ! jq -en --argjson p "$got" "\$p >= $3 and \$p <= $4" >/dev/null; then
    verdict="OUTSIDE"
    failed=1
  fi
  printf '  %-74s %.6f  (%s to %s) %s\n' "$1" "$got" "$3" "$4" "$verdict"
}

negatives='"night_pain": "absent", "weight_loss": "absent", "fever": "absent", "weakness": "absent", "numbness": "absent",
  "bladder_dysfunction": "absent", "progressive_pain": "absent"'
for sex in male female; do
  who="\"age\": 30, \"sex\": \"$sex\", \"setting\": \"primary care\", \"duration_weeks\": 2, \"location\": \"lumbar\""
  between "$sex of 30, two weeks of low back pain, nothing asked" "{$who}" 0 0.0002
  between "$sex of 30, the same, ordinary questions answered no" "{$who, \"findings\": {$negatives}}" 0 0.0002
done
between "woman of 68, breast cancer 3 years ago, worsening thoracic pain at night" \
  '{"age": 68, "sex": "female", "setting": "primary care", "duration_weeks": 6, "location": "thoracic",
    "context": {"cancer_history": "breast", "years_since_cancer": 3},
    "findings": {"night_pain": "present", "progressive_pain": "present"}}' 0.15 1
between "all of primary care together" '{"setting": "primary care"}' 0.002 0.007
exit $failed
