"""Looks for an input that breaks something, led by the lines it reaches: `python -m tests.fuzz MINUTES`.

Requests, doses and units that the project ships are changed a little, again and again; what reaches something new is kept and
changed further. Nothing may come out of the engine but an answer or a refusal, and nothing may take a second.
Takes the minutes it is given, and so is no part of the everyday tests. A seed as second argument takes another way.
"""

from __future__ import annotations

import json
import random
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

from cds.dosetext import lasts, read_dosage
from cds.strengthtext import container_ml, strengths
from cds.units import UnitTable
from hooks.errors import RequestError
from hooks.fhir import resources
from hooks.report import report
from tests.hooks.test_versions import SAYS, VERSIONS, sent
from tests.patients import TODAY, engine, library, request
from tests.test_vignettes import VIGNETTES


ROOT = Path(__file__).parent.parent
SLOW_S = 1.0
DEEP = "@deep@"
_OURS = tuple(str(ROOT / package) for package in ("cds", "hooks"))
_ELEMENTS = sorted({field for kind in resources.Resource.__args__ for field in kind.__struct_fields__})
_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1e308, -0.0, 10**40, 1.5, "", " ", "true", "0", "1e999", "2024-02-30", "0000", "9999-12-31", "2026-05",
    "２０００", ">2000", "\ud800", "\x00", "x" * 3000, "½", "no ", "?", "家族史", "#", "urn:uuid:", "Patient/p1", "Patient/other", DEEP,
    [], {}, [[]], [None], {"coding": []}, {"coding": [{"code": "active"}]}, {"reference": "#a"}, {"value": 1, "unit": "a"},
)  # fmt: skip
_TOKENS = (
    "0", "1", ".5", "1/2", "½", "1,000", "1000", "10000000000", "-1", "mcg", "mg", "g", "ug", "µg", "μg", "IU", "ml", "/ml", "/L", "tab",
    "片", "支", "每日", "每周", "隔日", "三次", "半", "daily", "weekly", "x4", "then", "q8h", "prn", "max", "24", "h", "/", "(", ")", "[", "]",
    "-", "–", "~", "to", "or", "and", "，", "。", "；", "、", "：", "×", "*", "%", "^", "10*9/L", "umol", "pg", "nmol", "mol", " ",
    "\u200b", "\u0301", "ＢＩＤ", "bid", "not taking", "未服用", "家族史",
)  # fmt: skip


def changed(random: random.Random, value: Any) -> Any:
    """A JSON value with one thing in it changed."""
    value = json.loads(json.dumps(value))
    places = list(_places(value))
    if not places:
        return random.choice(_VALUES)
    holder, key = random.choice(places)
    match random.randrange(8):
        case 0:
            del holder[key]
        case 1 | 2:
            holder[key] = random.choice(_VALUES)
        case 3:
            holder[key] = random.choice([[holder[key]], {"value": holder[key]}, [holder[key]] * 2])
        case 4:
            other, name = random.choice(places)
            holder[key] = json.loads(json.dumps(other[name]))
        case 5 if isinstance(holder, dict):
            holder[random.choice(_ELEMENTS)] = holder.pop(key)
        case 6 if isinstance(holder, dict):
            holder[random.choice(_ELEMENTS)] = random.choice(_VALUES)
        case _:
            holder[key] = reworded(random, holder[key]) if isinstance(holder[key], str) else str(holder[key])
    return value


def reworded(random: random.Random, words: str) -> str:
    """A text with a piece of it changed."""
    first, last = sorted(random.randrange(len(words) + 1) for _ in range(2))
    piece = random.choice((*_TOKENS, "", words[first:last], words[first:last] * 2))
    return words[:first] + piece + words[random.choice((first, first, last)) :]


