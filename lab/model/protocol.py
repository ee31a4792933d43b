"""The delivery protocol as a state machine small enough to be walked through completely.

One delivery; two workers that a duplicated, lost or late bell may start at any time; the scheduler, the sweeper, the
reconciler and somebody who revokes. A worker can be killed, or sleep past its lease, between any two of its steps. A
request can reach the provider at once, late (after its sender is gone) or never, its answer can be lost, and it can be
answered that there was too much, whether or not it was carried out. The states
and moves of the delivery are the product's own: every move is looked up in ``domain.delivery.TRANSITIONS``.

The mailbox's owner may delete or send a draft by hand; what the owner sends is the owner's. Assumed of the provider: A1, a submitted draft is consumed; A2, a
purged one cannot be sent. Assumed of time: before the grace of ten minutes ends, what was accepted has left Drafts, late
requests have arrived, and a worker that looked at its clock has submitted.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from domain.delivery import TRANSITIONS, State

MESSAGES = 2  # rung at most: dispatch numbers
ATTEMPTS = 2

DRAFT, ACCEPTED, LEFT, PURGED, TRASHED = "draft", "accepted", "left", "purged", "trashed"
KILLED = "killed"  # accepted, and removed before its copy left


class Worker(NamedTuple):
    """``at``: the step it will do next; the rest is what it remembers."""

    at: str = "idle"
    token: int = 0
    item: int = -1
    first: bool = True  # its claim was the first attempt
    started: bool = False  # its claim said: this was submitted before


IDLE = Worker()


class World(NamedTuple):
    """Everything there is."""

    state: State = State.PENDING
    bell: int = 0  # the delivery's dispatch number
    bells: frozenset[int] = frozenset()  # in Redis
    token: int = 0  # of the lease; 0 = none
    tokens: int = 0  # given so far
    started: bool = False  # send_started_at
    noted: int = -1  # draft_id
    recalled: int = -1  # recalled_draft
    sending_epoch: int = -1
    grace_over: bool = False
    throttled: bool = False  # the doubt is that of an answer that there was too much
    held: bool = False
    epoch: int = 0  # of the lane; 1 = the permission was revoked
    revoker: str = "waits"  # waits, drains, returned
    unknown: bool = False  # the revocation named this delivery as unknown
    items: tuple[str, ...] = ()  # in the mailbox
    requests: frozenset[tuple[str, int]] = frozenset()  # on their way: (what, item)
    emails: int = 0  # of ours, accepted by the provider and not stopped after that
    late: bool = False  # one was accepted after the revocation had returned
    by_owner: bool = False  # the mailbox's owner has meddled with the draft
    blind: bool = False  # an attempt began, or was let go on, without seeing that it had left
    unheard: str = ""  # a move that the product does not know
    workers: tuple[Worker, Worker] = (IDLE, IDLE)


@dataclass(frozen=True)
class Rules:
    """The product's rules; each can be broken, and the walk must then find the harm."""

    claim_compares: bool = True  # C1 is a compare-and-set on state and dispatch number
    writes_compare: bool = True  # C2, C3 and C4 are a compare-and-set on state and lease
    looks_before_drafting: bool = True  # an attempt after the first searches for its correlation id
    drafts_then_sends: bool = True  # False: one request creates and sends
    gate_asks_again: bool = True  # C3 reads the permission again
    drains: bool = True  # a revocation waits for what passed the gate
    lost_answer_is_doubt: bool = True  # False: it is taken for a refusal, and drafted anew
    recall_is_final: bool = True  # permanentDelete, not the move to Deleted Items
    waits_out_the_grace: bool = True  # False: nothing found at the first look = not accepted
    only_its_own_draft_tells: bool = (
        True  # False: any draft with its correlation id says that it was not accepted
    )
    recalled_is_doubt: bool = True  # False: 202 is taken for sent although its draft is being removed
    throttled_goes_on_with_its_draft: bool = True  # False: what was refused for too much is drafted anew


@dataclass
class Result:
    """What a complete walk found."""

    states: int = 0
    moves: set[tuple[State, State]] = field(default_factory=set)
    harm: str = ""
    path: list[str] = field(default_factory=list)
    stuck: int = 0  # states from which nothing settled can be reached


def walk(rules: Rules, at_most: int = 2_000_000) -> Result:
    """Visit every reachable world, nearest first; stop at the first harm, with the shortest way to it."""
    result = Result()
    start = World()
    came: dict[World, tuple[World, str] | None] = {start: None}
    back: dict[World, list[World]] = {}
    queue = deque([start])
    while queue:
        world = queue.popleft()
        for label, after in steps(world, rules, result.moves):
            back.setdefault(after, []).append(world)
            if after in came:
                continue
            came[after] = (world, label)
            if harm := harmed(after):
                result.states, result.harm, result.path = len(came), harm, _path(came, after)
                return result
            if len(came) > at_most:
                raise RuntimeError(f"more than {at_most} states")
            queue.append(after)
    result.states = len(came)
    result.stuck = _stuck(came, back)
    return result


