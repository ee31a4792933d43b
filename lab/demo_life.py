"""What goes on beside a run with the emulator: whoever is imported gets an account there, and the demo's sequences never run dry."""

import itertools
import random
from typing import Any

from app.runtime import Runtime
from db.access import sessions
from db.views import lookups
from domain.audit import Actor, ActorKind
from importing.writing import PeopleSummary, Target, write
from lab.access_records import Organization
from lab.emulator.client import EmulatorControl
from lab.tables import Tables

ACTOR = Actor(ActorKind.OPERATOR, "demo", "demo")
AT_GOOGLE = frozenset({"mona@acme.example"})  # whose mail is there; they sign in to Onbehalf like everybody
OF_TENANT = frozenset({"otto@globex.example"})  # connected through their organization's Microsoft tenant
LOOKS_EVERY, ENROLLS_EVERY = 2.0, 10.0  # seconds
_ENOUGH_WAIT = 12  # people of a sequence; a mailbox that may send no more today gets no more of them
_FIRST = [
    "Anna",
    "Ben",
    "Clara",
    "David",
    "Elif",
    "Farid",
    "Greta",
    "Hugo",
    "Ines",
    "Jonas",
    "Kira",
    "Luca",
    "Mia",
    "Noah",
    "Olga",
    "Paul",
    "Rosa",
    "Sven",
    "Tara",
    "Uwe",
]
_LAST = [
    "Adler",
    "Becker",
    "Costa",
    "Diaz",
    "Ender",
    "Fischer",
    "Greco",
    "Haas",
    "Ivanov",
    "Jansen",
    "Klein",
    "Lang",
    "Moreau",
    "Novak",
    "Olsen",
    "Peters",
]
_COMPANIES = ("Hooli", "Initech", "Stark Labs", "Umbrella", "Wayne Works", "")
_ROLES = ("backend work", "platform engineering", "reliability", "")
# What one after the other does, seconds after an email; most do nothing, like most people. Eleven, so that each sequence meets all.
_DO: tuple[dict[str, Any] | None, ...] = (
    {"kind": "reply", "after": 20},
    None,
    None,
    {"kind": "auto_reply", "after": 3},
    None,
    {"kind": "bounce", "after": 2},
    None,
    {"kind": "reply", "after": 45, "text": "Not now. Please ask me again in spring."},
    None,
    {"kind": "opt_out_by_token", "after": 15},
    None,
)


class DemoLife:
    """Two habits, to be called now and then. ``enrolls``: organization and name of the demo's sequences, or none."""

    def __init__(self, runtime: Runtime, enrolls: frozenset[tuple[str, str]]) -> None:
        self._runtime = runtime
        self._enrolls = enrolls
        self._emulator = EmulatorControl(runtime.settings.graph_url)
        self._turn = itertools.count()
        self._looks_at = self._enrolls_at = 0.0

    def close(self) -> None:
        """Close the connection to the emulator."""
        self._emulator.close()

    def go_on(self, now: float) -> None:
        """Do what is due. ``now``: monotonic seconds. Raises ``DatabaseUnavailable``, ``httpx.TransportError``: try again later."""
        if now >= self._looks_at:
            self._looks_at = now + LOOKS_EVERY
            introduce(self._runtime, self._emulator)
        if self._enrolls and now >= self._enrolls_at:
            self._enrolls_at = now + ENROLLS_EVERY
            self.enroll_somebody()

    def enroll_somebody(self) -> str | None:
        """Add a person to the next of the demo's sequences that runs and has few waiting; returns the address, or None."""
        with self._runtime.database.transaction() as tx:
            running = [
                each
                for each in lookups.listing(tx, "sequence")
                if (each["organization"], each["name"]) in self._enrolls
                and each["status"] == "active"
                and each["waiting"] < _ENOUGH_WAIT
            ]
        if not running:
            return None
        turn = next(self._turn)
        sequence, does = running[turn % len(running)], _DO[turn % len(_DO)]
        person = _somebody()
        if does is not None:
            self._emulator.behaviour(person["email"], times=1, **does)
        with self._runtime.database.transaction() as tx:
            organization_id = lookups.organization_of(tx, sequence["id"])
            write(tx, Target(organization_id, sequence["id"]), [person], PeopleSummary(), ACTOR)
        return str(person["email"])


def introduce(runtime: Runtime, emulator: EmulatorControl) -> None:
    """Give everybody in the database who has none an account at the emulator, and let it sign in.

    An organization's accounts are of the tenant that it trusts, whatever their domains.
    """
    with runtime.database.transaction() as tx:
        boxes, members = lookups.listing(tx, "mailbox"), lookups.listing(tx, "member")
    people = {each["email"].lower(): each for each in members}
    wanted: dict[str, dict[str, Any]] = {
        each["address"].lower(): {"organization": each["organization"]}
        for each in boxes
        if each["owner"] is not None or each["status"] == "never_connected"
    }
    wanted |= people
    new = wanted.keys() - emulator.addresses()
    if not new:
        return
    for organization in Tables(runtime.database).all(Organization):
        its = [
            {
                "address": each,
                "name": wanted[each].get("name", each.partition("@")[0]),
                "google": each in AT_GOOGLE,
            }
            for each in sorted(new)
            if wanted[each]["organization"] == organization.name
        ]
        if its:
            tenant_id = organization.tenant_id or _trusted(runtime, emulator, organization, its[0])
            emulator.add_mailboxes(*({**each, "tenant_id": tenant_id} for each in its))


def _trusted(
    runtime: Runtime, emulator: EmulatorControl, organization: Organization, first: dict[str, Any]
) -> str:
    """Let an organization trust the tenant of its first account's domain, or one of its own if another trusts that."""
    (account,) = emulator.add_mailboxes(first)
    with runtime.database.transaction() as tx:
        taken = sessions.organization_of(tx, account["tenant_id"]) is not None
        tenant_id = str(organization.id) if taken else str(account["tenant_id"])
        sessions.trust_tenant(tx, organization.id, tenant_id, actor=ACTOR)
    return tenant_id


def _somebody() -> dict[str, Any]:
    first, last = random.choice(_FIRST), random.choice(_LAST)
    return {
        "email": f"{first}.{last}.{random.randrange(1000, 1_000_000)}@example.org".lower(),
        "first_name": first,
        "last_name": last,
        "company": random.choice(_COMPANIES),
        "fields": {"role": random.choice(_ROLES)},
    }
