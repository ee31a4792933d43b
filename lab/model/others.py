"""What everybody except the workers can do next.

The scheduler, the reconciler, somebody who revokes, the provider and its users.
"""

from collections.abc import Iterator

from domain.delivery import State
from lab.model.state import (
    ACCEPTED,
    ATTEMPTS,
    DRAFT,
    KILLED,
    LEFT,
    MESSAGES,
    PURGED,
    TRASHED,
    Move,
    Rules,
    World,
)


def scheduler(world: World, move: Move) -> Iterator[tuple[str, World]]:
    """Queue, lose and enqueue again; end leases."""
    if world.state is State.PENDING and not world.held and world.message < MESSAGES:
        yield (
            "queues it",
            move(
                world, State.QUEUED, message=world.message + 1, messages=world.messages | {world.message + 1}
            ),
        )
    if world.state is State.QUEUED and world.message < MESSAGES:
        yield (
            "is enqueued again",
            move(
                world, State.QUEUED, message=world.message + 1, messages=world.messages | {world.message + 1}
            ),
        )
    for message in world.messages:
        yield "a message is lost", world._replace(messages=world.messages - {message})
    if world.state in (State.PREPARING, State.DRAFTED):
        yield "the lease ends", move(world, State.PENDING, token=0)
    if world.state is State.SENDING:
        doubt = move(world, State.IN_DOUBT, token=0, grace_over=False, throttled=False)
        yield "the lease ends in doubt", doubt
    if world.state is State.QUEUED and world.message == MESSAGES and not world.messages:
        # The model has used all its messages; the product would continue.
        yield "is enqueued again without end", world._replace(messages=frozenset({MESSAGES}))
    if (
        world.state is State.PENDING
        and not world.held
        and world.message == MESSAGES
        and world.tokens < ATTEMPTS
    ):
        yield "queues it again", move(world, State.QUEUED, messages=world.messages | {MESSAGES})
    if world.state is State.PENDING and not world.held and world.tokens >= ATTEMPTS:
        yield "gives up for a person", world._replace(held=True)


def reconciler(world: World, rules: Rules, move: Move) -> Iterator[tuple[str, World]]:
    """Search for an email in doubt."""
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


def revoker(world: World, rules: Rules) -> Iterator[tuple[str, World]]:
    """Revoke, drain and return."""
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


def provider(world: World, rules: Rules) -> Iterator[tuple[str, World]]:
    """Carry out requests, late or never. The owner deletes or sends drafts."""
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
    """A1: a submission consumes its draft. Anything else is a 404."""
    if world.items[item] == DRAFT or (world.items[item] == TRASHED and not rules.recall_is_final):
        return _accepted(world._replace(items=_with(world.items, item, ACCEPTED)))
    return world


def _accepted(world: World) -> World:
    late = world.late or (world.revoker == "returned" and not world.unknown)
    return world._replace(emails=world.emails + 1, late=late)


def _with(items: tuple[str, ...], at: int, status: str) -> tuple[str, ...]:
    return (*items[:at], status, *items[at + 1 :])
