"""Follow-up of B12 treatment: nine items, each with its last entry and whether it is due (C8)."""

from __future__ import annotations

from datetime import date
from typing import Literal

from msgspec import Struct

from cds.advice import Route
from cds.chart import Condition, Finding, Measurement, Medicine, Record
from cds.facts.absorption import Absorption
from cds.facts.regimen import CRITICAL_ROWS, INJECTED, Regimen
from cds.facts.response import Response
from cds.leaves import has, measured, observed
from cds.logic import Evidence, either


ItemName = Literal["b12", "homocysteine", "muscle_strength", "balp", "ctx", "falls", "gait", "muscle_pain", "limb_sensation"]
ItemState = Literal["current", "due", "overdue", "never", "unknown", "not_needed", "not_followed"]

grip_strengths = measured("grip_strength")
chair_stands = measured("chair_stand")
chair_stands_with_arms = measured("chair_stand_arms")
balp_results = measured("balp")
ctx_results = measured("ctx")
ctx_variant_results = measured("ctx_variant")
gait_speeds = measured("gait_speed")
falls_in_3_months = measured("falls_in_3_months")
falls_in_12_months = measured("falls_in_12_months")
falls_answers = observed("falls")
fall_problems = has("fall_problem")
muscle_pain = has("muscle_pain")
limb_sensation_answers = observed("limb_sensation")


class FollowUpItem(Struct, frozen=True, gc=False):
    """One item of the follow-up: how it stands, and its last entry where there is one.

    "never": looked, and there is no entry. "unknown": nobody could look, or the entry has no date. "not_needed": shown and never
    due. "not_followed": a bone turnover marker that nobody has begun to follow.
    """

    name: ItemName
    state: ItemState
    last: Record | None = None


def under_follow_up(
    current_routes: tuple[Route, ...],
    days_on_b12: int | None,
    regimen: Regimen,
    unmonitored_high_dose: bool | None,
    b12_contraindicated: bool | None,
    followup_min_treatment_days: float,
) -> bool:
    """Has treatment lasted long enough to look at what it does, and does it go on? Of unknown length it is not called long.

    Whoever needs another treatment, a test or a safety card first hears that instead.
    """
    if not current_routes or days_on_b12 is None or days_on_b12 < followup_min_treatment_days:
        return False
    goes_on = regimen.action in ("continue", "reduce") and regimen.row not in CRITICAL_ROWS
    return goes_on and not unmonitored_high_dose and not b12_contraindicated


def serum_b12_uninformative(current_routes: tuple[Route, ...], absorption: Absorption) -> bool:
    """Is serum B12 no guide: on injections, or where absorption is lost for good and replacement goes on in any case?"""
    return not INJECTED.isdisjoint(current_routes) or absorption == "impaired_irreversible"


def muscle_strength_entries(
    grip_strengths: tuple[Measurement, ...] | None,
    chair_stands: tuple[Measurement, ...] | None,
    chair_stands_with_arms: tuple[Measurement, ...] | None,
) -> Evidence | None:
    """Grip strength or a 30-second chair stand, with or without the help of the arms."""
    return either(grip_strengths, chair_stands, chair_stands_with_arms)


def fall_entries(
    falls_answers: tuple[Finding, ...] | None,
    falls_in_3_months: tuple[Measurement, ...] | None,
    falls_in_12_months: tuple[Measurement, ...] | None,
    fall_problems: tuple[Condition, ...] | None,
) -> Evidence | None:
    """Falls asked for, counted, or on the problem list."""
    return either(falls_answers, falls_in_3_months, falls_in_12_months, fall_problems)


def gait_entries(gait_speeds: tuple[Measurement, ...] | None, neurology: Evidence | None) -> Evidence | None:
    """A gait speed, or a problem of nerves or gait."""
    return either(gait_speeds, neurology)


def limb_sensation_entries(limb_sensation_answers: tuple[Finding, ...] | None, neurology: Evidence | None) -> Evidence | None:
    """Numbness or tingling asked for, or a problem of nerves or gait."""
    return either(limb_sensation_answers, neurology)


def bone_turnover_items(
    under_follow_up: bool,
    balp_results: tuple[Measurement, ...] | None,
    ctx_results: tuple[Measurement, ...] | None,
    ctx_variant_results: tuple[Measurement, ...] | None,
    bone_drugs: tuple[Medicine, ...] | None,
    today: date,
    balp_ctx_interval_days: float,
    followup_grace_days: float,
) -> tuple[FollowUpItem, ...]:
    """BALP and CTX: followed only where somebody has begun to, or an osteoporosis medicine is taken."""
    if not under_follow_up:
        return ()
    all_ctx = either(ctx_results, ctx_variant_results)
    times = (today, balp_ctx_interval_days, followup_grace_days)
    markers = (_item("balp", balp_results, *times), _item("ctx", all_ctx, *times))
    if any(drug.current for drug in bone_drugs or ()):
        return markers
    unstarted: ItemState = "unknown" if bone_drugs is None else "not_followed"
    return tuple(FollowUpItem(item.name, unstarted) if item.state == "never" else item for item in markers)


