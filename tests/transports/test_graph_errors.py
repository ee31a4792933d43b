"""Each documented answer of Graph has one meaning. On a submission, only certain answers are certain."""

import itertools
import re
from datetime import UTC, datetime, timedelta

import orjson
import pytest

from domain.errors import (
    ConnectionRefused,
    ConsentMissing,
    DeliveryInDoubt,
    MailboxDisconnected,
    MessageRejected,
    PolicyBlocked,
    ProviderError,
    ProviderUnavailable,
    RecipientRejected,
    SendingLimitReached,
    Throttled,
)
from transports import graph_words
from transports.graph_errors import Purpose, failure, is_gone, request_id
from transports.graph_words import WORDS
from transports.retry_after import retry_after

TERRL = (
    "550 5.7.233 Your message can't be sent because your tenant exceeded its daily limit for sending email to"
    " external recipients (tenant external recipient rate limit)"
)
ACCESS_POLICY = (
    "Access to OData is disabled: [RAOP] : Blocked by tenant configured AppOnly AccessPolicy settings."
)


def error(code: str, message: str = "", inner: dict[str, object] | None = None) -> bytes:
    return orjson.dumps({"error": {"code": code, "message": message, "innerError": inner or {}}})


CASES = [
    # status, code, message, what it means for a draft, what it means for a submission
    (401, "InvalidAuthenticationToken", "", MailboxDisconnected, MailboxDisconnected),
    (403, "ErrorAccessDenied", "Access is denied. Check credentials.", ConsentMissing, ConsentMissing),
    (403, "ErrorAccessDenied", ACCESS_POLICY, PolicyBlocked, PolicyBlocked),
    (403, "Authorization_RequestDenied", "", ConsentMissing, ConsentMissing),
    (403, "ErrorSendAsDenied", "", PolicyBlocked, PolicyBlocked),
    (403, "SomethingNew", "", PolicyBlocked, PolicyBlocked),
    (400, "ErrorInvalidRecipients", "", RecipientRejected, RecipientRejected),
    (400, "ErrorMissingRecipients", "", MessageRejected, MessageRejected),
    (400, "ErrorMessageSizeExceeded", "", MessageRejected, MessageRejected),
    (413, "ErrorMessageSizeExceeded", "", MessageRejected, MessageRejected),
    (413, "", "", MessageRejected, MessageRejected),
    (400, "SomethingNew", "", MessageRejected, MessageRejected),
    (400, "ErrorSubmissionQuotaExceeded", "", SendingLimitReached, SendingLimitReached),
    (403, "ErrorExceededMessageLimit", "", SendingLimitReached, SendingLimitReached),
    (429, "ErrorExceededHourlyMessageLimit", "", SendingLimitReached, SendingLimitReached),
    (403, "ErrorExceededMaxRecipientLimit", "", SendingLimitReached, SendingLimitReached),
    (403, "ErrorQuotaExceeded", "", PolicyBlocked, SendingLimitReached),
    (403, "ErrorAccessDenied", TERRL, SendingLimitReached, SendingLimitReached),
    (
        429,
        "UnknownError",
        "The sender's submission quota was exceeded.",
        SendingLimitReached,
        SendingLimitReached,
    ),
    (403, "UnknownError", "550 5.7.708 Access denied", PolicyBlocked, PolicyBlocked),
    (403, "ErrorAccountSuspend", "", PolicyBlocked, PolicyBlocked),
    (403, "ErrorMessageSubmissionBlocked", "", PolicyBlocked, PolicyBlocked),
    (429, "UnknownError", "WASCL UserAction verdict is not None.", PolicyBlocked, PolicyBlocked),
    (507, "ErrorQuotaExceeded", "", PolicyBlocked, DeliveryInDoubt),
    (404, "MailboxNotEnabledForRESTAPI", "", MailboxDisconnected, DeliveryInDoubt),
    (404, "ErrorItemNotFound", "", ProviderUnavailable, DeliveryInDoubt),
    (404, "ErrorNonExistentMailbox", "", ProviderUnavailable, DeliveryInDoubt),
    (400, "ErrorServerBusy", "", ProviderUnavailable, DeliveryInDoubt),
    (409, "ErrorIrresolvableConflict", "", ProviderUnavailable, DeliveryInDoubt),
    (412, "ErrorIrresolvableConflict", "", ProviderUnavailable, DeliveryInDoubt),
    (408, "", "", ProviderUnavailable, DeliveryInDoubt),
    (429, "TooManyRequests", "", Throttled, Throttled),
    (429, "ApplicationThrottled", "Application is over its MailboxConcurrency limit.", Throttled, Throttled),
    (429, "UnknownError", "", Throttled, Throttled),
    (509, "", "", Throttled, DeliveryInDoubt),
    (500, "ErrorInternalServerError", "", ProviderUnavailable, DeliveryInDoubt),
    (502, "", "", ProviderUnavailable, DeliveryInDoubt),
    (503, "ServiceUnavailable", "", ProviderUnavailable, DeliveryInDoubt),
    (504, "UnknownError", "", ProviderUnavailable, DeliveryInDoubt),
    (302, "", "", ProviderUnavailable, DeliveryInDoubt),
]


