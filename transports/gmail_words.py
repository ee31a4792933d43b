"""Gmail's reasons: what each means, and the sentence for people, which never repeats a reason, an id or the answer.

Reasons: "Resolve errors" and "Usage limits" (developers.google.com/workspace/gmail/api/guides/handle-errors, …/reference/quota).
What no reason says is read from the text: googleapis/google-api-java-client issue 1648 and FlowCrypt/flowcrypt-browser issue 435
(failedPrecondition), taers232c/GAMADV-XTD3 issue 337 (a limit that says when it ends).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto


class Meaning(Enum):
    """What a reason means, whatever the request."""

    DISCONNECTED = auto()
    CONSENT = auto()
    POLICY = auto()
    OURS = auto()  # our project at Google
    RECIPIENT = auto()
    MESSAGE = auto()
    UNCLEAR = auto()  # this email's content, or a mistake of ours that all emails share
    LIMIT = auto()  # the mailbox has sent as much as it may for now
    BUSY = auto()  # too many requests of this mailbox
    EXHAUSTED = auto()  # too many requests of all mailboxes together, for a day
    TRANSIENT = auto()
    GONE = auto()


@dataclass(frozen=True, slots=True)
class Word:
    """``sentence``: for people, with its full stop."""

    meaning: Meaning
    sentence: str


_BUSY = "Google asks us to wait a moment before we use this mailbox again."
_AWAY = "Google's mail service is having trouble."

WORDS: Mapping[str, Word] = {
    "authError": Word(Meaning.DISCONNECTED, "Google no longer accepts this mailbox's sign-in."),
    "insufficientPermissions": Word(Meaning.CONSENT, "A permission the app needs was not granted."),
    "domainPolicy": Word(Meaning.POLICY, "The organization's administrators do not let apps use Gmail."),
    "forbidden": Word(Meaning.POLICY, "Google does not let us use this mailbox."),
    "accessNotConfigured": Word(Meaning.OURS, "The Gmail API is not enabled in our project at Google."),
    "userRateLimitExceeded": Word(Meaning.BUSY, _BUSY),
    "rateLimitExceeded": Word(Meaning.BUSY, _BUSY),
    "dailyLimitExceeded": Word(
        Meaning.EXHAUSTED, "Our project has asked Google as much as it may for a day."
    ),
    "quotaExceeded": Word(Meaning.EXHAUSTED, "Our project has asked Google as much as it may for now."),
    "invalidArgument": Word(Meaning.UNCLEAR, "Google does not accept the email as it is."),
    "badRequest": Word(Meaning.UNCLEAR, "Google does not accept the email as it is."),
    "failedPrecondition": Word(
        Meaning.UNCLEAR, "Google refuses this for this account, and does not say why."
    ),
    "uploadTooLarge": Word(Meaning.MESSAGE, "Google says that the email is too large."),
    "notFound": Word(Meaning.GONE, "The email is not in the mailbox any more."),
    "backendError": Word(Meaning.TRANSIENT, _AWAY),
    "internalError": Word(Meaning.TRANSIENT, _AWAY),
}
# What only the text says, under one reason each. The first that fits counts.
BY_TEXT: tuple[tuple[str, re.Pattern[str], Word], ...] = (
    (
        "failedPrecondition",
        re.compile("mail service not enabled", re.IGNORECASE),
        Word(Meaning.DISCONNECTED, "Google says that this account has no Gmail."),
    ),
    (
        "forbidden",
        re.compile("delegation denied", re.IGNORECASE),
        Word(Meaning.DISCONNECTED, "Google says that this sign-in is not this mailbox's."),
    ),
    (
        "invalidArgument",
        re.compile(r"invalid (to|cc|bcc) header|recipient address required", re.IGNORECASE),
        Word(Meaning.RECIPIENT, "Google says that the recipient's address cannot be written to."),
    ),
    *(
        (
            reason,
            re.compile(r"\(mail sending\)|sending limit", re.IGNORECASE),
            Word(Meaning.LIMIT, "Google says that this mailbox has sent as much as it may for now."),
        )
        for reason in ("rateLimitExceeded", "userRateLimitExceeded")
    ),
)
_STATUSES = {
    401: WORDS["authError"].sentence,
    403: "Google does not permit this.",
    413: WORDS["uploadTooLarge"].sentence,
    429: _BUSY,
}


def sentence(status: int) -> str:
    """Return the sentence for a status without a reason that we know."""
    return _STATUSES.get(
        status, _AWAY if status >= 500 else "Google refused without giving a reason we know."
    )
