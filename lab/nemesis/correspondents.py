"""What the recipients of our emails do by themselves, drawn from the seed: most say nothing, the others answer in every style."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from lab.drills.company import Desk
from lab.drills.heard import Heard, Message
from lab.emulator.client import EmulatorControl
from lab.emulator.records import Arrival

_SAYS_NOTHING = 0.3
_LAST = 7.0  # seconds after our email; some answers come while the next one is being written
# A kind of lab/emulator/answers.py -> how often. What each of them is taken for: lab/drills/answers.py.
_KINDS = {
    "reply": 12, "reply_new_thread": 4, "reply_from_alias": 4, "reply_from_colleague": 5, "auto_reply": 10, "left_company": 3,
    "bounce": 7, "bounce_soft": 3, "opt_out": 4, "unclear": 3, "receipt": 3, "same_subject": 8,
}  # fmt: skip
# They come from an address that is not the candidate's, so only the Message-ID says what they are about.
_BY_MESSAGE_ID = {
    "reply_from_alias",
    "reply_from_colleague",
    "unclear",
    "bounce",
    "bounce_soft",
    "bounce_sender",
}
_HOLDS_ONLY = {("unclear", None): "unclear", ("bounce", "soft"): "bounce_soft"}
# What only the text says -> what the headers say.
_BY_HEADERS = {
    ("left_company", "auto_reply", None): "auto_reply",
    ("opt_out", "answer", None): "reply",
    ("unclear", "answer", None): "reply",
    ("bounce", "bounce", "soft"): "bounce_soft",
}
_STYLES = ("exchange", "postfix", "gmail", "exim")
_SENDERS_FAULT = ("5.1.8", "5.7.705")
_AWAY = "I am out of the office and will read your email when I am back."
_THANKS = (
    "Thank you, please call me.",
    "Not now, but ask me again in spring.",
    "Vielen Dank, das klingt gut.",
)


def draw(chance: random.Random, desks: Sequence[Desk]) -> list[tuple[str, dict[str, Any]]]:
    """Draw the address and behaviour of everybody who answers; the mailboxes of ``desks`` can be read."""
    drawn = []
    refused = {
        each.address for each in chance.sample(list(desks), min(2, len(desks)))
    }  # their emails look bad to one server
    for desk in desks:
        for number, person in enumerate(desk.people):
            quiet, values = chance.random() < _SAYS_NOTHING, _behaviour(chance)
            if desk.address in refused and number == 3:
                values = {
                    "kind": "bounce_sender",
                    "after": 1.0,
                    "times": 1,
                    "status": chance.choice(_SENDERS_FAULT),
                }
            elif quiet:
                continue
            drawn.append((person.email, values))
    return drawn


def settle(control: EmulatorControl, drawn: Sequence[tuple[str, dict[str, Any]]]) -> None:
    """Let them live at the emulator. A person at two desks does one thing only."""
    for address, values in dict(drawn).items():
        control.behaviour(address, **values)


def with_other_ids(arrivals: Sequence[Arrival], messages: Sequence[Message]) -> Iterator[Arrival]:
    """Yield what each can be taken for where a sent item has another Message-ID than its copies, so that nobody knows the one
    which an answer names.

    A report about an email that nobody knows may hold a person, but it ends nobody.
    """
    recorded = {each.item: each for each in messages}
    for each in arrivals:
        message = recorded.get(each.item)
        if message is None and each.kind in _BY_MESSAGE_ID:
            continue
        if message is not None and each.kind.startswith("bounce"):
            taken = (message.kind, message.bounce_class)
            yield replace(each, kind=_HOLDS_ONLY.get(taken, each.kind))
        else:
            yield each


def without_text(arrivals: Sequence[Arrival], heard: Heard) -> Iterator[Arrival]:
    """Yield what each can be taken for if it was deleted before it was read whole: what its headers say."""
    by_headers = {
        each.item: (each.kind, each.bounce_class)
        for each in heard.messages
        if not each.whole and each.item in heard.gone
    }
    for each in arrivals:
        taken = by_headers.get(each.item, ("", None))
        yield replace(each, kind=_BY_HEADERS.get((each.kind, *taken), each.kind))


def _behaviour(chance: random.Random) -> dict[str, Any]:
    kind = chance.choices(list(_KINDS), list(_KINDS.values()))[0]
    values: dict[str, Any] = {
        "kind": kind,
        "after": round(chance.uniform(0.05, _LAST if chance.random() < 0.5 else 1.5), 2),
        "times": chance.choice([0, 1]),
        "values": _on_its_way(chance),
    }
    if kind == "bounce":
        values["style"] = chance.choice(_STYLES)
    elif kind == "bounce_soft":
        values |= {"times": 1, "style": chance.choice(_STYLES), "delayed": chance.random() < 0.5}
    elif kind == "auto_reply" and chance.random() < 0.5:
        values["text"] = _AWAY  # until a day that it does not name
    elif kind.startswith("reply") and chance.random() < 0.5:
        values["text"] = chance.choice(_THANKS)
    return values


def _on_its_way(chance: random.Random) -> dict[str, Any]:
    """Mail is moved by rules, lands in other folders, becomes visible long after it came, or is deleted before it is read."""
    way = chance.random()
    if way < 0.12:
        return {
            "moved_after": round(chance.uniform(0.0, 2.0), 2),
            "moved_to": chance.choice(["archive", "deleteditems"]),
        }
    if way < 0.2:
        return {"folder": chance.choice(["junkemail", "archive"])}
    if way < 0.35:
        return {"late": chance.choice([2.0, 10.0, 40.0])}
    if way < 0.4:
        return {"deleted_after": round(chance.uniform(0.0, 4.0), 2)}
    return {}
