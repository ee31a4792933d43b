"""The live view says what pages say."""

import io

import pytest
from rich.console import Console

from app.redis_url import connect
from commands import live
from lab.access_records import Mailbox
from lab.stage import Stage
from lab.tables import ago


@pytest.mark.parametrize(
    ("reason", "word"), [("sending_blocked", "Blocked"), ("admin_approval_required", "Waits for IT")]
)
def test_a_mailbox_is_shown_by_the_word_of_pages(stage: Stage, reason: str, word: str) -> None:
    stage.mailbox(stage.world.member())
    lost = stage.mailbox(stage.world.member())
    stage.put(Mailbox, lost, status="disconnected", status_reason=reason, disconnected_at=ago())
    broker = connect(stage.runtime.settings.redis_url, socket_timeout=1)
    try:
        picture = live._picture(stage.world.database, broker)
    finally:
        broker.close()
    out = io.StringIO()
    Console(file=out, width=160).print(picture)
    assert word in out.getvalue()
    assert "Connected" in out.getvalue()
    assert reason not in out.getvalue()
    assert "disconnected" not in out.getvalue()
