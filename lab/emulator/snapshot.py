"""A world's state except its ledgers, as JSON values, so that an emulator can be stopped and restarted."""

import itertools
import time
from dataclasses import asdict
from typing import Any

from lab.emulator.app_only import Access
from lab.emulator.records import Arrival, Behaviour, Pending
from lab.emulator.world import LedgerEntry, Mailbox, Message, Token, World


def snapshot(world: World) -> dict[str, Any]:
    """Return all state but the ledgers, as JSON values. Monotonic times become ages."""
    now = time.monotonic()
    mailboxes = []
    for mailbox in world.mailboxes.values():
        value = asdict(mailbox)
        value["accepted"], value["in_flight"], value["most_in_flight"] = [], 0, 0
        value["window_began"], value["window_count"] = 0.0, 0
        for message in (*value["messages"].values(), *value["purged"]):
            for name in ("accepted_at", "copied_at"):
                message[name] = None if message[name] is None else message[name] - now
        mailboxes.append(value)
    tokens = {
        kind: {name: {**asdict(token), "expires_at": token.expires_at - now} for name, token in store.items()}
        for kind, store in (("access", world.access), ("refresh", world.refresh))
    }
    return {
        "mailboxes": mailboxes,
        "tokens": tokens,
        "switches": world.switches,
        "behaviours": {
            address: [asdict(each) for each in held] for address, held in world.behaviours.items()
        },
        "pending": [{**asdict(each), "at": each.at - now} for each in world.pending],
        "app_access": {
            tenant: {
                **asdict(each),
                "consented": sorted(each.consented),
                "scoped": {name: sorted(inside) for name, inside in each.scoped.items()},
            }
            for tenant, each in world.app_access.items()
        },
        "next_id": next(world.ids),
    }


def restore(
    world: World, value: dict[str, Any], ledger: list[LedgerEntry], arrivals: list[Arrival] | None = None
) -> None:
    """Restore a world from a snapshot."""
    now = time.monotonic()
    world.reset()
    world.ledger, world.arrivals = ledger, arrivals or []
    world.pending = [Pending(**{**each, "at": each["at"] + now}) for each in value.get("pending", [])]
    for address, held in value.get("behaviours", {}).items():
        world.behaviours[address] = [Behaviour(**each) for each in held]
    for tenant, held in value.get("app_access", {}).items():
        scoped = {name: set(inside) for name, inside in held["scoped"].items()}
        world.app_access[tenant] = Access(**{**held, "consented": set(held["consented"]), "scoped": scoped})
    world.switches.update(value["switches"])
    world.ids = itertools.count(value["next_id"] + 1)
    for each in value["mailboxes"]:
        messages, purged = each.pop("messages"), each.pop("purged")
        mailbox = Mailbox(**each)
        for message in (*messages.values(), *purged):
            for name in ("accepted_at", "copied_at"):
                message[name] = None if message[name] is None else message[name] + now
        mailbox.messages = {name: Message(**message) for name, message in messages.items()}
        mailbox.purged = [Message(**message) for message in purged]
        world.mailboxes[mailbox.address] = mailbox
    for kind, store in (("access", world.access), ("refresh", world.refresh)):
        for name, token in value["tokens"][kind].items():
            store[name] = Token(**{**token, "expires_at": token["expires_at"] + now})
