"""Saying no, and yes again: sequences, enrollments, candidates, grants, mailboxes, members."""

import sys
from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from typing import Annotated
from uuid import UUID

import typer

from actions import connect, grants, members, resume, withdraw
from commands.common import (
    UNKNOWN_REMAINS,
    AsJson,
    Organization,
    Yes,
    actor,
    command,
    confirm,
    errors,
    opened,
    print_json,
    say,
    show,
)
from db import lookups
from domain.delay import parse_delay
from domain.errors import InvalidInput
from domain.withdrawal import Answer
from workers.runtime import Runtime

sequence_app = typer.Typer(help="Pause, resume and archive sequences.", no_args_is_help=True)
enrollment_app = typer.Typer(
    help="Pause, resume, stop and archive one person's way through a sequence.", no_args_is_help=True
)
candidate_app = typer.Typer(help="People who must not be written to any more.", no_args_is_help=True)
grant_app = typer.Typer(help="Permissions to send from somebody's mailbox.", no_args_is_help=True)
mailbox_app = typer.Typer(help="Mailboxes and their connections.", no_args_is_help=True)
member_app = typer.Typer(help="Members of an organization.", no_args_is_help=True)

Because = Annotated[
    str, typer.Option("--because", help="Why, in a few words; it is kept in the audit trail.")
]


def _say_no(as_json: bool, call: Callable[[Runtime], Answer]) -> None:
    with opened() as runtime, errors.status("Closing the gate, waiting for what was on its way …"):
        answer = call(runtime)
    if as_json:
        print_json({**asdict(answer), "complete": answer.complete})
    else:
        last = f" (last at {answer.last_left_at:%H:%M:%S} UTC)" if answer.last_left_at else ""
        end = "nothing can leave now" if answer.complete else "these are looked for, and never sent again"
        say(
            f"Stopped: {answer.stopped} · left before: {answer.left_before}{last} · unknown: {len(answer.unknown)} — {end}."
        )
        for delivery_id in answer.unknown:
            say(f"  in doubt: {delivery_id}   (onbehalf why, onbehalf review)")
    if not answer.complete:
        raise typer.Exit(UNKNOWN_REMAINS)


def _find(runtime: Runtime, kind: str, name: str, organization: str | None = None) -> UUID:
    with runtime.database.transaction() as tx:
        return lookups.by_name(tx, kind, name, organization=organization)


@sequence_app.command("list")
@command
def list_sequences(as_json: AsJson = False) -> None:
    """All sequences and how they stand. Example: onbehalf sequence list"""
    with opened() as runtime, runtime.database.transaction() as tx:
        rows = lookups.listing(tx, "sequence")
    show(rows, as_json=as_json, hide=["id"])


@sequence_app.command("pause")
@command
def pause_sequence(
    name: str, because: Because = "paused by hand", organization: Organization = None, as_json: AsJson = False
) -> None:
    """Pause a sequence; nothing of it leaves once this returns. Example: onbehalf sequence pause "Backend engineers" """
    _say_no(
        as_json,
        lambda runtime: withdraw.pause_sequence(
            runtime, _find(runtime, "sequence", name, organization), actor=actor(), reason=because
        ),
    )


