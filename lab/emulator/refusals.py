"""Graph's refusals by name, as its documentation and people's reports show them: for faults that need no spelling out."""

from lab.emulator.http import Response
from lab.emulator.messages import error

# Name: status, code, text, headers.
REFUSALS: dict[str, tuple[int, str, str, dict[str, str]]] = {
    "request_rate": (
        429,
        "ApplicationThrottled",
        "Application is over its RequestRate limit.",
        {"Retry-After": "30"},
    ),
    "mailbox_concurrency": (
        429,
        "ApplicationThrottled",
        "Application is over its MailboxConcurrency limit.",
        {"Retry-After": "0"},
    ),
    "too_many_requests": (429, "TooManyRequests", "Please retry again later.", {"Retry-After": "10"}),
    "throttled_without_a_time": (429, "UnknownError", "", {}),
    "server_busy": (
        503,
        "ErrorServerBusy",
        "The server is busy. Please try again later.",
        {"Retry-After": "10"},
    ),
    "bandwidth": (509, "BandwidthLimitExceeded", "Bandwidth limit exceeded.", {"Retry-After": "10"}),
    "message_limit": (429, "ErrorExceededMessageLimit", "The message limit was exceeded.", {}),
    "hourly_limit": (429, "ErrorExceededHourlyMessageLimit", "The hourly limit was exceeded.", {}),
    "submission_quota": (
        403,
        "ErrorSubmissionQuotaExceeded",
        "The message can't be submitted because the sender's submission quota was exceeded.",
        {},
    ),
    "tenant_limit": (
        403,
        "ErrorAccessDenied",
        "550 5.7.233 Your message can't be sent (tenant external recipient rate limit)",
        {},
    ),
    "quota": (403, "ErrorQuotaExceeded", "The quota was exceeded.", {}),
    "suspended": (
        403,
        "ErrorAccountSuspend",
        "Account suspended. Follow the instructions in your Inbox.",
        {},
    ),
    "blocked": (403, "ErrorMessageSubmissionBlocked", "Cannot send mail.", {}),
    "send_as_denied": (
        403,
        "ErrorSendAsDenied",
        "The user account does not have the right to send mail on behalf of the specified sending account.",
        {},
    ),
    "outbound_spam": (
        429,
        "UnknownError",
        "WASCL UserAction verdict is not None. Actual verdict is Suspend.",
        {},
    ),
}


def refusal(name: str, headers: dict[str, str]) -> Response:
    """The answer of that name; ``headers`` of one's own come on top."""
    status, code, text, usual = REFUSALS[name]
    answer = error(status, code, text)
    answer.headers |= {**usual, **headers}
    return answer
