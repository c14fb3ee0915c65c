"""The commands of the kit, each imported when somebody asks for it: `cobalamin --help` names them without."""

from __future__ import annotations

from importlib import import_module

import click

from hooks.mistakes import Commands


KIT = {
    "fire": ("fire", "Act as a CDS client: call a service with a request, and print cards and timing."),
    "make-request": ("makerequest", "Build a complete hook request from the FHIR data of one patient."),
    "lint": ("lint", "Check any CDS Hooks service, or a saved answer of one, against the requirements."),
    "record": ("record", "Record calls, de-identified: a proxy on this machine between a client and a service."),
    "replay": ("replay", "Answer recorded requests twice, and show which cards differ."),
    "doctor": ("doctor", "Say what is wrong with a set-up or a request, and how to mend it."),
    "policy": ("policy", "A site policy before it is used: is it valid, what does it change, and for whom."),
}
"""By its name: the module that holds each command as `command`, and its help in one sentence."""


class WithKit(Commands):
    """A group of commands with those of the kit beside its own."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - as click calls it
        """All names."""
        return sorted([*self.commands, *KIT])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A command by its name."""
        if cmd_name in KIT:
            command: click.Command = import_module(f"hooks.kit.{KIT[cmd_name][0]}").command
            return command
        return super().get_command(ctx, cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, without importing what it names."""
        named = {name: click.Command(name, help=sentence) for name, (_, sentence) in KIT.items()}
        click.Group(commands={**self.commands, **named}).format_commands(ctx, formatter)
