"""Runs every path of the service on requests full of markers, and searches all that it writes for them.

`python -m tests.hooks.markers` prints what was run, what was written, and which fields of a request stand in it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

from tests.hooks.marked import calls, clients, feedback, fetching, tokens
from tests.hooks.markedserver import served
from tests.hooks.planting import CALLS
from tests.hooks.searching import Search, listening


def searched(folder: Path, hooks: Iterable[str] = CALLS) -> Search:
    """Run everything."""
    search = Search(folder, hooks)
    with listening(search):
        calls(search)
        clients(search)
        tokens(search)
        fetching(search)
        feedback(search)
    served(search)
    return search


def main() -> None:
    """Print what was run, what was written, and what was found in it."""
    with tempfile.TemporaryDirectory() as folder:
        search = searched(Path(folder))
    said = ["| what was run | statuses |", "| --- | --- |"]
    said += [
        f"| {path} | {', '.join(f'{status} ({n})' for status, n in sorted(ran.items()))} |" for path, ran in search.ran.items()
    ]
    said += ["", "| what was written | bytes | kept on purpose | fields that leaked |", "| --- | --- | --- | --- |"]
    for sink, parts in sorted(search.written.items()):
        kept, leaked = (", ".join(search.fields(sink, purpose)) for purpose in (True, False))
        said.append(f"| {sink} | {sum(map(len, parts)):,} | {kept or '-'} | {leaked or 'none'} |")
    said += [
        "",
        f"{len(search.planter.planted):,} markers, {sum(map(sum, (ran.values() for ran in search.ran.values()))):,} requests",
    ]
    print("\n".join(said))  # noqa: T201 - a command


if __name__ == "__main__":
    main()
