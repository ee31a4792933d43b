"""What Microsoft Graph's error answers mean: the few rules that apply the table in ``transports/graph_words.py``.

The statuses that come with a code vary, so the code decides. We never repeat Microsoft's texts, which hold addresses and
subjects, and read them only for what no code says (``_BY_TEXT``, ``_MAILBOX_CONCURRENCY``).
"""

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from enum import Enum, auto
from typing import assert_never

import orjson

from domain.errors import (
    ConsentMissing,
    DeliveryInDoubt,
    MailboxDisconnected,
    MessageRejected,
    OutsideScope,
    PolicyBlocked,
    ProviderError,
    ProviderUnavailable,
    RecipientRejected,
    SendingLimitReached,
    Throttled,
)
from transports import graph_words
from transports.graph_words import WORDS, Meaning
from transports.retry_after import retry_after

_WAIT_FOR_A_SLOT = timedelta(seconds=3)
_WAIT_FOR_A_LIMIT = timedelta(hours=1)
_LIMIT_LASTS = timedelta(hours=24)  # at most, whatever the answer says
_MAILBOX_CONCURRENCY = re.compile("mailboxconcurrency", re.IGNORECASE)
# What only the text says: its pattern, the meaning, and the sentence for people.
_BY_TEXT = (
    (
        re.compile(r"recipient rate limit|\b5\.7\.23[23]\b", re.IGNORECASE),
        Meaning.LIMIT,
        graph_words.TENANT_LIMIT,
    ),
    (
        re.compile(r"submission quota was exceeded|daily (message|sending) limit", re.IGNORECASE),
        Meaning.LIMIT,
        WORDS["errorexceededmessagelimit"].sentence,
    ),
    (
        re.compile(
            r"wascl useraction verdict|bad outbound sender|\b5\.7\.(50[123]|705|708)\b", re.IGNORECASE
        ),
        Meaning.BLOCKED,
        graph_words.SPAM,
    ),
    (re.compile("access to odata is disabled", re.IGNORECASE), Meaning.POLICY, graph_words.ACCESS_POLICY),
)


class Purpose(Enum):
    """What we asked for, because the same answer can mean different things."""

    READ = auto()
    WRITE = auto()  # a draft: repeating it is safe
    SEND = auto()  # the submission: only answers that exclude acceptance are certain


_CERTAIN_ON_SEND = {400, 401, 403, 413, 429}
# Meanings that are a rule's or a person's no, whatever the status says.
_STANDING = {Meaning.POLICY, Meaning.BLOCKED, Meaning.SEND_AS, Meaning.FULL, Meaning.LIMIT}


def failure(status: int, headers: Mapping[str, str], body: bytes, purpose: Purpose) -> ProviderError:
    """Return the error for an answer outside 2xx."""
    codes, text = _read(body)
    known = next((code for code in reversed(codes) if code.lower() in WORDS), None)
    code = known or (codes[0] if codes else "")
    meaning = WORDS[known.lower()].meaning if known else None
    said = graph_words.sentence(code, status)
    by_text = next(((each, words) for fits, each, words in _BY_TEXT if fits.search(text)), None)
    if by_text is not None and status in _CERTAIN_ON_SEND:
        meaning, said = by_text
    if meaning is Meaning.ACCESS:
        meaning = Meaning.CONSENT
    error = _error(status, headers, codes, text, meaning, said, code or str(status), purpose)
    error.request_id = request_id(headers)
    return error


def _error(
    status: int,
    headers: Mapping[str, str],
    codes: list[str],
    text: str,
    meaning: Meaning | None,
    said: str,
    code: str,
    purpose: Purpose,
) -> ProviderError:
    asked = headers.get("retry-after", headers.get("Retry-After"))
    throttled = meaning not in _STANDING and _is_throttling(status, asked, codes, purpose)
    text_for_doubt = f"{said} The email may have left anyway."
    if throttled:
        # "Over its MailboxConcurrency limit" shares its code with the request rate, and its Retry-After of 0 or 1 is meaningless:
        # a slot is free when a running call ends.
        concurrency = _MAILBOX_CONCURRENCY.search(text) is not None
        wait = _WAIT_FOR_A_SLOT if concurrency else retry_after(asked)
        code = "MailboxConcurrency" if concurrency else code
        if purpose is Purpose.SEND and status != 429:
            return DeliveryInDoubt(text_for_doubt, code=code, retry_after=wait, throttled=True)
        return Throttled(said, retry_after=wait, code=code)
    if purpose is Purpose.SEND and not _excludes_acceptance(status, codes, meaning):
        asked_for = None if asked is None else retry_after(asked)
        return DeliveryInDoubt(text_for_doubt, code=code, retry_after=asked_for, gone=meaning is Meaning.GONE)
    if status >= 500 and meaning not in _STANDING:
        return ProviderUnavailable(said, code=code)
    if meaning is Meaning.FULL and purpose is Purpose.SEND:
        meaning, said = Meaning.LIMIT, graph_words.QUOTA
    if meaning is Meaning.LIMIT:
        wait = retry_after(asked, unsaid=_WAIT_FOR_A_LIMIT, longest=_LIMIT_LASTS)
        return SendingLimitReached(said, retry_after=wait, code=code)
    return _by_meaning(status, meaning, said, code, purpose)


