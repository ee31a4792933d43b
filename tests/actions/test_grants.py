"""Permissions with bounds, and asking for one: what the gate lets through, who is paused, who is notified."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from actions import grants, withdraw
from app.rates import ASKS
from db.access import grant_requests
from db.core.session import database_now
from domain.errors import InvalidInput, NotFound, NotPermitted, TooMany
from domain.grant import UNBOUNDED, Bounds
from lab.access_records import Grant, GrantRequest, Lane
from lab.records import Delivery, Notice, Pause, Receipt, Sequence
from lab.stage import Stage
from lab.tables import PRESENT, ago
from scheduler import sweeper
from workers import send_step


@dataclass
class Desk:
    """Hans's mailbox, and Rita who sends from it."""

    stage: Stage

    def __post_init__(self) -> None:
        world = self.stage.world
        self.hans, self.rita = world.member("Hans Holder"), world.member("Rita Recruiter")
        self.box = self.stage.mailbox(self.hans)

    def give(self, bounds: Bounds = UNBOUNDED, to: UUID | None = None, *, everyone: bool = False) -> UUID:
        return grants.give_grant(
            self.stage.runtime,
            mailbox_id=self.box,
            mailbox_owner_id=self.hans,
            grantee_id=None if everyone else to or self.rita,
            actor="Hans Holder",
            bounds=bounds,
        )

    def start(self, people: int = 1, owner: UUID | None = None, delays: tuple[str, ...] = ("PT0S",)) -> UUID:
        sequence_id = self.stage.world.sequence(owner or self.rita, self.box, delays)
        self.stage.world.enroll(sequence_id, people)
        return sequence_id

    def in_(self, **time: float) -> Bounds:
        with self.stage.world.database.transaction() as tx:
            return Bounds(expires_at=database_now(tx) + timedelta(**time))

    def time_runs_out(self) -> None:
        self.stage.put(Grant, where={"expires_at": PRESENT}, expires_at=ago())

    def status(self, sequence_id: UUID) -> object:
        return self.stage.only(Sequence, sequence_id).status

    def ask(self, requester: UUID | None = None, words: str = "For the design roles.") -> UUID:
        return grants.ask_for_grant(
            self.stage.runtime,
            mailbox=self.stage.address(self.box),
            requester_id=requester or self.rita,
            words=words,
            actor="Rita Recruiter",
        )


@pytest.fixture
def desk(stage: Stage) -> Desk:
    return Desk(stage)


def told(stage: Stage, member_id: UUID) -> list[str]:
    return [each.title for each in stage.all(Notice, owner_id=member_id, channel="in_app")]


def test_a_permission_ends_by_itself_pauses_and_tells_once(stage: Stage, desk: Desk) -> None:
    desk.give(desk.in_(hours=1))
    sequence_id = desk.start(2, delays=("PT0S", "PT0S"))
    jobs = stage.due()
    desk.time_runs_out()
    for job in jobs:
        send_step.send(stage.runtime, job)
    assert stage.left() == []  # the gate refuses before anybody has archived it
    sweeper.expire_grants(stage.world.database)
    sweeper.expire_grants(stage.world.database)
    stage.run_outbox()
    assert stage.only(Grant).archived_reason == "expired"
    assert desk.status(sequence_id) == "paused"
    ended = f"Your permission to send from {stage.address(desk.box)} has expired"
    assert told(stage, desk.rita).count(ended) == 1
    assert stage.count(Pause) == 1


def test_what_another_permission_covers_goes_on_when_one_ends(stage: Stage, desk: Desk) -> None:
    desk.give(desk.in_(hours=1))
    desk.give(everyone=True)
    sequence_id = desk.start()
    desk.time_runs_out()
    sweeper.expire_grants(stage.world.database)
    stage.run_outbox()
    assert desk.status(sequence_id) == "active"
    stage.send_due()
    assert len(stage.left("graph")) == 1
    assert stage.only(Receipt).authority == "grant_to_everyone"