@pytest.mark.parametrize(("status", "code", "message", "draft", "submission"), CASES)
def test_documented_answer_means_one_thing(
    status: int, code: str, message: str, draft: type[ProviderError], submission: type[ProviderError]
) -> None:
    body = error(code, message) if code else b""
    assert type(failure(status, {}, body, Purpose.WRITE)) is draft
    assert type(failure(status, {}, body, Purpose.SEND)) is submission


@pytest.mark.parametrize(
    "code", ["", "ErrorAccessDenied", "ErrorInvalidRecipients", "ErrorExceededMessageLimit"]
)
def test_on_a_submission_no_other_status_is_certain(code: str) -> None:
    others = set(range(300, 600)) - {400, 401, 403, 413, 429}
    found = {status: type(failure(status, {}, error(code), Purpose.SEND)) for status in others}
    assert found == dict.fromkeys(others, DeliveryInDoubt)


@pytest.mark.parametrize("status", [200, 201, 204, 400, 403])
@pytest.mark.parametrize(
    "body", [b"", b"<html>gateway</html>", b'{"error":', b"[]", b'{"error":"x"}', b"\xff\x00"]
)
def test_a_submission_refused_by_something_that_is_not_graph_is_in_doubt(status: int, body: bytes) -> None:
    assert type(failure(status, {}, body, Purpose.SEND)) is DeliveryInDoubt


def test_the_innermost_known_code_decides() -> None:
    inner: dict[str, object] = {
        "code": "ErrorInvalidRecipients",
        "innererror": {"code": "SomethingOfNoConcern"},
    }
    assert type(failure(400, {}, error("BadRequest", inner=inner), Purpose.SEND)) is RecipientRejected


@pytest.mark.parametrize("purpose", [Purpose.WRITE, Purpose.SEND])
@pytest.mark.parametrize(
    ("status", "code", "certain"),
    [
        # A request of ours that is malformed, or a rule of the organization, refuses everybody's email alike.
        (400, "SomethingNew", False),
        (400, "BadRequest", False),
        (400, "RequestBodyRead", False),
        (400, "ErrorInvalidPropertySet", False),
        (400, "InvalidInternetMessageHeader", False),
        (400, "ErrorMimeContentInvalid", False),
        (400, "ErrorMissingRecipients", False),
        (400, "ErrorInvalidRecipients", True),
        (400, "ErrorMessageSizeExceeded", True),
        (413, "SomethingNew", True),
        (413, "", True),
    ],
)
def test_only_a_refusal_that_says_what_it_is_about_is_believed_at_once(
    status: int, code: str, certain: bool, purpose: Purpose
) -> None:
    said = failure(status, {}, error(code) if code else b"", purpose)
    assert isinstance(said, RecipientRejected | MessageRejected)
    assert said.certain is certain


