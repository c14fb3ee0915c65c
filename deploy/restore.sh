#!/bin/sh
# Puts a copy that backup.sh made in the place of what is in a store, whole or not at all.
#   deploy/restore.sh COPY STORE
# STORE as in backup.sh. PostgreSQL: a database of its own, by the role of the service, which will own the tables; COPY may be -, for
# standard input. Services that run meanwhile go on with what was restored; stop them all the same: what they keep in these
# seconds would be lost.
set -eu
umask 077
copy=$1 store=$2

case $store in
    postgres*://*)
        script=$(mktemp)
        trap 'rm -f "$script"' EXIT
        # a newer version may have more tables than the copy: all that belong to the owner of the store go
        cat >"$script" <<'SQL'
DO $$
DECLARE
    name text;
BEGIN
    FOR name IN
        SELECT other.oid::regclass FROM pg_class AS ours JOIN pg_class AS other USING (relnamespace, relowner)
        WHERE ours.oid = to_regclass('alembic_version') AND other.relkind = 'r'
    LOOP
        EXECUTE 'DROP TABLE ' || name || ' CASCADE';
    END LOOP;
END $$;
SQL
        if [ "$copy" = - ]; then set --; else set -- "$copy"; fi
        pg_restore --no-owner --no-privileges --file=- "$@" >>"$script"
        psql --quiet --no-psqlrc --single-transaction --set=ON_ERROR_STOP=1 --output=/dev/null \
            --dbname="postgresql://${store#*://}" --file="$script"
        ;;
    *)
        "${PYTHON:-python3}" - "$copy" "${store#sqlite:///}" <<'PYTHON'
import os
import sqlite3
import sys
from pathlib import Path

origin, target = map(Path, sys.argv[1:])
if not origin.is_file():
    sys.exit(f"{origin} is no copy")
if not target.parent.is_dir():
    sys.exit(f"{target.parent} is not there: start the service once, which makes it")
copy = sqlite3.connect(origin)
try:
    sound = copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    sound = sound and copy.execute("SELECT count(*) FROM alembic_version").fetchone() == (1,)
except sqlite3.DatabaseError:
    sound = False
if not sound:
    sys.exit(f"{origin} is no copy of a store, or is damaged; nothing was changed")
if not target.exists() and os.geteuid() == 0:  # it is the service that writes there
    owner = target.parent.stat()
    target.touch()
    os.chown(target, owner.st_uid, owner.st_gid)
store = sqlite3.connect(target, timeout=10)
try:
    copy.backup(store)
except sqlite3.OperationalError as error:
    sys.exit(f"{target} cannot be written now: {error}; nothing was changed")
except sqlite3.DatabaseError as error:
    sys.exit(f"{target}: {error}. Stop the service, move what is there away, with -wal and -shm behind its name, and try again")
store.close()
PYTHON
        ;;
esac
echo "Restored $copy. The service brings its tables up to date as it starts." >&2
