"""Each documented answer of Graph means one thing, and on a submission only certain answers are certain."""

import re
from datetime import UTC, datetime, timedelta

import orjson
import pytest

from domain.errors import (
    ConsentMissing,
    DeliveryUnknown,
    MailboxDisconnected,
    MessageRejected,
    PolicyBlocked,
    ProviderError,
    ProviderUnavailable,
    RecipientRejected,
    Throttled,
)
from transports.graph_errors import MEANINGS, Purpose, failure, is_gone, request_id, retry_after

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
    (400, "ErrorMissingRecipients", "", RecipientRejected, RecipientRejected),
    (400, "ErrorMessageSizeExceeded", "", MessageRejected, MessageRejected),
    (413, "ErrorMessageSizeExceeded", "", MessageRejected, MessageRejected),
    (413, "", "", MessageRejected, MessageRejected),
    (400, "SomethingNew", "", MessageRejected, MessageRejected),
    (400, "ErrorSubmissionQuotaExceeded", "", PolicyBlocked, PolicyBlocked),
    (403, "ErrorExceededMessageLimit", "", PolicyBlocked, PolicyBlocked),
    (429, "ErrorExceededHourlyMessageLimit", "", PolicyBlocked, PolicyBlocked),
    (403, "ErrorMessageSubmissionBlocked", "", PolicyBlocked, PolicyBlocked),
    (429, "UnknownError", "WASCL UserAction verdict is not None.", PolicyBlocked, PolicyBlocked),
    (507, "ErrorQuotaExceeded", "", PolicyBlocked, DeliveryUnknown),
    (404, "MailboxNotEnabledForRESTAPI", "", MailboxDisconnected, DeliveryUnknown),
    (404, "ErrorItemNotFound", "", ProviderUnavailable, DeliveryUnknown),
    (404, "ErrorNonExistentMailbox", "", ProviderUnavailable, DeliveryUnknown),
    (400, "ErrorServerBusy", "", ProviderUnavailable, DeliveryUnknown),
    (409, "ErrorIrresolvableConflict", "", ProviderUnavailable, DeliveryUnknown),
    (412, "ErrorIrresolvableConflict", "", ProviderUnavailable, DeliveryUnknown),
    (408, "", "", ProviderUnavailable, DeliveryUnknown),
    (429, "TooManyRequests", "", Throttled, Throttled),
    (429, "ApplicationThrottled", "Application is over its MailboxConcurrency limit.", Throttled, Throttled),
    (429, "UnknownError", "", Throttled, Throttled),
    (509, "", "", Throttled, DeliveryUnknown),
    (500, "ErrorInternalServerError", "", ProviderUnavailable, DeliveryUnknown),
    (502, "", "", ProviderUnavailable, DeliveryUnknown),
    (503, "ServiceUnavailable", "", ProviderUnavailable, DeliveryUnknown),
    (504, "UnknownError", "", ProviderUnavailable, DeliveryUnknown),
    (302, "", "", ProviderUnavailable, DeliveryUnknown),
]


@pytest.mark.parametrize(("status", "code", "message", "draft", "submission"), CASES)
def test_documented_answer_means_one_thing(
    status: int, code: str, message: str, draft: type[ProviderError], submission: type[ProviderError]
) -> None:
    body = error(code, message) if code else b""
    assert type(failure(status, {}, body, Purpose.WRITE)) is draft
    assert type(failure(status, {}, body, Purpose.SEND)) is submission


@pytest.mark.parametrize("status", [s for s in range(300, 600) if s not in {400, 401, 403, 413, 429}])
@pytest.mark.parametrize(
    "code", ["", "ErrorAccessDenied", "ErrorInvalidRecipients", "ErrorExceededMessageLimit"]
)
def test_on_a_submission_no_other_status_is_certain(status: int, code: str) -> None:
    assert type(failure(status, {}, error(code), Purpose.SEND)) is DeliveryUnknown


@pytest.mark.parametrize("status", [200, 201, 204, 400, 403])
@pytest.mark.parametrize(
    "body", [b"", b"<html>gateway</html>", b'{"error":', b"[]", b'{"error":"x"}', b"\xff\x00"]
)
def test_a_submission_refused_by_something_that_is_not_graph_is_in_doubt(status: int, body: bytes) -> None:
    assert type(failure(status, {}, body, Purpose.SEND)) is DeliveryUnknown


def test_the_innermost_known_code_decides() -> None:
    inner: dict[str, object] = {
        "code": "ErrorInvalidRecipients",
        "innererror": {"code": "SomethingOfNoConcern"},
    }
    assert type(failure(400, {}, error("BadRequest", inner=inner), Purpose.SEND)) is RecipientRejected


def test_endless_nesting_ends() -> None:
    nested: dict[str, object] = {}
    for _ in range(100):
        nested = {"innerError": nested, "code": "x"}
    assert type(failure(400, {}, orjson.dumps({"error": nested}), Purpose.WRITE)) is MessageRejected


@pytest.mark.parametrize("code", sorted(MEANINGS))
@pytest.mark.parametrize("purpose", list(Purpose))
def test_texts_hold_no_words_of_the_answer(code: str, purpose: Purpose) -> None:
    secret = "anna@example.org Offer for you eyJ0eXAi"
    said = failure(400, {"request-id": "anna@example.org"}, error(code, secret), purpose)
    assert not re.search(r"anna|Offer|eyJ", f"{said} {said.code}")


@pytest.mark.parametrize("hostile", ["x" * 100, "a b", "a@b", "\r\nX: y", "<script>"])
def test_a_code_that_is_no_code_is_not_repeated(hostile: str) -> None:
    assert hostile not in str(failure(400, {}, error(hostile), Purpose.WRITE))


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("10", 10), (" 7 ", 7), ("1.5", 1.5), ("0", 1), ("-5", 1), ("999999", 3600), ("9" * 12, 3600),
        ("9" * 60, 30), ("9" * 5000, 30), ("", 30), ("soon", 30), (None, 30), ("1e9", 30), ("nan", 30),
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
