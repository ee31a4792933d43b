"""Every page at every size, with long names and addresses: no word breaks, nothing is too wide, in light and dark."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from actions import withdraw
from db.access import grant_requests, grants
from db.mailboxes import approvals, domains, sender_addresses, senders
from lab.access_records import Lane, Member, Organization, Withdrawal
from lab.records import Delivery, Enrollment, Sequence
from lab.stage import Stage
from tests.web.test_in_a_browser import _QUIET, CHROMIUM
from tests.web.visitor import email_of, known_account

ROOT = Path(__file__).parents[2]
SHOTS = os.environ.get("SCREENSHOTS")  # a folder for screenshots
# 1280 px at 200 % zoom are 640 px of two device pixels each.
SIZES = [(320, 640, 1), (375, 812, 1), (640, 400, 2), (768, 1024, 1), (1280, 800, 1)]
LONG = "Dr. Anne-Sophie Hohenlohe-Waldenburg-Schillingsfürst von und zu Gross-Umstadt-Kleestadt"
RTL = "نورا الخطيب"
NAME = "Senior site reliability engineers for the observability platform, Berlin and remote"

# Words of a button, pill or chip that wrap, and whatever is wider than the screen.
BROKEN = """() => {
  const found = [];
  for (const each of document.querySelectorAll('button, .button, .state, .count, .chips a, nav a')) {
    const walker = document.createTreeWalker(each, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      if (node.parentElement.closest('.unseen')) continue;
      for (const match of node.data.matchAll(/\\S+/g)) {
        const range = document.createRange();
        range.setStart(node, match.index);
        range.setEnd(node, match.index + match[0].length);
        const tops = new Set([...range.getClientRects()].map((box) => Math.round(box.top)));
        if (tops.size > 1 && !match[0].includes('-')) found.push(match[0] + ' in: ' + each.innerText);
      }
    }
    const box = each.getBoundingClientRect();
    if (!each.closest('nav') && !each.classList.contains('unseen') && box.width && box.right > innerWidth + 1) found.push('outside: ' + each.innerText);
  }
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth) found.push('too wide: ' + root.scrollWidth);
  return found;
}"""


@pytest.fixture
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=_QUIET)
        yield opened
        opened.close()


def busy_office(stage: Stage) -> tuple[str, list[str]]:
    """An admin with a long name, and everything that pages can show. Returns her address and all paths."""
    world = stage.world
    ada = world.member(LONG, role="admin")
    world.put(
        Member,
        ada,
        email="anne-sophie.hohenlohe-waldenburg-schillingsfuerst.recruiting@engineering.acme-robotics.example",
    )
    nora, rita = world.member(RTL), world.member("Rita Recruiter")
    known_account(stage, email_of(stage, ada))
    box, noras = stage.mailbox(ada), stage.mailbox(nora)
    world.put(
        Organization, time_zone="Europe/Berlin", name="Acme Robotics International Holding SE & Co. KGaA"
    )
    own = world.sequence(ada, box, ("PT0S", "P1D"))
    world.put(Sequence, own, name=NAME)
    world.enroll(own, 5, last_name="Weber")
    stage.send_due()
    paused = world.sequence(ada, noras, ("P1D",))
    lent = world.grant(noras, ada)
    world.enroll(paused, 2)
    withdraw.revoke_grant(stage.runtime, lent, actor=RTL)
    blocked = world.sequence(ada, box, ("PT0S",), body="For the {{role}}", fields=("role",))
    world.enroll(blocked, 3)
    world.put(Lane, tokens=4)
    stage.send_due()
    review = world.sequence(ada, box, ("PT0S", "P1D"))
    world.enroll(review, 2)
    world.overwrite(Delivery, where={"sequence_id": review}, state="review", reason="no_trace")
    world.put(Lane, tokens=4)
    failed = world.sequence(ada, box, ("PT0S",))
    world.enroll(failed, 2)
    refusal = "recipient_rejected"
    world.overwrite(Delivery, where={"sequence_id": failed}, state="closed", outcome="failed", reason=refusal)
    world.put(Enrollment, where={"sequence_id": failed}, status="stopped", reason=refusal)
    world.sequence(ada, box, status="draft")
    grant = world.grant(box, rita)
    world.grant(noras, None)
    with world.database.transaction() as tx:
        approvals.wait_for(tx, world.organization_id, ada)
        asked = grant_requests.ask(
            tx, mailbox=stage.address(box), requester_id=nora, words="For designers " * 8, actor=RTL
        )
        grants.give(tx, mailbox_id=box, mailbox_owner_id=ada, grantee_id=None, actor=LONG)
        since = approvals.waiting(tx, stage.runtime.web_keys, ada)
        senders.ensure_default(tx, world.organization_id, "mail.example")
        domains.verify(tx, world.organization_id, "acme.example", "operator", actor="test")
        jobs = sender_addresses.put_address(
            tx, world.organization_id, None, "jobs-and-careers-worldwide@acme.example", actor="Ada"
        )
    assert since is not None
    stage.run_outbox()
    withdrawal = world.all(Withdrawal)[0].id
    return email_of(stage, ada), [
        "/sign-in", "/sequences", "/sequences?whose=all&q=", f"/sequences/{paused}/resume", f"/sequences/{own}/resume",
        "/attention", f"/attention?sequence={blocked}", "/settings/sequences", "/settings/sequences/remove",
        f"/settings/sequences/grants/{grant}/revoke", "/settings/sequences/grants/new", f"/settings/sequences/requests/{asked}",
        "/settings/email", f"/settings/email/grants/{grant}/end", f"/settings/email/addresses/{jobs}",
        f"/settings/mail-server/{jobs}", "/settings/mail-server/mine", "/settings/mail-server/mine/set-aside",
        "/notifications", f"/withdrawals/{withdrawal}", f"/approve/{since[1]}", "/nothing",
    ]  # fmt: skip


def enter(page: Page, site: str, address: str) -> None:
    page.goto(f"{site}/sign-in")
    page.get_by_role("button", name="Sign in with Microsoft").click()
    page.get_by_role("link", name=address).click()
    page.get_by_role("navigation").wait_for()


def name_of(path: str) -> str:
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|[^a-z]+", "-", path).strip("-") or "home"


def test_no_button_breaks_a_word_and_no_page_is_too_wide(stage: Stage, site: str, browser: Browser) -> None:
    address, paths = busy_office(stage)
    found = []
    context = browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    enter(context.new_page(), site, address)
    state = context.storage_state()
    for width, height, scale in SIZES:
        sized = browser.new_context(
            viewport={"width": width, "height": height}, device_scale_factor=scale, storage_state=state
        )
        page = sized.new_page()
        for path in paths:
            page.goto(site + path)
            found += [f"{path} at {width}: {each}" for each in page.evaluate(BROKEN)]
            if SHOTS and width in (375, 1280):
                page.screenshot(path=Path(SHOTS) / f"{width}-{name_of(path)}.png", full_page=True)
        sized.close()
    assert found == []


def test_the_dark_pages_are_dark_and_shut_nobody_out(stage: Stage, site: str, browser: Browser) -> None:
    address, paths = busy_office(stage)
    context = browser.new_context(viewport={"width": 1280, "height": 800}, color_scheme="dark")
    page = context.new_page()
    enter(page, site, address)
    found = []
    for path in paths:
        page.goto(site + path)
        assert (
            page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(14, 16, 20)"
        )
        result = Axe().run(page)
        found += [result.generate_report()] if result.violations_count else []
        if SHOTS:
            page.screenshot(path=Path(SHOTS) / f"dark-{name_of(path)}.png", full_page=True)
    assert found == []


def tokens(css: str) -> dict[str, str]:
    found = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{3,6})", css))
    return {
        name: value if len(value) == 7 else "#" + "".join(2 * each for each in value[1:])
        for name, value in found.items()
    }


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_edges_and_the_focus_ring_hold_three_to_one_and_text_more(scheme: str) -> None:
    css = (ROOT / "web/static/style.css").read_text()
    light, _, dark = css.partition("@media (prefers-color-scheme: dark)")
    colours = tokens(light) | (tokens(dark.partition("*,")[0]) if scheme == "dark" else {})
    for ground in ("bg", "surface", "sunken"):
        for edge in ("focus", "edge"):
            assert contrast(colours[edge], colours[ground]) >= 3, (edge, ground)
        for ink in ("ink", "soft", "link"):
            assert contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)
    for ink, ground in (
        ("ok", "ok-soft"),
        ("warn", "warn-soft"),
        ("bad", "bad-soft"),
        ("link", "chosen"),
        ("on-accent", "accent"),
    ):
        assert contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)
