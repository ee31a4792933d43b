"""What left mailboxes, what comes into them, and tokens, as plain data."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Behaviour:
    """What an address does by itself, ``after`` seconds, with each email of ours that reaches it.

    ``kind``: a name in ``lab/emulator/answers.py``. ``times``: how often at most; 0 = always. ``style``: whose report a bounce is.
    ``status``, ``delayed``: what it reports. ``sender``: the other address of an alias or a colleague. ``text``: instead of the usual
    words. ``values``: more for the item that arrives, as in ``incoming``.
    """

    kind: str
    after: float = 0.0
    times: int = 0
    style: str = "exchange"
    status: str = ""
    delayed: bool = False
    sender: str = ""
    text: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    used: int = 0
    answered: list[str] = field(default_factory=list)  # senders whom an automatic reply has answered


@dataclass(slots=True, order=True)
class Pending:
    """Something that happens in a mailbox ``at`` (monotonic): ``arrive``, ``move`` or ``delete``. ``order``: unique."""

    at: float
    order: int
    mailbox: str
    act: str
    item: str
    values: dict[str, Any] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class Arrival:
    """One item that reached a mailbox otherwise than by our own requests. ``at``: monotonic seconds on this host; ``wall``: UTC.

    ``kind``: the behaviour's, or what ``incoming`` was given. ``answers``: the ``seq`` of our email in the ledger that caused it,
    0 for none; ``person``: whom that email went to. ``received``: what Graph shows as receivedDateTime.
    """

    seq: int
    at: float
    wall: str
    mailbox: str
    item: str
    kind: str
    sender: str
    subject: str
    internet_message_id: str
    conversation_id: str
    received: str
    folder: str
    hidden: bool = False
    answers: int = 0
    person: str = ""


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One email that left a mailbox, as its recipients would receive it. ``at``: monotonic seconds on this host.

    ``accepted_at``: when the provider accepted it, after which nobody can stop it; on the same clock.
    """

    seq: int
    at: float
    wall: str
    mailbox: str
    via: str
    sender: str
    to: list[str]
    subject: str
    body: str
    body_hash: str
    internet_message_id: str
    conversation_id: str
    in_reply_to: str
    correlation_id: str
    token: str
    item: str
    accepted_at: float = 0.0
    sender_name: str = ""
    reply_to: str = ""
    references: str = ""
    headers: dict[str, str] = field(default_factory=dict)  # more that its recipients receive


@dataclass(slots=True)
class Token:
    """An access or refresh token."""

    address: str
    scopes: str
    expires_at: float
    audience: str = "https://graph.microsoft.com"
    revoked: bool = False
    family: str = ""
    used: bool = False
    client_id: str = ""
    tenant: str = ""  # of a token of the application's own, which has no user
