"""What is held, for operators. Reads only."""

from typing import TYPE_CHECKING

from commands.common import AsJson, command, reading, show
from commands.words import at_utc
from db.withdrawing import holds as stored
from domain.holds import sentence

if TYPE_CHECKING:
    from db.core.session import Transaction

_MOST = 10  # said by ``status``


@command
def show_holds(as_json: AsJson = False) -> None:
    """What is held: since when, by whom, why, and until when. Example: onbehalf holds"""
    with reading() as tx:
        found = stored.listed(tx, None)
    show(
        [
            {
                "id": each.hold.id,
                "held": each.address or each.organization or "everybody (onbehalf drain --end)",
                "since": each.hold.since,
                "until": each.hold.until,
                "by": each.hold.held_by,
                "released_by": each.hold.level.value,
                "reason": each.hold.reason,
            }
            for each in found
        ],
        as_json=as_json,
    )


def held_now(tx: "Transaction") -> list[str]:
    """Return a sentence for each hold, the widest first, by the clock of UTC; of many, the first ones."""
    found = stored.listed(tx, None)
    said = [
        sentence(each.hold, each.address, at_utc, whole=f"All sending of {each.organization}")
        for each in found[:_MOST]
    ]
    return [*said, *([f"{len(found) - _MOST} more are held: onbehalf holds"] if len(found) > _MOST else [])]
