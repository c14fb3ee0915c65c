"""Actions to draft FHIR R4 resources for the patient in context. That they are valid is proven by fhir.resources in the tests."""

from __future__ import annotations

from datetime import date
from typing import Any

from cds.advice import Route, Schedule, StartB12
from cds.codes import SYSTEMS
from cds.concepts import Code
from cds.content import Library
from cds.wording import Wording, number
from hooks.contexts import Context
from hooks.fhir.elements import UCUM


LABORATORY = {"coding": [{"system": SYSTEMS["sct"].uris[0], "code": "108252007", "display": "Laboratory procedure"}]}


class Writer:
    """Writes drafts in the words of one library and language, without the patient they are for."""

    def __init__(self, library: Library, wording: Wording) -> None:
        """Keep the library for its codes, products and words."""
        self._library = library
        self._wording = wording

    def service_request(self, analyte: str, urgent: bool, on: date | None = None) -> dict[str, Any]:
        """A draft order for one laboratory test, now or planned for a day."""
        value_set = self._library.value_sets[analyte]
        (code,) = (entry for entry in value_set.codes if entry.code == value_set.order)
        return {
            "resourceType": "ServiceRequest",
            "status": "draft",
            "intent": "proposal",
            **({"priority": "urgent"} if urgent else {}),
            "category": [LABORATORY],
            "code": {"coding": [_coding(code)], "text": self._wording.title(analyte)},
            **({"occurrenceDateTime": on.isoformat()} if on is not None else {}),
        }

    def medication_request(self, course: StartB12) -> dict[str, Any]:
        """A draft prescription: one dosage line per schedule, in sequence."""
        return {
            "resourceType": "MedicationRequest",
            "status": "draft",
            "intent": "proposal",
            "medicationCodeableConcept": self._medication(course),
            "dosageInstruction": [
                self._dosage(course, schedule, place) for place, schedule in enumerate(course.schedules, start=1)
            ],
        }

    def _medication(self, course: StartB12) -> dict[str, Any]:
        """The product of this form, route and strength; the bare ingredient where no single product gives the dose."""
        product = self._library.products.get((course.form, course.route, course.dose_ug))
        if product is None:
            codes = self._library.value_sets["b12"].codes
            product = next(code for code in codes if code.form == course.form and code.system == "rxnorm")
        return {"coding": [_coding(product)], "text": f"{self.form(course)} {self._wording.amount(course.dose_ug, 'ug')}"}

    def _dosage(self, course: StartB12, schedule: Schedule, place: int) -> dict[str, Any]:
        repeat: dict[str, Any] = {"frequency": int(schedule.times), "period": schedule.period, "periodUnit": schedule.unit}
        if schedule.for_days is not None:
            repeat["boundsDuration"] = {"value": schedule.for_days, "unit": "d", "system": UCUM[0], "code": "d"}
        return {
            "sequence": place,
            "text": self._wording.words.suggestions["dosage"].format(
                dose=self._wording.amount(course.dose_ug, "ug"), route=self.route(course), schedule=self.schedule(schedule)
            ),
            "timing": {"repeat": repeat},
            "route": {"coding": [self.route_code(course.route)]},
            "doseAndRate": [{"doseQuantity": {"value": course.dose_ug, "unit": "ug", "system": UCUM[0], "code": "ug"}}],
        }

    def route_code(self, route: Route) -> dict[str, str]:
        """The SNOMED CT code of a route."""
        return _coding(next(code for code in self._library.value_sets[route].codes if code.system == "sct"))

    def course(self, course: StartB12) -> str:
        """A course in one line: form, dose, route, schedules."""
        words = self._wording.words
        return words.suggestions["course"].format(
            form=self.form(course),
            dose=self._wording.amount(course.dose_ug, "ug"),
            route=self.route(course),
            schedule=words.schedules["then"].join(map(self.schedule, course.schedules)),
        )

    def form(self, course: StartB12) -> str:
        """The form in words."""
        return self._wording.words.forms[course.form]

    def route(self, course: StartB12) -> str:
        """The route in words."""
        return self._wording.words.routes[course.route]

    def schedule(self, schedule: Schedule) -> str:
        """How often, and for how long, in words."""
        words = self._wording.words.schedules
        if (schedule.times, schedule.period, schedule.unit) == (1, 1, "d"):
            often = words["once_a_day"]
        elif schedule.unit == "d":
            often = words["every_days"].format(period=number(schedule.period))
        elif (schedule.times, schedule.period) == (1, 1):
            often = words["once_a_week"]
        elif schedule.times > 1:
            often = words["times_a_week"].format(times=number(schedule.times))
        else:
            often = words["every_weeks"].format(period=number(schedule.period))
        if schedule.for_days is None:
            return often
        return words["for_days"].format(often=often, days=number(schedule.for_days))


def _coding(code: Code) -> dict[str, str]:
    return {"system": SYSTEMS[code.system].uris[0], "code": code.code, "display": code.label}


def whose(context: Context) -> dict[str, Any]:
    """The patient, and the encounter where the client named one (ACT-09)."""
    whose: dict[str, Any] = {"subject": {"reference": f"Patient/{context.patientId}"}}
    if context.encounterId is not None:
        whose["encounter"] = {"reference": f"Encounter/{context.encounterId}"}
    return whose