@sequence_app.command("archive")
@command
def archive_sequence(
    name: str,
    because: Because = "archived by hand",
    organization: Organization = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """End a sequence for good; nothing is deleted. Example: onbehalf sequence archive "Backend engineers" --yes"""
    confirm(f"Archive {name!r}? Its waiting emails are cancelled and it cannot be resumed.", yes=yes)
    _say_no(
        as_json,
        lambda runtime: withdraw.archive_sequence(
            runtime, _find(runtime, "sequence", name, organization), actor=actor(), reason=because
        ),
    )


@sequence_app.command("resume")
@command
def resume_sequence(
    name: str,
    skip_older_than: Annotated[
        str | None, typer.Option(help="Leave out emails that are later than this, for example P3D.")
    ] = None,
    organization: Organization = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """See who would get what and when; then resume. Example: onbehalf sequence resume "Backend engineers" """
    oldest: timedelta | None = None if skip_older_than is None else parse_delay(skip_older_than).duration
    with opened() as runtime:
        sequence_id = _find(runtime, "sequence", name, organization)
        preview = resume.preview_resume(runtime, sequence_id, skip_older_than=oldest)
        if not as_json:
            rows = [asdict(each) for each in preview.planned[:20]]
            show(rows, as_json=False, title="Would go, at the earliest (UTC)", hide=["delivery_id"])
            if len(preview.planned) > 20:
                say(f"… and {len(preview.planned) - 20} more, the last at {preview.planned[-1].send_at}.")
        for blocker in preview.blockers:
            say(f"Not yet: {blocker}", "red")
        if not preview.blockers:
            confirm(f"Resume {preview.sequence_name!r}?", yes=yes)
        done = resume.resume_sequence(runtime, sequence_id, actor=actor(), skip_older_than=oldest)
    if as_json:
        print_json(asdict(done))
    else:
        say(f"Resumed {done.sequence_name}: {len(done.planned)} people go on.")


def _enrollment(runtime: Runtime, text: str) -> UUID:
    with runtime.database.transaction() as tx:
        found = lookups.enrollments_of(tx, text)
    if len(found) != 1:
        listed = " ".join(str(each) for each in found)
        raise InvalidInput(
            f"{text!r} names {len(found)} enrollments. {listed}".strip(),
            fix="Give one enrollment's id (onbehalf why).",
        )
    return found[0]


@enrollment_app.command("pause")
@command
def pause_enrollment(enrollment: str, because: Because = "paused by hand", as_json: AsJson = False) -> None:
    """One person waits. Example: onbehalf enrollment pause jo@example.org"""
    _say_no(
        as_json,
        lambda runtime: withdraw.pause_enrollment(
            runtime, _enrollment(runtime, enrollment), actor=actor(), reason=because
        ),
    )


@enrollment_app.command("stop")
@command
def stop_enrollment(enrollment: str, because: Because = "stopped by hand", as_json: AsJson = False) -> None:
    """One person gets no further steps of this sequence. Example: onbehalf enrollment stop jo@example.org --because replied"""
    _say_no(
        as_json,
        lambda runtime: withdraw.stop_enrollment(
            runtime, _enrollment(runtime, enrollment), actor=actor(), reason=because
        ),
    )


@enrollment_app.command("archive")
@command
def archive_enrollment(
    enrollment: str, because: Because = "archived by hand", as_json: AsJson = False
) -> None:
    """Tidy one enrollment away; nothing is deleted. Example: onbehalf enrollment archive jo@example.org"""
    _say_no(
        as_json,
        lambda runtime: withdraw.archive_enrollment(
            runtime, _enrollment(runtime, enrollment), actor=actor(), reason=because
        ),
    )


@enrollment_app.command("resume")
@command
def resume_enrollment(enrollment: str, as_json: AsJson = False) -> None:
    """One person goes on. Example: onbehalf enrollment resume jo@example.org"""
    with opened() as runtime:
        done = resume.resume_enrollment(runtime, _enrollment(runtime, enrollment), actor=actor())
    if as_json:
        print_json(asdict(done))
    else:
        say(f"Goes on in {done.sequence_name}.")


def _suppress(person: str, reason: str, organization: str | None, as_json: bool) -> None:
    _say_no(
        as_json,
        lambda runtime: withdraw.suppress_candidate(
            runtime, _find(runtime, "candidate", person, organization), actor=actor(), reason=reason
        ),
    )


@candidate_app.command("unsubscribe")
@command
def unsubscribe(person: str, organization: Organization = None, as_json: AsJson = False) -> None:
    """This person opted out: no sequence of the organization writes again. Example: onbehalf candidate unsubscribe jo@example.org"""
    _suppress(person, "unsubscribed", organization, as_json)


@candidate_app.command("stop")
@command
def stop_candidate(person: str, organization: Organization = None, as_json: AsJson = False) -> None:
    """We stop writing to this person, in all sequences. Example: onbehalf candidate stop jo@example.org"""
    _suppress(person, "stopped", organization, as_json)


@grant_app.command("list")
@command
def list_grants(as_json: AsJson = False) -> None:
    """All permissions, standing and archived. Example: onbehalf grant list"""
    with opened() as runtime, runtime.database.transaction() as tx:
        rows = lookups.listing(tx, "grant")
    show(rows, as_json=as_json)


@grant_app.command("give")
@command
def give_grant(
    mailbox: str,
    to: Annotated[str, typer.Option(help="A member's address, or: everyone")],
    by: Annotated[str | None, typer.Option(help="Who gives it; only the mailbox's owner can.")] = None,
    as_json: AsJson = False,
) -> None:
    """Let somebody send from a mailbox. Example: onbehalf grant give hans@acme.example --to rita@acme.example --by hans@acme.example"""
    with opened() as runtime:
        grant_id = grants.give_grant(
            runtime,
            mailbox_id=_find(runtime, "mailbox", mailbox),
            grantor_id=_find(runtime, "member", by or mailbox),
            grantee_id=None if to.lower() == "everyone" else _find(runtime, "member", to),
            actor=actor(),
        )
    if as_json:
        print_json({"grant_id": grant_id})
    else:
        say(f"{to} may send from {mailbox} (permission {grant_id}).")


@grant_app.command("revoke")
@command
def revoke_grant(grant_id: UUID, as_json: AsJson = False) -> None:
    """End a permission; nothing leaves on it once this returns. Example: onbehalf grant revoke GRANT (see: onbehalf grant list)"""
    _say_no(as_json, lambda runtime: withdraw.revoke_grant(runtime, grant_id, actor=actor()))


@mailbox_app.command("list")
@command
def list_mailboxes(as_json: AsJson = False) -> None:
    """All mailboxes and how they are connected. Example: onbehalf mailbox list"""
    with opened() as runtime, runtime.database.transaction() as tx:
        rows = lookups.listing(tx, "mailbox")
    show(rows, as_json=as_json, hide=["id", "scopes", "connection_version"])


@mailbox_app.command("connect")
@command
def connect_mailbox(
    address: str,
    tenant: Annotated[str, typer.Option(help="The Entra tenant's id.")] = "organizations",
    as_json: AsJson = False,
) -> None:
    """Connect, or reconnect, with a refresh token read from standard input (never from the command line).

    Example: onbehalf mailbox connect hans@acme.example < refresh-token.txt
    """
    token = sys.stdin.readline().strip()
    if not token:
        raise InvalidInput(
            "There is no refresh token on standard input.",
            fix="Pipe it in; it is not shown or kept in clear.",
        )
    with opened() as runtime:
        facts = connect.connect_mailbox(
            runtime, _find(runtime, "mailbox", address), refresh_token=token, tenant_id=tenant, actor=actor()
        )
    if as_json:
        print_json({"addresses": list(facts.addresses), "settings": dict(facts.settings)})
    else:
        say(f"{address} is connected. Paused sequences wait for you: onbehalf sequence resume NAME")


@mailbox_app.command("disconnect")
@command
def disconnect_mailbox(address: str, yes: Yes = False, as_json: AsJson = False) -> None:
    """Remove a connection: tokens erased, permissions archived, sequences paused. Example: onbehalf mailbox disconnect hans@acme.example"""
    confirm(
        f"Disconnect {address}? Its sequences pause, and permissions given from it are archived.", yes=yes
    )
    _say_no(
        as_json,
        lambda runtime: withdraw.disconnect_mailbox(
            runtime, _find(runtime, "mailbox", address), actor=actor()
        ),
    )


@member_app.command("list")
@command
def list_members(as_json: AsJson = False) -> None:
    """All members. Example: onbehalf member list"""
    with opened() as runtime, runtime.database.transaction() as tx:
        rows = lookups.listing(tx, "member")
    show(rows, as_json=as_json, hide=["id"])


@member_app.command("deactivate")
@command
def deactivate_member(
    email: str, organization: Organization = None, yes: Yes = False, as_json: AsJson = False
) -> None:
    """A member leaves: their mailboxes disconnect and their sequences pause. Example: onbehalf member deactivate rita@acme.example"""
    confirm(f"Deactivate {email}? Their mailboxes disconnect, their sequences pause.", yes=yes)
    _say_no(
        as_json,
        lambda runtime: withdraw.deactivate_member(
            runtime, _find(runtime, "member", email, organization), actor=actor()
        ),
    )


@member_app.command("reactivate")
@command
def reactivate_member(email: str, organization: Organization = None, as_json: AsJson = False) -> None:
    """A member comes back; connections and permissions are given again explicitly. Example: onbehalf member reactivate rita@acme.example"""
    with opened() as runtime:
        members.reactivate_member(runtime, _find(runtime, "member", email, organization), actor=actor())
    if as_json:
        print_json({"email": email, "active": True})
    else:
        say(f"{email} is active again.")
