"""The demo: data imported like any customer's, mailboxes of the emulator, and candidates who answer by themselves."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from actions.connect import connect_mailbox
from actions.organization_files import import_and_wait
from app.runtime import Runtime
from db.access import operators, sessions
from db.views import lookups
from domain.connection import Provider
from importing.people import import_people
from lab.demo_life import ACTOR, AT_GOOGLE, OF_TENANT, introduce
from lab.emulator.client import EmulatorControl
from lab.tenants import connect_tenant, join

_DEMO = Path(__file__).with_name("demo")
_CANDIDATES = {
    "backend-engineers.csv": "Backend engineers",
    "designers.csv": "Designers",
    "recruiting-partners.csv": "Recruiting partners",
    "data-people.csv": "Data people",
}
# Its first emails wait for an approval, then somebody has to call.
_BY_HAND = {"engineering-leads.csv": "Engineering leads"}
_ORGANIZATIONS = {"Acme", "Globex"}
SEQUENCES = frozenset(
    (organization, name) for organization in _ORGANIZATIONS for name in _CANDIDATES.values()
)
OPERATOR = "otto@globex.example"
_AWAY = timedelta(days=12)  # from now on, for those who name a day


def load_demo(runtime: Runtime) -> None:
    """Import what is not there yet, connect the mailboxes with tokens from the emulator, let candidates answer.

    Everybody in it has an account there and can sign in with it. What people or answers have changed since stays: a sequence that
    has had people gets none again.
    """
    with runtime.database.transaction() as tx:
        known = {each["name"] for each in lookups.listing(tx, "organization")}
    if _ORGANIZATIONS - known:
        import_and_wait(runtime, _DEMO / "organization.yaml", actor=ACTOR)
    with EmulatorControl(runtime.settings.graph_url) as emulator:
        introduce(runtime, emulator)
        make_operator(runtime, emulator)
        with runtime.database.transaction() as tx:
            mailboxes = lookups.listing(tx, "mailbox")
        for each in mailboxes:
            if each["status"] == "never_connected" and each["organization"] in _ORGANIZATIONS:
                _connect(runtime, emulator, each)
        with runtime.database.transaction() as tx:
            empty = {each["name"] for each in lookups.listing(tx, "sequence") if not each["people"]}
        for name, sequence in (_CANDIDATES | _BY_HAND).items():
            if sequence in empty:
                _let_answer(emulator, sequence)
                import_people(runtime.database, _DEMO / name, sequence=sequence, actor=ACTOR)


def first_steps(pages: str) -> str:
    """Return what to do first, for somebody who has never seen it. ``pages``: where they are."""
    return f"""\
Sign in as rita@acme.example. Within two minutes some of her candidates answer, are away, opt out, or their emails come back:
  {pages}/notifications          who ended and why, who is away until when
  {pages}/messages               what they wrote: file it with one click; one asks in words to be left alone: you decide
  {pages}/settings/suppressions  addresses that get no email again
  {pages}/outbox/approvals       emails of "Engineering leads" that leave once she has read and approved them
  {pages}/attention              what waits for her: a quarter of a minute after those left, whom to call (not who answered)
Sign in as hans@acme.example, whose mailbox sends for Rita:
  {pages}/settings/read          what was read of his mailbox, why, and for whom
Sign in as mona@acme.example, whose mailbox is at Google and sends for Theo:
  {pages}/settings/sequences     connect it again, on the page of the emulator's Google
Sign in as {OPERATOR}, who operates this installation:
  {pages}/operations             how all of it stands: what waits, what is read, which processes run
Sign in as gina@globex.example, whose organization is connected to Microsoft as a whole; Otto's mailbox sends for her through it:
  {pages}/settings/email/microsoft  what the consent means, what works, and how to limit it
Others: theo@acme.example."""


def make_operator(runtime: Runtime, emulator: EmulatorControl) -> None:
    """As if Otto had signed in once, and somebody had run ``onbehalf operator add``."""
    (account,) = emulator.add_mailboxes({"address": OPERATOR})
    with runtime.database.transaction() as tx:
        member_id = sessions.member_of(tx, account["tenant_id"], account["user_id"], [OPERATOR])
        if member_id is not None:
            operators.add(tx, member_id, actor=ACTOR)


def _connect(runtime: Runtime, emulator: EmulatorControl, mailbox: dict[str, Any]) -> None:
    if (address := mailbox["address"]) in OF_TENANT:
        with runtime.database.transaction() as tx:
            organization_id = lookups.by_name(tx, "organization", mailbox["organization"])
        connect_tenant(runtime, emulator, organization_id, address, actor=ACTOR)
        join(runtime, emulator, address, actor=ACTOR)
        return
    at_google = mailbox["address"] in AT_GOOGLE
    settings, provider = runtime.settings, Provider.GMAIL if at_google else Provider.GRAPH
    client_id = settings.google_client_id if at_google else settings.microsoft_client_id
    token = emulator.refresh_token(mailbox["address"], client_id=client_id)
    connect_mailbox(runtime, mailbox["id"], refresh_token=token, actor=ACTOR, provider=provider)


def _let_answer(emulator: EmulatorControl, sequence: str) -> None:
    """Tell the emulator what the people of a sequence do, before the first email reaches them."""
    back = f"{datetime.now(UTC) + _AWAY:%-d %B %Y}"
    for each in yaml.safe_load((_DEMO / "answers.yaml").read_text())[sequence]:
        words = each.pop("text", "").replace("{back}", back)
        emulator.behaviour(**each, times=1, text=words)
