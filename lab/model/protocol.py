"""The delivery protocol as a state machine that is small enough to be explored completely.

One delivery; two workers that a duplicated, lost or late message may start at any time; the scheduler, the
sweeper, the reconciler, and somebody who revokes. A worker can be killed, or sleep past its lease, between any
two of its steps. A request can reach the provider at once, late (after its sender is gone) or never. Its answer
can be lost, or say that there was too much, whether or not the request was carried out. The states and moves of
the delivery are the product's own: every move is looked up in ``domain.delivery.TRANSITIONS``.

The mailbox's owner may delete or send a draft by hand; what the owner sends is not ours. Assumptions about the
provider: a submitted draft is consumed (A1), and a purged one cannot be sent (A2). Assumption about time: before
the grace of ten minutes ends, accepted emails have left Drafts, late requests have arrived, and a worker that
checked its clock has submitted.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from domain.delivery import TRANSITIONS, State
from lab.model import explore
from lab.model.others import provider, reconciler, revoker, scheduler
from lab.model.state import Rules, World, harmed, settled
from lab.model.worker import worker_steps


@dataclass
class Result(explore.Result):
    """The result of a complete walk. ``moves``: the moves of the delivery that somebody made."""

    moves: set[tuple[State, State]] = field(default_factory=set)


def walk(rules: Rules) -> Result:
    """Visit every reachable state, nearest first. Stop at the first harm, with the shortest path to it."""
    moves: set[tuple[State, State]] = set()
    model = explore.Model(World(), lambda world: steps(world, rules, moves), harmed, settled)
    found = explore.explore(model)
    return Result(found.states, found.harm, found.path, found.stuck, moves)


def steps(world: World, rules: Rules, moves: set[tuple[State, State]]) -> Iterator[tuple[str, World]]:
    """Yield everything that can happen next."""

    def move(now: World, to: State, **changes: Any) -> World:
        if (now.state, to) in TRANSITIONS:
            moves.add((now.state, to))
        elif now.state is not to:
            changes["unheard"] = f"{now.state} to {to}"
        if to is not State.IN_DOUBT:
            changes["throttled"] = False
        return now._replace(state=to, **changes)

    yield from scheduler(world, move)
    yield from reconciler(world, rules, move)
    yield from revoker(world, rules)
    yield from provider(world, rules)
    for number in (0, 1):
        for label, after, worker in worker_steps(world, world.workers[number], rules, move):
            workers = (worker, world.workers[1]) if number == 0 else (world.workers[0], worker)
            yield f"worker {number + 1} {label}", after._replace(workers=workers)
