"""What the reader of one kind of resource hands back: records of concepts, notes, and what was left open."""

from __future__ import annotations

import msgspec

from cds.chart import Note, Record
from hooks.fhir.resources import Resource, reference_of


class Reading(msgspec.Struct, frozen=True, gc=False):
    """What one resource gave: records, and notes on what it could not give. `unread`: it may have been anything.

    `unclear`: the concepts that it names and that nobody can tell to be there or not.
    """

    records: tuple[Record, ...] = ()
    notes: tuple[Note, ...] = ()
    unread: bool = False
    unclear: tuple[str, ...] = ()


NOTHING = Reading()


def unnamed(resource: Resource) -> Reading:
    """A resource without any code or word for what it is about: not the same as one about something else."""
    return Reading(notes=(Note("unnamed", reference_of(resource), "", ""),), unread=True)
