"""An admin's day, one job by keyboard alone, and one on a phone without scripts, in a real Chromium (docs/pages.md)."""

# ruff: noqa: F811 - fixtures are asked for by the name they are imported by

from uuid import UUID

import pytest
from playwright.sync_api import Browser, Page

from actions import withdraw
from db.sequences import organization_hours
from lab.access_records import Grant, Member
from lab.records import Sequence, Suppression
from lab.stage import Stage
from tests.web.test_a_day import arrive
from tests.web.test_in_a_browser import CHROMIUM, DESK, PHONE, browser, people  # noqa: F401 - fixtures
from tests.web.visitor import email_of, known_account

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")


@pytest.mark.parametrize(
    ("size", "scripts"),
    [(DESK, True), (DESK, False), (PHONE, True)],
    ids=["desk", "without scripts", "phone"],
)
def test_an_admin_adds_somebody_ends_the_access_of_a_leaver_and_hands_over(
    stage: Stage, site: str, browser: Browser, people: tuple[UUID, UUID], size: dict[str, int], scripts: bool
) -> None:
    _, rita = people
    ada = stage.world.member("Ada Novak", role="admin")
    known_account(stage, email_of(stage, ada))
    box = stage.mailbox(ada)
    sequence = stage.world.sequence(rita, stage.mailbox(rita), ("PT0S", "P1D"))
    stage.world.enroll(sequence, 3)
    stage.send_due()
    hand, complaints = arrive(browser, site, stage, ada, size, scripts)
    page = hand.page
    hand.goes_to("Team")
    page.get_by_label("Name", exact=True).fill("Bo Lind")
    page.get_by_label("Email", exact=True).fill("bo@acme.example")
    hand.button("Add")
    page.get_by_text("Bo Lind can sign in now").wait_for()
    hand.click(page.get_by_role("link", name="End access of Rita Recruiter"))
    hand.button("End access")
    page.get_by_text("nothing can leave now").wait_for()
    assert not stage.only(Member, rita).active
    stage.run_outbox()
    hand.goes_to("Team")
    hand.click(page.locator(".tabs a", has_text="Left"))
    hand.click(page.get_by_role("link", name="Hand over").first)
    page.get_by_label("Who takes over").select_option(str(ada))
    hand.button("Show the senders")
    page.get_by_label("New sender").select_option(index=0)
    hand.button("Hand over")
    page.get_by_text("nothing can leave now").wait_for()
    found = stage.only(Sequence, sequence)
    assert (found.owner_id, found.mailbox_id) == (ada, box)
    hand.goes_to("Suppressions")
    page.get_by_label("Address or domain", exact=True).last.fill("competitor.example")
    hand.button("Suppress")
    page.get_by_text("competitor.example").first.wait_for()
    assert stage.count(Suppression) == 1
    hand.goes_to("Audit")
    for name in ("Bo Lind", "Rita Recruiter"):
        page.get_by_text(name).first.wait_for()
    hand.done("an admin's day")
    assert hand.clicks <= (12 if size is DESK else 16)  # a phone's More
    assert len(stage.left()) == 3
    assert complaints == []


def reach(page: Page, name: str) -> None:
    """Press Tab until what has this name has the focus."""
    for _ in range(150):
        page.keyboard.press("Tab")
        said = page.evaluate(
            "(document.activeElement.getAttribute('aria-label') || document.activeElement.innerText || '').trim()"
        )
        if name in str(said):
            return
    raise AssertionError(f"The Tab key does not reach {name}")


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "without scripts"])
def test_a_lender_ends_a_permission_by_keyboard_alone(
    stage: Stage, site: str, browser: Browser, people: tuple[UUID, UUID], scripts: bool
) -> None:
    hans, rita = people
    box = stage.mailbox(hans)
    stage.world.grant(box, rita)
    stage.world.enroll(stage.world.sequence(rita, box, ("PT0S", "P1D")), 3)
    hand, complaints = arrive(browser, site, stage, hans, DESK, scripts)
    page = hand.page
    reach(page, "End")
    page.keyboard.press("Enter")
    page.get_by_text("1 sequence with 3 people").wait_for()
    reach(page, "End permission")
    page.keyboard.press("Enter")
    page.get_by_text("nothing can leave now").wait_for()
    assert stage.only(Grant).archived_at is not None
    assert complaints == []


def test_on_a_phone_without_scripts_a_recruiter_finds_why_and_resumes(
    stage: Stage, site: str, browser: Browser, people: tuple[UUID, UUID]
) -> None:
    _, rita = people
    sequence = stage.world.sequence(rita, stage.mailbox(rita), ("PT0S", "P1D"))
    stage.world.enroll(sequence, email="amira@kestrel.example", first_name="Amira", last_name="Nasser")
    stage.send_due()
    withdraw.pause_sequence(stage.runtime, sequence, actor="Rita Recruiter", reason="paused_by_hand")
    hand, complaints = arrive(browser, site, stage, rita, PHONE, False)
    page = hand.page
    hand.goes_to("Needs attention")
    hand.link("Why did somebody get nothing?")
    page.get_by_label("Name or address").fill("Amira")
    hand.button("Find out")
    page.get_by_text("paused", exact=False).first.wait_for()
    hand.goes_to("Sequences")
    hand.click(page.get_by_role("link", name="Resume", exact=False).first)
    hand.button("Resume sequence")
    page.get_by_text("Resumed.").wait_for()
    assert stage.only(Sequence).status == "active"
    assert complaints == []


@pytest.mark.parametrize(
    ("size", "scripts"), [(DESK, True), (PHONE, False)], ids=["desk", "phone without scripts"]
)
def test_an_admin_lets_the_organization_end_earlier_on_fridays(
    stage: Stage, site: str, browser: Browser, size: dict[str, int], scripts: bool
) -> None:
    ada = stage.world.member("Ada Novak", role="admin")
    known_account(stage, email_of(stage, ada))
    hand, complaints = arrive(browser, site, stage, ada, size, scripts)
    page = hand.page
    page.goto(f"{site}/settings/organization")
    page.get_by_label("In these hours").check()
    assert not page.get_by_label("Friday, from").is_visible()
    hand.click(page.get_by_text("Other hours on single days"))
    page.get_by_label("Friday, from").fill("09:00")
    page.get_by_label("Friday, to").fill("13:00")
    hand.button("Save hours")
    page.get_by_text("Saved.").wait_for()
    # Whoever looks again finds the row open, because it holds something.
    assert page.get_by_label("Friday, to").is_visible()
    assert page.get_by_label("Friday, to").input_value() == "13:00"
    with stage.world.database.transaction() as tx:
        found = organization_hours.of(tx, stage.world.organization_id)
    assert found.sending is not None
    assert found.sending["by_day"] == {"fri": {"from": "09:00", "to": "13:00"}}
    assert complaints == []
