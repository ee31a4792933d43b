"""Crash points against faults, pairwise (``make matrix`` runs every cell).

At most once, nothing lost, nothing after a no. The judge is that of the drills.
"""

import pytest

from domain.connection import Provider
from lab.drills.invariants import judge
from lab.matrix.cell import Cell
from lab.matrix.cells import CELLS, FAULTS, IMPOSSIBLE, POINTS, pairwise
from lab.stage import Stage
from tests.conftest import Servers


def test_every_pair_is_a_cell_or_has_its_reason() -> None:
    assert len(CELLS) + len(IMPOSSIBLE) == len(POINTS) * len(FAULTS)
    assert len(set(POINTS)) == len(POINTS)
    assert all(reason for reason in IMPOSSIBLE.values())


SLICE = pairwise()


@pytest.mark.parametrize(("job", "point", "fault"), SLICE, ids=[" - ".join(cell) for cell in SLICE])
def test_a_fault_at_a_point_breaks_no_promise(
    stage: Stage, servers: Servers, redis_url: str, job: str, point: str, fault: str
) -> None:
    holds(stage, servers, redis_url, job, point, fault)


# What asks a provider for something; all else is the same whoever it is.
ASKS = [cell for cell in SLICE if cell[0] in ("send", "renew a token", "reconcile")]


@pytest.mark.parametrize("provider", [Provider.GMAIL, Provider.TENANT])
@pytest.mark.parametrize(("job", "point", "fault"), ASKS, ids=[" - ".join(cell) for cell in ASKS])
def test_a_fault_at_a_point_breaks_no_promise_of_any_other_mailbox(
    stage: Stage, servers: Servers, redis_url: str, job: str, point: str, fault: str, provider: Provider
) -> None:
    holds(stage, servers, redis_url, job, point, fault, provider)


def holds(
    stage: Stage,
    servers: Servers,
    redis_url: str,
    job: str,
    point: str,
    fault: str,
    provider: Provider = Provider.GRAPH,
) -> None:
    """Run and judge one cell."""
    cell = Cell(stage, servers.postgres, redis_url, provider)
    evidence = cell.run(job, point, fault)
    assert [(each.name, each.breaches) for each in judge(evidence) if not each.holds] == []
    if not cell.withdrawn:
        assert stage.world.states() == {"sent": 2}
