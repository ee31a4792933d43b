"""A member leaves by SCIM while 200 emails of theirs are due: nothing leaves after the answer, and their sequences can be handed over."""

import sys
import time
from collections import Counter
from collections.abc import Callable

import httpx
import pytest

from actions import keys
from db.access.api_keys import PROVISION
from lab.access_records import Grant, Member, Withdrawal
from lab.embedded import free_port
from lab.records import Notice, Sequence
from lab.stage import Stage
from lab.system import System
from tests.web.test_api import key_of
from tests.web.test_scim import AT, PATCH
from tests.web.visitor import Visitor, email_of, known_account

WATCHED = 6.0  # seconds after the answer, with processes that look for work


@pytest.mark.row("B8")
def test_nothing_of_a_leaver_leaves_after_the_identity_provider_got_its_answer(
    system: System, stage: Stage, url_as: Callable[[str], str]
) -> None:
    world = stage.world
    ada = world.member("Ada Admin", role="admin")
    rita, hans, otto = world.member("Rita Recruiter"), world.member("Hans Holder"), world.member("Otto Owner")
    own, lent = stage.mailbox(rita), stage.mailbox(hans)
    for box, member in ((lent, rita), (own, otto)):
        world.grant(box, member)
    for box in (own, lent):
        stage.emulator.control.switch(stage.address(box), latency=0.3)
    for owner, box, people in ((rita, own, 100), (rita, lent, 60), (otto, own, 40)):
        world.enroll(world.sequence(owner, box), people)
    port = free_port()
    url = f"http://localhost:{port}"
    own_keys = {**keys.of_web(stage.runtime.settings.secret_keys), "SECRET_KEYS": ""}
    more = {"PUBLIC_URL": url, "UVICORN_PORT": str(port), "DATABASE_URL": url_as("onbehalf_web")}
    system.start("web", [sys.executable, "-m", "web"], {**more, **own_keys})
    system.workers(threads=8)
    system.scheduler()
    system.wait_until_up(180)
    system.wait(system.sent(3), 180)  # and more are on their way
    answer = httpx.patch(
        f"{url}{AT}/Users/{rita}",
        json={"schemas": [PATCH], "Operations": [{"op": "Replace", "path": "active", "value": "False"}]},
        headers={"Authorization": f"Bearer {key_of(world, PROVISION)}"},
        timeout=60,
        trust_env=False,
    )
    left = len(stage.left())
    assert (answer.status_code, answer.json()["active"]) == (200, False), answer.text
    assert 3 <= left < 60
    result = stage.only(Withdrawal)
    assert (result.stopped, result.in_doubt) == (200 - left, [])
    until = time.monotonic() + WATCHED
    while time.monotonic() < until:
        assert len(stage.left()) == left
        time.sleep(0.2)
    received = Counter(entry.correlation_id for entry in stage.left())
    assert set(received.values()) == {1}
    assert stage.states()["sent"] == left
    assert {each.archived_reason for each in stage.all(Grant)} == {"member_deactivated"}
    # It fans out: each sequence is paused once, and whoever had permission to send from her mailbox hears of it once.
    system.wait(lambda: stage.count(Sequence, status="paused") == 3, 60)
    system.wait(lambda: bool(stage.all(Notice, owner_id=otto, channel="in_app")), 60)
    assert stage.count(Notice, owner_id=otto, channel="in_app") == 1
    assert not stage.only(Member, rita).active
    known_account(stage, email_of(stage, ada))
    page = Visitor(stage).sign_in(email_of(stage, ada)).get("/settings/team?which=left")
    assert f"/settings/team/{rita}/hand-over" in page.text
    assert system.tracebacks() == []
