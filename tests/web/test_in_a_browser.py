"""The pages in a real Chromium: a whole visit without scripts, on a phone and by keyboard; live parts and dialogs with them."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from actions import withdraw
from db.mailboxes import senders
from lab.access_records import Mailbox, Member, Organization
from lab.listening_records import IncomingMessage
from lab.records import Delivery, Sequence, Step
from lab.stage import Stage
from tests.web.test_attention import refused
from tests.web.test_sender_addresses import entity
from tests.web.visitor import email_of, known_account

CHROMIUM = shutil.which("chromium")
# CI installs it from Debian; a developer's machine may lack it.
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
SHOTS = Path(__file__).parents[2] / "build" / "screenshots"
_QUIET = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
PATIENCE = 20_000  # ms; two seconds, on a machine that may be busy
PHONE, DESK = {"width": 360, "height": 740}, {"width": 1100, "height": 800}


@pytest.fixture
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=_QUIET)
        yield opened
        opened.close()


@pytest.fixture
def people(stage: Stage) -> tuple[UUID, UUID]:
    """Hans, who has a mailbox to connect, and Rita, who recruits."""
    members = stage.world.member("Hans Holder"), stage.world.member("Rita Recruiter")
    stage.put(Organization, stage.world.organization_id, name="Acme")
    for member in members:
        known_account(stage, email_of(stage, member))
    return members


def visit(browser: Browser, site: str, size: dict[str, int], *, scripts: bool) -> tuple[Page, list[str]]:
    """A page in its own browser, and what its console complains about."""
    context = browser.new_context(viewport=size, java_script_enabled=scripts)  # type: ignore[arg-type]
    page, complaints = context.new_page(), []

    def listen(message: object) -> None:
        kind, text, where = message.type, message.text, message.location["url"]  # type: ignore[attr-defined]
        if kind in ("error", "warning") and where.startswith(site):
            complaints.append(text)

    page.on("console", listen)
    page.goto(site)
    return page, complaints


def sign_in(page: Page, address: str) -> None:
    page.get_by_role("button", name="Sign in with Microsoft").click()
    page.get_by_role("link", name=address).click()
    page.get_by_role("navigation", name="Main").wait_for()


def open_more(page: Page) -> None:
    """On a phone the bar has the first entries; the rest is under More."""
    more = page.get_by_label("All pages")
    if more.is_visible():
        more.check(force=True)


def shot(page: Page, name: str) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"{name}.png", full_page=True)


@pytest.mark.parametrize(("name", "size"), [("phone", PHONE), ("desk", DESK)])
def test_a_whole_visit_needs_no_scripts(
    stage: Stage, site: str, browser: Browser, people: tuple[UUID, UUID], name: str, size: dict[str, int]
) -> None:
    hans, rita = people
    page, complaints = visit(browser, site, size, scripts=False)
    shot(page, f"sign-in-{name}")
    sign_in(page, email_of(stage, hans))
    open_more(page)
    page.get_by_role("link", name="Mailbox and permissions").click()
    page.get_by_role("button", name="Connect with Microsoft").click()
    page.get_by_role("link", name=email_of(stage, hans)).click()
    page.get_by_text("Your mailbox is connected").wait_for()
    page.get_by_role("link", name="Give permission").click()
    page.get_by_label("Who").select_option(str(rita))
    page.get_by_label("Maximum emails a day").fill("20")
    shot(page, f"give-permission-{name}")
    page.get_by_role("button", name="Give permission").click()
    page.get_by_text("Permission given to Rita Recruiter, at most 20 emails a day").wait_for()
    box = stage.only(Mailbox).id
    stage.world.enroll(stage.world.sequence(rita, box, ("PT0S", "P1D")), 3)
    stage.put(Sequence, name="Backend engineers, Berlin")
    stage.send_due()
    open_more(page)
    page.get_by_role("link", name="Mailbox and permissions").click()
    shot(page, f"sequences-settings-{name}")
    page.get_by_role("link", name="End the permission of Rita Recruiter").click()
    page.get_by_text("1 sequence with 3 people").wait_for()
    shot(page, f"end-permission-{name}")
    page.get_by_role("button", name="End permission").click()
    page.get_by_text("nothing can leave now").wait_for()
    page.reload()  # the result can be read again
    page.get_by_text("nothing can leave now").wait_for()
    shot(page, f"permission-ended-{name}")
    stage.run_outbox()
    ritas, more = visit(browser, site, size, scripts=False)
    sign_in(ritas, email_of(stage, rita))
    open_more(ritas)
    ritas.get_by_role("link", name="Notifications").click()
    ritas.get_by_role("heading", name="Hans Holder ended your permission").wait_for()
    shot(ritas, f"notifications-{name}")
    ritas.get_by_role("button", name="Mark all 2 as read").click()
    ritas.get_by_role("link", name="Sequences", exact=True).click()
    ritas.get_by_text("has ended").wait_for()
    shot(ritas, f"sequences-{name}")
    stage.world.grant(box, rita)
    ritas.get_by_role("link", name="Resume").click()
    ritas.get_by_text("Nothing blocks it").wait_for()
    shot(ritas, f"resume-{name}")
    ritas.get_by_role("button", name="Resume sequence").click()
    ritas.get_by_text("Resumed.").wait_for()
    ritas.get_by_label("Account of Rita Recruiter").click()
    ritas.get_by_role("button", name="Sign out").click()
    ritas.get_by_role("button", name="Sign in with Microsoft").wait_for()
    assert complaints + more == []


@pytest.mark.parametrize(("name", "size"), [("phone", PHONE), ("desk", DESK)])
def test_what_needs_a_decision_and_the_companys_addresses_are_settled_without_scripts(
    stage: Stage, site: str, browser: Browser, people: tuple[UUID, UUID], name: str, size: dict[str, int]
) -> None:
    hans, _ = people
    stage.put(Member, hans, role="admin")
    refused(stage, hans, 2)
    with stage.world.database.transaction() as tx:
        senders.ensure_default(tx, stage.world.organization_id, "mail.example")
    entity(stage, "Acme Berlin", entity(stage, "Acme Holding"))
    stage.put(Sequence, name="Backend engineers, Berlin")
    page, complaints = visit(browser, site, size, scripts=False)
    sign_in(page, email_of(stage, hans))
    page.goto(f"{site}/settings/email")
    page.get_by_text("Acme Berlin").first.wait_for()
    shot(page, f"sender-addresses-{name}")
    page.goto(f"{site}/attention")
    page.get_by_label("Address of Cand0").fill("not an address")
    page.get_by_role("button", name="Correct and retry Cand0").click()
    page.get_by_text("is not one address").wait_for()
    shot(page, f"attention-{name}")
    page.get_by_label("Address of Cand0").fill("kaito@minato.example")
    page.get_by_role("button", name="Correct and retry Cand0").click()
    page.get_by_text("Corrected. The email is sent again").wait_for()
    assert seen_wide(page) is False
    assert [each for each in complaints if "422" not in each] == []


def seen_wide(page: Page) -> bool:
    """Does the page scroll sideways?"""
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


def test_the_keyboard_reaches_everything_in_order(
    stage: Stage, site: str, browser: Browser, people: tuple[UUID, UUID]
) -> None:
    page, _ = visit(browser, site, DESK, scripts=True)
    sign_in(page, email_of(stage, people[0]))
    page.goto(f"{site}/settings/sequences")
    reached = []
    for _ in range(14):
        page.keyboard.press("Tab")
        reached.append(
            str(
                page.evaluate(
                    "document.activeElement.innerText || document.activeElement.ariaLabel || document.activeElement.id"
                )
            )
            .split("\n")[0]
            .strip()
        )
    assert reached == [
        "Skip to content", "Onbehalf", "q", "HH", "Sequences", "People", "Messages", "Outbox", "Needs attention",
        "Mailbox and permissions", "Numbers", "Notifications", "Design system", "Connect with Microsoft",
    ]  # fmt: skip
    page.keyboard.press("Enter")
    page.get_by_role("link", name=email_of(stage, people[0])).wait_for()


def test_what_changes_appears_within_two_seconds_and_disturbs_nobody(
    stage: Stage, site: str, browser: Browser, people: tuple[UUID, UUID]
) -> None:
    hans, rita = people
    box = stage.mailbox(hans)
    lent = stage.world.grant(box, rita)
    stage.world.enroll(stage.world.sequence(rita, box, ("P1D",)), 3)
    page, complaints = visit(browser, site, DESK, scripts=True)
    sign_in(page, email_of(stage, rita))
    page.goto(f"{site}/sequences")
    page.get_by_text("Running", exact=True).and_(page.locator(".pill")).wait_for()
    withdraw.revoke_grant(stage.runtime, lent, actor="Hans Holder")
    stage.run_outbox()
    page.get_by_role("link", name="Resume").wait_for(timeout=PATIENCE)
    page.locator("#badge-unread:not([hidden])").wait_for(timeout=PATIENCE)
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "q"
    page.keyboard.type("cand")
    page.locator("#found a").first.wait_for()
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.closest('#found') !== null")
    page.keyboard.press("Enter")
    page.wait_for_url("**/people/*")
    assert complaints == []


def test_an_open_sequence_shows_a_revocation_by_itself_and_so_do_the_senders_permissions(
    stage: Stage, site: str, browser: Browser, people: tuple[UUID, UUID]
) -> None:
    hans, rita = people
    lent = stage.world.grant(stage.mailbox(hans), rita)
    sequence = stage.world.sequence(rita, stage.only(Mailbox).id, ("P1D",))
    stage.world.enroll(sequence, 3)
    page, complaints = visit(browser, site, DESK, scripts=True)
    sign_in(page, email_of(stage, rita))
    page.goto(f"{site}/sequences/{sequence}")
    state = page.get_by_role("main").locator(".title .pill")
    state.get_by_text("Running").wait_for()
    page.get_by_text("3 waiting").wait_for()
    permissions = page.context.new_page()
    permissions.goto(f"{site}/settings/sequences")
    permissions.get_by_text("Hans Holder lets you send").wait_for()
    page.bring_to_front()
    withdraw.revoke_grant(stage.runtime, lent, actor="Hans Holder")
    stage.run_outbox()
    state.get_by_text("Paused").wait_for(timeout=PATIENCE)
    page.get_by_role("link", name="Ask Hans").wait_for()
    permissions.bring_to_front()
    permissions.get_by_text("Hans Holder lets you send").wait_for(state="detached", timeout=PATIENCE)
    page.bring_to_front()
    page.get_by_role("link", name="Ask Hans").click()
    page.get_by_label("Address of the mailbox").wait_for()
    assert complaints == []


def test_fields_go_where_the_cursor_was_and_keys_lead_to_people_and_outbox(
    stage: Stage, site: str, browser: Browser, people: tuple[UUID, UUID]
) -> None:
    _, rita = people
    sequence = stage.world.sequence(rita, stage.mailbox(rita), status="draft")
    page, complaints = visit(browser, site, DESK, scripts=True)
    sign_in(page, email_of(stage, rita))
    page.goto(f"{site}/sequences/{sequence}/steps/new")
    page.get_by_text("Fields you can insert").click()
    insert = page.get_by_role("button", name="Insert First name into the subject")
    insert.click()
    insert.click()
    assert page.locator("#subject").input_value() == "{{first_name}}" * 2
    for key, where in (("p", "people"), ("o", "outbox")):
        page.goto(f"{site}/sequences")
        page.keyboard.press("g")
        page.keyboard.press(key)
        page.wait_for_url(f"**/{where}")
    assert complaints == []


def test_answers_are_gone_through_and_filed_by_keys(
    stage: Stage, site: str, browser: Browser, people: tuple[UUID, UUID]
) -> None:
    _, rita = people
    box = stage.mailbox(rita)
    stage.world.enroll(stage.world.sequence(rita, box, ("PT0S", "P1D")), 2)
    stage.send_due()
    for entry in stage.left():
        stage.emulator.control.incoming(
            stage.address(box),
            sender=entry.to[0],
            subject="Re",
            text="Hm.",
            in_reply_to=entry.internet_message_id,
        )
    stage.read(box)
    page, complaints = visit(browser, site, DESK, scripts=True)
    sign_in(page, email_of(stage, rita))
    page.goto(f"{site}/messages")
    first, second = (each.get_attribute("id") for each in page.locator("[data-message]").all())
    in_view = "document.activeElement.closest('[data-message]')?.id"
    for key, reached in (("j", first), ("j", second), ("j", second), ("k", first), ("j", second)):
        page.keyboard.press(key)
        assert page.evaluate(in_view) == reached
    page.keyboard.press("3")
    page.locator(f"#{second}").wait_for(state="detached", timeout=PATIENCE)
    assert page.locator(f"#{first}").is_visible()
    assert {f"m-{each.id}": each.answer_class for each in stage.all(IncomingMessage)} == {
        first: None,
        second: "no",
    }
    assert complaints == []


def test_emails_are_read_and_approved_by_keys(
    stage: Stage, site: str, browser: Browser, people: tuple[UUID, UUID]
) -> None:
    _, rita = people
    sequence = stage.world.sequence(rita, stage.mailbox(rita))
    stage.put(Step, kind="approval")
    stage.world.enroll(sequence, 2)
    stage.send_due()
    page, complaints = visit(browser, site, DESK, scripts=True)
    sign_in(page, email_of(stage, rita))
    page.goto(f"{site}/outbox/approvals")
    first, second = (each.get_attribute("id") for each in page.locator("[data-message]").all())
    page.keyboard.press("y")  # none is in view
    for key in ("j", "j"):
        page.keyboard.press(key)
    assert page.evaluate("document.activeElement.closest('[data-message]')?.id") == second
    page.keyboard.press("y")
    page.locator(f"#{second}").wait_for(state="detached", timeout=PATIENCE)
    assert page.locator(f"#{first}").is_visible()
    assert {f"a-{each.id}": each.approval is not None for each in stage.all(Delivery)} == {
        first: False,
        second: True,
    }
    assert complaints == []


def test_what_changes_is_heard_once_and_what_stays_is_not(
    stage: Stage, site: str, browser: Browser, people: tuple[UUID, UUID]
) -> None:
    _, rita = people
    box = stage.mailbox(rita)
    backend, designers = (stage.world.sequence(rita, box, ("P1D",)) for _ in range(2))
    for key, name in ((backend, "Backend engineers"), (designers, "Designers")):
        stage.world.put(Sequence, key, name=name)
        stage.world.enroll(key, 3)
    page, complaints = visit(browser, site, DESK, scripts=True)
    sign_in(page, email_of(stage, rita))
    page.goto(f"{site}/sequences")
    heard = page.locator("#heard")
    assert (heard.get_attribute("role"), heard.inner_text()) == ("status", "")
    page.evaluate(
        """() => { window.said = [];
        new MutationObserver(() => said.push(heard.textContent)).observe(heard, { childList: true }); }"""
    )
    withdraw.pause_sequence(stage.runtime, backend, actor="Nora", reason="holidays")
    heard.filter(has_text="Backend engineers: Paused").wait_for(timeout=PATIENCE, state="attached")
    # A row with other numbers and times, and the same state: another person joins.
    stage.world.enroll(designers, 1)
    page.get_by_text("4 people waiting").wait_for(timeout=PATIENCE, state="attached")
    withdraw.pause_sequence(stage.runtime, designers, actor="Nora", reason="holidays")
    heard.filter(has_text="Designers: Paused").wait_for(timeout=PATIENCE, state="attached")
    said = page.evaluate("said")
    assert [each for each in said if "Backend" in each] == ["Backend engineers: Paused."], said
    assert len(said) == 2, said
    assert complaints == []


def test_a_confirmation_opens_above_its_page_and_is_a_page_without_scripts(
    stage: Stage, site: str, browser: Browser, people: tuple[UUID, UUID]
) -> None:
    hans, rita = people
    stage.world.grant(stage.mailbox(hans), rita)
    for scripts in (True, False):
        page, complaints = visit(browser, site, DESK, scripts=scripts)
        sign_in(page, email_of(stage, hans))
        page.get_by_role("link", name="End the permission of Rita Recruiter").click()
        page.get_by_role("button", name="End permission").wait_for()
        assert page.locator("dialog[open]").count() == int(scripts)
        page.get_by_role("link", name="Keep it").click()
        page.get_by_role("heading", name="Mailbox and permissions").wait_for()
        assert page.locator("dialog").count() == 0
        assert complaints == []
