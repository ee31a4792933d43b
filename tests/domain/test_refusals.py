"""A refusal without a reason: the mailbox's other emails show whom it is about."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.delivery import Fail, PauseConnection, Retry, Verdict
from domain.errors import MessageRejected, RecipientRejected, Refused
from domain.refusals import GIVEN_UP, UNEXPLAINED, Others, weigh

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
HOUR = NOW + timedelta(hours=1)
PERSON = RecipientRejected("no", code="smtp_550", certain=False)
EMAIL = MessageRejected("no", code="smtp_554", certain=False)
ALONE, HELD = Retry(HOUR, UNEXPLAINED), Retry(HOUR, UNEXPLAINED, lane_waits=True)


@pytest.mark.parametrize(
    ("error", "failures", "others", "verdict"),
    [
        (PERSON, 0, Others(False, 0, None), ALONE),
        (PERSON, 0, Others(True, 0, None), ALONE),  # an earlier acceptance says nothing about now
        (PERSON, 1, Others(True, 0, None), Fail("recipient_rejected")),
        (EMAIL, 1, Others(True, 0, None), Fail("smtp_554")),
        (PERSON, 1, Others(False, 0, None), ALONE),
        (PERSON, 2, Others(False, 0, None), Fail(GIVEN_UP)),
        (EMAIL, 2, Others(False, 0, None), Fail(GIVEN_UP)),
        (PERSON, 0, Others(False, 1, NOW), HELD),
        (PERSON, 7, Others(False, 3, NOW - timedelta(hours=23)), HELD),
        (EMAIL, 7, Others(False, 3, NOW - timedelta(hours=25)), PauseConnection("policy_blocked")),
        (PERSON, 1, Others(True, 3, NOW - timedelta(hours=25)), Fail("recipient_rejected")),
    ],
)
def test_whose_a_refusal_without_a_reason_is(
    error: Refused, failures: int, others: Others, verdict: Verdict
) -> None:
    assert weigh(error, failures=failures, others=others, now=NOW) == verdict
