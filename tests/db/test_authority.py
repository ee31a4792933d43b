"""One rule says whether a sequence may send. The SQL for many rows at once agrees with ``domain/authority.py``."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from uuid import UUID

import pytest
from sqlalchemy import text

from db.access import authority, grant_requests, grants
from db.core.ids import new_id
from db.core.statements import CATALOGUE
from db.events import early_warnings
from db.sending import by_hand, claims
from db.sequences import built as builder
from db.sequences import sequences
from db.views import my_settings
from domain.authority import Authorized, Sender, authorize, missing
from domain.errors import NotPermitted
from domain.events import EventKind
from domain.grant import usable_grant
from lab.access_records import Grant, Mailbox, Member
from lab.factories import World
from lab.records import Delivery, Event
from lab.records import Sequence as SequenceRecord
from lab.tables import ago, ahead

MAILBOXES = ("connected", "lost", "removed", "never_connected", "scope missing", "own server")
GRANTS = (
    "none",
    "to them",
    "to everyone",
    "to somebody else",
    "expired",
    "ended",
    "for another sequence",
    "for this one",
    "ends soon",
    "ends soon, for another sequence",
    "expired, and one to everyone",
)
PEOPLE = ("all active", "owner left", "holder left", "both left")


def build(world: World, mailboxes: Sequence[str] = MAILBOXES) -> dict[UUID, tuple[str, ...]]:
    """Create a sequence for every combination; the mailbox's owner varies too."""
    built: dict[UUID, tuple[str, ...]] = {}
    stranger = world.member()
    for mailbox, grant, people in product(mailboxes, GRANTS, PEOPLE):
        mailbox_owner, owner = world.member(), world.member()
        box = world.mailbox(mailbox_owner, connected=mailbox != "never_connected")
        sequence, other = world.sequence(owner, box), world.sequence(owner, box)
        world.enroll(sequence)
        if grant != "none":
            grantee = {"to everyone": None, "to somebody else": stranger}.get(grant, owner)
            given = world.grant(box, grantee)
            _bound(world, grant, given, sequence, other)
        if grant == "expired, and one to everyone":
            world.grant(box, None)
        built[sequence] = (mailbox, grant, people)
        _put(world, mailbox, box)
        for who, left in (
            (owner, people in ("owner left", "both left")),
            (mailbox_owner, people in ("holder left", "both left")),
        ):
            if left:
                world.put(Member, who, active=False, deactivated_at=ago())
    own = world.member()
    built[mine := world.sequence(own, world.mailbox(own))] = ("own", "none", "all active")
    shared = world.mailbox(own)
    world.put(Mailbox, shared, owner_id=None)
    built[ours := world.sequence(stranger, shared)] = ("company's", "none", "all active")
    for sequence in (mine, ours):
        world.enroll(sequence)
    return built


def _bound(world: World, grant: str, given: UUID, sequence: UUID, other: UUID) -> None:
    match grant:
        case "expired" | "expired, and one to everyone":
            world.put(Grant, given, expires_at=ago(hours=1))
        case "ended":
            world.put(Grant, given, archived_at=ago(), archived_reason="revoked")
        case "for another sequence":
            world.put(Grant, given, sequence_ids=[other])
        case "for this one":
            world.put(Grant, given, sequence_ids=[sequence])
        case "ends soon":
            world.put(Grant, given, expires_at=ahead(hours=1))
        case "ends soon, for another sequence":
            world.put(Grant, given, expires_at=ahead(hours=1), sequence_ids=[other])


def _put(world: World, mailbox: str, box: UUID) -> None:
    match mailbox:
        case "lost" | "removed":
            reason = "consent_revoked" if mailbox == "lost" else "removed"
            world.put(Mailbox, box, status="disconnected", status_reason=reason, disconnected_at=ago())
        case "scope missing":
            world.put(Mailbox, box, scopes=["mail.send"])
        case "own server":
            world.put(Mailbox, box, provider="smtp", scopes=[])


class Office:
    """Every grant and member, and who would send: read by the statement that ``blockers`` and early warnings rest on."""

    def __init__(self, world: World, mailboxes: Sequence[str] = ("connected", "removed")) -> None:
        self.world = world
        self.built = build(world, mailboxes)
        with world.database.transaction() as tx:
            self.senders = authority.senders(tx, list(self.built))


def permitted(sender: Sender) -> bool:
    """Is it no permission that is missing?"""
    lacks = {EventKind.GRANT_REVOKED, EventKind.GRANT_EXPIRED, EventKind.GRANT_MISSING}
    return not any(each.kind in lacks for each in missing(sender))


def everybody_active(sender: Sender) -> bool:
    return not any(each.kind is EventKind.MEMBER_DEACTIVATED for each in missing(sender))


def for_any_sequence(sender: Sender) -> Sender:
    """The same, for a sequence that no grant can name yet."""
    return replace(sender, sequence_id=new_id())


@pytest.fixture
def office(world: World) -> Office:
    return Office(world)


def test_sql_and_the_rule_agree_about_every_combination(world: World) -> None:
    office = Office(world, MAILBOXES)
    built, senders = office.built, office.senders
    with office.world.database.transaction() as tx:
        rows = tx.execute(
            text(
                f"SELECT s.id, {authority.cannot_send()} AS cannot_send, {authority.authorized()} AS authorized,"
                f" {authority.permitted()} AS permitted"
                " FROM sequences s JOIN mailboxes b ON b.id = s.mailbox_id LEFT JOIN members h ON h.id = b.owner_id"
                " JOIN members w ON w.id = s.owner_id WHERE s.id = ANY(:ids)"
            ),
            {"ids": list(built)},
        ).all()
        blockers = authority.blockers(tx, list(built))
    assert len(rows) == len(built)
    for row in rows:
        sender, what = senders[row.id], built[row.id]
        assert bool(row.cannot_send) is bool(missing(sender)), what
        assert isinstance(authorize(sender), Authorized) is not bool(row.cannot_send), what
        grant = usable_grant(sender.grants, sender.sequence_owner.id, row.id, sender.now)
        assert row.authorized is (grant is not None), what
        assert row.permitted is permitted(sender), what
        assert len(blockers[row.id]) == len(missing(sender)), what
    assert {bool(row.cannot_send) for row in rows} == {True, False}


