"""The drills of listening: people answer, bounce, are away and opt out while their sequences run."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote
from uuid import UUID

import httpx

from actions import opt_outs
from domain.listening.consequences import away_until
from lab.access_records import Lane, Member, Organization
from lab.drills.company import ACTOR, PEOPLE, Desk, Person
from lab.drills.stage import Stage
from lab.listening_records import IncomingMessage
from lab.records import Candidate, Delivery, Enrollment, Notice, Suppression
from lab.tables import PRESENT, ago, ahead

_NEXT_STEP = 60  # seconds; a mailbox is read twice in this time, also on a busy machine
_LIST = "GET /me/messages"
_LINK = re.compile(r"https?://[^\s\"'<>]+/o/[A-Za-z0-9_-]+")
_MAILTO = re.compile(r"<mailto:([^?>]+)\?subject=([^>]+)>")
_ONE_CLICK = {"List-Unsubscribe": "One-Click"}


def reply(stage: Stage) -> None:
    """People answer while follow-ups leave, and their mailboxes can be read late, slowly, or with a new token only."""
    kinds = {
        0: {"kind": "reply", "after": 1},
        1: {"kind": "reply_new_thread", "after": 1},
        2: {"kind": "reply_from_alias", "after": 2},
        3: {"kind": "reply_from_colleague", "after": 25},
        4: {"kind": "auto_reply", "after": 1},
        5: {"kind": "same_subject", "after": 1},
        6: {"kind": "receipt", "after": 1},
    }

    def prepare(domain: str) -> None:
        for number in range(1, 5):
            _behave(stage, domain, number, kinds)
        control = stage.system.control
        control.fault(_LIST, mailbox=f"sender1@{domain}", status=429, headers={"Retry-After": "5"}, times=2)
        control.fault(_LIST, mailbox=f"sender2@{domain}", delay=6, times=3)
        control.fault(_LIST, mailbox=f"sender3@{domain}", status=401, times=1)

    desks = stage.employ(desks=4, people=9, delays=("PT0S", "PT8S", "PT75S"), prepare=prepare)
    stage.say("4 of 9 answer, one is away; reading is throttled, slow, or needs a new token")
    stage.until_each_has_one(desks)  # one desk is throttled, and the others' second emails leave meanwhile
    for desk in desks:
        stage.system.control.wrote_by_hand(
            desk.address, _person(desk, 7).email, subject="Lunch?", text="At noon?"
        )
        stage.system.control.wrote_by_hand(
            desk.address, "client@elsewhere.example", subject="Offer", text="Here."
        )
        stage.system.control.newsletters(desk.address, 20)
    stage.say("each recruiter writes to one of them by hand, and to somebody else; newsletters arrive")
    took = stage.until_quiet(400)
    stage.until_heard()
    stage.say(f"all done {took:.0f} s later; {_kinds(stage)}")
    _ended(stage, {"answered": 16, "sender_wrote": 4})
    finished = stage.count(Enrollment, organization_id=stage.company.id, status="finished")
    stage.expect(
        "who did not answer got everything", f"{finished} of 12", finished == 12, f"{finished} finished"
    )


def bounce(stage: Stage) -> None:
    """Emails come back, for good, for a while, or for what the sender did: only the first end anybody."""
    hard = {
        n: {"kind": "bounce", "style": style, "times": 1}
        for n, style in enumerate(("exchange", "postfix", "gmail", "exim"))
    }

    def prepare(domain: str) -> None:
        _behave(stage, domain, 1, hard)
        _behave(stage, domain, 2, {0: {"kind": "bounce_soft", "times": 1}})
        _behave(stage, domain, 3, {0: {"kind": "bounce_sender", "status": "5.7.705", "times": 1}})

    _, busy, refused = stage.employ(desks=3, people=5, delays=("PT0S", f"PT{_NEXT_STEP}S"), prepare=prepare)
    stage.say(
        "of one recruiter's emails four come back for good, of one's one for a while, one's server refuses the sender"
    )
    stage.until_left(15, 240)
    next_step_due = ahead(seconds=_NEXT_STEP)

    def reported() -> bool:
        stage.is_read(ago())  # plans readings at once
        return stage.count(IncomingMessage, organization_id=stage.company.id, kind="bounce") == 6

    # Before the next step is due, because who has had all steps cannot be ended.
    stage.until("the reports", reported, 240)
    lane = stage.only(Lane, refused.mailbox_id)
    stage.expect(
        "the refused mailbox waits",
        str(lane.wait_reason),
        lane.wait_reason == "sending_limit_reached",
        f"it waits for {lane.wait_reason}",
    )
    stage.say(f"{refused.address} waits for an hour, the full mailbox too; the hour passes")
    stage.until("the next step's time", lambda: ago() > next_step_due, 60)
    stage.put(Lane, refused.mailbox_id, retry_after_until=None)
    stage.comes_due([each.enrollment_id for each in (_person(busy, 0), *refused.people)])
    took = stage.until_quiet(300)
    stage.until_heard()
    stage.say(f"all done {took:.0f} s later; {_kinds(stage)}")
    _ended(stage, {"bounced": 4})
    listed = {each.value for each in stage.all(Suppression, organization_id=stage.company.id)}
    wanted = {each.email for each in stage.company.desks[0].people[:4]}
    stage.expect(
        "the list has what bounced for good",
        f"{len(listed)} addresses",
        listed == wanted,
        f"it has {sorted(map(str, listed))}",
    )
    notified = _notices(stage, refused.owner_email, "refuses emails from")
    stage.expect(
        "the owner hears of the refusal once", f"{notified} notice", notified == 1, f"{notified} notices"
    )


def opt_out(stage: Stage) -> None:
    """People opt out by every way there is, and others try to do it for them."""

    def prepare(domain: str) -> None:
        _behave(stage, domain, 1, {0: {"kind": "opt_out", "after": 1, "times": 1}})

    first, second = stage.employ(desks=2, people=7, delays=("PT0S", "PT10S", "PT10S"), prepare=prepare)
    stage.enroll(first.people, second)
    stage.until_each_has_one([first, second])
    links = {each.to[0]: each for each in stage.system.control.ledger() if each.mailbox == first.address}
    words, button, page, by_mail, forged, *_ = first.people
    before = stage.everything(Suppression)
    with httpx.Client(trust_env=False, timeout=60) as web:
        opened = [web.get(_link(each.body)).status_code for each in links.values()]
        same = stage.everything(Suppression) == before
        stage.expect(
            "opening links changes nothing",
            f"{len(opened)} opened",
            same and set(opened) == {200},
            f"{opened}",
        )
        stage.say(f"all links are opened; {button.email} opts out by one click, {page.email} on the page")
        with _says_no(stage, "one click", button):
            assert web.post(_link(links[button.email].body), data=_ONE_CLICK).status_code == 200
        with _says_no(stage, "page", page):
            assert web.post(_link(links[page.email].body)).status_code == 303
        cut = _link(links[forged.email].body)
        wrong = f"{cut[:-20]}{'A' if cut[-20] != 'A' else 'B'}{cut[-19:]}"
        refused = [web.get(wrong).status_code, web.post(wrong, data=_ONE_CLICK).status_code]
        stage.expect(
            "a forged link does not work", f"{refused}", refused == [404, 404], f"answered {refused}"
        )
    way = _MAILTO.search(links[by_mail.email].headers["List-Unsubscribe"])
    assert way is not None
    subject = unquote(way[2])
    put = stage.system.control.incoming
    put(first.address, sender=by_mail.email, subject=subject, kind="opt_out_by_token", person=by_mail.email)
    put(first.address, sender="stranger@elsewhere.example", subject=f"{subject[:-20]}{subject[-19:]}A")
    stage.say(
        f"{by_mail.email} opts out by email, a stranger tries to for somebody else; {words.email} asks in words"
    )
    stage.until_heard()
    proposed = stage.only(IncomingMessage, candidate_id=words.candidate_id)
    held = Counter(each.standing for each in stage.all(Enrollment, candidate_id=words.candidate_id))
    stage.expect(
        "an opt-out in words is held for its owner",
        proposed.why,
        held == {("paused", "opt_out_proposed"): 2},
        f"{held}",
    )
    with _says_no(stage, "confirm", words):
        opt_outs.confirm(stage.system.runtime, stage.company.id, proposed.id, actor=ACTOR)
    took = stage.until_quiet(300)
    stage.until_heard()
    stage.say(f"their owner agrees; all done {took:.0f} s later; {_kinds(stage)}")
    _ended(stage, {"opted_out": 8})
    listed = {each.value for each in stage.all(Suppression, organization_id=stage.company.id)}
    wanted = {each.email for each in (words, button, page, by_mail)}
    stage.expect(
        "the list has who opted out", f"{len(listed)} addresses", listed == wanted, f"{listed ^ wanted}"
    )


def away(stage: Stage) -> None:
    """People are away until a day they name, or do not; each waits in all sequences, and goes on afterwards."""
    back = datetime.now(UTC).date() + timedelta(days=9)

    def prepare(domain: str) -> None:
        says = f"I am out of the office. I am back on {back:%-d %B %Y}."
        named = {"kind": "auto_reply", "text": says, "after": 1}
        unnamed = {"kind": "auto_reply", "text": "I am out of the office.", "after": 1}
        _behave(stage, domain, 1, {0: named, 1: unnamed, 2: named})

    first, second = stage.employ(desks=2, people=5, delays=("PT0S", "PT8S", "PT8S"), prepare=prepare)
    until_named, until_unnamed, returns, *others = first.people
    stage.enroll(first.people, second)
    stage.until("the absences", lambda: stage.count(Candidate, id=_ids(first), away_until=PRESENT) == 3, 240)
    took = stage.until_quiet(300)
    stage.say(f"three are away, the others have everything {took:.0f} s later")
    days = stage.only(Organization, stage.company.id).away_days
    for person, day in ((until_named, back), (until_unnamed, None)):
        waits = {each.due_at for each in _next(stage, person)}
        wanted = away_until(_heard_of(stage, person), "UTC", day, days)
        stage.expect(
            f"{person.email.partition('.')[0]} waits in both sequences until {wanted:%-d %B}",
            f"{len(waits)} moment",
            waits == {wanted},
            f"the next emails are due {', '.join(map(str, sorted(waits)))}",
        )
    stage.say(f"the days pass until {returns.email} is back")
    stage.system.control.clear_behaviours()  # their machine answers nobody any more, from whichever mailbox
    with stage.journal.call("is back", permits=[f"candidate:{returns.candidate_id}"]):
        stage.put(Candidate, returns.candidate_id, away_until=ago())
        stage.comes_due([each.enrollment_id for each in _next(stage, returns)])
    took = stage.until_quiet(300)
    stage.until_heard()
    stage.say(f"all done {took:.0f} s later; {_kinds(stage)}")
    done = stage.count(
        Enrollment, candidate_id=[each.candidate_id for each in (returns, *others)], status="finished"
    )
    stage.expect("who is there got everything", f"{done} of 6", done == 6, f"{done} finished")
    _ended(stage, {})


def _behave(stage: Stage, domain: str, desk: int, kinds: Mapping[int, Mapping[str, Any]]) -> None:
    """Let people of a desk do something by themselves, by their number."""
    for n, values in kinds.items():
        stage.system.control.behaviour(f"p{n}.{desk}@{PEOPLE}{domain}", **values)


@contextmanager
def _says_no(stage: Stage, way: str, person: Person) -> Iterator[None]:
    with stage.journal.call(way, forbids=[f"candidate:{person.candidate_id}"]):
        yield


def _ended(stage: Stage, wanted: Mapping[str, int]) -> None:
    """Everybody who should have ended has, and as what they should."""
    stopped = stage.all(Enrollment, organization_id=stage.company.id, status="stopped")
    got = Counter(str(each.reason) for each in stopped)
    shown = ", ".join(f"{count} {reason}" for reason, count in sorted(got.items())) or "nobody"
    stage.expect("all who should have ended have", shown, got == wanted, f"{shown}, not {dict(wanted)}")


def _kinds(stage: Stage) -> str:
    heard = Counter(each.kind for each in stage.all(IncomingMessage, organization_id=stage.company.id))
    return "heard: " + ", ".join(f"{count} {kind}" for kind, count in sorted(heard.items()))


def _notices(stage: Stage, who: str, words: str) -> int:
    recipient = stage.only(Member, organization_id=stage.company.id, email=who).id
    return sum(words in each.title for each in stage.all(Notice, owner_id=recipient, channel="in_app"))


def _next(stage: Stage, person: Person) -> list[Delivery]:
    enrolled = [each.id for each in stage.all(Enrollment, candidate_id=person.candidate_id)]
    return stage.all(Delivery, enrollment_id=enrolled, state="pending")


def _heard_of(stage: Stage, person: Person) -> datetime:
    """When the automatic reply that counts was received."""
    return max(each.received_at for each in stage.all(IncomingMessage, candidate_id=person.candidate_id))


def _person(desk: Desk, number: int) -> Person:
    return next(each for each in desk.people if each.email.startswith(f"p{number}."))


def _ids(desk: Desk) -> list[UUID]:
    return [each.candidate_id for each in desk.people]


def _link(body: str) -> str:
    found = _LINK.search(body)
    assert found is not None, "an email without a link to opt out"
    return found[0]


ANSWERING = (reply, bounce, opt_out, away)