def response_markers(
    under_follow_up: bool,
    serum_b12_uninformative: bool | None,
    b12_results: tuple[Measurement, ...] | None,
    homocysteine_results: tuple[Measurement, ...] | None,
    today: date,
    followup_interval_days: float,
    followup_grace_days: float,
) -> tuple[FollowUpItem, ...]:
    """B12 and homocysteine, which show whether treatment works; none while there is no treatment to follow."""
    if not under_follow_up:
        return ()
    times = (today, followup_interval_days, followup_grace_days)
    b12 = _item("b12", b12_results, *times)
    if serum_b12_uninformative:
        b12 = FollowUpItem("b12", "not_needed", b12.last)
    return (b12, _item("homocysteine", homocysteine_results, *times))


def follow_up_items(
    response_markers: tuple[FollowUpItem, ...],
    muscle_strength_entries: Evidence | None,
    bone_turnover_items: tuple[FollowUpItem, ...],
    fall_entries: Evidence | None,
    gait_entries: Evidence | None,
    muscle_pain: tuple[Condition, ...] | None,
    limb_sensation_entries: Evidence | None,
    today: date,
    followup_interval_days: float,
    followup_grace_days: float,
) -> tuple[FollowUpItem, ...]:
    """All nine in the order of the card; none while there is no treatment to follow."""
    if not response_markers:
        return ()
    times = (today, followup_interval_days, followup_grace_days)
    return (
        *response_markers,
        _item("muscle_strength", muscle_strength_entries, *times),
        *bone_turnover_items,
        _item("falls", fall_entries, *times),
        _item("gait", gait_entries, *times),
        _item("muscle_pain", muscle_pain, *times),
        _item("limb_sensation", limb_sensation_entries, *times),
    )


def _item(
    name: ItemName, records: tuple[Record, ...] | None, today: date, interval_days: float, grace_days: float
) -> FollowUpItem:
    """The item by its last entry. A partial date counts as its first day: what may be due is not called current."""
    if not records:
        return FollowUpItem(name, "unknown" if records is None else "never")
    last = records[0]
    for record in records:
        if record.day is not None and (last.day is None or record.day.last > last.day.last):
            last = record
    if last.day is None:
        return FollowUpItem(name, "unknown", last)
    age = (today - last.day.first).days
    return FollowUpItem(
        name, "overdue" if age > interval_days + grace_days else "due" if age >= interval_days else "current", last
    )


def due_markers(response_markers: tuple[FollowUpItem, ...]) -> tuple[str, ...]:
    """B12 and homocysteine by value set name, where they are due, and homocysteine where it was never measured."""
    return tuple(
        "b12_total" if item.name == "b12" else "homocysteine"
        for item in response_markers
        if item.state in ("due", "overdue") or (item.state == "never" and item.name == "homocysteine")
    )


def due_turnover_markers(bone_turnover_items: tuple[FollowUpItem, ...]) -> tuple[str, ...]:
    """Bone turnover markers that are due, as long as our order goes on with the assay they were measured by before."""
    return tuple(
        item.name
        for item in bone_turnover_items
        if item.state in ("due", "overdue")
        and isinstance(item.last, Measurement)
        and (item.last.concept, item.last.scale) in (("balp", "ug/L"), ("ctx", "pg/mL"))
    )


def follow_up_speaks(
    response_markers: tuple[FollowUpItem, ...],
    response: Response | None,
    serum_b12_uninformative: bool | None,
    response_speaks: bool | None,
) -> bool:
    """Is the list worth a card: is B12 or homocysteine, which show whether treatment works, due again?

    The other items are asked for at any visit or, as bone turnover, rarely change what is done: they are listed once there is a
    card, but an entry that is missing or old never makes one, or nearly every treated patient would have a card at every visit.
    For the same reason "never" makes none: who has no B12 at all hears from the baseline card. Where B12 is no guide and
    homocysteine has settled, the yearly limit of `response` brings the next card. A failure is told by the response card.
    """
    if response_speaks or (serum_b12_uninformative and response == "responding"):
        return False
    return any(item.state in ("due", "overdue") for item in response_markers)
