"""What Microsoft Entra's token errors mean, as one table.

Codes: "Microsoft Entra authentication and authorization error codes" (learn.microsoft.com, reference-error-codes),
"Conditional Access developer guidance", and for tenants that are gone AzureAD/microsoft-authentication-library-for-dotnet
issue 5251 (5000224) and Azure/azure-cli issue 32031 (5000225). Microsoft warns that AADSTS numbers may change, so ``error``
and ``suberror`` decide where no number is known.

Only what names our own application, secret, certificate or redirect is the operator's. A refusal of a kind we do not know
is the mailbox's: ``app/tokens.py`` compares it with what other organizations get before it blames anybody.
"""

from collections.abc import Mapping
from enum import Enum, auto

from domain.errors import (
    AccountDisabled,
    AdminApprovalRequired,
    ConsentMissing,
    MailboxDisconnected,
    NotAssigned,
    OnbehalfError,
    OperatorMisconfigured,
    OrganizationGone,
    PolicyBlocked,
    ProviderError,
    ProviderUnavailable,
    RefusalUnexplained,
)


class Meaning(Enum):
    """Who has to do something."""

    SIGN_IN = auto()  # the mailbox's owner signs in again
    CONSENT = auto()  # the owner, or an administrator, consents
    ADMIN = auto()  # the tenant's administrator approves the app
    NOT_ASSIGNED = auto()  # the tenant's administrator assigns the person to the app
    POLICY = auto()  # the tenant's policy refuses; signing in again does not help
    GONE = auto()  # the account is disabled, locked, deleted or not of that tenant
    TENANT_GONE = auto()  # the tenant is deleted, blocked or its subscription has ended
    OURS = auto()  # our app registration or settings
    UNKNOWN = auto()  # none of these; other organizations' answers tell whose it is
    TRANSIENT = auto()


MEANINGS: Mapping[int, Meaning] = {
    code: meaning
    for meaning, codes in {
        Meaning.SIGN_IN: (
            *(50173, 700082, 70008, 70000, 50132, 50133, 50089, 70043, 700084, 54005),
            *(
                9002313,
                700081,
                700003,
                50058,
                50140,
                160021,
            ),  # a damaged or outworn token, a session that ended
            # Asking for a second factor; ``claims`` of the answer go into the next sign-in.
            *(50076, 50079, 50072, 50074, 50078, 50158, 500121),
        ),
        Meaning.CONSENT: (65001, 65004),
        Meaning.ADMIN: (
            *(90094, 90095, 90008, 650056, 65005),
            *(
                500011,
                700016,
                650052,
                650051,
                7000112,
                500014,
                70001,
                7000229,
            ),  # the app is absent or disabled in the tenant
        ),
        Meaning.NOT_ASSIGNED: (50105,),
        Meaning.POLICY: (
            *(53000, 53001, 53002, 53003, 53004, 53009, 53010, 53011, 530032, 530035, 530003, 530021, 50131),
            *(530001, 530002, 530004, 530031, 530033, 530034),
            *(500212, 500213, 500021, 500022, 50005, 50097, 50129, 50155),
        ),
        Meaning.GONE: (50057, 50034, 51004, 50053, 50055, 50144, 50020, 50177, 90072, 500341, 500571, 16003),
        Meaning.TENANT_GONE: (90002, 5000224, 5000225, 50059, 50128),
        Meaning.OURS: (
            *(7000215, 7000222, 7000218, 7000216, 50012),  # our secret
            *(
                700027,
                700021,
                700022,
                700023,
                700024,
                700030,
                7000212,
                7000214,
            ),  # our certificate or assertion
            *(50027, 700211, 700212, 700213, 700231),  # our workload identity's federation
            *(
                50011,
                500113,
                500112,
                70011,
                50194,
                650057,
                700054,
            ),  # our registration: redirect, scope, audience, response type
        ),
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
    "invalid_client": Meaning.OURS,  # it is our authentication that failed
    "unauthorized_client": Meaning.UNKNOWN,
    "unsupported_grant_type": Meaning.UNKNOWN,
    "invalid_request": Meaning.UNKNOWN,
    "invalid_scope": Meaning.UNKNOWN,
    "invalid_resource": Meaning.UNKNOWN,
    "invalid_tenant": Meaning.TENANT_GONE,  # what the discovery document of a deleted tenant says
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
    Meaning.GONE: (
        AccountDisabled,
        "The account is disabled, locked or deleted at Microsoft, or not in that organization",
    ),
    Meaning.TENANT_GONE: (
        OrganizationGone,
        "The account's organization at Microsoft is gone or blocked",
    ),
    Meaning.CONSENT: (ConsentMissing, "A permission the app needs was declined or withdrawn"),
    Meaning.ADMIN: (AdminApprovalRequired, "The organization's administrator must approve the app"),
    Meaning.NOT_ASSIGNED: (
        NotAssigned,
        "The organization lets only assigned people use the app, and this account is not assigned",
    ),
    Meaning.POLICY: (PolicyBlocked, "A policy of the organization blocks the sign-in"),
    Meaning.UNKNOWN: (
        RefusalUnexplained,
        "Microsoft refuses this account and does not say why in words we know",
    ),
    Meaning.TRANSIENT: (ProviderUnavailable, "Microsoft Entra cannot answer at the moment"),
}


def failure(answer: Mapping[str, object]) -> OnbehalfError:
    """The error that a token endpoint's (or an authorize callback's) error answer stands for."""
    code, meaning = read(answer)
    if meaning is Meaning.OURS:
        return OperatorMisconfigured(app_refused(code))
    kind, text = _TEXTS[meaning]
    return kind(f"{text} ({code}).", code=code)


def app_refused(code: str) -> str:
    """What operators read when Entra refuses the application itself."""
    return (
        f"Microsoft Entra refuses our app ({code}). Check MICROSOFT_CLIENT_ID, its proof (the client secret, or what"
        " MICROSOFT_CREDENTIAL names instead) and the app registration."
    )


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
