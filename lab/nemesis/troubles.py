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
# Strikes of every run: the only trouble that only a mail server has, before and after it has taken an email, and an email that is
# accepted and stays in Drafts, which no other trouble brings about; and the end of the only process that takes mail.
_ALWAYS = (("mail_server_hangs_up", 0), ("mail_server_hangs_up", 1), ("never_left", 0), ("kill_inbox", 0))


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

    Two runs of three use only some kinds, and use them more often, so that rare troubles meet. Every run has those that no other
    trouble stands for.
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
    # While there is still something to send.
    strikes += [Strike(round(chance.uniform(2, seconds / 2), 2), kind, pick, 0.0) for kind, pick in _ALWAYS]
    return sorted(strikes, key=lambda strike: strike.at)
