"""What the errors of Google's token endpoint and consent page mean, as one table.

Codes: "Using OAuth 2.0 for Web Server Applications" (authorization errors: ``admin_policy_enforced``, ``org_internal``,
``deleted_client``, ``invalid_client``, ``invalid_grant``, ``redirect_uri_mismatch``, …) and "Refresh token expiration" in "Using
OAuth 2.0 to Access Google APIs" (developers.google.com/identity/protocols/oauth2). ``invalid_rapt`` and ``rapt_required`` are
google-auth's ``google.oauth2.reauth``: the organization wants its people to sign in again from time to time.

``invalid_grant`` covers a revoked consent, a changed password, six months without use, seven days of an app in testing, and one
token too many, and Google does not say which. For all of them the mailbox's owner signs in again: one cause, one pause.
"""

from collections.abc import Mapping
from enum import Enum, auto

from domain.errors import (
    AccountDisabled,
    AdminApprovalRequired,
    ConsentMissing,
    MailboxDisconnected,
    OnbehalfError,
    OperatorMisconfigured,
    PolicyBlocked,
    ProviderError,
    ProviderUnavailable,
    RefusalUnexplained,
)


class Meaning(Enum):
    """Who has to act, and how."""

    SIGN_IN = auto()  # the mailbox's owner signs in again
    CONSENT = auto()  # the owner consents
    ADMIN = auto()  # the Workspace administrator trusts the app
    POLICY = auto()  # a policy refuses; signing in again does not help
    GONE = auto()  # the account is deleted
    OURS = auto()  # our app's registration or settings
    UNKNOWN = auto()
    TRANSIENT = auto()


_BY_ERROR: Mapping[str, Meaning] = {
    "invalid_grant": Meaning.SIGN_IN,
    "access_denied": Meaning.CONSENT,
    "invalid_scope": Meaning.CONSENT,
    "admin_policy_enforced": Meaning.ADMIN,
    "org_internal": Meaning.OURS,
    **dict.fromkeys(
        (
            "invalid_client",
            "deleted_client",
            "disabled_client",
            "unauthorized_client",
            "redirect_uri_mismatch",
            "invalid_request",
            "unsupported_grant_type",
        ),
        Meaning.OURS,
    ),
    **dict.fromkeys(
        ("internal_failure", "server_error", "temporarily_unavailable", "rate_limit_exceeded"),
        Meaning.TRANSIENT,
    ),
}
# What only the description says, in lower case.
_BY_TEXT: Mapping[tuple[str, str], Meaning] = {
    ("invalid_grant", "account has been deleted"): Meaning.GONE,
    ("access_denied", "account restricted"): Meaning.POLICY,
}
_TEXTS: Mapping[Meaning, tuple[type[ProviderError], str]] = {
    Meaning.SIGN_IN: (MailboxDisconnected, "Google wants the mailbox's owner to sign in again"),
    Meaning.CONSENT: (ConsentMissing, "A permission the app needs was declined or withdrawn"),
    Meaning.ADMIN: (
        AdminApprovalRequired,
        "The organization's Google administrator must mark the app as trusted",
    ),
    Meaning.POLICY: (PolicyBlocked, "A policy of Google or of the organization blocks the sign-in"),
    Meaning.GONE: (AccountDisabled, "The account is deleted at Google"),
    Meaning.UNKNOWN: (RefusalUnexplained, "Google refuses this account for a reason we do not recognize"),
    Meaning.TRANSIENT: (ProviderUnavailable, "Google's sign-in service cannot answer at the moment"),
}


def failure(answer: Mapping[str, object]) -> OnbehalfError:
    """Return the error for an error answer of the token endpoint (or of the consent page)."""
    code, meaning = read(answer)
    if meaning is Meaning.OURS:
        return OperatorMisconfigured(app_refused(code))
    kind, text = _TEXTS[meaning]
    return kind(f"{text} ({code}).", code=code)


def app_refused(code: str) -> str:
    """Return the operators' message when Google refuses the app itself."""
    return (
        f"Google refuses our app ({code}). Check GOOGLE_CLIENT_ID, GOOGLE_CLIENT_SECRET and the app in the Google Cloud"
        " console: its redirect address, its user type, its publishing status."
    )


def read(answer: Mapping[str, object]) -> tuple[str, Meaning]:
    """Return the short code for people and its meaning."""
    error, text, subtype = (answer.get(name) for name in ("error", "error_description", "error_subtype"))
    if not isinstance(error, str) or error not in _BY_ERROR:
        return "unknown_error", Meaning.UNKNOWN
    meaning = _BY_TEXT.get((error, text.strip().rstrip(".").lower())) if isinstance(text, str) else None
    code = str(subtype) if subtype in ("invalid_rapt", "rapt_required") else error
    return code, meaning or _BY_ERROR[error]
