"""The JSON API's notice preferences: how a member hears of notices, and in which chat channels."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from actions import notice_preferences as actions
from db.core.session import Transaction
from db.events import notice_channels, notice_preferences
from db.views import api_lists
from domain.notice_preferences import ByEmail, Category, Preferences, Way, quiet_hours
from web.api_call import Call, Called
from web.api_models import REFUSALS, Asked

router = APIRouter(prefix="/members/{member}/notices", responses=REFUSALS)


class HowOne(BaseModel):
    """How notices of one category come. ``channels``: ids of the member's channels."""

    by_email: ByEmail = ByEmail.AT_ONCE
    channels: list[UUID] = Field(default_factory=list, max_length=50)


class Wanted(Asked):
    """All preferences of a member; what is left out comes by email at once. ``quiet_from``, ``quiet_until``: like 19:00, or empty."""

    ways: dict[Category, HowOne] = Field(default_factory=dict)
    quiet_from: str = Field(default="", max_length=8)
    quiet_until: str = Field(default="", max_length=8)
    backup_id: UUID | None = None


class Shown(BaseModel):
    """A member's preferences, and their channels without the addresses."""

    ways: dict[Category, HowOne]
    quiet_from: str
    quiet_until: str
    backup_id: UUID | None
    channels: list[dict[str, Any]]


class NewChannel(Asked):
    """``url``: the https address of the channel's webhook. It is not shown again."""

    url: str = Field(min_length=1, max_length=2000)
    name: str = Field(min_length=1, max_length=notice_channels.MAX_NAME)


class Added(BaseModel):
    """The channel."""

    id: UUID


@router.get("", response_model=Shown)
def show_preferences(call: Called, member: UUID) -> dict[str, object]:
    """How a member hears of notices. All of them are on their page Notifications besides."""
    _own(call, member)
    with call.runtime.database.transaction() as tx:
        return _shown(tx, member)


@router.post("", response_model=Shown)
def save_preferences(call: Called, member: UUID, wanted: Wanted) -> Response:
    """Set how a member hears of notices."""
    _own(call, member)

    def work() -> object:
        ways = {name: Way(each.by_email, tuple(each.channels)) for name, each in wanted.ways.items()}
        quiet = quiet_hours(wanted.quiet_from, wanted.quiet_until)
        actions.save(call.runtime, member, Preferences(ways, quiet, wanted.backup_id))
        with call.runtime.database.transaction() as tx:
            return _shown(tx, member)

    return call.do(work)


@router.post("/channels", response_model=Added, status_code=201)
def add_channel(call: Called, member: UUID, asked: NewChannel) -> Response:
    """Add a chat channel of a member: Slack, Microsoft Teams, Discord, Google Chat or Webex."""
    _own(call, member)

    def work() -> object:
        channel_id = actions.add_channel(call.runtime, member, asked.url, asked.name, actor=call.caller.name)
        return {"id": channel_id}

    return call.do(work, 201)


@router.post("/channels/{channel}/remove", response_model=Shown)
def remove_channel(call: Called, member: UUID, channel: UUID) -> Response:
    """Remove a chat channel of a member."""
    _own(call, member)

    def work() -> object:
        actions.remove_channel(call.runtime, member, channel, actor=call.caller.name)
        with call.runtime.database.transaction() as tx:
            return _shown(tx, member)

    return call.do(work)


def _own(call: Call, member: UUID) -> None:
    with call.runtime.database.transaction() as tx:
        api_lists.check_owned(tx, "members", member, call.caller.organization_id)


def _shown(tx: Transaction, member: UUID) -> dict[str, object]:
    found = notice_preferences.of_member(tx, member)
    return {
        "ways": {
            each: {"by_email": found.way(each).by_email, "channels": found.way(each).channels}
            for each in Category
        },
        "quiet_from": f"{found.quiet.start:%H:%M}" if found.quiet else "",
        "quiet_until": f"{found.quiet.until:%H:%M}" if found.quiet else "",
        "backup_id": found.backup_id,
        "channels": [asdict(each) for each in notice_channels.listing(tx, member)],
    }
