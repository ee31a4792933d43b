"""What a mail server's reply means, as a table: the codes of RFC 5321 and RFC 3463, and Microsoft's texts.

Microsoft's replies are those of "Fix issues with printers, scanners, and LOB applications that send email" and of
"Authenticated client SMTP submission". A server's own words are never repeated: they may hold addresses, or be anybody's.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto

from domain.errors import (
    MailboxDisconnected,
    MessageRejected,
    PolicyBlocked,
    ProviderError,
    ProviderUnavailable,
    RecipientRejected,
    Throttled,
)


class Stage(Enum):
    """Which command was answered."""

    GREETING = auto()
    SIGN_IN = auto()
    SENDER = auto()
    RECIPIENT = auto()
    CONTENT = auto()


@dataclass(frozen=True, slots=True)
class _Row:
    """A reply whose text fits ``pattern``, at any of ``stages`` (none = all)."""

    pattern: str
    make: Callable[[str], ProviderError]
    stages: tuple[Stage, ...] = ()


def _blocked(text: str) -> Callable[[str], ProviderError]:
    return lambda code: PolicyBlocked(text, code=code)


def _wait(text: str, wait: timedelta) -> Callable[[str], ProviderError]:
    return lambda code: Throttled(text, retry_after=wait, code=code, untaken=True)


_TABLE = (
    _Row(
        r"^535 5\.7\.139.*SmtpClientAuthentication is disabled",
        _blocked(
            "Sending by SMTP is switched off for this mailbox or for your whole Microsoft 365 organization."
        ),
    ),
    _Row(
        r"^535 5\.7\.139",
        _blocked("A security policy of your Microsoft 365 organization blocks sending by SMTP."),
    ),
    _Row(
        r"^5\d\d.*(5\.7\.60|SendAsDenied)",
        _blocked("The account may not send as this address."),
    ),
    _Row(
        r"^432 |4\.3\.2 STOREDRV\.ClientSubmit|sender thread limit",
        _wait("The mailbox has too many connections at the same time.", timedelta(seconds=30)),
    ),
    _Row(
        r"^5\d\d 5\.2\.2.*(QuotaExceeded|mailbox full)",
        _blocked("The mailbox is full."),
    ),
    _Row(
        r"^5\d\d 5\.2\.0 STOREDRV\.Submission",
        _wait("The mailbox has sent as much as it may for a day.", timedelta(hours=1)),
    ),
    _Row(
        r"^5\d\d 5\.1\.90|^5\d\d 5\.7\.232",
        _wait("The mailbox has sent as much as it may for a day.", timedelta(hours=1)),
    ),
    _Row(
        r"^53[0-9]|^5\d\d 5\.7\.8",
        lambda code: MailboxDisconnected("The mail server refuses the sign-in.", code=code),
        (Stage.SIGN_IN,),
    ),
    _Row(
        r"^53[048]|^554 5\.7\.",
        _blocked("The mail server asks for a sign-in or an encryption that it does not offer."),
        (Stage.SENDER,),
    ),
    _Row(r"^5", _blocked("The mail server refuses this sign-in method."), (Stage.SIGN_IN,)),
    _Row(r"^5", _blocked("The mail server refuses the sender's address."), (Stage.SENDER,)),
    _Row(
        r"^5",
        lambda code: RecipientRejected("The mail server refuses the recipient.", code=code),
        (Stage.RECIPIENT,),
    ),
    _Row(
        r"^5",
        lambda code: MessageRejected("The mail server refuses the email.", code=code),
        (Stage.CONTENT,),
    ),
)


def refusal(stage: Stage, code: int, words: bytes | str) -> ProviderError:
    """The error that a reply other than success stands for. At every stage it says that nothing was taken."""
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    line = f"{code} {' '.join(text.split())}"
    status = re.match(r"\d{3} (\d\.\d{1,3}\.\d{1,3})", line)
    short = f"smtp_{code}" + (f"_{status[1]}" if status else "")
    for row in _TABLE:
        if (not row.stages or stage in row.stages) and re.search(row.pattern, line, re.IGNORECASE):
            return row.make(short)
    return ProviderUnavailable(f"The mail server asks to wait ({code}).", code=short)
