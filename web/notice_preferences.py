"""The part of Preferences that says how notices come: email, chat channels, quiet hours, and who stands in."""

from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import Field

from actions import notice_preferences as actions
from domain.errors import InvalidInput
from domain.notice_preferences import ByEmail, Category, Preferences, Way, quiet_hours
from web.forms import REFUSED, PageForm, Typed, again, id_of
from web.pages import form_alone, go
from web.preferences import LEGENDS, shown_again
from web.protection import SignedIn, own_runtime

router = APIRouter(prefix="/settings/preferences")

_HERE = "/settings/preferences"
_PLACES = {name: name for name in ("quiet_from", "quiet_until", "backup", "url", "name")}


class NoticesForm(PageForm):
    """For each category when it comes by email, and in which channels."""

    email_stopped: str = ""
    email_decisions: str = ""
    email_answers: str = ""
    email_news: str = ""
    channels_stopped: list[str] = Field(default_factory=list, max_length=50)
    channels_decisions: list[str] = Field(default_factory=list, max_length=50)
    channels_answers: list[str] = Field(default_factory=list, max_length=50)
    channels_news: list[str] = Field(default_factory=list, max_length=50)
    quiet_from: str = ""
    quiet_until: str = ""
    backup: str = ""

    def ticked(self) -> list[str]:
        """Return which channels were chosen, as ``category:channel``."""
        return [f"{each}:{text}" for each in Category for text in getattr(self, f"channels_{each}")]

    def wanted(self) -> Preferences:
        """Return what was chosen. Raises ``InvalidInput``."""
        ways = {}
        for each in Category:
            by_email = getattr(self, f"email_{each}")
            if by_email not in {way.value for way in ByEmail}:
                raise InvalidInput("Nothing is chosen", fix=f"Choose when you get emails: {LEGENDS[each]}.")
            chosen = [id_of(text) for text in getattr(self, f"channels_{each}")]
            ways[each] = Way(ByEmail(by_email), tuple(found for found in chosen if found is not None))
        backup = id_of(self.backup)
        if self.backup and backup is None:
            raise InvalidInput(
                "There is no such colleague", where="backup", fix="Choose a colleague from the list."
            )
        return Preferences(ways, quiet_hours(self.quiet_from, self.quiet_until), backup)


class ChannelForm(PageForm):
    """A channel's address, which is never shown again, and its name."""

    url: str = ""
    name: str = ""

    def typed(self) -> dict[str, str]:
        """Return the name alone."""
        return {"name": self.name}


form_alone(router, "/notices", "/channels", "/channels/{of:uuid}/remove", to=_HERE)


@router.post("/notices")
def save(request: Request, session: SignedIn, form: Typed[NoticesForm]) -> Response:
    """Keep how this member hears of notices."""
    try:
        actions.save(own_runtime(request), session.member.id, form.wanted())
    except REFUSED as error:
        return shown_again(request, again(form.typed(), error, _PLACES, chosen=form.ticked()))
    return go(request, _HERE, "Saved.")


@router.post("/channels")
def add_channel(request: Request, session: SignedIn, form: Typed[ChannelForm]) -> Response:
    """Add a channel. Which notices go there is chosen above."""
    try:
        actions.add_channel(
            own_runtime(request), session.member.id, form.url, form.name, actor=session.member.name
        )
    except REFUSED as error:
        return shown_again(request, again(form.typed(), error, _PLACES))
    return go(request, _HERE, "Added. Choose what goes there.")


@router.post("/channels/{channel}/remove")
def remove_channel(request: Request, session: SignedIn, channel: UUID) -> Response:
    """Remove a channel."""
    actions.remove_channel(own_runtime(request), session.member.id, channel, actor=session.member.name)
    return go(request, _HERE, "Removed. Nothing goes there any more.")
