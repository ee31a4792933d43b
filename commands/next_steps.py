"""What to do after an import, in a line each."""

import shlex
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from db.sequences import candidates
from db.views import lookups

if TYPE_CHECKING:
    from app.runtime import Runtime

_NAMED = 3


def after_organizations(runtime: "Runtime", names: Collection[str]) -> list[str]:
    """Return what is still to do in these organizations before emails can leave."""
    with runtime.database.transaction() as tx:
        boxes = _of(lookups.listing(tx, "mailbox"), names)
        sequences = _of(lookups.listing(tx, "sequence"), names)
    steps = []
    waiting = [each["address"] for each in boxes if each["owner"] and each["status"] == "never_connected"]
    if waiting:
        steps.append(
            f"{_listed(waiting)} can send once {'its owner has' if len(waiting) == 1 else 'their owners have'} signed in at"
            f" {_url(runtime, '/settings/sequences')} and connected {'it' if len(waiting) == 1 else 'them'}."
        )
    empty = next((each["name"] for each in sequences if not each["people"]), None)
    if empty is not None:
        steps.append(f"Import people: onbehalf import people.csv --sequence {shlex.quote(empty)} --dry-run")
    return steps


def after_people(runtime: "Runtime", file: str, sequence: str | None, organization: str | None) -> list[str]:
    """Return what to do with people who were imported. ``sequence``: into which, if any."""
    if sequence is None:
        return [f"Enroll them: onbehalf import {shlex.quote(file)} --sequence NAME --dry-run"]
    with runtime.database.transaction() as tx:
        sequence_id = lookups.by_name(tx, "sequence", sequence, organization=organization)
        found = candidates.destination(tx, sequence_id)
    if found.status == "draft":
        return [f"Start the sequence: onbehalf sequence activate {shlex.quote(found.name)}"]
    if found.mailbox_status != "connected":
        return [
            f"The owner of {found.sender} connects it at {_url(runtime, '/settings/sequences')}; then the emails leave."
        ]
    if found.status != "active":
        return [f"See why it does not run, and resume it: {_url(runtime, f'/sequences/{sequence_id}')}"]
    return [f"See what leaves when: {_url(runtime, '/outbox')}"]


def _of(rows: list[dict[str, Any]], names: Collection[str]) -> list[dict[str, Any]]:
    return [each for each in rows if each["organization"] in names]


def _listed(addresses: list[str]) -> str:
    more = len(addresses) - _NAMED
    shown = ", ".join(addresses[:_NAMED])
    return f"{shown} and {more} more" if more > 0 else shown


def _url(runtime: "Runtime", path: str) -> str:
    return f"{runtime.settings.public_url}{path}"
