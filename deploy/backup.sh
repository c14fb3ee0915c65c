#!/bin/sh
# Saves the feedback store while services use it, looks whether the copy can be read, and deletes copies that are too old.
#   deploy/backup.sh STORE FOLDER [KEEP_DAYS]
# STORE as the service has it: an SQLite file or postgresql://USER@HOST/DATABASE (the password from PGPASSWORD or ~/.pgpass).
# The salt is not in it: without the same salt a restored store recognises nobody. PYTHON: of the installation; else python3.
set -eu
umask 077
store=$1 folder=$2 keep_days=${3:-}
mkdir -p "$folder"
copy=$folder/cobalamin-$(date -u +%Y%m%dT%H%M%SZ)
trap 'rm -f "$copy.part"' EXIT

case $store in
    postgres*://*)
        copy=$copy.dump
        pg_dump --format=custom --no-owner --no-privileges --dbname="postgresql://${store#*://}" --file="$copy.part"
        pg_restore --list "$copy.part" | grep -q 'TABLE DATA .* alembic_version ' || { echo "$store is no store" >&2; exit 1; }
        pg_restore --file=/dev/null "$copy.part"
        ;;
    *)
        copy=$copy.db
        "${PYTHON:-python3}" - "${store#sqlite:///}" "$copy.part" <<'PYTHON'
import sqlite3
import sys
from pathlib import Path

store = Path(sys.argv[1])
if not store.is_file():
    sys.exit(f"{store} is no store")
source, copy = sqlite3.connect(store), sqlite3.connect(sys.argv[2])
source.backup(copy)
copy.execute("PRAGMA journal_mode = DELETE")  # one file, and no log beside it
if copy.execute("PRAGMA integrity_check").fetchone() != ("ok",):
    sys.exit("the copy cannot be read")
if not copy.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone():
    sys.exit(f"{store} is no store")
copy.close()
PYTHON
        ;;
esac
mv "$copy.part" "$copy"
if [ -n "$keep_days" ]; then
    find "$folder" -name 'cobalamin-*' -type f -mtime "+$keep_days" -delete
fi
echo "$copy"
