"""What a worker can do next. Between any two of its steps it can be killed or sleep."""

from collections.abc import Iterator

from domain.delivery import State
from lab.model.state import ACCEPTED, ATTEMPTS, DRAFT, IDLE, KILLED, LEFT, TRASHED, Move, Rules, Worker, World


def worker_steps(world: World, me: Worker, rules: Rules, move: Move) -> Iterator[tuple[str, World, Worker]]:
    """The messages that one worker may take, and its next step."""
    if me.at == "idle":
        for message in world.messages:
            fits = world.state is State.QUEUED and message == world.message
            stale = not rules.claim_compares
            for messages, how in (
                (world.messages - {message}, ""),
                (world.messages, " (and the message is doubled)"),
            ):
                if not fits and not stale:
                    if not how:
                        yield "ignores a message", world._replace(messages=messages), me
                    continue
                if world.tokens >= ATTEMPTS:
                    if fits and not how:
                        yield "gives up", move(world, State.REVIEW, messages=messages), me
                    continue
                token = world.tokens + 1
                taken = move(world, State.PREPARING, messages=messages, token=token, tokens=token)
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
            yield "hears nothing of its draft", world, me._replace(at="release")
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
        case "release":
            if mine and world.state is State.PREPARING:
                yield "releases", move(world, State.PENDING, token=0, held=world.epoch == 1), IDLE
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
    """After a submission only the submitted draft; before one, any with the correlation id."""
    found = [item for item, status in enumerate(world.items) if status in (DRAFT, ACCEPTED, TRASHED)]
    return (
        [item for item in found if item == me.item]
        if me.started and rules.only_its_own_draft_tells
        else found
    )


def _answer(
    world: World, me: Worker, rules: Rules, move: Move, *, mine: bool
) -> Iterator[tuple[str, World, Worker]]:
    """After X2: a 202 arrives only if the request took effect. Anything else leaves doubt."""
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
        # Whether or not it was carried out. A second submission of an accepted draft is refused too.
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