def written(value: Any) -> bytes:
    """As it would be sent, with real depth where the value asks for it."""
    return json.dumps(value).encode().replace(f'"{DEEP}"'.encode(), b"[" * 3000 + b"]" * 3000)


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every object and array in it with each of its keys."""
    waiting = [value]
    while waiting:
        holder = waiting.pop()
        for key in list(holder) if isinstance(holder, dict) else range(len(holder)) if isinstance(holder, list) else ():
            yield holder, key
            waiting.append(holder[key])


def answered(request: Any) -> None:
    """What the service does with a request. Raises whatever is not an answer or a refusal."""
    hook = request.get("hook") if isinstance(request, dict) else None
    try:
        evaluation = engine(hook if isinstance(hook, str) and hook in HOOKS else HOOKS[0]).evaluate(written(request), TODAY)
    except RequestError:
        return
    assert not evaluation.decision.failures, evaluation.decision.failures
    json.dumps(report(evaluation))


def dosed(words: str) -> None:
    """What is made of a dose and of a strength."""
    for days in (None, 0, 40.0):
        read = read_dosage(words, days)
        assert read.amount is None or read.amount < float("inf")
    lasts(words)
    strengths(words, lambda part: [part[:1]])
    container_ml(words)


def measured(words: str) -> None:
    """What is made of a unit."""
    for table in UNITS.values():
        table.find(words)


HOOKS = ("patient-view", "order-select", "order-sign", "medication-refill", "problem-list-item-create", "encounter-discharge")
UNITS: dict[str, UnitTable] = dict(library().units)


def seeds() -> tuple[list[Any], list[str], list[str]]:
    """Requests, doses and units to begin with."""
    requests = [json.loads(path.read_bytes()) for path in sorted((ROOT / "fixtures" / "requests").glob("*.json"))]
    requests += [sent(version, ppi=how, operated=True, allergic=True) for version in VERSIONS for how in SAYS]
    requests += [request(vignette) for vignette in VIGNETTES[:: len(VIGNETTES) // 40]]
    drugs = [drug for vignette in VIGNETTES for drug in vignette.get("medicines", [])]
    doses = sorted({str(drug[key]) for drug in drugs for key in ("dose", "drug") if key in drug})
    entries = [entry for value_set in library().value_sets.values() for entry in value_set.units]
    units = sorted({spelling for entry in entries for spelling in (entry.unit, *entry.also)})
    return requests, doses, units


class Hunt:
    """One kind of input: its corpus, how it is changed, what is done with it."""

    def __init__(
        self, name: str, corpus: list[Any], change: Callable[[random.Random, Any], Any], run: Callable[[Any], None]
    ) -> None:
        """`change` makes another input of one; `run` raises where the input breaks something."""
        self.name, self.corpus, self.change, self.run = name, corpus, change, run
        self.executions, self.new, self.slowest = 0, 0, 0.0
        self.seen: set[tuple[int, int, int]] = set()
        self.broken: dict[str, Any] = {}

    def step(self, random: random.Random) -> None:
        """Change one input and look what it does."""
        value = self.change(random, random.choice(self.corpus))
        for _ in range(random.choice((0, 0, 1, 3))):
            value = self.change(random, value)
        if self.reaches_new(value):
            self.corpus.append(value)
            self.new += 1

    def reaches_new(self, value: Any) -> bool:
        """Run it once. Was there a step from line to line that none before it has made?"""
        reached = set[tuple[int, int, int]]()
        last: dict[int, int] = {}

        def line(frame: FrameType, event: str, _: Any) -> Any:
            if event == "line":
                code = id(frame.f_code)
                reached.add((code, last.get(code, 0), frame.f_lineno))
                last[code] = frame.f_lineno
            return line

        def call(frame: FrameType, event: str, _: Any) -> Any:
            return line if frame.f_code.co_filename.startswith(_OURS) else None

        before, started = sys.gettrace(), time.perf_counter()
        sys.settrace(call)
        try:
            self.run(value)
        except Exception as error:  # noqa: BLE001  # whatever it is, it was hunted for
            where = traceback.extract_tb(error.__traceback__)[-1]
            self.broken.setdefault(f"{type(error).__name__}: {error} at {where.filename}:{where.lineno}", value)
        finally:
            sys.settrace(before)
        took = time.perf_counter() - started
        self.slowest = max(self.slowest, took)
        if took > SLOW_S:
            self.broken.setdefault(f"took {took:.1f} s", value)
        self.executions += 1
        new = not reached <= self.seen
        self.seen |= reached
        return new


def main(minutes: float = 1, seed: int = 1) -> int:
    """Hunt for so long; how many different ways to break something were found."""
    requests, doses, units = seeds()
    chance = random.Random(seed)
    hunts = [
        Hunt("reader", requests, changed, answered),
        Hunt("dose", doses, reworded, dosed),
        Hunt("unit", units, reworded, measured),
    ]
    for hunt in hunts:
        for value in hunt.corpus:
            hunt.reaches_new(value)
    end = time.monotonic() + 60 * minutes
    while time.monotonic() < end:
        for hunt, steps in zip(hunts, (4, 8, 1), strict=True):
            for _ in range(steps):
                hunt.step(chance)
    for hunt in hunts:
        counts = f"{hunt.executions} executions, {hunt.new} new paths, {len(hunt.seen)} steps from line to line"
        print(f"{hunt.name}: {counts}, slowest {hunt.slowest:.2f} s, {len(hunt.broken)} unhandled exceptions")
        for what, value in hunt.broken.items():
            print(f"  {what}\n    {json.dumps(value)[:2000]}")
    return sum(len(hunt.broken) for hunt in hunts)


if __name__ == "__main__":
    sys.exit(bool(main(float(sys.argv[1] if sys.argv[1:] else 1), int(sys.argv[2] if sys.argv[2:] else 1))))
