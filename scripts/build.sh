#!/usr/bin/env bash
# build.sh PRESET [TARGET...] [-- CMAKE-OPTION...]: configures when needed and builds. Quiet when nothing is to be done.
set -euo pipefail
cd "$(dirname "$0")/.."

preset=$1
shift
targets=()
while (($#)) && [[ $1 != -- ]]; do
  targets+=("$1")
  shift
done
(($#)) && shift
folder=build
[[ $preset == release ]] || folder=build-$preset

if [[ ! -f $folder/build.ninja ]] || (($#)); then
  echo "Configuring $folder ..."
  mkdir -p "$folder"
  if ! cmake --preset "$preset" "$@" >"$folder/configure.log" 2>&1; then
    cat "$folder/configure.log" >&2
    exit 1
  fi
fi
# Shows what is built, and nothing when there is nothing to do.
ninja -C "$folder" "${targets[@]}" | sed -u -E '/^(ninja: (Entering|no work)|\[0\/)/d'
