"""The pages in a real Chromium: a whole visit without scripts, on a phone and by keyboard, accessible to everybody."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from db.access import grant_requests
from db.mailboxes import approvals, domains, sender_addresses, senders
from lab.access_records import Grant, Mailbox, Member, Organization
from lab.records import Sequence
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
    page.get_by_role("heading", name="Mailbox and permissions").wait_for()


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
    shot(page, f"company-addresses-{name}")
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


@pytest.mark.parametrize("size", [{"width": 320, "height": 640}, DESK], ids=["narrow", "desk"])
def test_no_page_shuts_anybody_out(
    stage: Stage, site: str, browser: Browser, people: tuple[UUID, UUID], size: dict[str, int]
) -> None:
    """WCAG by axe-core, and no page that scrolls sideways."""
    hans, rita = people
    stage.put(Member, hans, role="admin")
    box = stage.mailbox(hans)
    stage.world.grant(box, rita)
    sequence_id = stage.world.sequence(hans, box, ("P1D",))
    stage.world.enroll(sequence_id)
    mona = stage.world.member("Mona Member")
    with stage.world.database.transaction() as tx:
        approvals.wait_for(tx, stage.world.organization_id, hans)
        request = grant_requests.ask(
            tx, mailbox=stage.address(box), requester_id=mona, words="Please", actor="Mona"
        )
        since = approvals.waiting(tx, stage.runtime.web_keys, hans)
        senders.ensure_default(tx, stage.world.organization_id, "mail.example")
        domains.verify(tx, stage.world.organization_id, "acme.example", "operator", actor="test")
        jobs = sender_addresses.put_address(
            tx, stage.world.organization_id, None, "jobs@acme.example", actor="Hans"
        )
    assert since is not None
    stage.run_outbox()
    page, complaints = visit(browser, site, size, scripts=True)
    found = [seen(page, "/sign-in")]
    sign_in(page, email_of(stage, hans))
    grant = stage.only(Grant).id
    for path in ("/settings/sequences", "/settings/sequences/remove", f"/settings/sequences/grants/{grant}/revoke",
                 "/settings/sequences/grants/new", f"/settings/sequences/requests/{request}", f"/approve/{since[1]}",
                 "/settings/email", f"/settings/email/grants/{grant}/end", "/sequences", f"/sequences/{sequence_id}/resume",
                 f"/settings/email/addresses/{jobs}", f"/settings/mail-server/{jobs}", "/settings/mail-server/mine",
                 f"/settings/mail-server/{jobs}/set-aside", "/notifications", "/attention", "/nothing"):  # fmt: skip
        page.goto(site + path)
        found.append(seen(page, path))
    assert [each for each in found if each] == []
    assert [each for each in complaints if "404" not in each] == []


def seen_wide(page: Page) -> bool:
    """Does the page scroll sideways?"""
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


def seen(page: Page, path: str) -> str:
    """What is wrong with a page, in words; empty if nothing is."""
    result = Axe().run(page)
    wide = seen_wide(page)
    return (result.generate_report() if result.violations_count else "") + (
        f"{path} is too wide" if wide else ""
    )


def test_the_keyboard_reaches_everything_in_order(
    stage: Stage, site: str, browser: Browser, people: tuple[UUID, UUID]
) -> None:
    page, _ = visit(browser, site, DESK, scripts=True)
    sign_in(page, email_of(stage, people[0]))
    reached = []
    for _ in range(9):
        page.keyboard.press("Tab")
        reached.append(str(page.evaluate("document.activeElement.innerText")).split("\n")[0].strip())
    assert reached == [
        "Skip to content", "Onbehalf", "Sequences", "Needs attention", "Mailbox and permissions", "Notifications", "Hans Holder",
        "Sign out", "Connect with Microsoft",
    ]  # fmt: skip
    page.keyboard.press("Enter")
    page.get_by_role("link", name=email_of(stage, people[0])).wait_for()
