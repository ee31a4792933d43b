"""What ``/me`` and ``/me/mailboxSettings`` say, in our words.

Sources: "user: get mailboxSettings", "automaticRepliesSetting", "workingHours" in Microsoft's Graph documentation.
Its samples and live answers differ in case and shape; what cannot be read counts as not set, never as an error.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import orjson

from domain.errors import InvalidInput, ProviderUnavailable
from domain.send_window import DAYS, SendWindow, instant
from transports.base import MailboxFacts
from transports.zones import iana_zone

_WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def mailbox_facts(
    person: Mapping[str, object], settings: Mapping[str, object], token: str, now: datetime | None = None
) -> MailboxFacts:
    """``person``: the answer of ``/me``. ``token`` only serves to name the tenant, which ``/me`` does not."""
    account = person.get("id")
    if not isinstance(account, str) or not account:
        raise ProviderUnavailable("Microsoft Graph's answer names no account.", code="unreadable_answer")
    zone = _zone(settings.get("timeZone"))
    return MailboxFacts(
        addresses=_addresses(person),
        account_id=account,
        tenant_id=_tenant(token),
        settings={
            "zone": zone or "UTC",
            "window": _window(settings.get("workingHours"), zone),
            "absences": _absences(settings.get("automaticRepliesSetting"), now or datetime.now(UTC)),
            "purpose": _purpose(settings.get("userPurpose")),
        },
    )


def _addresses(person: Mapping[str, object]) -> list[str]:
    """The mailbox's own addresses, the primary one first, lower case. Guests' mangled names are no addresses."""
    proxies = person.get("proxyAddresses")
    named: list[object] = [person.get("mail")]
    # "SMTP:" in capitals marks the primary address ("proxyAddresses" in the user resource).
    for proxy in sorted(map(str, proxies)) if isinstance(proxies, list) else []:
        kind, _, value = proxy.partition(":")
        if kind.lower() == "smtp":
            named.append(value)
    named.append(person.get("userPrincipalName"))
    found: dict[str, None] = {}
    for address in named:
        if isinstance(address, str) and "@" in address and "#ext#" not in address.lower():
            found[address.strip().lower()] = None
    return list(found)


def _tenant(token: str) -> str:
    """The tenant named in an access token, if it can be read. Microsoft calls these tokens opaque, so this is a
    hint and empty at worst; the identity token of the sign-in is the authority.
    """
    parts = token.split(".")
    if len(parts) != 3:
        return ""
    try:
        claims = orjson.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError):
        return ""
    tenant = claims.get("tid") if isinstance(claims, dict) else None
    return tenant if isinstance(tenant, str) else ""


def _purpose(value: object) -> str:
    """``user``, ``shared``, ``room`` …: documented as an object with a value, seen as plain text."""
    purpose = value.get("value") if isinstance(value, Mapping) else value
    return purpose.lower() if isinstance(purpose, str) and purpose else "unknown"


def _zone(name: object) -> str | None:
    """Windows' name by default, IANA's where the administrator set so; custom zones have no name we could use."""
    if not isinstance(name, str) or not name:
        return None
    try:
        return iana_zone(name)
    except InvalidInput:
        return None


def _window(hours: object, mailbox_zone: str | None) -> dict[str, object] | None:
    """Working hours as a ``SendWindow``. Hours over midnight cannot be said in one and count as not set."""
    if not isinstance(hours, Mapping):
        return None
    zone_setting = hours.get("timeZone")
    zone = (
        _zone(zone_setting.get("name") if isinstance(zone_setting, Mapping) else zone_setting) or mailbox_zone
    )
    days, opens, closes = (
        hours.get("daysOfWeek"),
        _clock(hours.get("startTime")),
        _clock(hours.get("endTime")),
    )
    if zone is None or not isinstance(days, list) or opens is None or closes is None:
        return None
    known = [DAYS[_WEEK.index(day.lower())] for day in days if isinstance(day, str) and day.lower() in _WEEK]
    try:
        return SendWindow.from_json({"zone": zone, "days": known, "from": opens, "to": closes}).to_json()
    except InvalidInput:
        return None


def _clock(value: object) -> str | None:
    """``08:00`` of ``08:00:00.0000000``."""
    match = re.match(r"([01][0-9]|2[0-3]):([0-5][0-9])", value) if isinstance(value, str) else None
    return match.group(0) if match else None


def _absences(replies: object, now: datetime) -> list[dict[str, object]]:
    """Automatic replies that are on, or will be. ``scheduled`` holds only between its two times.

    Replies for colleagues alone (``externalAudience`` none) tell people outside nothing, and hold nothing. Replies for one's
    contacts hold, as those for all do: the sender tells people outside, and nobody can know whom Outlook counts as a contact.
    """
    if not isinstance(replies, Mapping):
        return []
    audience = replies.get("externalAudience")
    if isinstance(audience, str) and audience.lower() == "none":
        return []
    status = replies.get("status")
    match status.lower() if isinstance(status, str) else None:
        case "alwaysenabled":
            return [{"starts": now.isoformat(), "ends": None}]
        case "scheduled":
            starts = _moment(replies.get("scheduledStartDateTime"))
            ends = _moment(replies.get("scheduledEndDateTime"))
            if starts is not None and ends is not None and ends > max(now, starts):
                return [{"starts": starts.isoformat(), "ends": ends.isoformat()}]
    return []


def _moment(value: object) -> datetime | None:
    """``{"dateTime": "2016-03-14T07:00:00.0000000", "timeZone": "UTC"}`` as an instant."""
    if not isinstance(value, Mapping):
        return None
    text, zone = value.get("dateTime"), _zone(value.get("timeZone"))
    # Seven digits of a second are one more than Python reads.
    match = re.match(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}", text) if isinstance(text, str) else None
    if match is None or zone is None:
        return None
    try:
        return instant(datetime.fromisoformat(match.group(0)), ZoneInfo(zone))
    except (ValueError, OverflowError):
        return None
