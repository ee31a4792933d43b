"""The days' main jobs in a real Chromium, from sign-in to done, with the clicks they take (docs/pages.md)."""

import time
from pathlib import Path
from uuid import UUID

import pytest
from playwright.sync_api import Browser, Locator, Page

from actions import withdraw
from lab.access_records import Mailbox
from lab.records import Delivery, Enrollment, Sequence
from lab.stage import Stage
from tests.web.main_jobs import How, note
from tests.web.test_in_a_browser import (  # noqa: F401 - fixtures
    CHROMIUM,
    DESK,
    PHONE,
    browser,
    open_more,
    people,
    sign_in,
    visit,
)
from tests.web.visitor import email_of

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
ANYWHERE = pytest.mark.parametrize(
    ("size", "scripts"),
    [(DESK, True), (DESK, False), (PHONE, True)],
    ids=["desk", "without scripts", "phone"],
)


class Hand:
    """Clicks, counts them, and notes how long a job took (docs/pages.md). No person is that fast; what is left is waiting for pages."""

    def __init__(self, page: Page, how: How) -> None:
        self.page, self.how, self.clicks, self.began = page, how, 0, time.monotonic()

    def done(self, job: str) -> None:
        """Note what the job took."""
        note(job, self.how, self.clicks, time.monotonic() - self.began)

    def click(self, what: Locator) -> None:
        what.click()
        self.clicks += 1

    def button(self, name: str) -> None:
        self.click(self.page.get_by_role("button", name=name, exact=True).first)

    def link(self, name: str) -> None:
        self.click(self.page.get_by_role("link", name=name, exact=True).first)

    def goes_to(self, name: str) -> None:
        """By the navigation; More on a phone is a click too."""
        more = self.page.get_by_label("All pages")
        wanted = self.page.get_by_role("navigation", name="Main").get_by_role("link", name=name)
        self.page.wait_for_load_state()  # while a page comes, nothing is visible
        if not wanted.is_visible():
            more.check(force=True)
            self.clicks += 1
        self.click(wanted)


def arrive(
    browser: Browser,  # noqa: F811
    site: str,
    stage: Stage,
    who: UUID,
    size: dict[str, int],
    scripts: bool,
) -> tuple[Hand, list[str]]:
    page, complaints = visit(browser, site, size, scripts=scripts)
    sign_in(page, email_of(stage, who))
    return Hand(page, "phone" if size is PHONE else "desk" if scripts else "without scripts"), complaints


@ANYWHERE
def test_a_recruiter_builds_and_starts_a_sequence_for_fifty_people_in_fifteen_clicks(
    stage: Stage,
    site: str,
    browser: Browser,  # noqa: F811
    people: tuple[UUID, UUID],  # noqa: F811
    tmp_path: Path,
    size: dict[str, int],
    scripts: bool,
) -> None:
    _, rita = people
    stage.mailbox(rita)
    hand, complaints = arrive(browser, site, stage, rita, size, scripts)
    page = hand.page
    page.goto(f"{site}/sequences")
    hand.link("New sequence")
    page.get_by_label("Name").fill("Backend engineers, Berlin")
    hand.button("Make draft")
    for position in (1, 2, 3):
        if position == 1:  # its page follows that of the new sequence
            page.get_by_label("Subject").fill("A role in Berlin")
        else:
            hand.link("Add a step")
        page.get_by_role("textbox", name="Text").fill(f"Hello {{{{first_name}}}}, this is email {position}.")
        hand.button("Save step")
    file = tmp_path / "people.csv"
    rows = "".join(f"person{n}@candidates.example,Person{n},Kestrel\n" for n in range(50))
    file.write_text(f"Email,First name,Company\n{rows}")
    hand.goes_to("People")
    hand.link("Import")
    page.get_by_label("Sequence", exact=True).select_option(label="Backend engineers, Berlin")
    page.get_by_label("File", exact=True).set_input_files(file)
    hand.button("Upload")
    stage.run_outbox()
    page.reload()
    hand.button("Import 50 people")
    stage.run_outbox()
    hand.goes_to("Sequences")
    hand.click(page.get_by_role("link", name="Start").first)
    hand.button("Start sequence")
    page.get_by_text("Running").first.wait_for()
    assert stage.count(Enrollment) == 50
    assert stage.send_due() > 0
    hand.done("build and start")
    assert hand.clicks <= (15 if size is DESK else 17)  # a phone's More
    assert complaints == []


