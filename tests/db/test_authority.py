"""One rule says whether a sequence may send. The SQL for many rows at once agrees with ``domain/authority.py``."""

from itertools import product
from uuid import UUID

from sqlalchemy import text

from db.access import authority
from domain.authority import Authorized, authorize, missing
from domain.grant import usable_grant
from lab.access_records import Grant, Mailbox, Member
from lab.factories import World
from lab.tables import ago

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
)
PEOPLE = ("all active", "owner left", "holder left", "both left")


def build(world: World) -> dict[UUID, tuple[str, ...]]:
    """Create a sequence for every combination; the mailbox's owner varies too."""
    built: dict[UUID, tuple[str, ...]] = {}
    stranger = world.member()
    for mailbox, grant, people in product(MAILBOXES, GRANTS, PEOPLE):
        mailbox_owner, owner = world.member(), world.member()
        box = world.mailbox(mailbox_owner, connected=mailbox != "never_connected")
        sequence, other = world.sequence(owner, box), world.sequence(owner, box)
        if grant != "none":
            grantee = {"to everyone": None, "to somebody else": stranger}.get(grant, owner)
            given = world.grant(box, grantee)
            _bound(world, grant, given, sequence, other)
        built[sequence] = (mailbox, grant, people)
        _put(world, mailbox, box)
        for who, left in (
            (owner, people in ("owner left", "both left")),
            (mailbox_owner, people in ("holder left", "both left")),
        ):
            if left:
                world.put(Member, who, active=False, deactivated_at=ago())
    own = world.member()
    built[world.sequence(own, world.mailbox(own))] = ("own", "none", "all active")
    shared = world.mailbox(own)
    world.put(Mailbox, shared, owner_id=None)
    built[world.sequence(stranger, shared)] = ("company's", "none", "all active")
    return built


def _bound(world: World, grant: str, given: UUID, sequence: UUID, other: UUID) -> None:
    match grant:
        case "expired":
            world.put(Grant, given, expires_at=ago(hours=1))
        case "ended":
            world.put(Grant, given, archived_at=ago(), archived_reason="revoked")
        case "for another sequence":
            world.put(Grant, given, sequence_ids=[other])
        case "for this one":
            world.put(Grant, given, sequence_ids=[sequence])


def _put(world: World, mailbox: str, box: UUID) -> None:
    match mailbox:
        case "lost" | "removed":
            reason = "consent_revoked" if mailbox == "lost" else "removed"
            world.put(Mailbox, box, status="disconnected", status_reason=reason, disconnected_at=ago())
        case "scope missing":
            world.put(Mailbox, box, scopes=["mail.send"])
        case "own server":
            world.put(Mailbox, box, provider="smtp", scopes=[])


def test_sql_and_the_rule_agree_about_every_combination(world: World) -> None:
    built = build(world)
    with world.database.transaction() as tx:
        senders = authority.senders(tx, list(built))
        rows = tx.execute(
            text(
                f"SELECT s.id, {authority.cannot_send()} AS cannot_send, {authority.authorized()} AS authorized"
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
        assert len(blockers[row.id]) == len(missing(sender)), what
    assert {bool(row.cannot_send) for row in rows} == {True, False}