def test_a_permission_for_named_sequences_lets_no_other_send(stage: Stage, desk: Desk) -> None:
    named, other = desk.start(), desk.start()
    desk.give(Bounds(sequence_ids=frozenset({named})))
    stage.send_due()
    stage.run_outbox()
    assert stage.only(Delivery, stage.only(Receipt).delivery_id).sequence_id == named
    assert desk.status(named) == "active"
    assert desk.status(other) == "paused"


def test_only_as_many_a_day_as_allowed_leave_and_the_rest_waits_for_tomorrow(
    stage: Stage, desk: Desk
) -> None:
    desk.give(Bounds(daily_limit=2))
    sequence_id = desk.start(4)
    stage.send_due()
    assert len(stage.left("graph")) == 2
    assert {each.reason for each in stage.all(Delivery, state="pending")} == {"permission_used_up_today"}
    assert desk.status(sequence_id) == "active"
    stage.older(Grant, "used_on", days=1)
    stage.put(Lane, tokens=4)
    stage.later(86400)
    stage.send_due()
    assert len(stage.left("graph")) == 4


def test_the_mailboxs_own_sequences_do_not_count_against_a_limit(stage: Stage, desk: Desk) -> None:
    desk.give(Bounds(daily_limit=1))
    desk.start(2, owner=desk.hans)
    desk.start(1)
    stage.send_due()
    assert len(stage.left("graph")) == 3
    assert stage.only(Grant).used_today == 1


def test_ending_a_bounded_permission_stops_what_it_covered(stage: Stage, desk: Desk) -> None:
    sequence_id = desk.start(2)
    grant_id = desk.give(Bounds(sequence_ids=frozenset({sequence_id}), daily_limit=5))
    answer = withdraw.revoke_grant(stage.runtime, grant_id, actor="Hans Holder")
    assert answer.complete
    assert answer.stopped == 2
    stage.send_due()
    assert stage.left("graph") == []


def test_a_sequence_started_after_the_no_had_been_spread_is_paused_too_and_its_owner_told(
    stage: Stage, desk: Desk
) -> None:
    first = desk.start()
    withdraw.revoke_grant(stage.runtime, desk.give(), actor="Hans Holder")
    stage.run_outbox()
    assert desk.status(first) == "paused"
    late = desk.start()
    stage.send_due()
    stage.run_outbox()
    assert desk.status(late) == "paused"
    (ended,) = [
        each for each in stage.all(Notice, owner_id=desk.rita, channel="in_app") if "ended" in each.title
    ]
    assert stage.only(Sequence, late).name in ended.body
    assert stage.left("graph") == []


def test_giving_the_same_again_is_the_same_permission_and_other_bounds_are_refused(
    stage: Stage, desk: Desk
) -> None:
    bounds = Bounds(daily_limit=3)
    assert desk.give(bounds) == desk.give(bounds)
    with pytest.raises(NotPermitted, match="with other limits"):
        desk.give()
    assert stage.count(Grant) == 1


def test_a_permission_cannot_name_sequences_that_are_not_the_persons_on_this_mailbox(
    stage: Stage, desk: Desk
) -> None:
    elses = stage.world.sequence(desk.hans, desk.box)
    for wrong in (elses, uuid4()):
        with pytest.raises(InvalidInput, match="cannot cover one of these sequences"):
            desk.give(Bounds(sequence_ids=frozenset({wrong})))
    assert stage.count(Grant) == 0