def harmed(world: World) -> str:
    """P1, P2 and P3, for one world."""
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
    """Ended, or waiting for a person who was told."""
    return world.state in (State.SENT, State.REVIEW) or (world.state is State.PENDING and world.held)


def _stuck(came: dict[World, tuple[World, str] | None], back: dict[World, list[World]]) -> int:
    hopeful = {world for world in came if settled(world)}
    queue = deque(hopeful)
    while queue:
        for before in back.get(queue.popleft(), []):
            if before not in hopeful:
                hopeful.add(before)
                queue.append(before)
    return len(came) - len(hopeful)


def _path(came: dict[World, tuple[World, str] | None], world: World) -> list[str]:
    path = []
    while (before := came[world]) is not None:
        path.append(before[1])
        world = before[0]
    return path[::-1]


Move = Callable[..., World]


def steps(world: World, rules: Rules, moves: set[tuple[State, State]]) -> Iterator[tuple[str, World]]:
    """Every single thing that can happen next."""

    def move(now: World, to: State, **changes: Any) -> World:
        if (now.state, to) in TRANSITIONS:
            moves.add((now.state, to))
        elif now.state is not to:
            changes["unheard"] = f"{now.state} to {to}"
        if to is not State.IN_DOUBT:
            changes["throttled"] = False
        return now._replace(state=to, **changes)

    yield from _scheduler(world, move)
    yield from _reconciler(world, rules, move)
    yield from _revoker(world, rules)
    yield from _provider(world, rules)
    for number in (0, 1):
        for label, after, worker in _worker(world, world.workers[number], rules, move):
            workers = (worker, world.workers[1]) if number == 0 else (world.workers[0], worker)
            yield f"worker {number + 1} {label}", after._replace(workers=workers)


def _scheduler(world: World, move: Move) -> Iterator[tuple[str, World]]:
    if world.state is State.PENDING and not world.held and world.bell < MESSAGES:
        yield (
            "queues it",
            move(world, State.QUEUED, bell=world.bell + 1, bells=world.bells | {world.bell + 1}),
        )
    if world.state is State.QUEUED and world.bell < MESSAGES:
        yield (
            "rings again",
            move(world, State.QUEUED, bell=world.bell + 1, bells=world.bells | {world.bell + 1}),
        )
    for bell in world.bells:
        yield "a bell is lost", world._replace(bells=world.bells - {bell})
    if world.state in (State.PREPARING, State.DRAFTED):
        yield "the lease ends", move(world, State.PENDING, token=0)
    if world.state is State.SENDING:
        doubt = move(world, State.IN_DOUBT, token=0, grace_over=False, throttled=False)
        yield "the lease ends in doubt", doubt
    if world.state is State.QUEUED and world.bell == MESSAGES and not world.bells:
        # The model's number of bells is used up; the product would ring on.
        yield "rings for ever", world._replace(bells=frozenset({MESSAGES}))
    if world.state is State.PENDING and not world.held and world.bell == MESSAGES and world.tokens < ATTEMPTS:
        yield "queues it again", move(world, State.QUEUED, bells=world.bells | {MESSAGES})
    if world.state is State.PENDING and not world.held and world.tokens >= ATTEMPTS:
        yield "gives up for a person", world._replace(held=True)


def _reconciler(world: World, rules: Rules, move: Move) -> Iterator[tuple[str, World]]:
    if world.state is not State.IN_DOUBT:
        return
    arrived = not any(what == "send" for what, _ in world.requests)
    sleeping = any(each.at == "send" for each in world.workers)  # one that passed the gate may still submit
    if not world.grace_over and arrived and not sleeping and ACCEPTED not in world.items:
        yield "the grace ends", world._replace(grace_over=True)
    unsent = world.noted >= 0 and world.items[world.noted] in (DRAFT, ACCEPTED)
    if world.throttled and not world.grace_over and LEFT not in world.items and world.recalled != world.noted:
        again = move(world, State.PENDING, held=world.epoch == 1, recalled=-1)
        if not rules.throttled_goes_on_with_its_draft:
            yield "takes its word and starts afresh", again._replace(started=False, noted=-1)
        elif unsent:
            yield "finds the draft that was refused for too much", again
    if LEFT in world.items and (world.grace_over or not unsent):
        yield "finds it sent", move(world, State.SENT)
    elif world.grace_over or not rules.waits_out_the_grace:
        if unsent or (DRAFT in world.items and not rules.only_its_own_draft_tells):
            blind = world.blind or (world.emails > 0 and not unsent)
            yield (
                "finds the draft still there",
                move(world, State.PENDING, held=world.epoch == 1, blind=blind, recalled=-1),
            )
        elif not rules.waits_out_the_grace:
            yield (
                "finds nothing and starts afresh",
                move(world, State.PENDING, started=False, noted=-1, held=world.epoch == 1),
            )
        else:
            yield "finds nothing", move(world, State.REVIEW)


