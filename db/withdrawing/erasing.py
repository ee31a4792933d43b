"""Erase one person: text, addresses, names, drafts, incoming mail. What stays are ids, times and counts, which the audit trail needs.

Receipts hold no address, no name and no text of the recipient, so they stay as signed, and the trail still verifies.
"""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from db.audit import audit
from db.core.crypto import KeyRing
from db.core.session import Transaction
from db.core.statements import SqlFile, Statement
from db.withdrawing import people, suppressions
from domain.errors import NotFound


@dataclass(frozen=True, slots=True)
class Person:
    """Whom to erase."""

    id: UUID
    organization_id: UUID
    email: str
    name: str


@dataclass(frozen=True, slots=True)
class Known:
    """What there is of a person: sequences that run for them, emails sent and waiting, drafts, messages and files that came in,
    and emails written by hand."""

    sequences: int
    sent: int
    waiting: int
    drafts: int
    messages: int
    files: int
    by_hand: int


@dataclass(frozen=True, slots=True)
class Erased:
    """What was erased, and when: the proof, also in the audit trail. Rows of each kind."""

    candidate_id: UUID
    at: datetime
    messages: int
    files: int
    letters: int
    deliveries: int
    events: int
    notices: int
    suppressions: int


_SQL = SqlFile(__name__)
_PERSON, _BY_ADDRESS = _SQL.statement("person", Person), _SQL.statement("by_address", UUID)
_KNOWN, _DRAFTS = _SQL.statement("known", Known), _SQL.statement("drafts", UUID)
_MESSAGES, _COPIES, _LETTERS, _OWN_TEXTS, _DELIVERIES, _NOTICES, _PAGE_RESULTS = (
    _SQL.statement(name)
    for name in (
        "messages",
        "copies",
        "letters",
        "own_texts",
        "deliveries",
        "notices",
        "page_results",
    )
)
# Events are written once, and pages read nothing of what the inbox keeps; this function may, for one person.
_EVENTS = Statement("SELECT forget_person(:organization_id, :id, :email)", int)
_BROUGHT_IN = _SQL.statement("brought_in")
_CANDIDATE = _SQL.statement("candidate", datetime)


def person_of(tx: Transaction, organization_id: UUID, candidate_id: UUID) -> Person:
    """Return whom an id names. Raises ``NotFound``: nobody, or they are erased."""
    found = _PERSON.one_or_none(tx, id=candidate_id, organization_id=organization_id)
    if found is None:
        raise NotFound("There is no such person.")
    return found


def by_address(tx: Transaction, organization_id: UUID, address: str) -> UUID:
    """Return the person with an address. Raises ``NotFound``."""
    found = _BY_ADDRESS.one_or_none(tx, organization_id=organization_id, email=address.strip().lower())
    if found is None:
        raise NotFound(f"Nobody has the address {address}.")
    return found


def known(tx: Transaction, person: Person) -> Known:
    """Count what there is of a person."""
    return _KNOWN.one(tx, id=person.id, organization_id=person.organization_id, email=person.email)


def drafts(tx: Transaction, person: Person) -> Sequence[UUID]:
    """Return the deliveries whose unsent drafts are in mailboxes."""
    return _DRAFTS.all(tx, id=person.id)


def erase(tx: Transaction, keys: KeyRing, person: Person, *, actor: str) -> Erased:
    """Erase a person whose emails are stopped and whose address is on the suppression list. ``keys``: of pages."""
    of = [
        {"organization_id": person.organization_id, "email": each}
        for each in people.addresses_of(tx, person.id)
    ]
    about, named = {"id": person.id}, {"named": _pattern(person)}
    before = known(tx, person)
    messages = sum(_MESSAGES.run(tx, **each, **about) for each in of)
    _OWN_TEXTS.run(tx, id=person.id)
    _BROUGHT_IN.run(tx, id=person.id)
    for each in of:
        _COPIES.run(tx, **each)
        _PAGE_RESULTS.run(tx, **each, **named)
    erased = Erased(
        candidate_id=person.id,
        messages=messages,
        files=before.files,
        letters=_LETTERS.run(tx, id=person.id),
        deliveries=_DELIVERIES.run(tx, id=person.id),
        events=sum(_EVENTS.one(tx, **each, **about) for each in of),
        notices=sum(_NOTICES.run(tx, **each, **named) for each in of),
        suppressions=sum(
            suppressions.forget(tx, keys, person.organization_id, str(each["email"])) for each in of
        ),
        at=_CANDIDATE.one(tx, id=person.id),
    )
    counts = {name: value for name, value in asdict(erased).items() if isinstance(value, int)}
    audit.write(tx, person.organization_id, actor, "person_erased", f"candidate:{person.id}", counts)
    return erased


def _pattern(person: Person) -> str:
    """The person's name as a whole word, for Postgres; what never matches if they have none."""
    if person.name == person.email or len(person.name) < 3:
        return r"\m\M"
    escaped = re.sub(r"(\W)", lambda found: f"\\{found[1]}" if ord(found[1]) < 128 else found[1], person.name)
    return rf"(?<!\w){escaped}(?!\w)"
