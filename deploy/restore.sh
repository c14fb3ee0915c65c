#!/bin/sh
# Puts a copy that backup.sh made in the place of what is in a store, whole or not at all.
#   deploy/restore.sh COPY STORE
# Services that run meanwhile go on with what was restored; stop them all the same: what they keep in these seconds would be lost.
set -eu
umask 077
copy=$1 store=$2

case $store in
    postgres*://*)
        pg_restore --clean --if-exists --single-transaction --exit-on-error --no-owner --no-privileges \
            --dbname="postgresql://${store#*://}" "$copy"
        ;;
    *)
        "${PYTHON:-python3}" - "$copy" "${store#sqlite:///}" <<'PYTHON'
import sqlite3
import sys
from pathlib import Path

if not Path(sys.argv[1]).is_file():
    sys.exit(f"{sys.argv[1]} is no copy")
copy, store = (sqlite3.connect(path, timeout=10) for path in sys.argv[1:])
try:
    sound = copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    sound = sound and copy.execute("SELECT count(*) FROM alembic_version").fetchone() == (1,)
except sqlite3.DatabaseError:
    sound = False
if not sound:
    sys.exit(f"{sys.argv[1]} is no copy of a store, or is damaged; nothing was changed")
copy.backup(store)
PYTHON
        ;;
esac
echo "Restored $copy. The service brings its tables up to date as it starts." >&2
