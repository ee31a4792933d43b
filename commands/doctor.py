"""``onbehalf doctor``: what is wrong with this installation, each with its fix."""

from dataclasses import asdict

import typer

from actions import doctor
from commands.common import REFUSED, AsJson, command, errors, opened, print_json, say
from domain.errors import OperatorMisconfigured

_COLOURS = {"ok": "green", "warning": "yellow", "fault": "red", "skipped": "dim"}


@command
def examine(as_json: AsJson = False) -> None:
    """Check everything an operator can get wrong, and say how to fix it; changes and sends nothing. Example: onbehalf doctor

    Settings, database, schema, roles, keys, broker, processes, clocks, PUBLIC_URL, inbox, Microsoft, Google and the mail service, as seen from
    here with this environment. Exit code 1 if there is a fault.
    """
    try:
        with opened() as runtime, errors.status("Asking …"):
            found = doctor.examine(runtime)
    except OperatorMisconfigured as error:
        found = [doctor.Finding("settings", doctor.State.FAULT, str(error), "Correct it in the environment.")]
    if as_json:
        print_json([asdict(each) for each in found])
    else:
        for each in found:
            say(f"{each.state:8} {each.check}: {each.said}", _COLOURS[each.state])
            if each.fix:
                say(f"         {each.fix}")
    if any(each.state is doctor.State.FAULT for each in found):
        raise typer.Exit(REFUSED)
