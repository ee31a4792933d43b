"""What Microsoft Entra's token errors mean, as one table.

Codes: "Microsoft Entra authentication and authorization error codes" and "Conditional Access developer guidance".
Microsoft warns that AADSTS numbers may change, so ``error`` and ``suberror`` decide where no number is known.
"""

from collections.abc import Mapping
from enum import Enum, auto

from domain.errors import (
    AdminApprovalRequired,
    ConsentMissing,
    MailboxDisconnected,
    OnbehalfError,
    OperatorMisconfigured,
    PolicyBlocked,
    ProviderError,
    ProviderUnavailable,
)


class Meaning(Enum):
    """Who has to do something."""

    SIGN_IN = auto()  # the mailbox's owner signs in again
    CONSENT = auto()  # the owner, or an administrator, consents
    ADMIN = auto()  # the tenant's administrator approves or assigns the app
    POLICY = auto()  # the tenant's policy refuses; signing in again does not help
    GONE = auto()  # the account is disabled, locked or deleted
    OURS = auto()  # our app registration or settings
    TRANSIENT = auto()


MEANINGS: Mapping[int, Meaning] = {
    code: meaning
    for meaning, codes in {
        Meaning.SIGN_IN: (
            *(50173, 700082, 70008, 70000, 50132, 50133, 50089, 70043, 700084, 54005),
            # Asking for a second factor; ``claims`` of the answer go into the next sign-in.
            *(50076, 50079, 50072, 50074, 50078, 50158),
        ),
        Meaning.CONSENT: (65001, 65004),
        Meaning.ADMIN: (
            *(90094, 90095, 90008, 650056, 65005, 50105),
            *(500011, 700016, 650052, 7000112, 70001),  # the app is absent or disabled in the tenant
        ),
        Meaning.POLICY: (
            *(53000, 53001, 53002, 53003, 530032, 530035, 50131, 53011),
            *(500212, 500213, 50005, 50097),
        ),
        Meaning.GONE: (50057, 50034, 51004, 50053, 50055, 50144),
        Meaning.OURS: (7000215, 7000222, 700027, 50011, 70011, 50194, 90002),
        Meaning.TRANSIENT: (90033, 90006, 90012, 90024, 90055, 50033, 50196),
    }.items()
    for code in codes
}

# OAuth's own words (RFC 6749 section 5.2), and Microsoft's, where no number is known.
_BY_ERROR: Mapping[str, Meaning] = {
    "invalid_grant": Meaning.SIGN_IN,
    "interaction_required": Meaning.SIGN_IN,
    "login_required": Meaning.SIGN_IN,
    "consent_required": Meaning.CONSENT,
    "access_denied": Meaning.CONSENT,
    "invalid_client": Meaning.OURS,
    "unauthorized_client": Meaning.OURS,
    "unsupported_grant_type": Meaning.OURS,
    "invalid_request": Meaning.OURS,
    "invalid_scope": Meaning.OURS,
    "invalid_resource": Meaning.OURS,
    "temporarily_unavailable": Meaning.TRANSIENT,
    "server_error": Meaning.TRANSIENT,
}
_BY_SUBERROR: Mapping[str, Meaning] = {
    "consent_required": Meaning.CONSENT,
    "admin_consent_required": Meaning.ADMIN,
    "basic_action": Meaning.SIGN_IN,
    "additional_action": Meaning.SIGN_IN,
    "message_only": Meaning.POLICY,
    "user_password_expired": Meaning.SIGN_IN,
    "bad_token": Meaning.SIGN_IN,
    "token_expired": Meaning.SIGN_IN,
    "protection_policy_required": Meaning.POLICY,
}

_TEXTS: Mapping[Meaning, tuple[type[ProviderError], str]] = {
    Meaning.SIGN_IN: (MailboxDisconnected, "Microsoft asks the mailbox's owner to sign in again"),
    Meaning.GONE: (MailboxDisconnected, "The account is disabled, locked or deleted at Microsoft"),
    Meaning.CONSENT: (ConsentMissing, "A permission the app needs was declined or withdrawn"),
    Meaning.ADMIN: (AdminApprovalRequired, "The organization's administrator must approve the app"),
    Meaning.POLICY: (PolicyBlocked, "A policy of the organization blocks the sign-in"),
    Meaning.TRANSIENT: (ProviderUnavailable, "Microsoft Entra cannot answer at the moment"),
}


def failure(answer: Mapping[str, object]) -> OnbehalfError:
    """The error that a token endpoint's (or an authorize callback's) error answer stands for."""
    code, meaning = read(answer)
    if meaning is Meaning.OURS:
        return OperatorMisconfigured(
            f"Microsoft Entra refuses our app ({code}). Check MICROSOFT_CLIENT_ID and MICROSOFT_CLIENT_SECRET,"
            " and the app registration."
        )
    kind, text = _TEXTS[meaning]
    return kind(f"{text} ({code}).", code=code)


def read(answer: Mapping[str, object]) -> tuple[str, Meaning]:
    """The short code for people (``AADSTS50173``, else OAuth's word) and what it means."""
    error, suberror = answer.get("error"), answer.get("suberror")
    for number in _numbers(answer):
        if number in MEANINGS:
            return f"AADSTS{number}", MEANINGS[number]
    meaning = _BY_SUBERROR.get(suberror) if isinstance(suberror, str) else None
    if meaning is None:
        meaning = _BY_ERROR.get(error, Meaning.TRANSIENT) if isinstance(error, str) else Meaning.TRANSIENT
    numbers = _numbers(answer)
    if numbers:
        return f"AADSTS{numbers[0]}", meaning
    known = isinstance(error, str) and error in _BY_ERROR
    return (str(error) if known else "unknown_error"), meaning


def _numbers(answer: Mapping[str, object]) -> list[int]:
    """``error_codes``, or the number that an authorize callback has only in its text."""
    codes = answer.get("error_codes")
    numbers = [code for code in codes if isinstance(code, int)] if isinstance(codes, list) else []
    text = answer.get("error_description")
    if not numbers and isinstance(text, str) and text.startswith("AADSTS"):
        digits = text.removeprefix("AADSTS").partition(":")[0]
        if digits.isascii() and digits.isdigit() and len(digits) <= 9:
            numbers.append(int(digits))
    return numbers
