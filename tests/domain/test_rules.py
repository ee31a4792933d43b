"""Grants, lanes, correlation ids, events, the audit chain: the small rules that everything else relies on."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.correlation_id import correlation_id
from domain.errors import InvalidInput, NotPermitted
from domain.grant import Bounds, Grant, Person, check_bounds, check_grant, check_words, end_of, usable_grant
from domain.lane import CAPACITY, PER_SECOND, seconds_until_token, tokens_now
from domain.mailbox_notices import cannot_send, renamed
from domain.notice import Facts

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
ORGANIZATION = uuid4()


def person(email: str, *, active: bool = True, organization=ORGANIZATION) -> Person:  # type: ignore[no-untyped-def]
    return Person(uuid4(), organization, email, active)


HANS, RITA = person("hans@acme.example"), person("rita@acme.example")


def test_an_owner_may_let_an_active_colleague_or_everyone_send() -> None:
    check_grant(mailbox_owner=HANS, giver=HANS, grantee=RITA)
    check_grant(mailbox_owner=HANS, giver=HANS, grantee=None)


@pytest.mark.parametrize(
    ("owner", "giver", "grantee"),
    [
        (HANS, RITA, RITA),
        (HANS, RITA, None),
        (HANS, HANS, HANS),
        (HANS, HANS, person("left@acme.example", active=False)),
        (HANS, HANS, person("other@else.example", organization=uuid4())),
        (replace(HANS, active=False), replace(HANS, active=False), RITA),
    ],
    ids=[
        "by a stranger",
        "to everyone by a stranger",
        "to oneself",
        "to an inactive",
        "abroad",
        "by an inactive",
    ],
)
def test_other_grants_are_refused(owner: Person, giver: Person, grantee: Person | None) -> None:
    with pytest.raises(NotPermitted):
        check_grant(mailbox_owner=owner, giver=giver, grantee=grantee)


def test_a_personal_grant_is_used_before_one_for_everyone() -> None:
    everyone, personal = Grant(uuid4(), 1, None), Grant(uuid4(), 1, RITA.id)
    sequence_id = uuid4()
    assert usable_grant([everyone, personal], RITA.id, sequence_id, NOW) == personal
    assert usable_grant([everyone], RITA.id, sequence_id, NOW) == everyone
    assert usable_grant([personal], uuid4(), sequence_id, NOW) is None


def test_a_grant_with_emails_left_for_today_is_used_before_one_that_is_used_up() -> None:
    everyone = Grant(uuid4(), 1, None)
    personal = Grant(uuid4(), 1, RITA.id, Bounds(daily_limit=3), used_today=3)
    assert usable_grant([personal, everyone], RITA.id, uuid4(), NOW) == everyone
    assert usable_grant([personal], RITA.id, uuid4(), NOW) == personal


def test_a_grant_holds_until_its_end_and_for_the_sequences_it_names() -> None:
    named, other = uuid4(), uuid4()
    grant = Grant(uuid4(), 1, RITA.id, Bounds(NOW, frozenset({named})))
    assert usable_grant([grant], RITA.id, named, NOW - timedelta(microseconds=1)) == grant
    assert usable_grant([grant], RITA.id, named, NOW) is None
    assert usable_grant([grant], RITA.id, other, NOW - timedelta(days=1)) is None


def test_a_last_day_is_over_at_midnight_by_the_mailboxs_clock() -> None:
    assert end_of("2026-12-31", "Europe/Berlin") == datetime(2026, 12, 31, 23, tzinfo=UTC)
    for wrong in ("", "soon", "2026-02-30", "9999-12-31", "x" * 10_000):
        with pytest.raises(InvalidInput, match="not a date"):
            end_of(wrong, "UTC")


@pytest.mark.parametrize(
    "bounds",
    [
        Bounds(expires_at=NOW),
        Bounds(daily_limit=0),
        Bounds(daily_limit=10_001),
        Bounds(sequence_ids=frozenset()),
    ],
    ids=["over", "none a day", "too many a day", "no sequence"],
)
def test_bounds_within_which_nothing_could_be_sent_are_refused(bounds: Bounds) -> None:
    with pytest.raises(InvalidInput):
        check_bounds(bounds, NOW)


@given(st.lists(st.floats(0, 30), max_size=300))
def test_no_lane_lets_more_than_thirty_through_in_any_minute(gaps: list[float]) -> None:
    tokens, at, clock, passed = CAPACITY, 0.0, 0.0, []
    start = NOW
    for gap in gaps:
        clock += gap / 10
        tokens = tokens_now(tokens, start + timedelta(seconds=at), start + timedelta(seconds=clock))
        at = clock
        while tokens >= 1:
            tokens -= 1
            passed.append(clock)
    for first in passed:
        assert len([one for one in passed if first <= one < first + 60]) <= 30


def test_a_clock_that_steps_back_refills_nothing() -> None:
    assert tokens_now(1.5, NOW, NOW - timedelta(hours=1)) == 1.5


def test_the_wait_for_a_token_is_the_wait_that_fills_it() -> None:
    assert tokens_now(0.25, NOW, NOW + timedelta(seconds=seconds_until_token(0.25))) == pytest.approx(1.0)
    assert PER_SECOND * 60 + CAPACITY == 30


def test_correlation_ids_depend_on_key_and_delivery_and_on_nothing_else() -> None:
    one, other = uuid4(), uuid4()
    assert correlation_id(b"a" * 32, one) == correlation_id(b"a" * 32, one)
    assert (
        len(
            {correlation_id(b"a" * 32, one), correlation_id(b"b" * 32, one), correlation_id(b"a" * 32, other)}
        )
        == 3
    )


@pytest.mark.parametrize(
    "words",
    [
        "Confirm at https://evil.example/x", "HTTP://EVIL.EXAMPLE", "see www.evil.example", "go to evil.example now",
        "evil.com/login", "Evil.Com/login", "EVIL.COM", "mailto:a", "ftp://x", "login.evil。com", "xn--evl-hma", "write to me@evil.example",
        "a" * 501,
    ],
)  # fmt: skip
def test_what_asks_for_a_permission_leads_nowhere_else(words: str) -> None:
    with pytest.raises(InvalidInput):
        check_words(words)


@pytest.mark.parametrize(
    "words",
    ["", "Hello Hans, may I write from your address?Thanks.Rita", "e.g. for the C++ roles, i.e. 3.5 a day.", "Dr. Müller said: yes ..."],
)  # fmt: skip
def test_plain_words_are_taken(words: str) -> None:
    check_words(words)


@pytest.mark.parametrize(
    ("reason", "says"),
    [
        ("account_disabled", "whether they can enable the account"),
        ("organization_gone", "resolve this with Microsoft"),
        ("not_assigned", "assign the owner"),
        ("admin_approval_required", "approve Onbehalf"),
        ("same_account", "other mailbox of that account"),
        ("sign_in_expired", "connect it again"),
        ("refusal_unexplained", "connect it again"),
        ("sending_blocked", "Microsoft 365 administrator"),
        ("mailbox_full", "has to free up space"),
    ],
)
def test_case_13_a_lost_connection_is_told_with_what_helps(reason: str, says: str) -> None:
    payload = {"mailbox": "hans@acme.example", "reason": reason, "actor": "Microsoft"}
    notice = cannot_send(Facts(payload))
    assert says in notice.body
    assert ".." not in notice.body
    assert reason not in notice.body
    assert "{" not in notice.body


def test_case_21_a_rename_is_told_with_both_addresses() -> None:
    payload = {"mailbox": "eva.gross@acme.example", "before": "eva@acme.example", "actor": "Microsoft"}
    notice = renamed(Facts(payload))
    assert notice.title == "Microsoft renamed eva@acme.example to eva.gross@acme.example"
    refused = renamed(Facts({**payload, "reason": "It is listed already."}))
    assert "It is listed already." in refused.body
    assert "We still list it as eva@acme.example" in refused.body
