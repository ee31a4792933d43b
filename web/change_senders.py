"""Give several of one's sequences another sender: which ones, from where, and what that means; then all at once."""

from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import Field

from actions import change_senders as actions
from domain.hand_edits import Overtaken
from domain.handover import MAX_TOGETHER, Middle, TakeOver
from web.forms import REFUSED, Filled, PageForm, Typed, again, id_of, number_of
from web.pages import go, page
from web.protection import Runtimed, SignedIn, transaction_of
from web.results import see
from web.rooms import withdraws

router = APIRouter(prefix="/sequences/sender")

_PLACES = {"introduction": "introduction", "sequence": "sequence", "sender": "sender"}


class SendersForm(PageForm):
    """``sequence``: those chosen; ``version``: ``id:version`` of each that was shown. ``former``: from which mailbox they send."""

    former: str = ""
    sequence: list[str] = Field(default_factory=list)
    version: list[str] = Field(default_factory=list)
    sender: str = ""
    middle: str = Middle.GO_ON.value
    introduction: str = ""
    do: str = ""

    def chosen(self) -> dict[UUID, int | None]:
        """Return those chosen, each with the version that the page showed."""
        known = dict(each.partition(":")[::2] for each in self.version[:MAX_TOGETHER])
        found = [id_of(each) for each in self.sequence[:MAX_TOGETHER]]
        return {each: number_of(known.get(str(each), "")) or None for each in found if each is not None}

    def wanted(self) -> TakeOver:
        """Return how."""
        middle = Middle.WAIT if self.middle == Middle.WAIT else Middle.GO_ON
        words = self.introduction if "introduction" in self.model_fields_set else None
        return TakeOver(id_of(self.sender), middle, words)


@router.get("")
def choose(request: Request) -> Response:
    """Show which sequences send from ``?from=``, and what another sender would mean for them. Changes nothing."""
    former = id_of(request.query_params.get("from", ""))
    if former is None:
        return RedirectResponse("/sequences", status_code=303)
    return _page(request, former, None, None, Filled())


def _page(
    request: Request,
    former: UUID,
    sender: UUID | None,
    chosen: set[UUID] | None,
    filled: Filled,
    *,
    status: int = 200,
) -> Response:
    with transaction_of(request) as (tx, session):
        found = actions.preview(tx, session.member.id, former, sender, chosen)
        if not found.found:
            return go(request, "/sequences", "No sequence of yours sends from that mailbox any more.")
        if chosen is None:
            paused = {each.id for each in found.found if each.status == "paused"}
            chosen = paused or {each.id for each in found.found}
            found = actions.preview(tx, session.member.id, former, sender, chosen)
        return page(
            request,
            "change_senders.html",
            found=found,
            former=former,
            address=found.found[0].address,
            chosen=chosen,
            names={each.id: each.name for each in found.found},
            running=sum(each.status == "active" for each in found.found if each.id in chosen),
            filled=filled,
            status=status,
        )


@router.post("")
@withdraws
def change(request: Request, runtime: Runtimed, session: SignedIn, form: Typed[SendersForm]) -> Response:
    """Change them all, or none; or show what other choices mean. A repeated request finds that they have changed."""
    former, chosen = id_of(form.former), form.chosen()
    if former is None:
        return RedirectResponse("/sequences", status_code=303)
    filled = Filled(form.typed())
    if form.do == "show":
        return _page(request, former, id_of(form.sender), set(chosen), filled)
    try:
        answer = actions.change(
            runtime, session.member.id, former, chosen, form.wanted(), actor=session.member.name
        )
    except REFUSED as error:
        filled = again(form.typed(), error, _PLACES)
        status = 409 if isinstance(error, Overtaken) else 422
        return _page(request, former, id_of(form.sender), set(chosen), filled, status=status)
    return see(answer)
