"""Listening as a state machine that is small enough to be explored completely: P9 and P10 for one mailbox and one person.

One email of ours has left, and a follow-up waits. The person's answer arrives at any time, visible at once or late, and before or
after it foreign mail, which may be dated in the future and may be deleted again. Somebody reads, whether planned or before a
follow-up, page by page (of one item here), and can be killed, sleep past the lease or be refused a page between any two steps;
another one then begins. Whoever has lost the lease writes nothing: a page, its record and the lease are one transaction. So the one
is as good as dead, and there is no need to follow both. The provider may hint at any time, and a worker takes the follow-up to
the gate at any time.

Time passes in steps of the age that a reading may have at the gate. Assumption about the provider: mail becomes visible at most
one such step late, which the overlap of two readings covers.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from lab.model.explore import Model, Result, explore

LATEST = 3
FRESH = OVERLAP = 1
FUTURE, NEVER = 9, -9
FOREIGN, ANSWER = 0, 1  # places in ``World.items``; of one moment, foreign mail is listed first


class Item(NamedTuple):
    """One item of the mailbox. ``came``: when it became visible. ``gone``: deleted, by now."""

    received: int
    came: int
    gone: bool = False


class Reader(NamedTuple):
    """One reading. ``seen``: the items that it has listed; ``page``: the one that it is about to record."""

    at: str = "idle"
    began: int = 0
    since: int = 0
    seen: frozenset[int] = frozenset()
    page: int = -1


IDLE = Reader()


class World(NamedTuple):
    """The whole state. ``items``: the foreign mail and the answer; None: not there yet."""

    now: int = 0
    items: tuple[Item | None, Item | None] = (None, None)
    watermark: int = 0
    read_as_of: int = NEVER
    reader: Reader = IDLE  # who has the lease
    recorded: int = 0  # how often the answer is on record
    ended: bool = False  # the enrollment
    wrongly: bool = False  # it ended by foreign mail
    gate: str = "waits"  # what the follow-up does: waits, checked, passed
    late: str = ""  # what was wrong when it passed


@dataclass(frozen=True)
class Rules:
    """The product's rules. If one is broken, the walk must find harm."""

    gate_wants_a_fresh_reading: bool = True  # False: any reading will do
    gate_asks_for_answers: bool = True  # False: only the reader's own writes end anything
    gate_asks_under_the_lock: bool = True  # False: what it read may have changed when it passes
    reading_counts_from_its_begin: bool = True  # False: from its end
    reads_to_the_end: bool = True  # False: the first page is taken for all
    overlaps: bool = True  # False: it begins exactly where the last one ended
    future_says_nothing: bool = True  # False: mail dated in the future moves the watermark there
    failed_page_ends_the_reading: bool = True  # False: it goes on with the next one
    goes_on_by_time: bool = True  # False: pages count items, so that a deletion passes one over
    records_once: bool = True  # False: what was read twice is recorded twice
    only_answers_end: bool = True  # False: so does foreign mail
    hints_only_hint: bool = True  # False: a hint counts as a reading


def walk(rules: Rules) -> Result:
    """Visit every reachable state."""
    return explore(
        Model(World(), lambda world: steps(world, rules), lambda world: harmed(world, rules), settled)
    )


def harmed(world: World, rules: Rules) -> str:
    """Say which of P9 and P10 this state breaks; empty if none."""
    if world.late:
        return world.late
    if world.wrongly:
        return "ended by what is no answer"
    if world.recorded > 1:
        return "an answer is recorded twice"
    answer = world.items[ANSWER]
    nobody_reads = world.reader == IDLE
    if answer and not world.recorded and nobody_reads and answer.received < _since(world, rules):
        return "the watermark has passed an unread answer"
    return ""


def settled(world: World) -> bool:
    """Has the answer been heard, and has the follow-up left or been ended?"""
    heard = world.items[ANSWER] is None or world.recorded == 1
    return heard and (world.ended or world.gate == "passed") and world.reader == IDLE


def steps(world: World, rules: Rules) -> Iterator[tuple[str, World]]:
    """Yield everything that can happen next."""
    yield from _others(world, rules)
    yield from _gate(world, rules)
    yield from _reader(world, rules)


