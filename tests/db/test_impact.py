"""What a preview says a withdrawal would stop is what the rule in ``domain/authority.py`` forbids afterwards, for every combination."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from uuid import UUID

from db.access import authority
from db.withdrawing import impact
from domain.authority import Authorized, Sender, authorize
from domain.grant import Grant as Permission
from domain.grant import usable_grant
from lab.access_records import Grant
from lab.factories import World
from lab.tables import ago, ahead

WHOM = ("a person", "everyone", "somebody else")
BOUNDS = ("none", "this sequence", "another sequence", "expired", "ends later")


def build(world: World) -> tuple[list[UUID], list[UUID]]:
    """One mailbox a combination of two grants, with a sequence of a colleague and one of the owner; a person waits in each."""
    sequences, grants = [], []
    stranger = world.member()
    for first, second in product(
        product(WHOM, BOUNDS), (("everyone", "none"), ("a person", "another sequence"), None)
    ):
        owner, colleague = world.member(), world.member()
        box = world.mailbox(owner)
        one, other, own = (
            world.sequence(colleague, box),
            world.sequence(colleague, box),
            world.sequence(owner, box),
        )
        for each in (one, other, own):
            world.enroll(each)
        for whom, bounds in filter(None, (first, second)):
            grantee = {"everyone": None, "somebody else": stranger}.get(whom, colleague)
            if second is not None and (whom, bounds) == second and second[0] == first[0]:
                continue  # a second one for the same person replaces the first
            given = world.grant(box, grantee)
            grants.append(given)
            match bounds:
                case "this sequence":
                    world.put(Grant, given, sequence_ids=[one])
                case "another sequence":
                    world.put(Grant, given, sequence_ids=[other])
                case "expired":
                    world.put(Grant, given, expires_at=ago())
                case "ends later":
                    world.put(Grant, given, expires_at=ahead(days=1))
        sequences += [one, other, own]
    return sequences, grants


def stops(sender: Sender, ended: Permission | None, given: UUID) -> bool:
    """By the rule: does ending this grant leave the sequence without a permission?"""
    if ended is None or sender.mailbox_owner is None or sender.sequence_owner.id == sender.mailbox_owner.id:
        return False
    covers = usable_grant(
        [replace(ended, bounds=replace(ended.bounds, expires_at=None))],
        sender.sequence_owner.id,
        sender.sequence_id,
        sender.now,
    )
    left: Sequence[Permission] = [each for each in sender.grants if each.id != given]
    return covers is not None and not isinstance(authorize(replace(sender, grants=left)), Authorized)


def test_the_preview_of_an_ended_permission_and_the_rule_name_the_same_sequences(world: World) -> None:
    sequences, grants = build(world)
    named = 0
    with world.database.transaction() as tx:
        senders = authority.senders(tx, sequences)
        for given in grants:
            expected = {
                id_
                for id_, sender in senders.items()
                if stops(sender, next((each for each in sender.grants if each.id == given), None), given)
            }
            preview = impact.of_revocation(tx, given)
            assert {each.id for each in preview.sequences} == expected
            assert preview.emails == len(expected)
            named += len(expected)
    assert 0 < named < len(sequences)
