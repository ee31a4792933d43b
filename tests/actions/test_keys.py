"""Operators rotate keys, and each organization's audit trail records it."""

from actions import keys
from lab.factories import World
from lab.records import AuditEntry
from lab.stage import Stage


def test_security_16_a_rotation_is_in_every_organizations_trail(stage: Stage) -> None:
    World(stage.world.database)
    stage.mailbox(stage.world.member())
    keys.rotate(stage.runtime, actor="operator")
    found = stage.all(AuditEntry, action="keys_rotated")
    assert [(each.actor_name, each.data["count"]) for each in found] == [("operator", 0)] * 2
