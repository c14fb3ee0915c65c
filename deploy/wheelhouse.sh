#!/bin/sh
# Packs everything an offline host needs into one file: deploy/wheelhouse.sh DIRECTORY [pip's options for another platform]
# Run it on a machine of the same kind with the same Python, or say which: --platform manylinux_2_28_x86_64 --python-version 3.12
# PYTHON: the Python to use; else python3.
set -eu
cd "$(dirname "$0")/.."
mkdir -p "$1"
output=$(cd "$1" && pwd)
shift
unset PYTHONPATH # what lies there would count as installed

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
pip="$work/venv/bin/pip --disable-pip-version-check"
version=$(sed -n 's/^__version__ = "\(.*\)"$/\1/p' cds/__init__.py)
bundle=cobalamin-cds-$version
mkdir -p "$work/$bundle/wheels"

$pip install -q --only-binary :all: --require-hashes -r deploy/build.lock
mkdir "$work/source"
cp -R setup.cfg pyproject.toml MANIFEST.in README.md LICENSE cds hooks fixtures "$work/source"
mkdir "$work/source/tests"
cp -R tests/vignettes "$work/source/tests"
$pip wheel -q --no-build-isolation --no-deps --no-index --wheel-dir "$work/$bundle" "$work/source"
$pip download -q --only-binary :all: --require-hashes --dest "$work/$bundle/wheels" "$@" -r deploy/requirements.lock
cp -R deploy "$work/$bundle"
find "$work/$bundle" -name '.*' -exec rm -rf {} + # secrets lie in deploy/.env
cp docs/deployment.md LICENSE "$work/$bundle"
cp deploy/install.sh "$work/$bundle"
(cd "$work/$bundle" && find . -type f ! -name SHA256SUMS -exec sha256sum {} + | sort -k 2 >SHA256SUMS)
tar -C "$work" -czf "$output/$bundle.tar.gz" "$bundle"
(cd "$output" && sha256sum "$bundle.tar.gz")
