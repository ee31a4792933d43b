"""What a tick asks of a lane it asks by the lane, whatever Postgres knows of its tables."""

import re

from db.core.statements import CATALOGUE
from lab.factories import World


def test_what_a_lane_has_in_hand_is_counted_in_that_lane_alone(world: World) -> None:
    # As Postgres sees it when it counts between two rushes: nothing is due or in hand, so that reading all of it once for each lane,
    # with all lanes locked meanwhile, seems as good as any way.
    owner = world.member()
    for _ in range(60):
        world.enroll(world.sequence(owner, world.mailbox(owner), delays=("P1D",)), 5)
    world.run("ANALYZE deliveries")
    world.run("ANALYZE lanes")
    plan = "\n".join(
        str(line)
        for (line,) in world.rows(
            f"EXPLAIN {CATALOGUE['sending.dispatch.due'].text}",
            bound=500,
            lanes=200,
            slots=3,
            capacity=4.0,
            rate=0.4,
        )
    )
    share = plan[plan.index("CTE share") : plan.index("CTE due")]
    assert re.findall(r"ix_deliveries_slots.*\n\s+(.*)", share) == ["Index Cond: (mailbox_id = r.mailbox_id)"]
