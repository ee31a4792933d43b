"""Make a sequence, and change its settings. Its steps: ``web/steps.py``."""

from uuid import UUID, uuid4

from fastapi import APIRouter, Request, Response
from pydantic import ConfigDict, Field

from actions import building
from actions.building import Settings
from db.core.session import Transaction
from db.sequences import built
from db.sequences.built import Built
from domain.hand_edits import Overtaken
from domain.send_window import DAYS
from web.changes import ask
from web.forms import REFUSED, Filled, PageForm, Typed, again, id_of, number_of
from web.hours import PLACES, by_day
from web.pages import go, page
from web.protection import Runtimed, SignedIn, transaction_of
from web.sequences import Line, line_of

router = APIRouter(prefix="/sequences")

_PLACES = {
    "name": "name",
    "fields": "fields",
    **PLACES,
}


class SettingsForm(PageForm):
    """``hours``: own, or empty for the organization's. ``fields``: names, ``holidays``: dates, each separated by commas.

    ``from_DAY``, ``to_DAY``: of weekdays that have other hours. ``signature``: yes or no; empty: unchanged. ``key``: of the form.
    """

    model_config = ConfigDict(extra="allow")
    name: str = ""
    sender: str = ""
    hours: str = ""
    zone: str = ""
    days: list[str] = Field(default_factory=list)
    opens: str = ""
    closes: str = ""
    holidays: str = ""
    fields: str = ""
    signature: str = ""
    version: str = ""
    key: str = ""


@router.get("/new")
def ask_name(request: Request) -> Response:
    """Ask for a name and a sender."""
    return _new(request, Filled({"key": str(uuid4())}))


def _new(request: Request, filled: Filled, *, status: int = 200) -> Response:
    with transaction_of(request) as (tx, session):
        senders = built.senders(tx, session.member.organization_id, session.member.id)
        return page(request, "sequence_new.html", senders=senders, filled=filled, status=status)


@router.post("/new")
def make(request: Request, runtime: Runtimed, session: SignedIn, form: Typed[SettingsForm]) -> Response:
    """Make a draft. A repeated request leads to the same one."""
    member = session.member
    try:
        made, _ = building.make(
            runtime,
            member.organization_id,
            member.id,
            Settings(form.name, id_of(form.sender)),
            key=form.key,
            actor=member.name,
        )
    except REFUSED as error:
        return _new(request, again(form.typed(), error, _PLACES), status=422)
    return go(request, f"/sequences/{made}/steps/new")


@router.get("/{sequence:uuid}/settings")
def show_settings(request: Request, sequence: UUID) -> Response:
    """Show name, sender, hours and fields."""
    with transaction_of(request) as (tx, _):
        line = line_of(request, sequence)
        return _settings(request, tx, built.built(tx, line.id), Filled())


def _settings(
    request: Request, tx: Transaction, found: Built, filled: Filled, *, status: int = 200
) -> Response:
    own = found.sending or found.organization_sending or {}
    senders = built.senders(tx, found.organization_id, found.owner_id, found.id)
    if found.mailbox_id not in {each.id for each in senders}:
        senders.append(
            built.SenderChoice(
                found.mailbox_id, found.address, found.sender, found.uses_sender_address, connected=False
            )
        )
    return page(
        request,
        "sequence_settings.html",
        status=status,
        found=found,
        senders=senders,
        filled=filled,
        own=own,
        days=DAYS,
        chosen=filled.chosen if filled.values else frozenset(own.get("days", DAYS[:5])),
    )


@router.post("/{sequence:uuid}/settings")
def change(
    request: Request, line: Line, runtime: Runtimed, session: SignedIn, form: Typed[SettingsForm]
) -> Response:
    """Save the settings, at once or after a page that shows whom they concern."""
    sending = None
    if form.hours == "own":
        sending = {
            "zone": form.zone,
            "days": form.days,
            "from": form.opens,
            "to": form.closes,
            "holidays": _listed(form.holidays),
            "by_day": by_day(form.typed(), form.days),
        }
    fields = _listed(form.fields)
    signed = {"yes": True, "no": False}.get(form.signature)
    wanted = Settings(form.name, id_of(form.sender), sending, fields, signed)
    version = number_of(form.version)
    try:
        report = building.preview_change(runtime, line.id, wanted, version=version)
        if report.times is not None:
            content = {
                "kind": "settings",
                "name": wanted.name,
                "sender": form.sender,
                "sending": sending,
                "fields": fields,
                "with_signature": signed,
                "version": version,
            }
            return ask(request, line.id, content)
        building.change(runtime, line.id, wanted, version=version, actor=session.member.name)
    except REFUSED as error:
        with transaction_of(request) as (tx, _):
            now = built.built(tx, line.id)
            typed = form.typed() | ({"version": str(now.version)} if isinstance(error, Overtaken) else {})
            filled = again(typed, error, _PLACES, chosen=form.days)
            return _settings(request, tx, now, filled, status=409 if isinstance(error, Overtaken) else 422)
    return go(request, f"/sequences/{line.id}", "Saved.")


def _listed(text: str) -> list[str]:
    return [each.strip() for each in text.split(",") if each.strip()]
