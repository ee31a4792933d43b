"""What Microsoft Graph's error answers mean, as one table and the few rules that read it.

Codes: Exchange ``ResponseCode`` reference, Graph "Error responses", "Throttling limits", the mail API pages.
The statuses that go with them vary, so the code decides. Texts are never read, with three documented
exceptions (``_text_says``), and never repeated: they hold addresses and subjects.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import Enum, auto

import orjson

from domain.errors import (
    ConsentMissing,
    DeliveryUnknown,
    MailboxDisconnected,
    MessageRejected,
    PolicyBlocked,
    ProviderError,
    ProviderUnavailable,
    RecipientRejected,
    Throttled,
)

SHORTEST_WAIT = timedelta(seconds=1)
LONGEST_WAIT = timedelta(hours=1)
_WAIT_UNSAID = timedelta(seconds=30)  # a 429 that does not say how long
_WAIT_FOR_A_SLOT = timedelta(seconds=3)


class Purpose(Enum):
    """What was asked, because the same answer means different things."""

    READ = auto()
    WRITE = auto()  # a draft: repeating it is safe
    SEND = auto()  # the submission itself: only answers that exclude acceptance are certain


class Meaning(Enum):
    """What a code says, whatever was asked."""

    DISCONNECTED = auto()
    CONSENT = auto()
    ACCESS = auto()  # a missing scope or an access policy: the text tells
    POLICY = auto()
    RECIPIENT = auto()
    MESSAGE = auto()
    TRANSIENT = auto()
    GONE = auto()


MEANINGS: Mapping[str, Meaning] = {
    code.lower(): meaning
    for meaning, codes in {
        Meaning.DISCONNECTED: (
            "InvalidAuthenticationToken",
            "MailboxNotEnabledForRESTAPI",
            "MailboxNotSupportedForRESTAPI",
            "MailboxNotHostedInExchangeOnline",
            "ErrorInvalidUser",
            "Request_ResourceNotFound",
        ),
        Meaning.CONSENT: ("Authorization_RequestDenied",),
        Meaning.ACCESS: ("ErrorAccessDenied",),
        Meaning.POLICY: (
            "ErrorSendAsDenied",
            "ErrorSubmissionQuotaExceeded",
            "ErrorExceededMessageLimit",
            "ErrorExceededHourlyMessageLimit",
            "ErrorExceededMaxRecipientLimit",
            "ErrorMessageSubmissionBlocked",
            "ErrorAccountSuspend",
            "ErrorMessageBlocked",
            "ErrorQuotaExceeded",
        ),
        Meaning.RECIPIENT: ("ErrorInvalidRecipients", "ErrorMissingRecipients", "ErrorInvalidSmtpAddress"),
        Meaning.MESSAGE: (
            "ErrorMessageSizeExceeded",
            "ErrorMimeContentInvalid",
            "ErrorMimeContentInvalidBase64String",
            "ErrorInvalidPropertySet",
            "InvalidInternetMessageHeader",
            "RequestBodyRead",
        ),
        Meaning.TRANSIENT: (
            "ErrorServerBusy",
            "ErrorMailboxStoreUnavailable",
            "ErrorMailboxMoveInProgress",
            "ErrorTimeoutExpired",
            "ErrorInternalServerError",
            "ErrorInternalServerTransientError",
            "ErrorExceededConnectionCount",
            "ErrorConnectionFailed",
            "CommandConcurrencyLimitReached",
            # Seen on /send and gone a moment later (microsoft-graph-docs-contrib issue 8823).
            "ErrorNonExistentMailbox",
            "ErrorIrresolvableConflict",
            "ServiceNotAvailable",
            "ServiceUnavailable",
            "GeneralException",
            "UnknownError",
            "TooManyRequests",
            "ApplicationThrottled",
        ),
        Meaning.GONE: ("ErrorItemNotFound", "ErrorInvalidIdMalformed"),
    }.items()
    for code in codes
}

_ERRORS: Mapping[Meaning, type[ProviderError]] = {
    Meaning.DISCONNECTED: MailboxDisconnected,
    Meaning.CONSENT: ConsentMissing,
    Meaning.ACCESS: ConsentMissing,
    Meaning.POLICY: PolicyBlocked,
    Meaning.RECIPIENT: RecipientRejected,
    Meaning.MESSAGE: MessageRejected,
    Meaning.TRANSIENT: ProviderUnavailable,
    Meaning.GONE: ProviderUnavailable,
}
_CERTAIN_ON_SEND = {400, 401, 403, 413, 429}


def failure(status: int, headers: Mapping[str, str], body: bytes, purpose: Purpose) -> ProviderError:
    """The error that an answer outside 2xx stands for."""
    codes, text = _read(body)
    known = next((code for code in reversed(codes) if code.lower() in MEANINGS), None)
    code = known or (codes[0] if codes else "")
    meaning = MEANINGS[known.lower()] if known else None
    said = described(status, headers, code)
    if meaning is Meaning.ACCESS:
        meaning = Meaning.POLICY if _text_says(text, "access to odata is disabled") else Meaning.CONSENT
    if purpose is Purpose.SEND and not _excludes_acceptance(status, codes, meaning):
        return DeliveryUnknown(f"{said} It may have been accepted.", code=code or str(status))
    if status in {429, 509} and meaning is not Meaning.POLICY:
        if _text_says(text, "wascl useraction verdict"):
            return PolicyBlocked(f"{said} Microsoft blocks this mailbox for outbound spam.", code=code)
        return _throttled(said, headers, code, text)
    if status >= 500 and meaning is not Meaning.POLICY:
        return ProviderUnavailable(said, code=code or str(status))
    return _by_meaning(status, meaning, said, code or str(status), purpose)


def _by_meaning(
    status: int, meaning: Meaning | None, said: str, code: str, purpose: Purpose
) -> ProviderError:
    if meaning is None:
        if status in {401, 403}:
            meaning = Meaning.DISCONNECTED if status == 401 else Meaning.POLICY
        elif status in {400, 413} and purpose is not Purpose.READ:
            # A refused read says nothing about the email: only where we sent words can they be to blame.
            meaning = Meaning.MESSAGE
        else:
            meaning = Meaning.TRANSIENT
    return _ERRORS[meaning](said, code=code)


def _excludes_acceptance(status: int, codes: list[str], meaning: Meaning | None) -> bool:
    """Whether this answer to a submission says for certain that nothing was accepted."""
    if status not in _CERTAIN_ON_SEND or meaning is Meaning.GONE:
        return False
    if status == 429:
        return True
    if meaning is Meaning.TRANSIENT:
        return False
    # A refusal without Graph's own words may come from anything on the way, after Graph has accepted.
    return bool(codes) or status in {401, 413}


def _throttled(said: str, headers: Mapping[str, str], code: str, text: str) -> Throttled:
    # "Over its MailboxConcurrency limit" shares its code with the request rate, and its Retry-After of 0 or 1
    # is no time: a slot is free when a running call ends.
    if _text_says(text, "mailboxconcurrency"):
        return Throttled(said, retry_after=_WAIT_FOR_A_SLOT, code="MailboxConcurrency")
    return Throttled(said, retry_after=retry_after(headers.get("retry-after")), code=code or "429")


def retry_after(value: str | None, now: datetime | None = None) -> timedelta:
    """``Retry-After`` in seconds or as an HTTP date (RFC 9110), held between a second and an hour."""
    if value is None or len(value) > 64:
        return _WAIT_UNSAID
    value = value.strip()
    if re.fullmatch(r"[+-]?[0-9]{1,12}(\.[0-9]{1,9})?", value):
        wait = timedelta(seconds=min(float(value), LONGEST_WAIT.total_seconds()))
    else:
        try:
            until = parsedate_to_datetime(value)
        except (ValueError, IndexError):
            return _WAIT_UNSAID
        until = until if until.tzinfo else until.replace(tzinfo=UTC)
        wait = until - (now or datetime.now(UTC))
    return min(max(wait, SHORTEST_WAIT), LONGEST_WAIT)


def described(status: int, headers: Mapping[str, str], code: str) -> str:
    """One sentence for logs and people; it names codes and ids only."""
    request = request_id(headers)
    return f"Microsoft Graph answered {status}{code and f' {code}'}{request and f' (request {request})'}."


def request_id(headers: Mapping[str, str]) -> str:
    """Microsoft's id of the request, for their support; empty when it is missing or strange."""
    value = headers.get("request-id", "")
    return value if re.fullmatch(r"[A-Za-z0-9-]{1,64}", value) else ""


def is_gone(status: int, body: bytes) -> bool:
    """Whether Graph itself says that the item does not exist. A bare 404 of something in between does not."""
    codes = _read(body)[0]
    return status in {400, 404} and any(MEANINGS.get(code.lower()) is Meaning.GONE for code in codes)


def _read(body: bytes) -> tuple[list[str], str]:
    """Codes from the outermost to the innermost, and the outermost text."""
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return [], ""
    error = answer.get("error") if isinstance(answer, dict) else None
    if not isinstance(error, dict):
        return [], ""
    text = error.get("message")
    return list(_codes(error)), text if isinstance(text, str) else ""


def _codes(error: dict[str, object]) -> Iterator[str]:
    level: object = error
    for _ in range(8):  # deeper than Microsoft ever nests; a hostile answer must not keep us busy
        if not isinstance(level, dict):
            return
        code = level.get("code")
        if isinstance(code, str) and re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", code):
            yield code
        level = level.get("innerError", level.get("innererror"))


def _text_says(text: str, words: str) -> bool:
    return words in text.lower()