def test_a_worker_reads_the_same_of_every_combination(office: Office) -> None:
    token = new_id()
    for delivery in office.world.all(Delivery):
        office.world.overwrite(
            Delivery,
            delivery.id,
            state="preparing",
            lease_token=token,
            lease_until=ahead(hours=1),
            correlation_id=str(delivery.id),
        )
        sender, what = office.senders[delivery.sequence_id], office.built[delivery.sequence_id]
        with office.world.database.transaction() as tx:
            claim = claims.load_claim(tx, delivery.id, token)
        assert claim is not None
        assert {each.id for each in claim.facts.grants} == {each.id for each in sender.grants}, what
        assert [str(each) for each in missing(claim.facts)] == [str(each) for each in missing(sender)], what
        assert type(authorize(claim.facts)) is type(authorize(sender)), what


def test_a_sequence_is_handed_over_to_whom_the_gate_lets_send(office: Office) -> None:
    with office.world.database.transaction() as tx:
        for sequence, sender in office.senders.items():
            reason = sequences.why_not(tx, sequence, sender.sequence_owner.id, sender.mailbox_id)
            allowed = permitted(sender) and everybody_active(sender)
            assert (reason is None) is allowed, (office.built[sequence], reason)


def test_senders_are_offered_from_which_the_gate_lets_send(office: Office) -> None:
    organization_id = office.world.organization_id
    with office.world.database.transaction() as tx:
        for sequence, sender in office.senders.items():
            if sender.mailbox_owner is None:
                continue  # which sender address a member has is another rule: db/mailboxes/senders.py
            what, owner = office.built[sequence], sender.sequence_owner.id
            offered = {each.id for each in builder.senders(tx, organization_id, owner, sequence)}
            assert (sender.mailbox_id in offered) is (permitted(sender) and sender.mailbox_owner.active), what
            by_now = {each.id for each in by_hand.senders(tx, organization_id, owner)}
            fresh = for_any_sequence(sender)
            ready = sender.mailbox_owner.active and sender.mailbox_status == "connected"
            assert (sender.mailbox_id in by_now) is (permitted(fresh) and ready), what


def test_only_whoever_may_not_send_for_long_asks_for_permission(office: Office) -> None:
    for sequence, sender in office.senders.items():
        what = office.built[sequence]
        if sender.mailbox_owner in (None, sender.sequence_owner) or not everybody_active(sender):
            continue
        later = replace(for_any_sequence(sender), now=sender.now + grants.ENDS_SOON)
        address = office.world.only(Mailbox, sender.mailbox_id).address
        with office.world.database.transaction() as tx:
            try:
                grant_requests.ask(
                    tx, mailbox=address, requester_id=sender.sequence_owner.id, words="", actor="They"
                )
            except NotPermitted as refused:
                assert "already" in str(refused), what
                assert permitted(later), what
            else:
                assert not permitted(later), what


def test_owners_are_warned_of_the_ends_of_permissions_that_a_running_sequence_rests_on(
    office: Office,
) -> None:
    with office.world.database.transaction() as tx:
        early_warnings.warn_of_ends(tx)
        everything = authority.senders(tx, [each.id for each in office.world.all(SequenceRecord)])
    ending = {
        str(grant.id)
        for sender in everything.values()
        for grant in sender.grants
        if grant.covers(sender.sequence_owner.id, sender.sequence_id)
        and not grant.expired(sender.now)
        and grant.expired(sender.now + early_warnings.AHEAD)
    }
    assert {each.payload["grant_id"] for each in office.world.all(Event, kind="GrantEndsSoon")} == ending
    assert ending


def test_notices_say_of_a_sequence_whether_it_has_another_permission(office: Office) -> None:
    touched = CATALOGUE["events.notice_facts.touched"]
    with office.world.database.transaction() as tx:
        rows = touched.all(
            tx,
            ids=list(office.built),
            event_id=new_id(),
            pauses=False,
            of_person=False,
            of_sender=False,
            ends=None,
        )
    assert len(rows) == len(office.built)
    for row in rows:
        assert row.authorized is permitted(office.senders[row.id]), office.built[row.id]


def test_settings_list_the_permissions_that_hold_and_count_what_runs_on_them(office: Office) -> None:
    with office.world.database.transaction() as tx:
        everything = authority.senders(tx, [each.id for each in office.world.all(SequenceRecord)])
        for sequence, sender in office.senders.items():
            what, box_owner = office.built[sequence], sender.mailbox_owner
            if box_owner is None or box_owner == sender.sequence_owner:
                continue
            holding = [each for each in sender.grants if not each.expired(sender.now)]
            address = office.world.only(Mailbox, sender.mailbox_id).address
            received = [
                each for each in my_settings.received(tx, sender.sequence_owner.id) if each.address == address
            ]
            assert len(received) == len(holding), what
            given = {each.id: each for each in my_settings.given(tx, box_owner.id)}
            for grant in holding:
                runs = [
                    each
                    for each in everything.values()
                    if each.mailbox_id == sender.mailbox_id
                    and grant.covers(each.sequence_owner.id, each.sequence_id)
                ]
                assert given[grant.id].sequences == len(runs), what
            assert not {each.id for each in sender.grants if each not in holding} & given.keys(), what
