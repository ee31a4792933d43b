"""The judge of listening can say no: evidence that holds, and the one change that breaks it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lab.drills import answers
from lab.drills.evidence import Delivery, Email, Evidence
from lab.drills.heard import Enrolled, Heard, Message, NoticesOf
from lab.drills.journal import Call
from lab.emulator.records import Arrival

ANNA, OTHER, HANS, RITA = "anna@example.org", "otto@example.org", "hans@acme.example", "rita@acme.example"
KEYS = ("mailbox:m", "grant:m", "sequence:s", "enrollment:e", "candidate:c")
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SHIFT = NOON.timestamp() - 1000.0  # the ledger's clock shows 1,000 at noon


def at(moment: float) -> datetime:
    return NOON + timedelta(seconds=moment - 1000)


def arrival(kind: str = "reply", moment: float = 1010.0, **changes: object) -> Arrival:
    made = Arrival(1, moment, "", HANS, "item", kind, ANNA, "Re", "<a@b>", "", "", "inbox", person=ANNA)
    return replace(made, **changes)  # type: ignore[arg-type]  # names are checked by the dataclass


def message(kind: str = "answer", bounce: str | None = None, **changes: object) -> Message:
    return replace(Message(HANS, "item", ANNA, kind, bounce, at(1012)), **changes)  # type: ignore[arg-type]


def enrolled(reason: str | None = "answered", status: str = "stopped", **changes: object) -> Enrolled:
    return replace(Enrolled(ANNA, 0, status, reason, RITA, KEYS), **changes)  # type: ignore[arg-type]


def email(step: int, moment: float, **changes: object) -> Email:
    return replace(Email(ANNA, step, moment, HANS, HANS, f"m{step}", f"i{step}"), **changes)  # type: ignore[arg-type]


def delivery(step: int, passed: float, recipient: str = ANNA, said: float | None = None) -> Delivery:
    return Delivery(
        f"d{step}", recipient, step, 0.0, "sent", None, None, False, True, f"m{step}", HANS, KEYS, 1, True, False,
        NOON, passed_at=at(passed), no_answer_as_of=None if said is None else at(said),
    )  # fmt: skip


def evidence(
    *,
    emails: list[Email] | None = None,
    deliveries: list[Delivery] | None = None,
    calls: list[Call] | None = None,
    **changes: object,
) -> Evidence:
    heard = Heard(
        arrivals=[arrival()],
        messages=[message()],
        enrolled=[enrolled()],
        notified=[NoticesOf("item", RITA, 1)],
        read_as_of={HANS: at(1011)},
        shift=SHIFT,
    )
    known = deliveries or [delivery(1, 1000), delivery(2, 1011)]
    return Evidence(
        emails=emails or [email(1, 1000.5), email(2, 1011.5)],
        deliveries=known,
        notified=[],
        mails=[],
        calls=calls or [],
        violations=[],
        chain_breaks_at=None,
        broken_receipts=0,
        audited_as_sent=2,
        stored_tokens=[],
        parked_jobs=0,
        recipients={},
        forgotten=[],
        by_key={(each.recipient, each.sequence, each.step): each for each in known},
        heard=replace(heard, **changes),  # type: ignore[arg-type]
    )


def broken(of: Evidence) -> set[str]:
    return {finding.name for finding in (question(of) for question in answers.QUESTIONS) if not finding.holds}


AFTER, ONCE, RIGHTLY, LISTED, TOLD = (
    "nothing leaves after an answer",
    "every answer is heard once",
    "whoever answered has ended, nobody else",
    "the suppression list is right",
    "owners hear of every end once",
)
NOBODY: dict[str, Any] = {"messages": [], "enrolled": [enrolled(None, "active")], "notified": []}
AWAY: dict[str, Any] = {
    "arrivals": [arrival("auto_reply")],
    "messages": [message("auto_reply")],
    "notified": [],
}


def bounced(**changes: object) -> Evidence:
    made: dict[str, Any] = {
        "arrivals": [arrival("bounce")],
        "messages": [message("bounce", "hard")],
        "enrolled": [enrolled("bounced")],
        "suppressed": {ANNA: "bounced"},
    }
    return evidence(**(made | changes))


HOLDS: dict[str, Callable[[], Evidence]] = {
    "a follow-up that was in flight when the answer was recorded": lambda: evidence(
        emails=[email(1, 1000.5), email(2, 1014.0)]
    ),
    "an answer that nobody has read yet": lambda: evidence(read_as_of={HANS: at(1009)}, **NOBODY),
    "an answer that came while the mailbox was read": lambda: evidence(
        deliveries=[delivery(1, 1000), delivery(2, 1011, said=1009)]
    ),
    "an answer that was deleted before it was read": lambda: evidence(gone=frozenset({"item"}), **NOBODY),
    "an absence that is over": lambda: evidence(
        **AWAY,
        enrolled=[enrolled(None, "active", away_until=at(1050))],
        emails=[email(1, 1000.5), email(2, 1051)],
        deliveries=[delivery(1, 1000), delivery(2, 1051)],
    ),
    "a follow-up after somebody let the person continue": lambda: evidence(
        calls=[Call("overrule", (), KEYS[4:], 1020, 1021)],
        enrolled=[enrolled(None, "active")],
        emails=[email(1, 1000.5), email(2, 1200)],
        deliveries=[delivery(1, 1000), delivery(2, 1200)],
    ),
    "an opt-out by link": lambda: evidence(
        calls=[Call("opt out", KEYS[4:], (), 1020, 1021)],
        arrivals=[],
        messages=[],
        notified=[],
        enrolled=[enrolled("opted_out")],
        suppressed={ANNA: "opt_out"},
    ),
    "a foreign email": lambda: evidence(arrivals=[arrival("same_subject")], **NOBODY),
    "an answer from before our first email": lambda: evidence(arrivals=[arrival(moment=999)], **NOBODY),
    "a bounce": bounced,
}
BREAKS: dict[str, tuple[str, Callable[[], Evidence]]] = {
    "a follow-up 91 s after an answer that nobody read": (
        AFTER,
        lambda: evidence(emails=[email(1, 1000.5), email(2, 1101.5)], read_as_of={HANS: at(1009)}, **NOBODY),
    ),
    "a follow-up that passed the gate after the answer was recorded": (
        AFTER,
        lambda: evidence(
            emails=[email(1, 1000.5), email(2, 1014)], deliveries=[delivery(1, 1000), delivery(2, 1013)]
        ),
    ),
    "a receipt that says there was no answer when there was one": (
        AFTER,
        lambda: evidence(deliveries=[delivery(1, 1000), delivery(2, 1011, said=1010.5)]),
    ),
    "a follow-up that was in flight for a minute": (
        AFTER,
        lambda: evidence(emails=[email(1, 1000.5), email(2, 1072)]),
    ),
    "an email to somebody who is away": (
        AFTER,
        lambda: evidence(
            **AWAY,
            enrolled=[enrolled(None, "active", away_until=at(5000))],
            emails=[email(1, 1000.5), email(2, 1014)],
            deliveries=[delivery(1, 1000), delivery(2, 1013)],
        ),
    ),
    "the first email of another sequence, after a bounce was recorded": (
        AFTER,
        lambda: bounced(
            enrolled=[enrolled("bounced"), enrolled("bounced", sequence=2)],
            emails=[email(1, 1000.5), email(1, 1014, sequence=2)],
        ),
    ),
    "an answer that was read over": (ONCE, lambda: evidence(**NOBODY)),
    "an answer recorded twice": (ONCE, lambda: evidence(messages=[message(), message()])),
    "an answer that never came": (
        ONCE,
        lambda: evidence(messages=[message(), message(item="invented")]),
    ),
    "an automatic reply taken for an answer": (ONCE, lambda: evidence(arrivals=[arrival("auto_reply")])),
    "foreign mail taken for an answer": (ONCE, lambda: evidence(arrivals=[arrival("", person="")])),
    "a soft bounce taken for a hard one": (ONCE, lambda: bounced(arrivals=[arrival("bounce_soft")])),
    "an answer taken for one of somebody else": (
        ONCE,
        lambda: evidence(messages=[message(person=OTHER)]),
    ),
    "somebody who ended though nobody answered": (
        RIGHTLY,
        lambda: evidence(arrivals=[], messages=[], notified=[]),
    ),
    "somebody who ended for another reason": (RIGHTLY, lambda: evidence(enrolled=[enrolled("bounced")])),
    "somebody who goes on after they answered": (
        RIGHTLY,
        lambda: evidence(enrolled=[enrolled(None, "active")]),
    ),
    "somebody who counts as away and never said so": (
        RIGHTLY,
        lambda: evidence(enrolled=[enrolled(away_until=at(5000))]),
    ),
    "somebody held for an opt-out that nobody wrote": (
        RIGHTLY,
        lambda: evidence(enrolled=[enrolled("opt_out_proposed", "paused")]),
    ),
    "a bounced address that is not suppressed": (LISTED, lambda: bounced(suppressed={})),
    "an address suppressed by an opt-out that nobody sent": (
        LISTED,
        lambda: evidence(suppressed={ANNA: "opt_out"}),
    ),
    "an owner who does not hear of it": (TOLD, lambda: evidence(notified=[])),
    "an owner who hears of it twice": (TOLD, lambda: evidence(notified=[NoticesOf("item", RITA, 2)])),
}


def test_evidence_without_fault_breaks_nothing() -> None:
    assert broken(evidence()) == set()


@pytest.mark.parametrize("name", HOLDS)
def test_what_is_right_breaks_nothing(name: str) -> None:
    assert broken(HOLDS[name]()) == set()


@pytest.mark.parametrize("name", BREAKS)
def test_each_breach_is_found_by_its_question(name: str) -> None:
    question, made = BREAKS[name]
    assert question in broken(made())