@pytest.mark.row("M13")
def test_who_asks_gets_nothing_until_the_owner_agrees_and_both_are_told(stage: Stage, desk: Desk) -> None:
    request_id = desk.ask()
    assert desk.ask() == request_id
    stage.run_outbox()
    assert stage.count(Grant) == 0
    assert told(stage, desk.hans) == [f"Rita Recruiter asks to send from {stage.address(desk.box)}"]
    body = stage.only(Notice, owner_id=desk.hans, channel="in_app").body
    assert "For the design roles." in body
    grants.accept_request(
        stage.runtime,
        request_id,
        mailbox_owner_id=desk.hans,
        actor="Hans Holder",
        bounds=Bounds(daily_limit=5),
    )
    stage.run_outbox()
    grant = stage.only(Grant)
    assert (grant.grantee_id, grant.daily_limit) == (desk.rita, 5)
    assert told(stage, desk.rita) == [f"You may send from {stage.address(desk.box)}"]
    with pytest.raises(NotFound):
        grants.decline_request(stage.runtime, request_id, mailbox_owner_id=desk.hans, actor="Hans Holder")


def test_a_declined_request_gives_nothing_and_may_be_made_again(stage: Stage, desk: Desk) -> None:
    first = desk.ask()
    grants.decline_request(stage.runtime, first, mailbox_owner_id=desk.hans, actor="Hans Holder")
    stage.run_outbox()
    assert told(stage, desk.rita) == [f"No permission to send from {stage.address(desk.box)}"]
    assert stage.count(Grant) == 0
    assert desk.ask() != first


def test_only_the_mailboxs_owner_can_answer_a_request(stage: Stage, desk: Desk) -> None:
    request_id = desk.ask()
    admin = stage.world.member("Ada Admin", role="admin")
    for stranger in (admin, desk.rita):
        with pytest.raises(NotFound):
            grants.accept_request(stage.runtime, request_id, mailbox_owner_id=stranger, actor="Ada Admin")
    assert stage.count(Grant) == 0


def test_asking_is_refused_where_there_is_nothing_to_ask_for(stage: Stage, desk: Desk) -> None:
    with pytest.raises(NotPermitted, match="your own mailbox"):
        desk.ask(desk.hans)
    with pytest.raises(InvalidInput, match="600 characters"):
        desk.ask(words="a" * 600)
    with pytest.raises(NotFound, match="Nobody in your organization"):
        grants.ask_for_grant(
            stage.runtime, mailbox="nobody@acme.example", requester_id=desk.rita, words="", actor="Rita"
        )
    desk.give()
    with pytest.raises(NotPermitted, match="already"):
        desk.ask()
    assert stage.count(GrantRequest) == 0


def test_a_program_asks_by_its_own_name(stage: Stage) -> None:
    hans, rita = stage.world.member("Hans Holder"), stage.world.member("Rita Recruiter")
    box = stage.mailbox(hans)
    grants.ask_for_grant(
        stage.runtime,
        mailbox=stage.address(box),
        requester_id=rita,
        words="For the new roles.",
        actor="api:ats",
        program="ats",
    )
    stage.run_outbox()
    (email,) = stage.left("smtp")
    assert email.subject == f"The program ats asks you to let Rita Recruiter send from {stage.address(box)}"
    assert "Message from the program: “For the new roles.”" in email.body
    with stage.world.database.transaction() as tx:
        (listed,) = grant_requests.for_owner(tx, hans)
    assert listed.person == "Rita Recruiter (by the program ats)"
    with pytest.raises(InvalidInput, match="contains a link"):
        grants.ask_for_grant(
            stage.runtime, mailbox=stage.address(box), requester_id=rita, words="https://evil.example", actor="api:ats", program="ats"
        )  # fmt: skip


def test_one_key_asks_so_often_in_all_whoever_it_names(stage: Stage) -> None:
    box = stage.mailbox(stage.world.member("Hans Holder"))
    for _ in range(ASKS.amount):
        stage.runtime.limiter.count(ASKS, "ask by", f"{stage.world.organization_id} ats")
    rita = stage.world.member("Rita Recruiter")
    with pytest.raises(TooMany):
        grants.ask_for_grant(
            stage.runtime,
            mailbox=stage.address(box),
            requester_id=rita,
            words="",
            actor="api:ats",
            program="ats",
        )
    grants.ask_for_grant(stage.runtime, mailbox=stage.address(box), requester_id=rita, words="", actor="Rita")
