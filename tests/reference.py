"""The pages of docs/ that nobody writes: `python -m tests.reference` derives them from the code and the knowledge.

A test compares, so that they cannot lag behind.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date

import click

from cds.content import Library
from cds.knowledge import Parameter
from cds.library import load
from hooks.cli import main
from hooks.clientfiles import client, shipped
from hooks.fhir.faults import MEND
from hooks.services import SERVICES
from hooks.sheetprinting import markdown_lines
from hooks.sitesheet import Sheet
from tests.derived import DOCS, PAGES
from tests.reference_http import http


_CHECKED = {"seen": "", "weak": "‡ secondary source only", "unverified": "† nobody verified it", "design": "our own choice"}


def pages() -> dict[str, str]:
    """Every page that is derived, by its path in docs/."""
    library = load()
    return {
        **{name: page() for name, page in PAGES.items()},
        "reference/command-line.md": _joined(_command_line()),
        "reference/http.md": _joined(http(library)),
        "reference/advice.md": _joined(_advice(library)),
        "reference/data-notes.md": _joined(_data_notes(library)),
        "reference/numbers.md": _joined(_numbers(library)),
        "reference/sources.md": _joined(_sources(library)),
        **{f"site-sheets/{name}.md": _joined(_sheet(library, name)) for name in shipped()},
    }


def _command_line() -> Iterator[str]:
    yield from ("# Command line", "", "Derived from the commands themselves. `cobalamin COMMAND --help` says the same.", "")
    yield from _command(main, click.Context(main, info_name="cobalamin"))


def _command(command: click.Command, context: click.Context) -> Iterator[str]:
    if isinstance(command, click.Group):
        if context.parent is not None:
            yield from (f"## {context.command_path}", "", *_help(command))
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from _command(inner, click.Context(inner, info_name=name, parent=context))
        return
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    yield from (f"{'##' if context.parent and context.parent.parent is None else '###'} {context.command_path}", "")
    yield from ("```text", usage, "```", "", *_help(command))
    options = [parameter for parameter in command.get_params(context) if isinstance(parameter, click.Option)]
    options = [option for option in options if "--help" not in option.opts]
    if options:
        yield from ("| option | meaning |", "| --- | --- |", *(_option(option, context) for option in options), "")


def _help(command: click.Command) -> Iterator[str]:
    """The help as paragraphs; what it calls an example, as it is typed."""
    for paragraph in (" ".join(part.split()) for part in (command.help or "").split("\n\n")):
        example = re.fullmatch(r"Examples?: (.+)", paragraph)
        yield from (*(("```text", *example[1].split("; "), "```") if example else (_plain(paragraph),)), "")


def _option(option: click.Option, context: click.Context) -> str:
    names, meaning = option.get_help_record(context) or ("", "")
    return f"| `{names.replace('|', chr(92) + '|')}` | {_plain(meaning)} |"


def _advice(library: Library) -> Iterator[str]:
    yield from (
        "# What it can say",
        "",
        "Every advice by its rule: how loud it is, and the first line of its card in both languages. *Italics* stand for what the",
        "record or the numbers fill in. The [rulebook](../rulebook.md) has the rest of the words, and why.",
        "",
    )
    for name, rule in library.rules.items():
        spoken = ", ".join(f"`{service.hook}`" for service in SERVICES if name in service.rules)
        yield from (f"## {_plain(rule.title.en)}", "", f"{rule.title.zh} · `{name}` · at {spoken}", "")
        yield from ("| loud | English | 中文 |", "| --- | --- | --- |")
        for words in rule.advice.values():
            yield f"| {words.urgency} | {_filled(words.en.summary)} | {_filled(words.zh.summary)} |"
        yield ""


def _filled(template: str) -> str:
    """A template of words for reading: what is filled in, by its name in italics."""
    return re.sub(r"\\\{(.+?)\\\}", lambda found: f"*{found[1].replace(chr(92), '').replace('_', ' ')}*", _plain(template))


def _data_notes(library: Library) -> Iterator[str]:
    notes = library.words["en"].notes
    yield from (
        "# What is said of data",
        "",
        "What a card or `data_quality` says of something that was left out or doubted, by its key. A *detail* is quoted from the record.",
        "",
        "| key | words |",
        "| --- | --- |",
        *(f"| `{key}` | {_filled(text)} |" for key, text in notes.items() if not key.startswith("fetch_")),
        "",
        "## While fetching",
        "",
        "What went wrong with a query of ours to the client's FHIR server: the words on the card, where it has any, and what the 412 says to mend it.",
        "",
        "| key | words | mend |",
        "| --- | --- | --- |",
        *(f"| `fetch_{fault}` | {_plain(notes.get(f'fetch_{fault}', ''))} | {_plain(mend)} |" for fault, mend in MEND.items()),
    )


def _numbers(library: Library) -> Iterator[str]:
    yield from (
        "# Numbers",
        "",
        f"All {len(library.parameters)} numbers that the rules use, as shipped. † and ‡ mark on the cards, too, what needs a",
        "clinician's look first. A hospital may set another number within the range, by a [site policy](../policy.md).",
        "",
        "| number | means | value | a site may set | verified | sources |",
        "| --- | --- | ---: | --- | --- | --- |",
        *(_number(name, parameter) for name, parameter in sorted(library.parameters.items())),
    )


def _number(name: str, parameter: Parameter) -> str:
    now = parameter.on(date.max)
    bounds = parameter.sites_may_set
    may = f"{bounds[0]:g} to {bounds[1]:g}" if bounds is not None else "nothing else"
    unit = "" if parameter.unit == "1" else f" {parameter.unit}"
    value = now.value if isinstance(now.value, bool) else f"{now.value:g}"
    cited = ", ".join(f"[{key}](sources.md#{key})" for key in now.cite)
    return f"| `{name}` | {_plain(parameter.means)} | {value}{unit} | {may} | {_CHECKED[parameter.checked]} | {cited} |"


def _sources(library: Library) -> Iterator[str]:
    yield from ("# Sources", "", "What rules and numbers cite, under the key by which they cite it.", "")
    for key, reference in sorted(library.references.items()):
        where = f"<{reference.url}>" if reference.url else "No address on record."
        said = f"{_plain(reference.title)}. {_plain(reference.publisher)}, {reference.date or 'date not recorded'}."
        yield from (f"## {key}", "", f"{said} {where}", *(("", _plain(reference.note.en)) if reference.note else ()), "")


def _sheet(library: Library, name: str) -> Iterator[str]:
    """The site sheet in English; which version it is of, the deployment says."""
    for line in markdown_lines(Sheet(library, client(name, library), "en", None)):
        if library.version not in line:
            yield line


def _plain(text: str) -> str:
    """Text in which nothing means anything to Markdown."""
    return re.sub(r"([\\`*_{}\[\]<>|])", r"\\\1", " ".join(text.split()))


def _joined(lines: Iterable[str]) -> str:
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).rstrip() + "\n"


if __name__ == "__main__":
    for path, content in pages().items():
        (DOCS / path).parent.mkdir(exist_ok=True)
        (DOCS / path).write_text(content, encoding="utf-8")
