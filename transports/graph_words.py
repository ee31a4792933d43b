"""Microsoft Graph's codes: what each means, and the sentence for people, which never repeats a code, an id or the answer.

Codes: Exchange ``ResponseCode`` reference, Graph "Error responses", "Throttling limits", the mail API pages.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto


class Meaning(Enum):
    """What a code means, whatever the request."""

    DISCONNECTED = auto()
    NO_MAILBOX = auto()
    CONSENT = auto()
    ACCESS = auto()  # a missing scope or an access policy; the text tells which
    POLICY = auto()
    BLOCKED = auto()  # Microsoft lets this account send nothing until a person acts
    SEND_AS = auto()
    FULL = auto()  # no room in the mailbox; for a submission, possibly its sending quota
    LIMIT = auto()  # the sending limit is reached; this is temporary
    RECIPIENT = auto()
    MESSAGE = auto()
    UNCLEAR = (
        auto()
    )  # the request as it stands: this email's content, or a mistake of ours that all emails share
    BUSY = auto()  # the service asks us to wait
    TRANSIENT = auto()
    GONE = auto()


@dataclass(frozen=True, slots=True)
class Word:
    """``sentence``: for people, with its full stop."""

    meaning: Meaning
    sentence: str


_LIMIT = "Microsoft says that this mailbox has sent as much as it may for now."
_BUSY = "Microsoft asks us to wait a moment before we use this mailbox again."
_AWAY = "Microsoft's mail service is having trouble."
_NO_MAILBOX = "Microsoft says that this account has no mailbox in Microsoft 365 (none, not licensed, or on a server of its own)."
_ADDRESS = "Microsoft says that the recipient's address cannot be written to."
_CONTENT = "Microsoft does not accept the email as it is."
_GONE = "The email is not in the mailbox any more."

WORDS: Mapping[str, Word] = {
    code.lower(): Word(meaning, sentence)
    for meaning, sentence, codes in (
        (
            Meaning.DISCONNECTED,
            "Microsoft no longer accepts this mailbox's sign-in.",
            ("InvalidAuthenticationToken",),
        ),
        (
            Meaning.NO_MAILBOX,
            _NO_MAILBOX,
            (
                "MailboxNotEnabledForRESTAPI",
                "MailboxNotSupportedForRESTAPI",
                "MailboxNotHostedInExchangeOnline",
            ),
        ),
        (
            Meaning.DISCONNECTED,
            "Microsoft no longer knows this account.",
            ("ErrorInvalidUser", "Request_ResourceNotFound"),
        ),
        (
            Meaning.CONSENT,
            "Microsoft says that Onbehalf lacks a permission for this mailbox.",
            ("Authorization_RequestDenied",),
        ),
        (
            Meaning.ACCESS,
            "Microsoft says that Onbehalf lacks a permission for this mailbox.",
            ("ErrorAccessDenied",),
        ),
        (
            Meaning.SEND_AS,
            "Microsoft says that this account may not send as this address.",
            ("ErrorSendAsDenied",),
        ),
        (
            Meaning.BLOCKED,
            "Microsoft has suspended this account, so nothing can be sent from it.",
            ("ErrorAccountSuspend",),
        ),
        (
            Meaning.BLOCKED,
            "Microsoft has blocked this mailbox from sending.",
            ("ErrorMessageSubmissionBlocked", "ErrorMessageBlocked"),
        ),
        (Meaning.FULL, "Microsoft says that this mailbox is full.", ("ErrorQuotaExceeded",)),
        (
            Meaning.LIMIT,
            _LIMIT,
            (
                "ErrorSubmissionQuotaExceeded",
                "ErrorExceededMessageLimit",
                "ErrorExceededHourlyMessageLimit",
                "ErrorExceededMaxRecipientLimit",
            ),
        ),
        (
            Meaning.RECIPIENT,
            _ADDRESS,
            ("ErrorInvalidRecipients", "ErrorInvalidSmtpAddress"),
        ),
        (Meaning.MESSAGE, "The email is larger than Microsoft accepts.", ("ErrorMessageSizeExceeded",)),
        (
            Meaning.UNCLEAR,
            _CONTENT,
            (
                "ErrorMissingRecipients",
                "ErrorMimeContentInvalid",
                "ErrorMimeContentInvalidBase64String",
                "ErrorInvalidPropertySet",
                "InvalidInternetMessageHeader",
                "RequestBodyRead",
            ),
        ),
        (Meaning.BUSY, _BUSY, ("TooManyRequests", "ApplicationThrottled", "ErrorServerBusy")),
        (
            Meaning.TRANSIENT,
            "Microsoft cannot reach this mailbox just now; it may be on its way to another server.",
            (
                "ErrorMailboxStoreUnavailable",
                "ErrorMailboxMoveInProgress",
                # Seen on /send and gone a moment later (microsoft-graph-docs-contrib issue 8823).
                "ErrorNonExistentMailbox",
            ),
        ),
        (
            Meaning.TRANSIENT,
            "Microsoft says that this mailbox is too busy right now.",
            ("ErrorExceededConnectionCount", "CommandConcurrencyLimitReached", "ErrorIrresolvableConflict"),
        ),
        (
            Meaning.TRANSIENT,
            _AWAY,
            (
                "ErrorTimeoutExpired",
                "ErrorInternalServerError",
                "ErrorInternalServerTransientError",
                "ErrorConnectionFailed",
                "ServiceNotAvailable",
                "ServiceUnavailable",
                "GeneralException",
                "UnknownError",
            ),
        ),
        (Meaning.GONE, _GONE, ("ErrorItemNotFound", "ErrorInvalidIdMalformed")),
    )
    for code in codes
}
QUOTA = "Microsoft says that this mailbox has used up its quota: it is full, or has sent as much as it may."
TENANT_LIMIT = "Microsoft says that your organization has sent as much to people outside as it may for now."
SPAM = "Microsoft has blocked this mailbox from sending because its emails were taken for spam."
ACCESS_POLICY = "A rule of your organization keeps Onbehalf out of this mailbox."


def sentence(code: str, status: int) -> str:
    """Return the sentence for people, by status if the code is unknown."""
    if (word := WORDS.get(code.lower())) is not None:
        return word.sentence
    match status:
        case 401:
            return WORDS["invalidauthenticationtoken"].sentence
        case 403:
            return "A rule of your organization, or Microsoft itself, keeps this mailbox from sending."
        case 413:
            return WORDS["errormessagesizeexceeded"].sentence
        case 429 | 509:
            return _BUSY
        case 507:
            return WORDS["errorquotaexceeded"].sentence
        case 400:
            return _CONTENT
        case _:
            return _AWAY if status >= 500 else "Microsoft's answer does not say what happened."
