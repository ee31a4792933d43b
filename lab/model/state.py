"""The model's state, the rules that can be broken, and what counts as harm."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from domain.delivery import State

MESSAGES = 2  # enqueued at most: dispatch numbers
ATTEMPTS = 2

DRAFT, ACCEPTED, LEFT, PURGED, TRASHED = "draft", "accepted", "left", "purged", "trashed"
KILLED = "killed"  # accepted, and removed before its copy left


class Worker(NamedTuple):
    """``at``: the step it does next. The rest is what it remembers."""

    at: str = "idle"
    token: int = 0
    item: int = -1
    first: bool = True  # its claim was the first attempt
    started: bool = False  # its claim says: submitted before


IDLE = Worker()


class World(NamedTuple):
    """The whole state."""

    state: State = State.PENDING
    message: int = 0  # the delivery's dispatch number
    messages: frozenset[int] = frozenset()  # in Redis
    token: int = 0  # of the lease; 0 = none
    tokens: int = 0  # given so far
    started: bool = False  # send_started_at
    noted: int = -1  # draft_id
    recalled: int = -1  # recalled_draft
    sending_epoch: int = -1
    grace_over: bool = False
    throttled: bool = False  # in doubt because the answer was that there was too much
    held: bool = False
    epoch: int = 0  # the lane's epoch; 1 = the permission was revoked
    revoker: str = "waits"  # waits, drains, returned
    unknown: bool = False  # the revocation named this delivery as in doubt
    items: tuple[str, ...] = ()  # in the mailbox
    requests: frozenset[tuple[str, int]] = frozenset()  # on their way: (what, item)
    emails: int = 0  # of ours, accepted by the provider and not stopped after that
    late: bool = False  # one was accepted after the revocation had returned
    by_owner: bool = False  # the mailbox's owner changed the draft
    blind: bool = False  # an attempt began or continued without seeing that it had left
    unheard: str = ""  # a move that the product does not have
    workers: tuple[Worker, Worker] = (IDLE, IDLE)


@dataclass(frozen=True)
class Rules:
    """The product's rules. If one is broken, the walk must find harm."""

    claim_compares: bool = True  # C1 is a compare-and-set on state and dispatch number
    writes_compare: bool = True  # C2, C3 and C4 are a compare-and-set on state and lease
    looks_before_drafting: bool = True  # an attempt after the first searches for its correlation id
    drafts_then_sends: bool = True  # False: one request creates and sends
    gate_asks_again: bool = True  # C3 reads the permission again
    drains: bool = True  # a revocation waits for what passed the gate
    lost_answer_is_doubt: bool = True  # False: it is taken for a refusal, and drafted anew
    recall_is_final: bool = True  # permanentDelete, not the move to Deleted Items
    waits_out_the_grace: bool = True  # False: nothing found in the first search = not accepted
    only_its_own_draft_tells: bool = (
        True  # False: any draft with its correlation id says that it was not accepted
    )
    recalled_is_doubt: bool = True  # False: 202 is taken for sent although its draft is being removed
    throttled_goes_on_with_its_draft: bool = True  # False: what was refused for too much is drafted anew


Move = Callable[..., World]


def harmed(world: World) -> str:
    """Say which of P1, P2 and P3 this state breaks; empty if none."""
    if world.emails > 1:
        return "sent twice"
    if world.late:
        return "sent after the revocation returned"
    if world.state is State.SENT and world.emails == 0 and not world.by_owner:
        return "recorded as sent, but never left"
    if world.blind and world.emails:
        return "sent although it had left before"
    if world.unheard:
        return f"a move that must not be: {world.unheard}"
    return ""


def settled(world: World) -> bool:
    """Has the delivery ended, or does it wait for a person who was notified?"""
    return world.state in (State.SENT, State.REVIEW) or (world.state is State.PENDING and world.held)
