"""Every cell of the matrix; not part of ``make test``, which runs the pairwise ones. ``make matrix`` runs this."""

import pytest

from lab.matrix.cells import CELLS
from lab.stage import Stage
from tests.conftest import Servers
from tests.lab.matrix.test_matrix import holds


@pytest.mark.parametrize(("job", "point", "fault"), CELLS, ids=[" - ".join(cell) for cell in CELLS])
def test_a_fault_at_a_point_breaks_no_promise(
    stage: Stage, servers: Servers, redis_url: str, job: str, point: str, fault: str
) -> None:
    holds(stage, servers, redis_url, job, point, fault)