def _revoker(world: World, rules: Rules) -> Iterator[tuple[str, World]]:
    open_rows = world.state in (State.SENDING, State.IN_DOUBT) and world.sending_epoch < world.epoch
    if world.revoker == "waits":
        held = world.held or world.state is State.PENDING
        yield "somebody revokes", world._replace(revoker="drains", epoch=1, held=held)
    elif world.revoker == "drains":
        if open_rows and rules.drains:
            if world.noted >= 0 and world.items[world.noted] in (DRAFT, ACCEPTED):
                purge = world.requests | {("purge", world.noted)}
                yield "recalls", world._replace(requests=purge, recalled=world.noted)
            yield "returns, naming it unknown", world._replace(revoker="returned", unknown=True)
        else:
            yield "returns", world._replace(revoker="returned")


def _provider(world: World, rules: Rules) -> Iterator[tuple[str, World]]:
    for request in world.requests:
        what, item = request
        rest = world._replace(requests=world.requests - {request})
        yield f"a {what} is lost on its way", rest
        match what:
            case "create":
                yield "a draft is created", rest._replace(items=(*world.items, DRAFT))
            case "mail":
                yield "an email is accepted", _accepted(rest._replace(items=(*world.items, LEFT)))
            case "send":
                yield "a submission arrives", _submitted(rest, item, rules)
            case "purge":
                if world.items[item] in (DRAFT, ACCEPTED):
                    gone = PURGED if rules.recall_is_final else TRASHED
                    yield "a draft is purged", rest._replace(items=_with(world.items, item, gone))
                if world.items[item] == ACCEPTED:
                    killed = _with(world.items, item, KILLED)
                    yield "and its email with it", rest._replace(items=killed, emails=world.emails - 1)
    for item, status in enumerate(world.items):
        if status not in (PURGED, KILLED) and not world.by_owner:
            mine = world._replace(by_owner=True)
            yield "its owner deletes it", mine._replace(items=_with(world.items, item, PURGED))
            if status == DRAFT:
                yield "its owner sends it", mine._replace(items=_with(world.items, item, LEFT))
        if status == ACCEPTED:
            yield "it moves to Sent Items", world._replace(items=_with(world.items, item, LEFT))


def _submitted(world: World, item: int, rules: Rules) -> World:
    """A1: a draft is consumed by its submission; anything else is a 404."""
    if world.items[item] == DRAFT or (world.items[item] == TRASHED and not rules.recall_is_final):
        return _accepted(world._replace(items=_with(world.items, item, ACCEPTED)))
    return world


def _accepted(world: World) -> World:
    late = world.late or (world.revoker == "returned" and not world.unknown)
    return world._replace(emails=world.emails + 1, late=late)


def _with(items: tuple[str, ...], at: int, status: str) -> tuple[str, ...]:
    return (*items[:at], status, *items[at + 1 :])