def _is_throttling(status: int, asked: str | None, codes: list[str], purpose: Purpose) -> bool:
    """Does the answer refuse because of too many requests, and thus before anything was done?

    "Returns HTTP status code 429 Too Many Requests and the requests fail" (Graph, "Throttling guidance"). Graph answers 509 to
    too many bytes, and a busy Exchange answers 503 with a Retry-After (ErrorServerBusy). People report emails that left despite
    a 503 (Q&A 5629476), so for a submission it is likely but not certain, and we search for the email.
    """
    if status in {429, 509}:
        return True
    # Something in between may say 503 after Graph has accepted. For a submission, only Graph's own codes count.
    return status == 503 and asked is not None and (bool(codes) or purpose is not Purpose.SEND)


def _by_meaning(
    status: int, meaning: Meaning | None, said: str, code: str, purpose: Purpose
) -> ProviderError:
    if meaning is None:
        if status in {401, 403}:
            meaning = Meaning.DISCONNECTED if status == 401 else Meaning.POLICY
        elif status in {400, 413} and purpose is not Purpose.READ:
            # A refused read says nothing about the email. Only a request with content can fail because of it. An unknown code
            # may as well mean a mistake of ours or a rule of the organization, which refuses everybody's email.
            meaning = Meaning.MESSAGE if status == 413 else Meaning.UNCLEAR
        else:
            meaning = Meaning.TRANSIENT
    on_send = purpose is not Purpose.READ
    match meaning:
        case Meaning.DISCONNECTED:
            return MailboxDisconnected(said, code=code, on_send=on_send)
        case Meaning.NO_MAILBOX:
            return MailboxDisconnected(said, code=code, reason="no_mailbox", on_send=on_send)
        case Meaning.CONSENT | Meaning.ACCESS:
            return ConsentMissing(said, code=code, on_send=on_send)
        case Meaning.POLICY:
            return PolicyBlocked(said, code=code, on_send=on_send)
        case Meaning.BLOCKED:
            return PolicyBlocked(said, code=code, reason="sending_blocked", on_send=on_send)
        case Meaning.SEND_AS:
            return PolicyBlocked(said, code=code, reason="send_as_denied", on_send=on_send)
        case Meaning.FULL:
            return PolicyBlocked(said, code=code, reason="mailbox_full", on_send=on_send)
        case Meaning.RECIPIENT:
            return RecipientRejected(said, code=code)
        case Meaning.MESSAGE:
            return MessageRejected(said, code=code)
        case Meaning.UNCLEAR:
            return MessageRejected(said, code=code, certain=False)
        case Meaning.BUSY | Meaning.TRANSIENT | Meaning.GONE:
            return ProviderUnavailable(said, code=code)
        case Meaning.LIMIT:
            return SendingLimitReached(said, retry_after=_WAIT_FOR_A_LIMIT, code=code)
        case _:
            assert_never(meaning)


def _excludes_acceptance(status: int, codes: list[str], meaning: Meaning | None) -> bool:
    """Does this answer to a submission rule out acceptance?"""
    if status not in _CERTAIN_ON_SEND or meaning is Meaning.GONE:
        return False
    if meaning in {Meaning.TRANSIENT, Meaning.BUSY}:
        return False
    # A refusal without Graph's own code may come from something in between, after Graph has accepted.
    return bool(codes) or status in {401, 413}


def request_id(headers: Mapping[str, str]) -> str:
    """Return Microsoft's id of the request, for its support; empty if missing or malformed."""
    value = headers.get("request-id", "")
    return value if re.fullmatch(r"[A-Za-z0-9-]{1,64}", value) else ""


def is_gone(status: int, body: bytes) -> bool:
    """Does Graph itself say that the item does not exist? A bare 404 from something in between does not count."""
    codes = _read(body)[0]
    return status in {400, 404} and any(_means(code) is Meaning.GONE for code in codes)


def refuse_outside_scope(body: bytes, purpose: Purpose) -> None:
    """Raise ``OutsideScope`` if a mailbox is closed to the application; not where the text says that a limit or a policy is the cause."""
    codes, text = _read(body)
    by_text = any(fits.search(text) for fits, _, _ in _BY_TEXT)
    if not by_text and any(_means(code) is Meaning.ACCESS for code in codes):
        said = "Microsoft does not let Onbehalf into this mailbox."
        raise OutsideScope(said, code="ErrorAccessDenied", on_send=purpose is Purpose.SEND)


def _read(body: bytes) -> tuple[list[str], str]:
    """Return the codes from the outermost to the innermost, and the outermost text."""
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
    for _ in range(8):  # deeper than Microsoft nests; a hostile answer must not keep us busy
        if not isinstance(level, dict):
            return
        code = level.get("code")
        if isinstance(code, str) and re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", code):
            yield code
        level = level.get("innerError", level.get("innererror"))


def _means(code: str) -> Meaning | None:
    word = WORDS.get(code.lower())
    return None if word is None else word.meaning
