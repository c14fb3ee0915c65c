"""The command `cobalamin make-request`: from the FHIR data of a patient to a hook request, as an EHR would build it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO

import click

from cds.library import load
from hooks.console import print_json
from hooks.ehr.requests import CannotMake, Choices, Lack, Made, made
from hooks.fhir.keys import templates
from hooks.kit.inputs import named, resources_of
from hooks.mistakes import Mistake
from hooks.options import only_json_option
from hooks.services import SERVICES


_HOOKS = {service.hook: service for service in SERVICES}
_MENDS: dict[Lack, str] = {
    "patient": ".",
    "choice": "; choose one by --patient.",
    "encounter": "; add --encounter.",
    "subject": "; give a file by --draft, or an id by --about.",
    "about": "; see --about.",
    "selection": "; see --select.",
    "superfluous": "; leave --draft and --about out.",
}


@click.command("make-request")
@click.argument("bundle", metavar="PATIENT_BUNDLE", type=click.File("rb"))
@click.option("--hook", type=click.Choice(list(_HOOKS)), default="patient-view", show_default=True, help="The hook that fires.")
@click.option("--patient", help="Id of the Patient, where the data hold several.")
@click.option("--user", default="Practitioner/example", show_default=True, help="userId of the context.")
@click.option("--encounter", help="Id of the encounter. Default: the latest of the data.")
@click.option(
    "--draft", "drafts", type=click.File("rb"), multiple=True, help="File of what is ordered, refilled or recorded now."
)
@click.option("--about", multiple=True, metavar="ID", help="Id of what the data hold of that. Default: see below.")
@click.option("--select", multiple=True, metavar="ID", help="Ids of the drafts just chosen (order-select). Default: all.")
@click.option("--fhir-server", metavar="URL", help="fhirServer of the request.")
@click.option("--no-prefetch", is_flag=True, help="Leave the prefetch out.")
@only_json_option
def command(
    bundle: IO[bytes],
    hook: str,
    patient: str | None,
    user: str,
    encounter: str | None,
    drafts: Sequence[IO[bytes]],
    about: Sequence[str],
    select: Sequence[str],
    fhir_server: str | None,
    no_prefetch: bool,
) -> None:
    """Build a complete hook request from the FHIR data of one patient.

    PATIENT_BUNDLE is a Bundle, an array of resources, NDJSON or another request; - is standard input. The data are FHIR R4; of
    other versions, what R4 searches find in them. The prefetch holds what a server would answer to this service's templates:
    results without a code that is asked for stay out, as they would at the EHR.

    What the hook is about, unless --draft or --about say: of orders those with the status draft, of refills those that are
    active, of problems the one recorded last.

    Example: cobalamin make-request patient.json --hook order-sign --draft order.json > request.json

    Exit status: 0 built; 2 something is missing. What the prefetch holds goes to standard error.
    """
    service, resources, name = _HOOKS[hook], resources_of(bundle.read(), named(bundle)), named(bundle)
    given = [resource for draft in drafts for resource in resources_of(draft.read(), named(draft))]
    wanted = {} if no_prefetch else templates(load(), service.rules)
    try:
        built = made(service, resources, wanted, Choices(patient, user, encounter, given, about, select), name)
    except CannotMake as reason:
        raise Mistake(f"{reason}{_MENDS[reason.lack]}") from None
    request = built.request
    if fhir_server is not None:
        request["fhirServer"] = fhir_server
    if no_prefetch:
        del request["prefetch"]
    else:
        _tell(built)
    print_json(request)


def _tell(built: Made) -> None:
    """Says on standard error what the prefetch holds."""
    for key, count in built.counts.items():
        click.echo(f"prefetch {key}: {count} resources", err=True)
    if built.not_asked_for:
        beside = ", ".join(f"{number} {kind}" for kind, number in built.not_asked_for.items())
        click.echo(f"not asked for: {beside}", err=True)
