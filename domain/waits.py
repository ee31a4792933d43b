"""Say why a running sequence sends nothing now, for its owner: a hold, an absent sender, or a limit of the day that is used up."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from domain import holds
from domain.absence import away_at
from domain.errors import InvalidInput
from domain.grant import Grant, usable_grant
from domain.holds import SendingHold
from domain.send_window import Absence, SendWindow, next_permitted


@dataclass(frozen=True, slots=True)
class Standing:
    """What decides whether a running sequence's next email may leave today. ``grants``: None if none is needed."""

    now: datetime
    zone: str  # the organization's
    sequence_id: UUID
    owner_id: UUID
    sender: str  # a person's name, or a sender address
    absences: Sequence[Absence]
    windows: Sequence[SendWindow]
    grants: Sequence[Grant] | None
    sent_today: int
    daily_cap: int
    tomorrow: datetime  # when the mailbox's next day starts
    next_due_at: datetime | None  # of this sequence
    hold: SendingHold | None = None
    address: str = ""  # the mailbox's


def sentence(standing: Standing) -> str | None:
    """Return the sentence, or None if no hold, no absence and no limit is in the way, or nothing waits."""
    if standing.next_due_at is None:
        return None
    if standing.hold is not None:
        return holds.sentence(
            standing.hold,
            standing.address,
            lambda at, _form: moment_words(at, standing.now, standing.zone),
        )
    if (away := away_at(standing.absences, standing.now)) is not None:
        until = "" if away.ends is None else f" until {moment_words(away.ends, standing.now, standing.zone)}"
        unknown = (
            "; we do not know until when, so we check the mailbox every 15 minutes"
            if away.ends is None
            else ""
        )
        return f"{standing.sender} is away{until}: automatic replies are on{unknown}. Emails wait, and leave when {standing.sender} is back."
    if standing.grants is not None:
        grant = usable_grant(standing.grants, standing.owner_id, standing.sequence_id, standing.now)
        if grant is not None and grant.used_up:
            used = f"{grant.used_today} of {grant.bounds.daily_limit}"
            return f"Today's limit of this permission is used up ({used}){_next(standing)}."
    if standing.sent_today >= standing.daily_cap:
        return f"Today's limit of this mailbox is used up ({standing.sent_today} of {standing.daily_cap}){_next(standing)}."
    return None


def opens_at(standing: Standing) -> datetime | None:
    """Return when sending hours begin, if they do not last now. None if they do, if nothing waits, or if they never begin."""
    if standing.next_due_at is None:
        return None
    try:
        opens = next_permitted(standing.now, standing.windows, ())
    except InvalidInput:
        return None
    return opens if opens > standing.now else None


def moment_words(moment: datetime, now: datetime, zone: str) -> str:
    """``today 17:00``, ``tomorrow 09:00`` or ``Mon 30 Nov, 09:00``, by the clock of ``zone``."""
    local, today = moment.astimezone(ZoneInfo(zone)), now.astimezone(ZoneInfo(zone)).date()
    day = {today: "today", today + timedelta(days=1): "tomorrow"}.get(local.date())
    if day is not None:
        return f"{day} {local:%H:%M}"
    year = "" if local.year == today.year else f" {local.year}"
    return f"{local:%a} {local.day} {local:%b}{year}, {local:%H:%M}"


def _next(standing: Standing) -> str:
    start = max(standing.tomorrow, standing.next_due_at or standing.tomorrow)
    try:
        moment = next_permitted(start, standing.windows, standing.absences)
    except InvalidInput:
        return "; its sending hours leave no time for the next email"
    return f"; next email {moment_words(moment, standing.now, standing.zone)}"
