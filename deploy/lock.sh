#!/bin/sh
# Writes the lock files anew: every package that the service is made of and built with, by version and hash. Needs uv.
#   deploy/lock.sh           what is locked stays where it still fits setup.cfg
#   deploy/lock.sh --upgrade the newest versions that setup.cfg allows
set -eu
cd "$(dirname "$0")/.."

lock() {
    uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
        --custom-compile-command deploy/lock.sh "$@"
}

python3 - <<'PYTHON' | lock "$@" --output-file deploy/requirements.lock -
import configparser

setup = configparser.ConfigParser()
setup.read("setup.cfg")
print(setup["options"]["install_requires"], setup["options.extras_require"]["postgresql"])
PYTHON
sed -n 's/^requires = \["\(.*\)"\]$/\1/p' pyproject.toml | lock "$@" --output-file deploy/build.lock -
