"""Less B12, or none: what to review with the prescriber (C11). Nothing here stops a treatment by itself."""

from __future__ import annotations

from cds.advice import Advice
from cds.facts.deescalation import Excess, Stopping
from cds.facts.regimen import Regimen


def b12_deescalation(
    stopping: Stopping,
    excess: Excess | None,
    regimen: Regimen,
    dose_card_speaks: bool | None,
    follow_up_speaks: bool | None,
    response_speaks: bool | None,
) -> Advice | None:
    """Speaks after every card that asks for a result or a safer dose: measure first, then decide on less.

    A treatment that another row of C5 asks to begin, change or continue is not questioned.
    """
    if regimen.row not in ("on_treatment", "adequate") or dose_card_speaks or follow_up_speaks or response_speaks:
        return None
    if stopping != "ruled_out":
        return Advice(stopping)
    return Advice(_LESS[excess]) if excess in _LESS else None


_LESS: dict[Excess | None, str] = {"injections": "space_injections", "by_mouth": "step_down"}
