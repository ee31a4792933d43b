"""The design system: each component in each state, from the macros that pages use. Only in a demo."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from fastapi import APIRouter, Request, Response

from domain.errors import NotFound
from web.forms import Filled
from web.pages import page
from web.protection import runtime_of, transaction_of

router = APIRouter(prefix="/system")

_WRONG = Filled(
    {"wrong": "2026-11-20", "several": "Hello"},
    {"wrong": "This day is over. Choose today or later, or leave it empty.", "": "Nothing was changed."},
)
_SPRITE = Path(__file__).with_name("static") / "icons.svg"
_ICONS = re.findall(r'<symbol id="i-([a-z0-9-]+)"', _SPRITE.read_text(encoding="utf-8"))


@router.get("")
def show(request: Request) -> Response:
    """Show it. Raises ``NotFound`` unless Microsoft is an emulator here."""
    if not runtime_of(request).settings.emulated:
        raise NotFound("There is no such page.")
    with transaction_of(request):
        now = datetime.now(UTC)
        times = [now + timedelta(minutes=8), now - timedelta(hours=3), now - timedelta(days=400)]
        return page(request, "system.html", filled=Filled(), wrong=_WRONG, times=times, icons=_ICONS)
