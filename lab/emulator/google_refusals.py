"""Google's refusals: what its token endpoint and the Gmail API answer for each, as documentation and users' reports show them.

Gmail: "Resolve errors" (developers.google.com/workspace/gmail/api/guides/handle-errors); "Mail service not enabled" is
FlowCrypt/flowcrypt-browser issue 435, "Precondition check failed" googleapis/google-api-java-client issue 1648, the words of
quota errors mxngls/gmail-cleaner issue 5, those of topics google-api-nodejs-client issues 1301 and 2843, those of a limit with its end taers232c/GAMADV-XTD3 issue 337.
"""

from datetime import UTC, datetime, timedelta

from lab.emulator.http import Response

# Name: status, error, description, subtype.
TOKEN_REFUSALS: dict[str, tuple[int, str, str, str]] = {
    "google_revoked": (400, "invalid_grant", "Token has been expired or revoked.", ""),
    "google_bad_grant": (400, "invalid_grant", "Bad Request", ""),
    "google_deleted": (400, "invalid_grant", "Account has been deleted", ""),
    "google_reauth": (400, "invalid_grant", "reauth related error (invalid_rapt)", "invalid_rapt"),
    "google_restricted": (400, "access_denied", "Account Restricted", ""),
    "google_policy": (400, "admin_policy_enforced", "The app is blocked by an administrator.", ""),
    "google_internal_app": (403, "org_internal", "This client is restricted to its organization.", ""),
    "google_denied": (403, "access_denied", "The user denied access.", ""),
    "google_unverified": (403, "access_denied", "The app has not completed the verification process.", ""),
    "google_unknown_client": (401, "invalid_client", "The OAuth client was not found.", ""),
    "google_deleted_client": (401, "deleted_client", "The OAuth client was deleted.", ""),
    "google_wrong_secret": (401, "invalid_client", "Unauthorized", ""),
    "google_wrong_kind": (401, "unauthorized_client", "Unauthorized", ""),
}
# Refusals that Google shows on a page of its own: nobody returns to the app.
ON_ITS_OWN_PAGE = {"google_policy", "google_internal_app", "google_unverified"}

# Name: status, reason, domain, message.
GMAIL_REFUSALS: dict[str, tuple[int, str, str, str]] = {
    "gmail_user_rate": (403, "userRateLimitExceeded", "usageLimits", "User Rate Limit Exceeded"),
    "gmail_rate": (403, "rateLimitExceeded", "usageLimits", "Rate Limit Exceeded"),
    "gmail_queries": (
        403,
        "rateLimitExceeded",
        "usageLimits",
        "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute per user' of service 'gmail.googleapis.com'.",
    ),
    "gmail_daily": (403, "dailyLimitExceeded", "usageLimits", "Daily Limit Exceeded"),
    "gmail_exhausted": (
        429,
        "rateLimitExceeded",
        "global",
        "Resource has been exhausted (e.g. check quota).",
    ),
    "gmail_concurrent": (429, "rateLimitExceeded", "usageLimits", "Too many concurrent requests for user."),
    "gmail_sending_limit": (
        429,
        "rateLimitExceeded",
        "usageLimits",
        "User-rate limit exceeded.  Retry after {end} (Mail sending)",
    ),
    "gmail_backend": (503, "backendError", "global", "Backend Error"),
    "gmail_internal": (500, "internalError", "global", "Internal error encountered."),
    "gmail_policy": (
        403,
        "domainPolicy",
        "global",
        "The domain administrators have disabled Gmail apps.",
    ),
    "gmail_off": (400, "failedPrecondition", "global", "Mail service not enabled"),
    "gmail_precondition": (400, "failedPrecondition", "global", "Precondition check failed."),
    "gmail_delegation": (403, "forbidden", "global", "Delegation denied for somebody@acme.example"),
    "gmail_topic_not_permitted": (
        403,
        "forbidden",
        "global",
        "Error sending test message to Cloud PubSub projects/acme/topics/gmail : User not authorized to perform this action.",
    ),
    "gmail_topic_missing": (
        404,
        "notFound",
        "global",
        "Error sending test message to Cloud PubSub projects/acme/topics/gmail : Resource not found (resource=gmail).",
    ),
    "gmail_topic_elsewhere": (
        400,
        "invalidArgument",
        "global",
        "Invalid topicName does not match projects/acme-mail/topics/*",
    ),
    "gmail_not_configured": (
        403,
        "accessNotConfigured",
        "usageLimits",
        "Gmail API has not been used in project 1 before or it is disabled.",
    ),
}
_STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}
_LIMIT_LASTS = timedelta(hours=2)


def gmail_error(status: int, reason: str, message: str, domain: str = "global") -> Response:
    """Return an error like the Gmail API's."""
    named = "FAILED_PRECONDITION" if reason == "failedPrecondition" else _STATUSES.get(status, "UNKNOWN")
    error = {
        "code": status,
        "message": message,
        "errors": [{"message": message, "domain": domain, "reason": reason}],
        "status": named,
    }
    return Response(status, {"error": error})


def gmail_refusal(name: str, headers: dict[str, str]) -> Response:
    """Return the Gmail API's answer with that name, with additional ``headers``."""
    status, reason, domain, message = GMAIL_REFUSALS[name]
    end = (datetime.now(UTC) + _LIMIT_LASTS).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    answer = gmail_error(status, reason, message.format(end=end), domain)
    answer.headers |= headers
    return answer


def token_refusal(name: str) -> Response:
    """Return an error of the token endpoint, shaped like Google's."""
    status, error, description, subtype = TOKEN_REFUSALS[name]
    value = {"error": error, "error_description": description}
    if subtype:
        value |= {"error_subtype": subtype, "error_uri": "https://support.google.com/a/answer/9368756"}
    return Response(status, value)