def test_endless_nesting_ends() -> None:
    nested: dict[str, object] = {}
    for _ in range(100):
        nested = {"innerError": nested, "code": "x"}
    assert type(failure(400, {}, orjson.dumps({"error": nested}), Purpose.WRITE)) is MessageRejected


@pytest.mark.parametrize("purpose", list(Purpose))
def test_texts_hold_no_words_of_the_answer(purpose: Purpose) -> None:
    secret = "anna@example.org Offer for you eyJ0eXAi"
    for code in WORDS:
        said = failure(400, {"request-id": "anna@example.org"}, error(code, secret), purpose)
        assert not re.search(r"anna|Offer|eyJ", f"{said} {said.code}"), code


@pytest.mark.parametrize("hostile", ["x" * 100, "a b", "a@b", "\r\nX: y", "<script>"])
def test_a_code_that_is_no_code_is_not_repeated(hostile: str) -> None:
    assert hostile not in str(failure(400, {}, error(hostile), Purpose.WRITE))


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("10", 10), (" 7 ", 7), ("1.5", 1.5), ("0", 1), ("-5", 1), ("999999", 3600), ("9" * 12, 3600),
        ("9" * 60, 30), ("9" * 5000, 30), ("", 30), ("soon", 30), (None, 30), ("1e9", 30), ("nan", 30), ("120, 60", 120), ("30,90", 90), ("1,", 30),
        ("Sat, 21 Nov 2026 12:00:20 GMT", 20), ("Sat, 21 Nov 2026 11:00:00 GMT", 1),
        ("Sat, 21 Nov 2026 12:00:20", 20), ("Fri, 21 Nov 2036 12:00:00 GMT", 3600), ("Sat, 99 Nov 2026 12:00:20 GMT", 30),
    ],
)  # fmt: skip
def test_retry_after_is_read_in_both_forms_and_held_in_bounds(value: str | None, seconds: float) -> None:
    now = datetime(2026, 11, 21, 12, tzinfo=UTC)
    assert retry_after(value, now) == timedelta(seconds=seconds)


def test_a_concurrency_limit_names_itself_and_waits_for_a_call_to_end() -> None:
    body = error("ApplicationThrottled", "Application is over its MailboxConcurrency limit.")
    said = failure(429, {"retry-after": "0"}, body, Purpose.WRITE)
    assert isinstance(said, Throttled)
    assert (said.code, said.retry_after) == ("MailboxConcurrency", timedelta(seconds=3))


def test_throttling_names_the_time() -> None:
    said = failure(429, {"retry-after": "17"}, error("TooManyRequests"), Purpose.SEND)
    assert isinstance(said, Throttled)
    assert said.retry_after == timedelta(seconds=17)


def test_only_graph_can_say_that_an_item_is_gone() -> None:
    assert is_gone(404, error("ErrorItemNotFound"))
    assert not is_gone(404, b"<html>Not Found</html>")
    assert not is_gone(404, error("MailboxNotEnabledForRESTAPI"))
    assert not is_gone(503, error("ErrorItemNotFound"))


def test_a_strange_request_id_is_left_out() -> None:
    assert request_id({"request-id": "7f1c-AB"}) == "7f1c-AB"
    assert request_id({"request-id": "a b"}) == ""
    assert request_id({}) == ""


STATUSES = [302, 400, 401, 403, 404, 408, 409, 413, 429, 500, 502, 503, 504, 507, 509]


@pytest.mark.parametrize("purpose", list(Purpose))
def test_what_people_read_is_one_sentence_without_codes_and_ids(purpose: Purpose) -> None:
    spelling = {each.lower(): each for each in SPELLED}
    for status, code in itertools.product(STATUSES, ["", "SomethingNew", *WORDS]):
        spelled = spelling.get(code, code)
        body = error(spelled, "Access is denied.") if code else b""
        said = failure(status, {"request-id": "7f1c-AB", "retry-after": "5"}, body, purpose)
        text = str(said)
        assert re.search(r"[^.]\.$", text), text
        assert not re.search(
            r"7f1c|Error[A-Z]|\b\d{3}\b|Graph|request|[a-z][A-Z]", text.replace("Microsoft 365", "")
        ), text
        assert not spelled or spelled.lower() not in text.lower()
        assert said.request_id == "7f1c-AB"