@ANYWHERE
def test_why_somebody_got_nothing_and_what_somebody_got_take_two_clicks_each(
    stage: Stage,
    site: str,
    browser: Browser,  # noqa: F811
    people: tuple[UUID, UUID],  # noqa: F811
    size: dict[str, int],
    scripts: bool,
) -> None:
    _, rita = people
    box = stage.mailbox(rita)
    sequence = stage.world.sequence(rita, box, ("PT0S", "P1D"))
    stage.world.enroll(sequence, email="amira@kestrel.example", first_name="Amira", last_name="Nasser")
    stage.send_due()
    withdraw.pause_sequence(stage.runtime, sequence, actor="Rita Recruiter", reason="paused_by_hand")
    hand, complaints = arrive(browser, site, stage, rita, size, scripts)
    page = hand.page
    page.goto(f"{site}/attention")
    hand.link("Why did somebody get nothing?")
    page.get_by_label("Name or address").fill("Amira")
    hand.button("Find out")
    page.get_by_text("paused", exact=False).first.wait_for()
    hand.done("why somebody got nothing")
    assert hand.clicks == 2
    hand.clicks, hand.began = 0, time.monotonic()
    page.get_by_role("searchbox", name="Search").first.fill("Amira")
    page.keyboard.press("Enter")
    hand.click(page.get_by_role("main").get_by_role("link", name="Amira Nasser").first)
    page.get_by_text("this is step 1").first.wait_for()
    hand.done("what somebody received")
    assert hand.clicks <= 2
    assert complaints == []


@ANYWHERE
def test_a_lender_ends_a_permission_in_two_clicks(
    stage: Stage,
    site: str,
    browser: Browser,  # noqa: F811
    people: tuple[UUID, UUID],  # noqa: F811
    size: dict[str, int],
    scripts: bool,
) -> None:
    hans, rita = people
    box = stage.mailbox(hans)
    stage.world.grant(box, rita)
    stage.world.enroll(stage.world.sequence(rita, box, ("PT0S", "P1D")), 3)
    hand, complaints = arrive(browser, site, stage, hans, size, scripts)
    hand.click(hand.page.get_by_role("link", name="End the permission of Rita Recruiter"))
    hand.button("End permission")
    hand.page.get_by_text("nothing can leave now").wait_for()
    hand.done("end a permission")
    assert hand.clicks == 2
    assert complaints == []


@ANYWHERE
def test_an_owner_connects_again_and_resumes_five_sequences_in_four_clicks(
    stage: Stage,
    site: str,
    browser: Browser,  # noqa: F811
    people: tuple[UUID, UUID],  # noqa: F811
    size: dict[str, int],
    scripts: bool,
) -> None:
    _, rita = people
    box = stage.mailbox(rita)
    for _ in range(5):
        stage.world.enroll(stage.world.sequence(rita, box, ("PT0S", "P1D")), 2)
    withdraw.disconnect_mailbox(stage.runtime, box, actor="Rita Recruiter")
    stage.run_outbox()
    assert stage.count(Sequence, status="paused") == 5
    hand, complaints = arrive(browser, site, stage, rita, size, scripts)
    hand.click(hand.page.get_by_role("button", name="Connect").first)
    hand.click(hand.page.get_by_role("link", name=email_of(stage, rita)))  # Microsoft's page
    hand.page.get_by_text("Your mailbox is connected").wait_for()
    hand.link("Resume sequences")
    hand.button("Resume sequences")
    hand.page.get_by_text("5 sequences resumed").wait_for()
    hand.done("connect again and resume")
    assert hand.clicks == 4
    assert stage.only(Mailbox).status == "connected"
    assert stage.count(Sequence, status="active") == 5
    assert stage.count(Delivery, state="pending") == 10
    assert complaints == []
