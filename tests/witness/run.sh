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
  echo "left out: outside witness ($1)"
  [ "${CI:-}" = true ] && exit 1
  exit 0
}

# need ENVIRONMENT REQUIREMENTS [options of pip]: once for each state of the requirements; a half-made one is made anew.
need() {
  environment=$build/$1
  requirements=$2
  shift 2
  python=$environment/bin/python
  if ! cmp -s "$requirements" "$environment/made-from"; then
    rm -rf "$environment"
    python3 -m venv "$environment" >"$build/witness-pip.log" 2>&1 || left_out "python3 -m venv does not work: Debian has it in python3-venv"
    "$python" -m pip install --quiet --disable-pip-version-check "$@" -r "$requirements" >"$build/witness-pip.log" 2>&1 || {
      tail -n 3 "$build/witness-pip.log" >&2
      left_out "PyPI not reachable"
    }
    cp "$requirements" "$environment/made-from"
  fi
}

case " $* " in
  *" --pgmpy "*) need witness-venv-pgmpy "$here/requirements-pgmpy.txt" ;;
  *) need witness-venv "$here/requirements.txt" --no-deps ;;
esac
exec "$python" "$here/witness.py" "$answers" "$build/witness-networks" "$@"
