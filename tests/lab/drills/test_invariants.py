"""The judge can say no: for each promise, evidence that holds, and the one change that breaks it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from lab.drills.evidence import Delivery, Email, Evidence, Notified
from lab.drills.invariants import judge, judge_early
from lab.drills.journal import Call
from lab.emulator.world import LedgerEntry

KEYS = ("mailbox:m", "grant:m", "sequence:s", "enrollment:e", "candidate:c", "hold:m", "hold:o")


def delivery(step: int, **changes: object) -> Delivery:
    made = Delivery(
        id=f"d{step}",
        recipient="anna@example.org",
        step=step,
        delay=0.0 if step == 1 else 3.0,
        state="sent",
        outcome=None,
        reason=None,
        held=False,
        active=True,
        correlation_id=f"m{step}",
        mailbox="hans@acme.example",
        keys=KEYS,
        receipts=1,
        submitted=True,
        searched_for=False,
        due_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # names are checked by the dataclass


def email(step: int, at: float, **changes: object) -> Email:
    made = Email(
        "anna@example.org", step, at, "hans@acme.example", "hans@acme.example", f"m{step}", f"i{step}"
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def evidence(
    emails: list[Email] | None = None,
    deliveries: list[Delivery] | None = None,
    **changes: object,
) -> Evidence:
    known = deliveries if deliveries is not None else [delivery(1), delivery(2)]
    made = Evidence(
        emails=emails if emails is not None else [email(1, 10.0), email(2, 13.1)],
        deliveries=known,
        notified=[notified()],
        mails=[mail()],
        calls=[Call("revoke", KEYS[1:2], (), 13.0, 14.0)],
        violations=[],
        chain_breaks_at=None,
        broken_receipts=0,
        audited_as_sent=sum(each.state == "sent" for each in known),
        stored_tokens=[],
        parked_jobs=0,
        recipients=dict.fromkeys(KEYS[:3], "rita@acme.example"),
        forgotten=[],
        by_key={(each.recipient, each.sequence, each.step): each for each in known},
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def notified(cause: str = "grant:1", **changes: object) -> Notified:
    made = Notified(
        cause, "GrantRevoked", "rita@acme.example", pauses=1, in_app=1, by_mail=1, standing=1, mailed=1
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def mail() -> LedgerEntry:
    return LedgerEntry(
        1,
        15.0,
        "",
        "relay",
        "smtp",
        "notices@onbehalf.example",
        ["rita@acme.example"],
        "Paused",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
    )


def broken(of: Evidence) -> set[str]:
    return {each.name for each in judge(of) if not each.holds}


def test_evidence_without_fault_breaks_nothing() -> None:
    assert broken(evidence()) == set()


WAITING = {"state": "pending", "receipts": 0}
BREAKS: dict[str, tuple[str, Callable[[], Evidence]]] = {
    "a step received twice": (
        "each step reaches each person at most once",
        lambda: evidence([email(1, 10.0), email(1, 10.5, item="other"), email(2, 14.0)]),
    ),
    "recorded as sent, received by nobody": (
        "every step is accounted for",
        lambda: evidence([email(1, 10.0)]),
    ),
    "received, recorded as waiting": (
        "every step is accounted for",
        lambda: evidence(deliveries=[delivery(1), delivery(2, **WAITING, held=True, reason="paused")]),
    ),
    "received, recorded as cancelled": (
        "every step is accounted for",
        lambda: evidence(
            deliveries=[delivery(1), delivery(2, state="closed", receipts=0, outcome="cancelled")]
        ),
    ),
    "received, planned by nobody": (
        "every step is accounted for",
        lambda: evidence([email(1, 10.0), email(2, 13.1), email(3, 17.0)]),
    ),
    "given up for a limit": (
        "every step is accounted for",
        lambda: evidence(
            [email(1, 10.0)],
            [
                delivery(1),
                delivery(2, state="closed", outcome="failed", reason="sending_limit_reached", receipts=0),
            ],
        ),
    ),
    "in review without ever being submitted": (
        "every step is accounted for",
        lambda: evidence(
            [email(1, 10.0)],
            [delivery(1), delivery(2, state="review", reason="no_trace", receipts=0, submitted=False)],
        ),
    ),
    "waiting for nobody": (
        "nothing is forgotten",
        lambda: evidence([email(1, 10.0)], [delivery(1), delivery(2, **WAITING)], calls=[]),
    ),
    "a lease that nobody holds": ("nothing is forgotten", lambda: evidence(leaked={"leases": 1})),
    "a job given up": ("nothing is forgotten", lambda: evidence(parked_jobs=1)),
    "taken after the answer": (
        "nothing leaves after a no",
        lambda: evidence([email(1, 10.0), email(2, 14.01)]),
    ),
    "an answer after 50 s": (
        "a no is answered in time",
        lambda: evidence(calls=[Call("revoke", KEYS[1:2], (), 13.2, 63.2)]),
    ),
    "the second step first": (
        "steps come in order and not early",
        lambda: evidence([email(2, 9.0), email(1, 10.0)], calls=[]),
    ),
    "a step left out": (
        "steps come in order and not early",
        lambda: evidence(
            [email(2, 13.0)], [delivery(1, state="closed", outcome="failed", receipts=0), delivery(2)]
        ),
    ),
    "a step one second early": (
        "steps come in order and not early",
        lambda: evidence([email(1, 10.0), email(2, 12.0)]),
    ),
    "a pause that nobody was notified of": (
        "each cause notifies once",
        lambda: evidence(notified=[notified(in_app=0, by_mail=0)], mails=[]),
    ),
    "the same notice twice": (
        "each cause notifies once",
        lambda: evidence(notified=[notified(in_app=2)]),
    ),
    "one withdrawal reported as two causes": (
        "each cause notifies once",
        lambda: evidence(notified=[notified(), notified("grant:1 again", by_mail=0)]),
    ),
    "a person on the way without a next step": (
        "nothing is forgotten",
        lambda: evidence(forgotten=["ben@example.org"]),
    ),
    "the same mail twice": ("each cause notifies once", lambda: evidence(mails=[mail(), mail()])),
    "a notice that a mail service refused, and that was not mailed again": (
        "no notice is lost",
        lambda: evidence(notified=[notified(mailed=0)], mails=[]),
    ),
    "a mail that counts as sent and never came": ("no notice is lost", lambda: evidence(mails=[])),
    "a withdrawn permission, a sequence still active": (
        "whoever is affected was paused",
        lambda: evidence([email(1, 10.0)], [delivery(1), delivery(2, **WAITING)]),
    ),
    "another sender": (
        "the sender is the permitted one",
        lambda: evidence([email(1, 10.0), email(2, 13.1, sender="mona@acme.example")]),
    ),
    "31 emails in a minute": (
        "every mailbox keeps its pace",
        lambda: evidence([email(1, 10 + n, recipient=f"{n}@example.org") for n in range(31)], []),
    ),
    "submitted again after it was taken": (
        "every mailbox keeps its pace",
        lambda: evidence(violations=["hans@acme.example: an accepted item was submitted again"]),
    ),
    "sent without a receipt": (
        "every email has its receipt",
        lambda: evidence(deliveries=[delivery(1), delivery(2, receipts=0)]),
    ),
    "an audit trail that was touched": ("every email has its receipt", lambda: evidence(chain_breaks_at=7)),
    "a receipt that was touched": ("every email has its receipt", lambda: evidence(broken_receipts=1)),
    "a token kept": (
        "a removed connection leaves no token",
        lambda: evidence(stored_tokens=["hans@acme.example"]),
    ),
}


@pytest.mark.parametrize("fault", BREAKS)
def test_each_broken_promise_is_seen(fault: str) -> None:
    invariant, make = BREAKS[fault]
    assert invariant in broken(make())


def test_what_has_passed_before_a_mail_service_took_it_is_not_lost() -> None:
    assert broken(evidence(notified=[notified(mailed=0, standing=0)], mails=[])) == set()
    lasting = notified(mailed=0, standing=0, pauses=0, kind="GrantGiven")
    assert broken(evidence(notified=[lasting], mails=[])) == {"no notice is lost"}


def test_what_a_withdrawal_named_in_doubt_may_leave_later() -> None:
    call = Call("revoke", KEYS[1:2], (), 13.0, 14.0, in_doubt=["d2"])
    assert broken(evidence([email(1, 10.0), email(2, 14.5)], calls=[call])) == set()


def test_what_is_permitted_again_may_leave() -> None:
    calls = [Call("revoke", KEYS[1:2], (), 13.0, 14.0), Call("grant", (), KEYS[1:2], 15.0, 15.1)]
    assert broken(evidence([email(1, 10.0), email(2, 15.05)], calls=calls)) == set()
    assert broken(evidence([email(1, 10.0), email(2, 14.9)], calls=calls)) == {"nothing leaves after a no"}


@pytest.mark.parametrize("key", KEYS[5:])
def test_a_hold_lasts_until_its_release_and_pauses_nothing(key: str) -> None:
    held = Call("hold", (key,), (), 13.0, 14.0)
    assert broken(evidence([email(1, 10.0), email(2, 14.2)], calls=[held], notified=[], mails=[])) == {
        "nothing leaves after a no"
    }
    released = Call("release", (), (key,), 15.0, 15.1)
    another = Call("grant", (), KEYS[:3], 14.1, 14.2)  # what somebody permits meanwhile does not end a hold
    calls = [held, another, released]
    assert broken(evidence([email(1, 10.0), email(2, 15.05)], calls=calls, notified=[], mails=[])) == set()
    assert broken(evidence([email(1, 10.0), email(2, 14.9)], calls=calls, notified=[], mails=[])) == {
        "nothing leaves after a no"
    }
    standing = evidence(
        [email(1, 10.0)], [delivery(1), delivery(2, state="pending", receipts=0, held=True)], calls=[held]
    )
    assert broken(replace(standing, notified=[], mails=[])) == set()


def test_what_is_looked_for_is_not_forgotten_until_its_grace_ends() -> None:
    doubtful = delivery(2, state="in_doubt", receipts=0, searched_for=True)
    assert (
        broken(evidence([email(1, 10.0)], [delivery(1), doubtful], calls=[], notified=[], mails=[])) == set()
    )
    ended = replace(doubtful, searched_for=False)
    assert broken(evidence([email(1, 10.0)], [delivery(1), ended], calls=[], notified=[], mails=[])) == {
        "nothing is forgotten"
    }


def test_a_withdrawal_that_failed_has_promised_nothing() -> None:
    failed = Call("revoke", KEYS[1:2], (), 13.0, 14.0, error="DatabaseUnavailable: away")
    assert broken(evidence([email(1, 10.0), email(2, 15.0)], calls=[failed])) == set()


def test_while_work_goes_on_only_what_cannot_be_mended_is_broken() -> None:
    unfinished = evidence(
        emails=[email(1, 10.0)],
        deliveries=[delivery(1, receipts=0), delivery(2, state="sending", receipts=0)],
        notified=[],
        mails=[],
        audited_as_sent=0,
    )
    assert all(each.holds for each in judge_early(unfinished))
    assert not all(each.holds for each in judge(unfinished))
    twice = replace(unfinished, emails=[email(1, 10.0), email(1, 11.0)])
    assert [each.name for each in judge_early(twice) if not each.holds] == [
        "each step reaches each person at most once"
    ]
