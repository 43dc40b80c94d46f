#!/usr/bin/env bash
# check-cases.sh [CASES]: scores the published cases beside the repository and fails below the floors.
# The floors guard against breaking things; nothing is fitted to them. And whatever the score: no case in which a sign of
# an emergency is recorded may be given less than emergency.
set -euo pipefail
cd "$(dirname "$0")/.."

cases=${1:-../shared/cases/cases.jsonl}
program=${DORSALGIA:-build/dorsalgia}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

"$program" evaluate "$cases"
"$program" evaluate "$cases" --json >"$folder/score.json"

failed=0
floor() {  # floor NAME JQ-PATH LEAST
  local got
  got=$(jq "$2" "$folder/score.json")
  if jq -e "($2) != null and ($2) >= $3" "$folder/score.json" >/dev/null; then
    printf '  %-44s %.3f  (floor %.2f)\n' "$1" "$got" "$3"
  else
    printf '  %-44s %s  BELOW the floor of %.2f\n' "$1" "$got" "$3"
    failed=1
  fi
}
echo "Floors"
floor "cause among the first three (headline)" .headline.cause.top3 0.65
floor "tumour or not, area under ROC (headline)" .headline.cause.tumour_auroc 0.85
floor "urgency agrees (headline)" .headline.urgency.agreement 0.70
floor "emergencies seen (all cases)" .urgency.emergency_sensitivity 0.95

signs='["bladder_dysfunction","bowel_dysfunction","saddle_anaesthesia","reduced_anal_tone","cauda_equina_symptoms_unspecified",
  "sensory_level","babinski","hyperreflexia","unable_to_walk"]'
# Scored as if emergency were the stated urgency: then every miss is one.
jq -c --argjson signs "$signs" '
  select((.findings // {}) | any(to_entries[]; .value == "present" and (.key | IN($signs[]))))
  | .appropriate_urgency = "emergency" | .urgency_borderline = false' "$cases" >"$folder/signs.jsonl"
count=$(wc -l <"$folder/signs.jsonl")
if ((count == 0)); then
  echo "  no case with a recorded sign of an emergency was found: is $cases the right file?"
  exit 1
fi
missed=$("$program" evaluate "$folder/signs.jsonl" --json |
  jq -r '.misses[] | select(.what == "urgency") | "  \(.id): a sign of an emergency is recorded, and the urgency is \(.got)"')
[[ -z $missed ]] || failed=1
echo "${missed:-  all $count cases with a recorded sign of an emergency are called emergency}"
exit $failed
