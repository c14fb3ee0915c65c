#!/bin/sh
# Installs what wheelhouse.sh packed, without a network: ./install.sh [PREFIX]
# Into PREFIX/cobalamin-VERSION (PREFIX: /opt), beside what is there. The link PREFIX/cobalamin, which leads to it, is made where
# there is none; else it stays, and turning it is the upgrade. PYTHON: the Python to use, 3.11 or later; else python3.
set -eu
cd "$(dirname "$0")"
prefix=${1:-/opt}
sha256sum --quiet --check SHA256SUMS
wheel=$(ls cobalamin_cds-*.whl)
version=$(echo "$wheel" | cut -d - -f 2)
target=$prefix/cobalamin-$version
[ ! -e "$target" ] || { echo "$target is there already; remove it first" >&2; exit 1; }

umask 022
unset PYTHONPATH # what lies there would count as installed
trap 'rm -rf "$target"' EXIT
"${PYTHON:-python3}" -m venv "$target"
pip="$target/bin/pip --disable-pip-version-check"
$pip install -q --no-index --find-links wheels --require-hashes -r deploy/requirements.lock
$pip install -q --no-index --no-deps "$wheel"
$pip check
cp -R deploy "$target/deploy"
"$target/bin/cobalamin" --version
trap - EXIT
if [ -e "$prefix/cobalamin" ]; then
    echo "$prefix/cobalamin is still $(readlink "$prefix/cobalamin"). To turn it: ln -sfn $target $prefix/cobalamin" >&2
else
    ln -sfn "$target" "$prefix/cobalamin"
fi
