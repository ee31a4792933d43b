"""What is held: somebody stops all sending of their mailbox, or an owner or admin that of any mailbox or of the whole organization."""

from fastapi import APIRouter, Request, Response

from actions import holds as actions
from db.access.sessions import Session
from db.core.session import Transaction
from db.views import frame, my_settings
from db.withdrawing import holds
from db.withdrawing.holds import Listed, Whose
from domain.errors import InvalidInput, NotPermitted
from domain.holds import MAX_REASON, Level, sentence
from web.forms import REFUSED, Filled, PageForm, Typed, again, id_of, local_time
from web.pages import form_alone, go, page, zone_of
from web.protection import Runtimed, SignedIn, manages, transaction_of
from web.results import see
from web.rooms import withdraws
from web.why import by_the_clock_of

router = APIRouter(prefix="/settings/holds")

_HERE = "/settings/holds"
_ALL = "organization"
_PLACES = {"reason": "reason", "until": "until", "what": "what"}

form_alone(router, "/release", to=_HERE)


class HoldForm(PageForm):
    """``what``: a mailbox's id, or ``organization``. ``until``: local time, or empty."""

    what: str = ""
    reason: str = ""
    until: str = ""


class ReleaseForm(PageForm):
    """What is released, as in ``HoldForm``."""

    what: str = ""


@router.get("")
def show(request: Request) -> Response:
    """Show what is held, and the form that holds."""
    return _shown(request, Filled({"what": request.query_params.get("what", "")[:40]}))


def _shown(request: Request, filled: Filled, *, status: int = 200) -> Response:
    with transaction_of(request) as (tx, session):
        here = frame.here(tx, session.member.id)
        when = by_the_clock_of(here.zone, here.now)
        return page(
            request,
            "holds.html",
            found=[
                {
                    "said": sentence(
                        each.hold, each.address, when, whole=f"All sending of {each.organization}"
                    ),
                    "what": each.hold.mailbox_id or _ALL,
                    "name": each.address or each.organization,
                    "mine": not each.hold.is_drain and _level(session).may_release(each.hold.level),
                }
                for each in holds.listed(tx, session.member.organization_id)
                if _concerns(session, each)
            ],
            choices=_choices(tx, session),
            filled=filled,
            zone_name=here.zone,
            most=MAX_REASON,
            status=status,
        )


@router.post("")
@withdraws
def hold(request: Request, session: SignedIn, runtime: Runtimed, form: Typed[HoldForm]) -> Response:
    """Stop all sending; answers when no more emails can leave."""
    try:
        with transaction_of(request) as (tx, _):
            whose, level = _asked(tx, session, form.what)
            until = local_time(form.until, zone_of(tx, session), "until") if form.until else None
        answer = actions.hold(
            runtime, whose, level=level, actor=session.member.name, reason=form.reason, until=until
        )
    except REFUSED as error:
        return _shown(request, again(form.typed(), error, _PLACES), status=422)
    return see(answer)


@router.post("/release")
def release(request: Request, session: SignedIn, runtime: Runtimed, form: Typed[ReleaseForm]) -> Response:
    """Let it send again, at its pace."""
    with transaction_of(request) as (tx, _):
        whose, level = _asked(tx, session, form.what)
        here = frame.here(tx, session.member.id)
    released = actions.release(runtime, whose, level=level, actor=session.member.name)
    said = "It is released. Emails go on by themselves." if released.ended else "It was not held."
    if released.left is not None:
        said += f" Nothing leaves yet: {sentence(released.left, 'The mailbox', by_the_clock_of(here.zone, here.now))}"
    return go(request, _HERE, said)


def _asked(tx: Transaction, session: Session, what: str) -> tuple[Whose, Level]:
    """Return what a form is about, and as whom the member asks. Raises ``InvalidInput``, ``NotPermitted``."""
    organization_id, chosen = session.member.organization_id, id_of(what)
    if what == _ALL:
        if not manages(session):
            raise NotPermitted("Your organization's owners and admins hold all sending.")
        return Whose(organization_id), Level.ADMIN
    mine = my_settings.mailbox_of(tx, session.member.id)
    own = mine is not None and mine.id == chosen
    if chosen is None or not (own or holds.is_of(tx, organization_id, chosen)):
        raise InvalidInput("Nothing is chosen", where="what", fix="Choose what to hold.")
    if not own and not manages(session):
        raise NotPermitted("Only its owner, and your organization's owners and admins, hold this mailbox.")
    return Whose(organization_id, chosen), _level(session)


def _level(session: Session) -> Level:
    return Level.ADMIN if manages(session) else Level.OWNER


def _concerns(session: Session, each: Listed) -> bool:
    return each.hold.mailbox_id is None or manages(session) or each.owner_id == session.member.id


def _choices(tx: Transaction, session: Session) -> list[tuple[str, str]]:
    mine = my_settings.mailbox_of(tx, session.member.id)
    own = [] if mine is None else [(str(mine.id), f"My mailbox ({mine.address})")]
    if not manages(session):
        return own
    others = [
        (str(each.id), each.address)
        for each in holds.mailboxes(tx, session.member.organization_id)
        if mine is None or each.id != mine.id
    ]
    return [*own, (_ALL, f"All sending of {session.member.organization}"), *others]