def _others(world: World, rules: Rules) -> Iterator[tuple[str, World]]:
    """Time, the person, strangers, the mailbox owner and the provider."""
    if world.now < LATEST:
        yield "time passes", world._replace(now=world.now + 1)
    foreign, answer = world.items
    if answer is None:
        for received in {world.now, max(0, world.now - OVERLAP)}:
            yield f"an answer of {received} comes", world._replace(items=(foreign, Item(received, world.now)))
    if foreign is None:
        for received in (world.now, FUTURE):
            come = Item(received, 0)  # nobody asks when it came
            yield f"foreign mail of {received} comes", world._replace(items=(come, answer))
    elif not foreign.gone:
        yield "foreign mail is deleted", world._replace(items=(foreign._replace(gone=True), answer))
    if not rules.hints_only_hint:
        yield "a hint comes", world._replace(read_as_of=world.now)


def _gate(world: World, rules: Rules) -> Iterator[tuple[str, World]]:
    """The follow-up's last check: under the lane's lock, which whoever records an answer takes too."""
    fresh = world.now - world.read_as_of <= FRESH or not rules.gate_wants_a_fresh_reading
    clear = fresh and not (world.ended and rules.gate_asks_for_answers)
    if world.gate == "waits" and clear and world.read_as_of != NEVER:
        if rules.gate_asks_under_the_lock:
            yield "the follow-up passes the gate", _passed(world)
        else:
            yield "the follow-up is found clear", world._replace(gate="checked")
    elif world.gate == "checked":
        yield "the follow-up passes the gate", _passed(world)


def _passed(world: World) -> World:
    answer = world.items[ANSWER]
    late = ""
    if world.recorded:
        late = "a follow-up left after the answer was recorded"
    elif answer is not None and world.now - answer.came > FRESH:
        late = "a follow-up left although the answer had long been in the mailbox"
    return world._replace(gate="passed", late=late)


def _reader(world: World, rules: Rules) -> Iterator[tuple[str, World]]:
    me = world.reader
    if me.at == "idle":
        yield "a reading begins", world._replace(reader=Reader("lists", world.now, _since(world, rules)))
        return
    yield "the reader is lost", world._replace(reader=IDLE)
    if me.at == "records":
        lists = me._replace(at="lists", page=-1)
        yield (
            "the page is recorded",
            _recorded(_moved(world, me, rules), me.page, rules)._replace(reader=lists),
        )
        if not rules.failed_page_ends_the_reading:
            yield "the page fails, and the reading goes on", world._replace(reader=lists)
        return
    page = _next(world, me, rules)
    if page < 0 or (me.seen and not rules.reads_to_the_end):
        as_of = me.began if rules.reading_counts_from_its_begin else world.now
        yield "the reading ends", world._replace(read_as_of=max(world.read_as_of, as_of), reader=IDLE)
    else:
        yield (
            "a page comes",
            world._replace(reader=me._replace(at="records", page=page, seen=me.seen | {page})),
        )


def _since(world: World, rules: Rules) -> int:
    return world.watermark - (OVERLAP if rules.overlaps else 0)


def _next(world: World, me: Reader, rules: Rules) -> int:
    """The item that the next page shows, or -1."""
    there = sorted(
        (each.received, place)
        for place, each in enumerate(world.items)
        if each is not None and not each.gone and each.received >= me.since
    )
    if not rules.goes_on_by_time:
        return there[len(me.seen)][1] if len(me.seen) < len(there) else -1
    last = max((each.received for place in me.seen if (each := world.items[place])), default=me.since)
    return next((place for received, place in there if place not in me.seen and received >= last), -1)


def _moved(world: World, me: Reader, rules: Rules) -> World:
    item = world.items[me.page]
    assert item is not None
    if item.received > me.began and rules.future_says_nothing:
        return world
    return world._replace(watermark=max(world.watermark, item.received))


def _recorded(world: World, page: int, rules: Rules) -> World:
    if page == FOREIGN:
        return (
            world
            if rules.only_answers_end
            else world._replace(ended=True, wrongly=world.items[ANSWER] is None)
        )
    again = world.recorded and not rules.records_once
    return world._replace(recorded=world.recorded + 1 if again else 1, ended=True)