@pytest.mark.parametrize(
    "text",
    [graph_words.QUOTA, graph_words.TENANT_LIMIT, graph_words.SPAM, graph_words.ACCESS_POLICY]
    + [graph_words.sentence("SomethingNew", status) for status in STATUSES],
)
def test_every_other_sentence_is_one_too(text: str) -> None:
    assert re.fullmatch(r"[A-Z][^.]*(365)?[^.]*\.", text), text


SPELLED = [
    "MailboxNotEnabledForRESTAPI", "ErrorAccountSuspend", "ErrorSendAsDenied", "ErrorQuotaExceeded", "ApplicationThrottled",
    "ErrorInternalServerError", "ErrorItemNotFound", "ErrorInvalidRecipients", "UnknownError", "TooManyRequests",
]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "message", "headers", "seconds"),
    [
        ("ApplicationThrottled", "Application is over its RequestRate limit.", {"retry-after": "30"}, 30),
        (
            "ApplicationThrottled",
            "Application is over its MailboxConcurrency limit.",
            {"retry-after": "0"},
            3,
        ),
        ("TooManyRequests", "", {"retry-after": "999999999"}, 3600),
        ("TooManyRequests", "", {"retry-after": "-1"}, 1),
        ("UnknownError", "", {}, 30),
    ],
)
@pytest.mark.parametrize("status", [429, 509])
def test_a_throttled_submission_says_how_long_and_is_looked_for(
    status: int, code: str, message: str, headers: dict[str, str], seconds: int
) -> None:
    said = failure(status, headers, error(code, message), Purpose.SEND)
    assert isinstance(said, Throttled) or (isinstance(said, DeliveryInDoubt) and said.throttled)
    assert said.retry_after == timedelta(seconds=seconds)
    assert not getattr(said, "untaken", False)


def test_a_busy_exchange_that_says_how_long_throttles_and_a_gateway_only_asks_to_wait() -> None:
    busy = failure(503, {"retry-after": "7"}, error("ErrorServerBusy"), Purpose.SEND)
    assert isinstance(busy, DeliveryInDoubt)
    gateway = failure(503, {"retry-after": "7"}, b"<html>Service Unavailable</html>", Purpose.SEND)
    assert isinstance(gateway, DeliveryInDoubt)
    assert (busy.throttled, gateway.throttled) == (True, False)
    assert gateway.retry_after == busy.retry_after == timedelta(seconds=7)
    for purpose in (Purpose.READ, Purpose.WRITE):
        assert isinstance(failure(503, {"retry-after": "7"}, b"", purpose), Throttled)


@pytest.mark.parametrize(
    ("header", "seconds"), [({}, 3600), ({"retry-after": "600"}, 600), ({"retry-after": "9" * 9}, 86400)]
)
def test_a_limit_waits_an_hour_or_as_long_as_it_says_but_no_more_than_a_day(
    header: dict[str, str], seconds: int
) -> None:
    said = failure(429, header, error("ErrorExceededMessageLimit"), Purpose.SEND)
    assert isinstance(said, SendingLimitReached)
    assert (said.retry_after, said.untaken) == (timedelta(seconds=seconds), True)


@pytest.mark.parametrize(
    ("code", "reason"),
    [("ErrorAccountSuspend", "sending_blocked"), ("ErrorMessageSubmissionBlocked", "sending_blocked"),
     ("ErrorSendAsDenied", "send_as_denied"), ("SomethingNew", "policy_blocked"), ("ErrorAccessDenied", "consent_missing")],
)  # fmt: skip
def test_what_a_submission_is_refused_for_only_a_submission_proves_over(code: str, reason: str) -> None:
    said = failure(403, {}, error(code, "No."), Purpose.SEND)
    assert isinstance(said, ConnectionRefused)
    assert (said.reason, said.on_send) == (reason, True)
    read = failure(403, {}, error(code, "No."), Purpose.READ)
    assert isinstance(read, ConnectionRefused)
    assert not read.on_send
