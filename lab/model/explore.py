"""Visits every state that a model can reach."""

from collections import deque
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

State = TypeVar("State", bound=Hashable)


@dataclass
class Result:
    """The result of a complete walk."""

    states: int = 0
    harm: str = ""
    path: list[str] = field(default_factory=list)
    stuck: int = 0  # states from which no settled one can be reached


@dataclass(frozen=True)
class Model(Generic[State]):
    """``steps``: everything that can happen next, by name. ``harmed``: which promise a state breaks; empty if none."""

    start: State
    steps: Callable[[State], Iterable[tuple[str, State]]]
    harmed: Callable[[State], str]
    settled: Callable[[State], bool]


def explore(model: Model[State], at_most: int = 2_000_000) -> Result:
    """Visit every reachable state, nearest first. Stop at the first harm, with the shortest path to it."""
    came: dict[State, tuple[State, str] | None] = {model.start: None}
    back: dict[State, list[State]] = {}
    queue = deque([model.start])
    while queue:
        state = queue.popleft()
        for label, after in model.steps(state):
            back.setdefault(after, []).append(state)
            if after in came:
                continue
            came[after] = (state, label)
            if harm := model.harmed(after):
                return Result(len(came), harm, _path(came, after))
            if len(came) > at_most:
                raise RuntimeError(f"more than {at_most} states")
            queue.append(after)
    return Result(len(came), stuck=_stuck(model, came, back))


def _stuck(
    model: Model[State], came: dict[State, tuple[State, str] | None], back: dict[State, list[State]]
) -> int:
    hopeful = {state for state in came if model.settled(state)}
    queue = deque(hopeful)
    while queue:
        for before in back.get(queue.popleft(), []):
            if before not in hopeful:
                hopeful.add(before)
                queue.append(before)
    return len(came) - len(hopeful)


def _path(came: dict[State, tuple[State, str] | None], state: State) -> list[str]:
    path = []
    while (before := came[state]) is not None:
        path.append(before[1])
        state = before[0]
    return path[::-1]
