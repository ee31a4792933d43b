"""What organizations, mailboxes and members are set to: sending hours and holidays, limits, the default mailbox."""

from dataclasses import asdict
from typing import Annotated

import typer

from actions import default_mailbox as default
from actions import legal_entities, mailbox_hours, mailbox_limits
from actions import organization_hours as hours
from commands.common import (
    AsJson,
    Organization,
    Yes,
    actor,
    command,
    confirm,
    errors,
    opened,
    reading,
    report,
    say,
    show,
)
from commands.hours import OtherDays, by_day, hours_of
from commands.names import MailboxAddress, MemberAddress, OrganizationName, completed
from commands.tree import group
from commands.withdrawals import find
from db.mailboxes import default_mailbox, limits, own_hours
from db.sequences import organization_hours
from db.views import lookups, sent_in_name
from domain import organization_hours as rules
from domain.errors import InvalidInput
from domain.lane import PACE
from domain.send_window import SendWindow

organization_app = group("organization")
mailbox_app = group("mailbox")
member_app = group("member")


@organization_app.command("hours")
@command
def organization_sending_hours(
    organization: OrganizationName,
    zone: Annotated[str | None, typer.Option(help="Its time zone, like Europe/Berlin.")] = None,
    days: Annotated[str | None, typer.Option(help="Like mon,tue,wed; all: every day.")] = None,
    opens: Annotated[str | None, typer.Option("--from", help="Like 09:00.")] = None,
    closes: Annotated[str | None, typer.Option("--to", help="Like 17:00.")] = None,
    holiday: Annotated[
        list[str] | None,
        typer.Option(help="A date like 2026-12-25; several times. They replace those there."),
    ] = None,
    no_holidays: Annotated[bool, typer.Option("--no-holidays", help="There are none.")] = False,
    on: OtherDays = None,
    evenly: Annotated[
        bool, typer.Option("--evenly", help="No weekday has other hours than the rest.")
    ] = False,
    any_time: Annotated[bool, typer.Option("--any-time", help="Emails leave at any time.")] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Show or set when emails may leave, after saying what moves. Example: onbehalf organization hours Acme --days mon,tue --from 09:00 --to 17:00"""
    parts = (days, opens, closes, holiday, no_holidays or None, on, evenly or None)
    if any_time and any(each is not None for each in parts):
        raise InvalidInput("--any-time leaves no hours", where="--any-time", fix="Give hours, or --any-time.")
    with opened() as runtime:
        organization_id = find(runtime, "organization", organization)
        with runtime.database.transaction() as tx:
            present = organization_hours.of(tx, organization_id)
        if zone is None and not any_time and all(each is None for each in parts):
            _say(present, as_json=as_json)
            return
        others = {} if evenly else None if on is None else by_day(on)
        wanted = _wanted(present, zone, days, opens, closes, [] if no_holidays else holiday, others, any_time)
        found = hours.preview_change(runtime, organization_id, wanted, version=present.version)
        if found.moved and not yes:
            for each in found.sentences():
                say(each, to=errors)
            confirm("Save the sending hours?", yes=yes)
        done = hours.change(runtime, organization_id, wanted, version=present.version, actor=actor())
    report(
        f"Saved. {done.sentences()[0]}" if done.changed else "It was so before.",
        {"changed": done.changed, "emails": done.emails, "moved": [asdict(each) for each in done.moved]},
        as_json=as_json,
    )


@organization_app.command("add-entity")
@command
def add_legal_entity(
    organization: OrganizationName,
    name: str,
    parent: Annotated[
        str | None, typer.Option(help="Another legal entity. Default: the organization.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Add a legal entity, which uses its parent's address until it has its own. Example: onbehalf organization add-entity Acme "Acme AB" """
    with opened() as runtime:
        organization_id = find(runtime, "organization", organization)
        parent_id = find(runtime, "legal_entity", parent, organization) if parent else None
        added = legal_entities.add(runtime, organization_id, name, parent_id, actor=actor())
    report(f"Added {name}.", {"id": added}, as_json=as_json)


@mailbox_app.command("hours")
@command
def mailbox_sending_hours(
    address: MailboxAddress,
    zone: Annotated[str | None, typer.Option(help="Like Europe/Berlin.")] = None,
    days: Annotated[str | None, typer.Option(help="Like mon,tue,wed; all: every day.")] = None,
    opens: Annotated[str | None, typer.Option("--from", help="Like 09:00.")] = None,
    closes: Annotated[str | None, typer.Option("--to", help="Like 17:00.")] = None,
    on: OtherDays = None,
    day_off: Annotated[
        list[str] | None,
        typer.Option(help="A date like 2026-12-24; several times. They replace those there."),
    ] = None,
    as_provider: Annotated[
        bool, typer.Option("--as-provider", help="No hours of its own: those that its provider states.")
    ] = False,
    organization: Organization = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Show or set a mailbox's own hours, after saying what moves; what is not given stays. Example: onbehalf mailbox hours rita@acme.example --from 09:00 --to 17:00 --on fri=09:00-13:00"""
    given = any(each is not None for each in (zone, days, opens, closes, on, day_off))
    if as_provider and given:
        raise InvalidInput(
            "--as-provider leaves no hours", where="--as-provider", fix="Give hours, or --as-provider."
        )
    with opened() as runtime:
        mailbox_id = find(runtime, "mailbox", address, organization)
        with runtime.database.transaction() as tx:
            present = own_hours.of(tx, mailbox_id)
        if not given and not as_provider:
            _say_mailbox_hours(present, as_json=as_json)
            return
        wanted = None
        if not as_provider:
            before = present.own or present.stated or {}
            others = None if on is None else by_day(on)
            wanted = hours_of(before, days=days, opens=opens, closes=closes, holidays=day_off, others=others)
            wanted["zone"] = zone or wanted.get("zone", present.zone)
        found = mailbox_hours.preview_change(runtime, mailbox_id, wanted, version=present.version)
        if found.moved and not yes:
            for each in found.sentences():
                say(each, to=errors)
            confirm("Save the hours?", yes=yes)
        done = mailbox_hours.change(runtime, mailbox_id, wanted, version=present.version, actor=actor())
    report(
        f"Saved. {done.sentences()[0]}" if done.changed else "It was so before.",
        {"changed": done.changed, "emails": done.emails, "moved": [asdict(each) for each in done.moved]},
        as_json=as_json,
    )


def _say_mailbox_hours(found: "own_hours.OwnHours", *, as_json: bool) -> None:
    hours = found.own or found.stated
    said = "at any time" if hours is None else SendWindow.from_json(hours).words()
    whose = "its own hours" if found.own else "the hours that its provider states"
    report(
        f"{found.address} sends {said}: {whose}." if hours else f"{found.address} sends {said}.",
        {"sending": found.own, "stated": found.stated, "version": found.version},
        as_json=as_json,
    )


@mailbox_app.command("limits")
@command
def mailbox_daily_limit(
    address: MailboxAddress,
    daily_cap: Annotated[
        int | None, typer.Option(help="Emails a day at most; also while emails wait.")
    ] = None,
    organization: Organization = None,
    as_json: AsJson = False,
) -> None:
    """Show or set how many emails a mailbox sends a day. Example: onbehalf mailbox limits rita@acme.example --daily-cap 80"""
    with opened() as runtime:
        mailbox_id = find(runtime, "mailbox", address, organization)
        if daily_cap is not None:
            mailbox_limits.set_daily_cap(runtime, mailbox_id, daily_cap, actor=actor())
        with runtime.database.transaction() as tx:
            found = limits.of(tx, mailbox_id)
    report(
        f"{found.address} sends at most {found.daily_cap:,} emails a day ({found.zone}), {PACE}. Today: {found.sent_today:,}."
        + (f" {found.waiting:,} wait for tomorrow." if found.waiting else ""),
        {
            "daily_cap": found.daily_cap,
            "sent_today": found.sent_today,
            "waiting": found.waiting,
            "zone": found.zone,
        },
        as_json=as_json,
    )


@mailbox_app.command("sent-by-others")
@command
def list_sent_by_others(
    address: MailboxAddress,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many.")] = 50,
    organization: Organization = None,
    as_json: AsJson = False,
) -> None:
    """What left from a mailbox on its owner's permissions, newest first. Example: onbehalf mailbox sent-by-others hans@acme.example"""
    with reading() as tx:
        mailbox_id = lookups.by_name(tx, "mailbox", address, organization=organization)
        found = sent_in_name.sent(tx, [mailbox_id], limit=limit)
    show([asdict(each) for each in found], as_json=as_json, hide=("candidate_id", "address", "grant_ended"))


@member_app.command("default-mailbox")
@command
def choose_default_mailbox(
    address: MemberAddress,
    mailbox: Annotated[
        str | None,
        typer.Argument(help="The mailbox; without it, show it.", autocompletion=completed("mailbox")),
    ] = None,
    none: Annotated[bool, typer.Option("--none", help="Choose none: their own comes first.")] = False,
    organization: Organization = None,
    as_json: AsJson = False,
) -> None:
    """Show or choose what a member's new sequences send from. Example: onbehalf member default-mailbox rita@acme.example hans@acme.example"""
    with opened() as runtime:
        member_id = find(runtime, "member", address, organization)
        if mailbox is not None or none:
            chosen = None if none or mailbox is None else find(runtime, "mailbox", mailbox, organization)
            default.choose(runtime, member_id, chosen, actor=actor())
        with runtime.database.transaction() as tx:
            found = default_mailbox.of(tx, member_id).mailbox_id
            name = None if found is None else limits.of(tx, found).address
    report(
        f"{address} sends from {name or 'their own mailbox first'}.",
        {"mailbox_id": found, "mailbox": name},
        as_json=as_json,
    )


def _wanted(
    present: "rules.OrganizationHours",
    zone: str | None,
    days: str | None,
    opens: str | None,
    closes: str | None,
    holidays: list[str] | None,
    others: dict[str, dict[str, str]] | None,
    any_time: bool,
) -> "rules.OrganizationHours":
    """What is not given stays. Hours that were in the organization's zone follow it."""
    time_zone = zone or present.time_zone
    before = present.sending
    given = any(each is not None for each in (days, opens, closes, holidays, others))
    if any_time or (before is None and not given):
        return rules.OrganizationHours(time_zone, None)
    sending = hours_of(before or {}, days=days, opens=opens, closes=closes, holidays=holidays, others=others)
    return rules.OrganizationHours(time_zone, sending | {"zone": zone or sending.get("zone", time_zone)})


def _say(found: "rules.OrganizationHours", *, as_json: bool) -> None:
    report(
        f"Time zone: {found.time_zone}. Emails leave {found.words()}.",
        {"time_zone": found.time_zone, "sending": found.sending, "version": found.version},
        as_json=as_json,
    )
