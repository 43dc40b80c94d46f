#!/usr/bin/env bash
# install.sh run | page | page-test | test | bench: the Debian packages that building (run), the page (page; its tests: page-test),
# checking (test) or measuring (bench) needs, when any are missing.
# Quiet when nothing is missing. Uses sudo when not root.
set -euo pipefail

run=(g++ cmake ninja-build libyaml-cpp-dev nlohmann-json3-dev libcli11-dev libfmt-dev libeigen3-dev libcereal-dev libxxhash-dev
  librandom123-dev libceres-dev libhwy-dev libcpp-httplib-dev)
test=("${run[@]}" ccache clang clang-format-14 clang-tidy-14 libclang-rt-14-dev llvm-14 libgtest-dev librapidcheck-dev
  libbenchmark-dev python3 python3-venv python3-yaml python3-matplotlib ca-certificates jq shellcheck openjdk-17-jre-headless)

# The page: node may come from elsewhere (NodeSource has npm in its nodejs, which conflicts with Debian's npm).
page=("${run[@]}" emscripten ccache xz-utils)
command -v node >/dev/null || page+=(nodejs)
command -v npm >/dev/null || page+=(npm)
page_test=("${page[@]}" chromium)
bench=("${test[@]}" valgrind)

case "${1:-run}" in
  run) wanted=("${run[@]}") ;;
  page) wanted=("${page[@]}") ;;
  page-test) wanted=("${page_test[@]}") ;;
  test) wanted=("${test[@]}") ;;
  bench) wanted=("${bench[@]}") ;;
  *) echo "usage: install.sh run|page|page-test|test|bench" >&2; exit 2 ;;
esac

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  echo "Not Debian: install the equivalents of these packages yourself if anything is missing: ${wanted[*]}" >&2
  exit 0
fi

missing=()
for package in "${wanted[@]}"; do
  [[ $(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true) == installed ]] || missing+=("$package")
done
((${#missing[@]})) || exit 0

as_root=()
if [[ $(id -u) != 0 ]]; then
  if ! command -v sudo >/dev/null; then
    echo "Missing Debian packages, and neither root nor sudo to install them. As root: apt-get install ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@" >"$log" 2>&1; }
fail() {
  tail -n 15 "$log" >&2
  echo "$1" >&2
  exit 1
}

echo "Installing ${#missing[@]} Debian packages (a few minutes the first time): ${missing[*]}"
apt update || fail "The package lists could not be fetched. Is the network there?"
apt install -y --no-install-recommends "${missing[@]}" || fail "The packages could not be installed."
