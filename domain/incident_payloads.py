"""What events about notices carry."""

from dataclasses import dataclass
from uuid import UUID

from domain.events import EventKind, Payload


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentUnread(Payload):
    """An incident's owner (``person``) has not read it. ``title``: its notice's."""

    kind = EventKind.INCIDENT_UNREAD
    notice_id: UUID
    person: str
    title: str
    recipient: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class DailySummary(Payload):
    """Notices of a day in one email. ``notices``: the ids of the first of ``count``, with spaces between. ``day``: in words."""

    kind = EventKind.DAILY_SUMMARY
    day: str
    count: int
    notices: str
    recipient: UUID
