"""The command `cobalamin audit`: export."""

from __future__ import annotations

import gzip
import json
import os
import sys
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import click
import msgspec

from hooks.feedback.config import SHORTEST_SALT
from hooks.feedback.entries import Keys, client_of
from hooks.feedback.options import SALT
from hooks.operation.audit import Record
from hooks.operation.auditevents import audit_event
from hooks.trust.tokens import Caller


_GZIP = b"\x1f\x8b"
_BEGIN = b'{"time":'
_record = msgspec.json.Decoder(Record).decode


class _Moment(click.DateTime):
    """A day, or a moment; UTC, as the records are, unless it says otherwise."""

    def __init__(self) -> None:
        super().__init__(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"])

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        moment: datetime = super().convert(value, param, ctx)
        return moment.astimezone(UTC) if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


@click.group()
def audit() -> None:
    """Who was told what: the records of calls."""


@audit.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--since", type=_Moment(), metavar="TIME", help="Only calls from this day or moment on (UTC unless it has an offset)."
)
@click.option("--until", type=_Moment(), metavar="TIME", help="Only calls before this day or moment.")
@click.option("--client", help="Only calls of this client, by the name of its profile.")
@click.option("--patient", metavar="ID", help=f"Only calls about this patient, by the id the EHR sends; needs {SALT}.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["fhir", "json"]),
    default="fhir",
    show_default=True,
    help="AuditEvents of FHIR R4, or the records as they are.",
)
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="File to write. Default: standard output.")
def export(
    files: tuple[Path, ...],
    since: datetime | None,
    until: datetime | None,
    client: str | None,
    patient: str | None,
    format_: str,
    output: Path | None,
) -> None:
    """Print the records of calls as FHIR AuditEvents, one JSON object per line (NDJSON). FILEs may be rotated and gzipped.

    Example: cobalamin audit export audit.jsonl --since 2026-11-01 --client epic --output november.ndjson

    Exit status: 1 where a line of a file cannot be read; the others are exported.
    """
    keys = _keys() if patient is not None else None
    broken = 0
    with ExitStack() as opened:
        out = _target(opened, output)
        for file in files:
            for record in _records(opened.enter_context(_stream(file))):
                if record is None:
                    broken += 1
                elif (
                    (since is None or _time(record) >= since)
                    and (until is None or _time(record) < until)
                    and client in (None, record.client)
                    and (keys is None or record.patient == _pseudonym(keys, record, patient or ""))
                ):
                    said = audit_event(record) if format_ == "fhir" else msgspec.to_builtins(record)
                    out.write(json.dumps(said, separators=(",", ":")) + "\n")
    if broken:
        click.secho(f"{broken} lines cannot be read and are left out.", fg="red", err=True)
        sys.exit(1)


def _keys() -> Keys:
    salt = os.environ.get(SALT, "")
    if len(salt) < SHORTEST_SALT:
        raise click.UsageError(f"--patient needs the salt of the service, in {SALT}.")
    return Keys(salt)


def _pseudonym(keys: Keys, record: Record, patient: str) -> str:
    """What the patient is called in this record, if the call was about them."""
    caller = Caller(record.iss, record.tenant) if record.iss is not None else None
    return keys.key("patient", client_of(caller), patient)


def _target(opened: ExitStack, output: Path | None) -> IO[str]:
    if output is None:
        return sys.stdout
    try:
        return opened.enter_context(output.open("w", encoding="utf-8"))
    except OSError as error:
        raise click.ClickException(f"Cannot write {output}: {error.strerror}.") from None


def _stream(file: Path) -> IO[bytes] | gzip.GzipFile:
    """The lines of a file, unpacked where it is gzipped."""
    try:
        stream = file.open("rb")
    except OSError as error:
        raise click.ClickException(f"Cannot read {file}: {error.strerror}.") from None
    if stream.read(2) == _GZIP:
        stream.close()
        return gzip.open(file, "rb")
    stream.seek(0)
    return stream


def _records(lines: Iterable[bytes]) -> Iterator[Record | None]:
    """Each record; None for a line that holds none, and for a packed file that ends too early.

    Behind the half line that a full disk left stands the next one.
    """
    try:
        yield from map(_read, lines)
    except (EOFError, gzip.BadGzipFile, zlib.error):
        yield None


def _read(line: bytes) -> Record | None:
    for part in (line, line[line.rfind(_BEGIN) :]):
        with suppress(msgspec.DecodeError, ValueError):
            record = _record(part)
            _time(record)
            return record
    return None


def _time(record: Record) -> datetime:
    return datetime.fromisoformat(record.time).astimezone(UTC)
