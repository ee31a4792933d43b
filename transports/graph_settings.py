"""What ``/me`` and ``/me/mailboxSettings`` say, in our words.

Sources: "user: get mailboxSettings", "automaticRepliesSetting", "workingHours" in Microsoft's Graph documentation.
Its samples and live answers differ in case and shape; what cannot be read counts as not set, never as an error.
A zone without a name we know is None here, also inside ``window``: ``db/mailboxes/mailboxes.py`` puts the organization's in its place.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import orjson

from domain.errors import InvalidInput, ProviderUnavailable
from domain.send_window import DAYS, SendWindow, instant
from transports.base import MailboxFacts
from transports.zones import iana_zone, is_custom, zone_of_offset

_WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def mailbox_facts(
    person: Mapping[str, object], settings: Mapping[str, object], token: str, now: datetime | None = None
) -> MailboxFacts:
    """``person``: the answer of ``/me``. ``token`` only serves to name the tenant, which ``/me`` does not."""
    account = person.get("id")
    if not isinstance(account, str) or not account:
        raise ProviderUnavailable("Microsoft Graph's answer names no account.", code="unreadable_answer")
    hours, moment = settings.get("workingHours"), now or datetime.now(UTC)
    custom = hours.get("timeZone") if isinstance(hours, Mapping) else None
    zone = _zone(settings.get("timeZone"))
    offset = None if zone else _offset(custom)
    return MailboxFacts(
        addresses=addresses_of(person),
        account_id=account,
        tenant_id=_tenant(token),
        settings={
            "zone": zone or (None if offset is None else zone_of_offset(offset)),
            "offset_minutes": None if offset is None else int(offset.total_seconds() // 60),
            "window": _window(hours, zone, offset),
            "absences": _absences(settings.get("automaticRepliesSetting"), moment),
            "purpose": _purpose(settings.get("userPurpose")),
        },
    )


def domains_of(organizations: object, tenant_id: str) -> frozenset[str]:
    """The names of a tenant's verified domains ("verifiedDomain resource type"), in small letters."""
    found = organizations if isinstance(organizations, list) else []
    names = (
        domain.get("name")
        for each in found
        if isinstance(each, dict) and str(each.get("id", "")).lower() == tenant_id.lower()
        for domain in each.get("verifiedDomains") or []
        if isinstance(domain, dict)
    )
    return frozenset(name.strip().lower() for name in names if isinstance(name, str) and name.strip())


def addresses_of(person: Mapping[str, object]) -> list[str]:
    """The mailbox's own addresses, the primary one first, lower case. Guests' mangled names are no addresses."""
    proxies = person.get("proxyAddresses")
    listed = sorted(map(str, proxies)) if isinstance(proxies, list) else []
    # "SMTP:" in capitals marks the primary address, which Exchange sends from ("proxyAddresses" in the user resource).
    named: list[object] = [each.removeprefix("SMTP:") for each in listed if each.startswith("SMTP:")]
    named.append(person.get("mail"))
    named += [each[5:] for each in listed if each[:5].lower() == "smtp:"]
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


def _offset(custom: object) -> timedelta | None:
    """How far a custom zone without summer time is ahead of UTC. ``bias``: minutes from local time to UTC ("timeZoneBase")."""
    bias = custom.get("bias") if isinstance(custom, Mapping) else None
    name = custom.get("name") if isinstance(custom, Mapping) else None
    if isinstance(bias, bool) or not isinstance(bias, int) or abs(bias) > 14 * 60 or _zone(name) is not None:
        return None
    return -timedelta(minutes=bias)


def _window(hours: object, mailbox_zone: str | None, offset: timedelta | None) -> dict[str, object] | None:
    """Working hours as a ``SendWindow``. Hours over midnight cannot be said in one and count as not set."""
    if not isinstance(hours, Mapping):
        return None
    setting = hours.get("timeZone")
    zone = _zone(setting.get("name") if isinstance(setting, Mapping) else setting) or mailbox_zone
    if zone is None and offset is not None:
        zone = zone_of_offset(offset)
    days, opens, closes = (
        hours.get("daysOfWeek"),
        _clock(hours.get("startTime")),
        _clock(hours.get("endTime")),
    )
    if not isinstance(days, list) or opens is None or closes is None:
        return None
    known = [DAYS[_WEEK.index(day.lower())] for day in days if isinstance(day, str) and day.lower() in _WEEK]
    try:
        window = SendWindow.from_json({"zone": zone or "UTC", "days": known, "from": opens, "to": closes})
    except InvalidInput:
        return None
    return {**window.to_json(), "zone": zone}


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
    text, name = value.get("dateTime"), value.get("timeZone")
    # Graph answers in UTC unless asked otherwise ("dateTimeTimeZone"); a custom zone's name must not lose the absence.
    zone = _zone(name) or ("UTC" if isinstance(name, str) and is_custom(name) else None)
    # Seven digits of a second are one more than Python reads.
    match = re.match(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}", text) if isinstance(text, str) else None
    if match is None or zone is None:
        return None
    try:
        return instant(datetime.fromisoformat(match.group(0)), ZoneInfo(zone))
    except (ValueError, OverflowError):
        return None
