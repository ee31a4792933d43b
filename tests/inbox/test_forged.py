"""A thousand forged emails on both ways in: nobody else's state changes, nobody is let go or written to, and pages stay safe."""

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from db.core.ids import new_id
from db.core.session import Database
from db.listening import follow, opt_out_tokens, unassigned
from db.mailboxes import senders
from db.withdrawing import people as withdrawing
from domain.opt_out import OptOut
from inbox.content import digest
from lab.access_records import Lane, Member
from lab.factories import World
from lab.listening_records import IncomingMessage, MailboxRead, ReceivedMail
from lab.records import Candidate, Delivery, Enrollment, Sequence, Suppression
from lab.stage import Stage
from lab.tables import PRESENT, ahead
from tests.inbox.forged import FOREIGN, Target, letters
from tests.inbox.safe_pages import wrong_with, wrong_within
from tests.inbox.serving import Inbox, running_inbox
from tests.inbox.shapes import HEAD, INPUTS, MEGABYTE, whole
from tests.transports.name_server import name_server
from tests.web.test_sequences_settings import member
from tests.web.visitor import Visitor, email_of

EACH_WAY = 450  # forged letters; all the shapes of ``tests/inbox/shapes.py`` come in between
_SMALL = [name for name, given in INPUTS.items() if isinstance(given, bytes) and len(given) < MEGABYTE // 4]
HOUR, MINUTE = 3600.0, 60.0
_AS_STRICT = {"active": 0, "paused": 1, "finished": 2, "stopped": 2, "archived": 2}
Standing = tuple[Candidate, list[tuple[str, str | None]], list[Delivery], set[str]]


@pytest.fixture(autouse=True)
def names(stage: Stage) -> Iterator[None]:
    """The DNS: no host vouches for anything that comes."""
    with name_server(
        {"example.org": ["v=spf1 -all"], "_dmarc.example.org": ["v=DMARC1; p=reject"]}
    ) as resolver:
        stage.runtime.__dict__["resolver"] = resolver
        yield


@pytest.fixture
def foreign_token(stage: Stage) -> str:
    """The opt-out token of an email to somebody in another organization: ours in every respect, but not for here."""
    other = World(stage.world.database)
    owner = other.member("Otto Other")
    box = other.mailbox(owner)
    other.enroll(other.sequence(owner, box, ("P1D",)), 1)
    email = stage.only(Delivery, mailbox_id=box)
    person = stage.only(Enrollment, email.enrollment_id).candidate_id
    return opt_out_tokens.token(stage.runtime.web_keys, OptOut(other.organization_id, person, email.id))


def standings(stage: Stage) -> dict[UUID, Standing]:
    """Everything about everybody, of all organizations."""
    enrollments, deliveries = stage.all(Enrollment), stage.all(Delivery)
    suppressed = {each.value for each in stage.all(Suppression, lifted_at=None) if each.value}
    found: dict[UUID, Standing] = {}
    for person in stage.all(Candidate):
        own = [each for each in enrollments if each.candidate_id == person.id]
        ids = {each.id for each in own}
        found[person.id] = (
            person,
            [each.standing for each in own],
            [each for each in deliveries if each.enrollment_id in ids],
            suppressed & {person.email},
        )
    return found


def let_go(before: Standing, after: Standing) -> list[str]:
    """What an email would leave by that did not before, or to whom."""
    (was, stood, planned, suppressed), (now, stands, plan, list_) = before, after
    wrong = []
    if (was.email, was.fields, was.first_name) != (now.email, now.fields, now.first_name):
        wrong.append("who they are")
    for name in ("away_until", "unclear_until"):
        then, until = getattr(was, name), getattr(now, name)
        if then is not None and (until is None or until < then):
            wrong.append(name)
    if any(_AS_STRICT[b[0]] < _AS_STRICT[a[0]] for a, b in zip(stood, stands, strict=True)):
        wrong.append("where they stand")
    if {each.id for each in plan} - {each.id for each in planned}:
        wrong.append("an email more")
    for old, new in zip(planned, plan, strict=True):
        if new.due_at < old.due_at or (old.held and not new.held and new.state == "pending"):
            wrong.append("an email sooner")
    if suppressed - list_:
        wrong.append("the suppression list")
    return wrong


def hold(stage: Stage, people: list[Candidate]) -> None:
    """The first is away, the second is asked about, the third waits for a decision; others are in the middle of it all."""
    away, unclear, proposed, *_ = people
    stage.put(Candidate, away.id, away_until=ahead(days=20), away_since=ahead(), away_message_id=new_id())
    stage.put(Candidate, unclear.id, unclear_until=ahead(hours=30))
    with stage.world.database.transaction() as tx:
        withdrawing.hold_person(tx, proposed.id, follow.PROPOSED)


def enrolled(stage: Stage, box: UUID, owner: UUID, *, default: bool = False) -> list[Candidate]:
    """Eight people who have had the first of two emails from an address of ours."""
    sequence = stage.world.sequence(owner, box, ("PT0S", "PT1H"))
    if default:
        stage.put(Sequence, sequence, uses_sender_address=True)
    stage.world.enroll(sequence, 8)
    stage.later(HOUR)  # the pace of a mailbox is a few emails at once
    stage.send_due()
    stage.later(MINUTE)
    stage.send_due()
    stage.run_outbox()
    people = {each.candidate_id for each in stage.all(Enrollment, sequence_id=sequence)}
    return [each for each in stage.all(Candidate) if each.id in people]


def raw_letters(named: list[Candidate], box: str, token: str, seed: int) -> list[bytes]:
    target = Target([each.email for each in named], box, token)
    shapes = [whole(INPUTS[name]).replace(b"ann@example.org", named[0].email.encode(), 1) for name in _SMALL]
    return letters(EACH_WAY, target, seed) + shapes


def judge_people(stage: Stage, before: dict[UUID, Standing], named: list[Candidate]) -> None:
    after = standings(stage)
    assert set(after) == set(before)
    those = {each.id for each in named}
    assert [
        each.email for id_, (each, *_) in after.items() if id_ not in those and after[id_] != before[id_]
    ] == []
    assert [wrong for id_ in those if (wrong := let_go(before[id_], after[id_]))] == []
    assert [(each.value, each.reason, each.source) for each in stage.all(Suppression)] == []


def judge_mail(stage: Stage, left_before: int) -> None:
    """Nothing left because of them, but for notices to our own people."""
    stage.run_outbox()
    ours = {each.email for each in stage.all(Member)}
    assert {address for each in stage.emulator.control.ledger(left_before) for address in each.to} <= ours


def judge_pages(stage: Stage, reader: UUID, people: list[Candidate]) -> int:
    """Every page that shows them, for somebody who may see all; returns how many emails were shown there."""
    stage.put(Member, reader, role="admin")
    visitor, shown = Visitor(stage).sign_in(email_of(stage, reader)), 0
    for path in [f"/people/{each.id}/messages" for each in people] + [
        f"/messages?whose=all&which={which}" for which in ("waiting", "unclear", "done")
    ]:
        visitor.get(path)
        assert visitor.status == 200
        assert (path, wrong_with(visitor.text)) == (path, [])
        policy = visitor.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy.replace("style-src 'unsafe-inline'", "")
        shown += visitor.text.count('<article class="message">') + visitor.text.count(
            '<article class="card" id="m-'
        )
    return shown


def test_a_mailbox_full_of_forged_mail_moves_nobody_but_those_it_names_and_lets_nobody_go(
    stage: Stage, foreign_token: str
) -> None:
    rita = member(stage, "Rita Recruiter")
    box = stage.mailbox(stage.world.member("Hans Holder"))
    stage.world.grant(box, rita)
    people = enrolled(stage, box, rita)
    named, others = people[:5], people[5:]
    hold(stage, named)
    before, left, lane = standings(stage), len(stage.emulator.control.ledger()), stage.only(Lane, box)
    came = raw_letters(named, stage.address(box), foreign_token, 16)
    for raw in came:
        stage.emulator.control.incoming(stage.address(box), raw=raw)
    assert stage.read(box)
    assert stage.only(MailboxRead, box).seen >= len(came)
    judge_people(stage, before, named)
    judge_mail(stage, left)
    assert stage.only(Lane, box).retry_after_until == lane.retry_after_until
    assert judge_pages(stage, rita, named) > EACH_WAY // 3
    stage.later(2 * HOUR)
    assert stage.read(box)  # more than a worker reads before it sends
    stage.send_due()
    reached = {address for each in stage.left()[left:] for address in each.to}
    assert {each.email for each in others} <= reached
    assert not any(FOREIGN in each for each in reached)


def test_a_default_address_full_of_forged_mail_only_holds_those_it_names(
    stage: Stage, foreign_token: str, inbox_database: Database, certificate: Path
) -> None:
    rita = member(stage, "Rita Recruiter")
    with stage.world.database.transaction() as tx:
        senders.ensure_default(tx, stage.world.organization_id, "onbehalf.example")
        box = senders.sender_of(tx, stage.world.organization_id, None)
    assert box is not None
    people = enrolled(stage, box, rita, default=True)
    named, others = people[:5], people[5:]
    hold(stage, named)
    before, left = standings(stage), len(stage.emulator.control.ledger())
    came = [
        each for each in raw_letters(named, stage.address(box), foreign_token, 17) if b"\r\n.\r\n" not in each
    ]
    with running_inbox(inbox_database, stage.world, certificate=certificate) as inbox:
        taken = [
            raw for raw, takes in zip(came, _takes(inbox, stage.address(box), came), strict=True) if takes
        ]
    assert len(taken) > len(came) * 2 // 3  # it refuses those with bare line ends
    stage.run_outbox()
    different = {digest(raw if raw.endswith(b"\r\n") else raw + b"\r\n") for raw in taken}
    assert stage.count(ReceivedMail, processed_at=PRESENT) == stage.count(ReceivedMail) == len(different)
    judge_people(stage, before, named)
    assert {each.standing for each in stage.all(Enrollment)} <= {
        ("active", None),
        ("paused", follow.PROPOSED),
    }
    held = [each.unclear_until for each in stage.all(Candidate) if each.unclear_until]
    assert max(held) < ahead(hours=31)
    judge_mail(stage, left)
    assert judge_pages(stage, rita, named) > EACH_WAY // 3
    for each in stage.all(IncomingMessage):
        with stage.world.database.transaction() as tx:
            _, html = unassigned.text_of(tx, stage.runtime.web_keys, each.id)
        assert wrong_within(html) == []
    stage.later(2 * HOUR)
    stage.send_due()
    reached = {address for each in stage.left("smtp")[left:] for address in each.to}
    assert {each.email for each in others} <= reached


def _takes(inbox: Inbox, address: str, came: list[bytes]) -> Iterator[bool]:
    """Hand them over, ninety on a connection; says of each whether it was taken."""
    for first in range(0, len(came), 90):
        client = inbox.client()
        for raw in came[first : first + 90]:
            client.mail("someone@evil.example")
            client.rcpt(address)
            yield client.data(raw)[0] == 250
        client.quit()


def test_fifty_megabytes_are_refused_by_smtp_and_read_in_part_from_a_mailbox(
    stage: Stage, inbox_database: Database, certificate: Path
) -> None:
    rita = member(stage, "Rita Recruiter")
    box = stage.mailbox(rita)
    (person, *_) = enrolled(stage, box, rita)
    large = (
        HEAD.replace(b"ann@example.org", person.email.encode())
        + b"\r\n"
        + b"Hello, world. \r\n" * (50 * MEGABYTE // 16)
    )
    stage.emulator.control.incoming(stage.address(box), raw=large)
    assert stage.read(box)
    kept = stage.only(IncomingMessage)
    assert kept.text is not None
    assert len(kept.text) < 5 * MEGABYTE
    with running_inbox(inbox_database, stage.world, certificate=certificate) as inbox:
        client = inbox.client()
        client.mail("someone@evil.example")
        code, said = client.rcpt(stage.address(box))
        assert (code, said[:5]) == (550, b"5.1.1")
