"""Sequences of before carry no signature: nobody's texts change by an upgrade."""

from db.schema.migrate import downgrade, upgrade
from lab.records import Sequence
from lab.stage import Stage


def test_what_exists_carries_none_and_what_is_made_afterwards_does(stage: Stage, database_url: str) -> None:
    owner = stage.world.member()
    box = stage.mailbox(owner)
    known = [stage.world.sequence(owner, box, status=each) for each in ("active", "draft")]
    stage.world.database.close()
    downgrade(database_url, "2026_11_30_signatures-1")
    upgrade(database_url)
    new = stage.world.sequence(owner, box)
    assert {each.id: each.with_signature for each in stage.all(Sequence)} == {
        **dict.fromkeys(known, False),
        new: True,
    }
