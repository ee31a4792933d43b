"""The registry of troubles, and a schedule drawn from the seed, so that a seed replays the same troubles.

A trouble is a function with the decorator ``trouble``. The function's name is the kind of trouble.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from lab.nemesis.nemesis import Nemesis

Act: TypeAlias = "Callable[[Nemesis, int, float], None]"

_SOME = 9
_ALWAYS = "mail_server_hangs_up"  # the only trouble that only a mail server has


@dataclass(frozen=True, slots=True)
class Strike:
    """One trouble: ``at`` seconds after the start, with numbers that choose the victim and the duration."""

    at: float
    kind: str
    pick: int
    size: float  # 0 to 1


@dataclass(frozen=True, slots=True)
class Trouble:
    """``weight``: how often it is drawn.

    ``leaves_no_doubt``: it kills no worker and loses no answer of the notice relay.
    """

    act: Act
    weight: int
    leaves_no_doubt: bool


TROUBLES: dict[str, Trouble] = {}


def trouble(*, weight: int, leaves_no_doubt: bool = False) -> Callable[[Act], Act]:
    """Add a function to the registry."""

    def enter(act: Act) -> Act:
        TROUBLES[act.__name__] = Trouble(act, weight, leaves_no_doubt)
        return act

    return enter


def draw(chance: random.Random, seconds: float, only: Sequence[str] = ()) -> list[Strike]:
    """Draw one trouble every one to three seconds. ``only``: of these kinds.

    Two runs of three use only some kinds, and use them more often, so that rare troubles meet. Every run has a
    mail server's own trouble in both forms.
    """
    strikes, at = [], 2.0
    kinds = list(TROUBLES) if chance.random() < 1 / 3 else chance.sample(list(TROUBLES), _SOME)
    kinds = list(only) or kinds
    weights = [TROUBLES[kind].weight for kind in kinds]
    while at < seconds:
        kind = chance.choices(kinds, weights)[0]
        strikes.append(Strike(round(at, 2), kind, chance.randrange(1000), chance.random()))
        at += chance.uniform(1, 3)
    if only:
        return strikes
    # Before and after it has taken an email, while its desks still have some to send.
    strikes += [Strike(round(chance.uniform(2, seconds / 2), 2), _ALWAYS, pick, 0.0) for pick in (0, 1)]
    return sorted(strikes, key=lambda strike: strike.at)
