"""How a member hears of notices: by email, in chat channels, and outside quiet hours."""

from dataclasses import asdict, replace
from typing import Annotated
from uuid import UUID

import typer

from actions import my_zone
from actions import notice_preferences as actions
from commands.common import AsJson, actor, command, opened, report, show
from commands.names import MemberAddress
from commands.tree import group
from commands.withdrawals import find
from db.events import notice_channels, notice_preferences
from domain.errors import NotFound
from domain.notice_preferences import ByEmail, Category, Preferences, quiet_hours

member_app = group("member")

channel_app = group("channel")


@member_app.command("notices")
@command
def member_notices(
    member: str,
    stopped: Annotated[ByEmail | None, typer.Option(help="Something stopped.")] = None,
    decisions: Annotated[ByEmail | None, typer.Option(help="They have to decide.")] = None,
    answers: Annotated[ByEmail | None, typer.Option(help="Somebody answered.")] = None,
    news: Annotated[ByEmail | None, typer.Option(help="Mailboxes and permissions.")] = None,
    quiet: Annotated[str | None, typer.Option(help="Quiet hours, like 19:00-07:30; empty for none.")] = None,
    backup: Annotated[
        str | None, typer.Option(help="Who hears of incidents that they do not read; empty for the admins.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show or set when a member gets emails. Example: onbehalf member notices rita@acme.example --answers daily --quiet 19:00-07:30"""
    asked = {
        Category.STOPPED: stopped,
        Category.DECISIONS: decisions,
        Category.ANSWERS: answers,
        Category.NEWS: news,
    }
    with opened() as runtime:
        member_id = find(runtime, "member", member)
        with runtime.database.transaction() as tx:
            present = notice_preferences.of_member(tx, member_id)
        ways = {
            each: replace(present.way(each), by_email=wanted or present.way(each).by_email)
            for each, wanted in asked.items()
        }
        hours = present.quiet if quiet is None else quiet_hours(*_split(quiet))
        stands_in = present.backup_id
        if backup is not None:
            stands_in = find(runtime, "member", backup) if backup else None
        wanted = Preferences(ways, hours, stands_in)
        if any(asked.values()) or quiet is not None or backup is not None:
            wanted = actions.save(runtime, member_id, wanted)
    _say(wanted, as_json=as_json)


def _split(text: str) -> tuple[str, str]:
    start, _, until = text.partition("-")
    return start.strip(), until.strip()


def _say(found: Preferences, *, as_json: bool) -> None:
    hours = f"{found.quiet.start:%H:%M}-{found.quiet.until:%H:%M}" if found.quiet else ""
    ways = {each.value: found.way(each).by_email.value for each in Category}
    lines = "\n".join(f"{name}: {way.replace('_', ' ')}" for name, way in ways.items())
    report(
        f"{lines}\nQuiet hours: {hours or 'none'}",
        {"by_email": ways, "quiet": hours, "backup_id": found.backup_id},
        as_json=as_json,
    )


@member_app.command("zone")
@command
def member_zone(
    member: MemberAddress,
    zone: Annotated[str, typer.Argument(help="Like Asia/Tokyo; empty for the organization's.")],
    as_json: AsJson = False,
) -> None:
    """Set the zone in which a member reads times. Example: onbehalf member zone rita@acme.example Asia/Tokyo"""
    with opened() as runtime:
        member_id = find(runtime, "member", member)
        my_zone.set_zone(runtime, member_id, zone)
    report(
        f"{member} reads times in {zone or 'the zone of the organization'}.",
        {"id": member_id, "zone": zone or None},
        as_json=as_json,
    )


@channel_app.command("list")
@command
def list_channels(member: str, as_json: AsJson = False) -> None:
    """A member's channels. Example: onbehalf channel list rita@acme.example"""
    with opened() as runtime:
        member_id = find(runtime, "member", member)
        with runtime.database.transaction() as tx:
            found = notice_channels.listing(tx, member_id)
    show([asdict(each) for each in found], as_json=as_json)


@channel_app.command("add")
@command
def add_channel(member: str, name: str, as_json: AsJson = False) -> None:
    """Add a channel; its address is asked for, so that no shell remembers it. Example: onbehalf channel add rita@acme.example Hiring"""
    url = typer.prompt("Address of the channel's webhook", hide_input=True, err=True)
    with opened() as runtime:
        member_id = find(runtime, "member", member)
        channel_id = actions.add_channel(runtime, member_id, url, name, actor=actor())
    report("Added. Choose what goes there: onbehalf channel use.", {"id": channel_id}, as_json=as_json)


@channel_app.command("use")
@command
def use_channel(
    member: str,
    channel: UUID,
    categories: Annotated[
        list[Category] | None, typer.Argument(help="What goes there; nothing, if none is named.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Choose which notices go to a channel. Example: onbehalf channel use rita@acme.example 01a2… stopped answers"""
    chosen = categories or []
    with opened() as runtime:
        member_id = find(runtime, "member", member)
        with runtime.database.transaction() as tx:
            present = notice_preferences.of_member(tx, member_id)
            known = {each.id for each in notice_channels.listing(tx, member_id)}
        if channel not in known:
            raise NotFound("There is no such channel.")
        ways = {each: present.way(each).using(channel, on=each in chosen) for each in Category}
        actions.save(runtime, member_id, replace(present, ways=ways))
    said = ", ".join(each.value for each in chosen) or "nothing"
    report(f"What goes there: {said}.", {"id": channel, "categories": chosen}, as_json=as_json)


@channel_app.command("remove")
@command
def remove_channel(member: str, channel: UUID, as_json: AsJson = False) -> None:
    """Remove a channel. Example: onbehalf channel remove rita@acme.example 01a2…"""
    with opened() as runtime:
        actions.remove_channel(runtime, find(runtime, "member", member), channel, actor=actor())
    report("Removed. Nothing goes there any more.", {"removed": channel}, as_json=as_json)
