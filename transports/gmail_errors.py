"""What Gmail's error answers mean: the few rules that apply the table in ``transports/gmail_words.py``.

The statuses that come with a reason vary (403 and 429 both say ``rateLimitExceeded``), so the reason decides. We never repeat
Google's texts, which hold addresses.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from typing import assert_never

import orjson

from domain.errors import (
    ConsentMissing,
    DeliveryInDoubt,
    MailboxDisconnected,
    MessageRejected,
    OnbehalfError,
    OperatorMisconfigured,
    PolicyBlocked,
    ProviderUnavailable,
    RecipientRejected,
    SendingLimitReached,
    Throttled,
)
from transports.gmail_words import BY_TEXT, WORDS, Meaning, Word, sentence
from transports.retry_after import retry_after

_WAIT_FOR_A_LIMIT = timedelta(hours=1)
_LIMIT_LASTS = timedelta(hours=24)
_UNTIL = re.compile(r"Retry after (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?)Z")


class Purpose(Enum):
    """What we asked for, because the same answer can mean different things."""

    READ = auto()
    WRITE = auto()  # a draft: repeating it is safe
    SEND = auto()  # the submission: only answers that exclude acceptance are certain


# A submission answered like this with a reason of Google's own was not carried out.
_CERTAIN_ON_SEND = {400, 401, 403, 413, 429}


def failure(status: int, headers: Mapping[str, str], body: bytes, purpose: Purpose) -> OnbehalfError:
    """Return the error for an answer outside 2xx: a ``ProviderError``, or ``OperatorMisconfigured`` for our own project."""
    reason, text = reason_of(body)
    word = _word(reason, text)
    said = sentence(status) if word is None else word.sentence
    code = reason or str(status)
    wait = _wait(headers.get("retry-after", headers.get("Retry-After")), text)
    meaning = None if word is None else word.meaning
    if purpose is Purpose.SEND and not _excludes_acceptance(status, meaning):
        doubt = f"{said} The email may have left anyway."
        return DeliveryInDoubt(doubt, code=code, retry_after=wait, gone=meaning is Meaning.GONE)
    if meaning is None:
        meaning = _by_status(status, purpose)
    return _error(meaning, said, code, wait, on_send=purpose is not Purpose.READ)


def _error(meaning: Meaning, said: str, code: str, wait: timedelta | None, *, on_send: bool) -> OnbehalfError:
    match meaning:
        case Meaning.DISCONNECTED:
            return MailboxDisconnected(said, code=code, on_send=on_send)
        case Meaning.CONSENT:
            return ConsentMissing(said, code=code, on_send=on_send)
        case Meaning.POLICY:
            return PolicyBlocked(said, code=code, on_send=on_send)
        case Meaning.OURS:
            return OperatorMisconfigured(f"{said} Enable it for the project of GOOGLE_CLIENT_ID.")
        case Meaning.RECIPIENT if on_send:
            return RecipientRejected(said, code=code)
        case Meaning.MESSAGE if on_send:
            return MessageRejected(said, code=code)
        case Meaning.UNCLEAR if on_send:
            return MessageRejected(said, code=code, certain=False)
        case Meaning.LIMIT:
            return SendingLimitReached(said, retry_after=wait or _WAIT_FOR_A_LIMIT, code=code)
        case Meaning.EXHAUSTED:
            return Throttled(said, retry_after=wait or _WAIT_FOR_A_LIMIT, code=code)
        case Meaning.BUSY:
            return Throttled(said, retry_after=wait or retry_after(None), code=code)
        case Meaning.RECIPIENT | Meaning.MESSAGE | Meaning.UNCLEAR | Meaning.TRANSIENT | Meaning.GONE:
            return ProviderUnavailable(said, code=code)
        case _:
            assert_never(meaning)


def _excludes_acceptance(status: int, meaning: Meaning | None) -> bool:
    """Does this answer to a submission rule out acceptance? A refusal without a reason may come from something in between."""
    if status not in _CERTAIN_ON_SEND or meaning in (Meaning.GONE, Meaning.TRANSIENT):
        return False
    return meaning is not None or status in (401, 413, 429)


def _by_status(status: int, purpose: Purpose) -> Meaning:
    match status:
        case 401:
            return Meaning.DISCONNECTED
        case 403:
            return Meaning.POLICY
        case 413:
            return Meaning.MESSAGE
        case 429:
            return Meaning.BUSY
        case 400 if purpose is Purpose.WRITE:
            return Meaning.UNCLEAR
    return Meaning.TRANSIENT


def _wait(asked: str | None, text: str) -> timedelta | None:
    """Return how long Google asks us to wait: by a header, or by a time in the text."""
    if asked is not None:
        return retry_after(asked, longest=_LIMIT_LASTS)
    until = _UNTIL.search(text)
    if until is None:
        return None
    try:
        end = datetime.fromisoformat(until[1]).replace(tzinfo=UTC)
    except ValueError:
        return None
    return min(max(end - datetime.now(UTC), timedelta(seconds=1)), _LIMIT_LASTS)


def is_gone(status: int, body: bytes) -> bool:
    """Does Gmail itself say that the item does not exist? A bare 404 from something in between does not count."""
    word = _word(*reason_of(body))
    return status == 404 and word is not None and word.meaning is Meaning.GONE


def _word(reason: str, text: str) -> Word | None:
    fits = (word for named, pattern, word in BY_TEXT if named == reason and pattern.search(text))
    return next(fits, WORDS.get(reason))


def reason_of(body: bytes) -> tuple[str, str]:
    """Return the first reason and the text."""
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return "", ""
    error = answer.get("error") if isinstance(answer, dict) else None
    if not isinstance(error, dict):
        return "", ""
    text, errors = error.get("message"), error.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else None
    reason = first.get("reason") if isinstance(first, dict) else None
    named = isinstance(reason, str) and re.fullmatch(r"[A-Za-z]{1,64}", reason)
    return str(reason) if named else "", text if isinstance(text, str) else ""
