"""Translate Gmail's settings into our terms.

Sources: "REST Resource: users.settings.sendAs", "VacationSettings" (developers.google.com/workspace/gmail/api/reference), and
"userinfo". A value we cannot read counts as not set, never as an error. Gmail knows no working hours, and its zone is the
Calendar's, for which we do not ask: the organization's counts.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

from domain.errors import ProviderUnavailable
from transports.base import MailboxFacts


def mailbox_facts(
    who: Mapping[str, object],
    send_as: object,
    vacation: Mapping[str, object],
    now: datetime | None = None,
) -> MailboxFacts:
    """Build the facts from the answers. ``tenant_id`` is the Workspace domain, empty for a consumer's account."""
    account, domain = who.get("id"), who.get("hd")
    addresses = addresses_of(send_as)
    if not isinstance(account, str) or not account or not addresses:
        raise ProviderUnavailable("Google's answer names no account.", code="unreadable_answer")
    return MailboxFacts(
        addresses=addresses,
        account_id=account,
        tenant_id=domain.lower() if isinstance(domain, str) else "",
        settings={
            "zone": None,
            "window": None,
            "absences": absences_of(vacation, now or datetime.now(UTC)),
            "purpose": "user",
        },
        sends_as_any=True,
    )


def addresses_of(send_as: object) -> list[str]:
    """Return the account's addresses, in lower case, its own first.

    Left out is what it may send as and does not receive for: addresses of another server's, and those that its owner does not
    treat as an alias. Answers to them would arrive where we do not read.
    """
    listed = [each for each in send_as if isinstance(each, dict)] if isinstance(send_as, list) else []
    usable = [each for each in listed if each.get("isPrimary") is True or _is_alias(each)]
    usable.sort(key=lambda each: each.get("isPrimary") is not True)
    found = [each.get("sendAsEmail") for each in usable]
    return [each.strip().lower() for each in found if isinstance(each, str) and "@" in each]


def _is_alias(each: Mapping[str, object]) -> bool:
    confirmed = each.get("verificationStatus") == "accepted"
    return confirmed and each.get("treatAsAlias") is True and not each.get("smtpMsa")


def absences_of(vacation: Mapping[str, object], now: datetime) -> list[dict[str, object]]:
    """Return the vacation reply that is on, or will be. One for colleagues only tells nobody outside, and holds nothing."""
    if vacation.get("enableAutoReply") is not True or vacation.get("restrictToDomain") is True:
        return []
    starts, ends = _moment(vacation.get("startTime")), _moment(vacation.get("endTime"))
    if ends is not None and ends <= max(now, starts or now):
        return []
    return [{"starts": (starts or now).isoformat(), "ends": None if ends is None else ends.isoformat()}]


def _moment(value: object) -> datetime | None:
    """Return milliseconds since 1970, written as text, as an instant."""
    if not isinstance(value, str | int) or isinstance(value, bool):
        return None
    try:
        return datetime.fromtimestamp(int(value) / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None
