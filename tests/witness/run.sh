#!/bin/sh
# The outside witness: tests/witness/run.sh [BUILD FOLDER] [options of witness.py]
# Makes its own Python environment in the build folder (needs PyPI the first time), prints one line, fails above 1e-6.
# With --pgmpy a second library is asked about a few (its packages are ten times the size of the first one's).
set -eu

here=$(cd "$(dirname "$0")" && pwd)
build=${1:-build}
[ $# -gt 0 ] && shift
if [ ! -d "$build" ]; then
  echo "outside witness: no build folder '$build' (cmake -B $build -S .)" >&2
  exit 2
fi
build=$(cd "$build" && pwd)

cmake --build "$build" --target witness-answers >"$build/witness-build.log" 2>&1 || {
  tail -n 20 "$build/witness-build.log" >&2
  echo "outside witness: FAILED: witness-answers does not build" >&2
  exit 1
}
answers=$(find "$build" -name witness-answers -type f -perm -u+x | head -n 1)

left_out() {
  echo "left out: outside witness (PyPI not reachable)"
  [ "${CI:-}" = true ] && exit 1
  exit 0
}

# Once for each state of the requirements; a half-made environment is made anew.
need() {
  python=$build/$1/bin/python
  if ! cmp -s "$2" "$build/$1/made-from"; then
    rm -rf "${build:?}/$1"
    if ! python3 -m venv "$build/$1" || ! "$python" -m pip install --quiet --disable-pip-version-check $3 -r "$2" 2>"$build/witness-pip.log"; then
      tail -n 3 "$build/witness-pip.log" >&2
      left_out
    fi
    cp "$2" "$build/$1/made-from"
  fi
}

case " $* " in
  *" --pgmpy "*) need witness-venv-pgmpy "$here/requirements-pgmpy.txt" "" ;;
  *) need witness-venv "$here/requirements.txt" --no-deps ;;
esac
exec "$python" "$here/witness.py" "$answers" "$build/witness-networks" "$@"
