"""`python -m hooks` is the command `cobalamin`."""

from __future__ import annotations

from hooks.cli import main


main(prog_name="cobalamin")