def _worker(world: World, me: Worker, rules: Rules, move: Move) -> Iterator[tuple[str, World, Worker]]:
    if me.at == "idle":
        for bell in world.bells:
            fits = world.state is State.QUEUED and bell == world.bell
            stale = not rules.claim_compares
            for bells, how in ((world.bells - {bell}, ""), (world.bells, " (and the bell is doubled)")):
                if not fits and not stale:
                    if not how:
                        yield "ignores a bell", world._replace(bells=bells), me
                    continue
                if world.tokens >= ATTEMPTS:
                    if fits and not how:
                        yield "gives up", move(world, State.REVIEW, bells=bells), me
                    continue
                token = world.tokens + 1
                taken = move(world, State.PREPARING, bells=bells, token=token, tokens=token)
                yield (
                    f"claims{how}",
                    taken,
                    Worker("look", token, world.noted, world.tokens == 0, world.started),
                )
        return
    yield "is killed", world, IDLE
    blind = not rules.writes_compare
    mine = world.token == me.token or blind
    match me.at:
        case "look":
            yield from _look(world, me, rules, move)
        case "create":
            request = ("create" if rules.drafts_then_sends else "mail", -1)
            if rules.drafts_then_sends:
                yield (
                    "asks for a draft",
                    world._replace(requests=world.requests | {request}),
                    me._replace(at="created"),
                )
            else:
                yield "notes no draft", world, me._replace(at="note")
        case "created":
            if len(world.items) > 0 and world.items[-1] == DRAFT:
                yield "hears of its draft", world, me._replace(at="note", item=len(world.items) - 1)
            yield "hears nothing of its draft", world, me._replace(at="hand back")
        case "note":
            if blind or (mine and world.state is State.PREPARING):
                yield "notes its draft", move(world, State.DRAFTED, noted=me.item), me._replace(at="gate")
            else:
                yield "has lost its lease", world, IDLE
        case "gate":
            if not (blind or (mine and world.state is State.DRAFTED)):
                yield "has lost its lease", world, IDLE
            elif world.epoch == 0 or not rules.gate_asks_again:
                passed = move(world, State.SENDING, started=True, sending_epoch=world.epoch, grace_over=False)
                yield "passes the gate", passed, me._replace(at="send")
            else:
                yield "is refused at the gate", move(world, State.PENDING, held=True, token=0), IDLE
        case "send":
            what = ("send", me.item) if rules.drafts_then_sends else ("mail", -1)
            yield "submits", world._replace(requests=world.requests | {what}), me._replace(at="answer")
            if mine and world.state is State.SENDING:
                back = move(world, State.PENDING, token=0, held=world.epoch == 1)
                yield "steps back", back, IDLE
        case "answer":
            yield from _answer(world, me, rules, move, mine=mine)
        case "hand back":
            if mine and world.state is State.PREPARING:
                yield "hands back", move(world, State.PENDING, token=0, held=world.epoch == 1), IDLE
            else:
                yield "has lost its lease", world, IDLE


def _look(world: World, me: Worker, rules: Rules, move: Move) -> Iterator[tuple[str, World, Worker]]:
    """Before X1: an attempt after the first searches for its correlation id, in all folders but the purged."""
    mine = world.token == me.token and world.state is State.PREPARING
    if me.first or not rules.looks_before_drafting:
        yield "starts afresh", world._replace(blind=mine and LEFT in world.items), me._replace(at="create")
    elif LEFT in world.items:
        after = move(world, State.REVIEW if not me.started else State.SENT, token=0) if mine else world
        yield "finds it sent", after, IDLE
    elif found := _drafts_to_go_on_with(world, me, rules):
        yield "finds its draft", world, me._replace(at="note", item=found[0])
    elif me.started:
        after = move(world, State.IN_DOUBT, token=0, grace_over=False, throttled=False) if mine else world
        yield "finds no trace of a submission", after, IDLE
    else:
        yield "finds nothing", world, me._replace(at="create")


def _drafts_to_go_on_with(world: World, me: Worker, rules: Rules) -> list[int]:
    """After a submission only the draft that was submitted; before one, any with the correlation id."""
    found = [item for item, status in enumerate(world.items) if status in (DRAFT, ACCEPTED, TRASHED)]
    return (
        [item for item in found if item == me.item]
        if me.started and rules.only_its_own_draft_tells
        else found
    )


def _answer(
    world: World, me: Worker, rules: Rules, move: Move, *, mine: bool
) -> Iterator[tuple[str, World, Worker]]:
    """After X2: 202 is in hand only if the request took effect; anything else is doubt."""
    waiting = (
        "send" if rules.drafts_then_sends else "mail",
        me.item if rules.drafts_then_sends else -1,
    ) in world.requests
    took = (world.emails > 0 or KILLED in world.items) and not waiting
    holds = mine and world.state is State.SENDING
    if took:
        settles = holds or world.state is State.IN_DOUBT
        if rules.recalled_is_doubt and world.recalled == world.noted >= 0:
            doubt = move(world, State.IN_DOUBT, token=0, grace_over=False, throttled=False)
            after = doubt if holds else world
        else:
            after = move(world, State.SENT, token=0) if settles else world
        yield "hears 202", after, IDLE
    if not waiting and rules.drafts_then_sends and holds:
        # Whether it was carried out or not; a second one of what was accepted is refused too.
        too_much = move(world, State.IN_DOUBT, token=0, grace_over=False, throttled=True)
        yield "hears that there was too much", too_much, IDLE
    if rules.lost_answer_is_doubt:
        doubt = move(world, State.IN_DOUBT, token=0, grace_over=False, throttled=False)
        after = doubt if holds else world
    else:
        after = (
            move(world, State.PENDING, token=0, started=False, noted=-1, held=world.epoch == 1)
            if holds
            else world
        )
    yield "hears nothing", after, IDLE
