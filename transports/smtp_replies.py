"""The errors for a mail server's refusals. We never repeat a server's own text: it may hold addresses, or anything else."""

import re
from datetime import timedelta
from typing import assert_never

from domain.errors import (
    MailboxDisconnected,
    MessageRejected,
    PolicyBlocked,
    ProviderError,
    ProviderUnavailable,
    RecipientRejected,
    SendingLimitReached,
    Throttled,
)
from domain.smtp_rules import Meaning, Stage, meaning_of

__all__ = ["Stage", "refusal"]

_LIMIT_LASTS = timedelta(hours=1)  # until we try again; most limits are daily, some hourly
_TOO_FAST = timedelta(seconds=30)
_BUSY = timedelta(minutes=2)
# Signing in still works with these; only a successful email shows that they are over.
_ON_SEND = {Meaning.RELAY, Meaning.BLOCKED, Meaning.REPUTATION, Meaning.FULL}


def refusal(stage: Stage, code: int, words: bytes | str) -> ProviderError:
    """Return the error for a reply other than success. At every stage such a reply means that nothing was accepted."""
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    line = f"{code} {' '.join(text[:4000].split())}"[:1000]
    status = re.match(r"\d{3} (\d\.\d{1,3}\.\d{1,3})", line)
    short = f"smtp_{code}" + (f"_{status[1]}" if status else "")
    return _error(meaning_of(stage, line), code, short)


def _error(meaning: Meaning | None, code: int, short: str) -> ProviderError:
    match meaning:
        case Meaning.QUOTA:
            return SendingLimitReached(
                "The mailbox has sent as much as its mail server allows for now.",
                retry_after=_LIMIT_LASTS,
                code=short,
            )
        case Meaning.RATE:
            return _wait("The mail server asks this mailbox to send more slowly.", _TOO_FAST, short)
        case Meaning.LATER:
            return _wait(f"The mail server is busy and asks to wait ({code}).", _BUSY, short)
        case Meaning.SIGN_IN:
            return MailboxDisconnected("The mail server refuses the sign-in.", code=short)
        case Meaning.SMTP_OFF:
            sentence = "Sending by SMTP is switched off for this mailbox or for your whole Microsoft 365 organization."
        case Meaning.SIGN_IN_POLICY:
            sentence = "A security policy of the mail server's organization blocks this sign-in."
        case Meaning.NOT_SIGNED_IN:
            sentence = "The mail server asks for a sign-in or an encryption that it does not offer."
        case Meaning.RELAY:
            sentence = "The mail server does not deliver this account's emails to other domains."
        case Meaning.SEND_AS:
            sentence = "The account may not send as this address."
        case Meaning.BLOCKED:
            sentence = (
                "The mail server has blocked this account, its domain or its organization from sending."
            )
        case Meaning.REPUTATION:
            sentence = "The mail server refuses this sender because of a block list or earlier complaints."
        case Meaning.FULL:
            sentence = "The mailbox is full."
        case Meaning.RECIPIENT:
            return RecipientRejected("The mail server refuses the recipient.", code=short)
        case Meaning.UNCLEAR_RECIPIENT:
            return RecipientRejected("The mail server refuses the recipient.", code=short, certain=False)
        case Meaning.MESSAGE:
            return MessageRejected("The mail server refuses the email.", code=short)
        case Meaning.UNCLEAR_MESSAGE:
            return MessageRejected("The mail server refuses the email.", code=short, certain=False)
        case Meaning.THIS_LATER | None:
            return ProviderUnavailable(f"The mail server asks to wait ({code}).", code=short)
        case _:
            assert_never(meaning)
    return PolicyBlocked(sentence, code=short, on_send=meaning in _ON_SEND)


def _wait(sentence: str, wait: timedelta, short: str) -> Throttled:
    return Throttled(sentence, retry_after=wait, code=short, untaken=True)
