"""Every page at every size, with long names and addresses, in light and dark: nothing breaks, hides or shuts anybody out.

The pages are those of tests/web/office.py.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal
from uuid import UUID

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Page, sync_playwright

from db.access import sessions
from lab.stage import Stage
from tests.web.office import ALONE, PAGES, busy_office, others_of
from tests.web.test_in_a_browser import _QUIET, CHROMIUM
from tests.web.visitor import made_operator

ROOT = Path(__file__).parents[2]
SHOTS = os.environ.get("SCREENSHOTS")  # a folder for screenshots, which .ci/run keeps
# 1280 px at 200 % zoom are 640 px.
SIZES = [(1280, 800), (768, 1024), (640, 400), (390, 844), (320, 640)]
PATIENCE = 120_000  # ms, for a machine that may be busy
READ = (1280, 320)  # where axe-core and the Tab key go through a page

# What a person would see at once: words of a button, pill or tab that wrap, what is wider than the screen, and what is too
# small for a finger (WCAG 2.5.8: a link within a line of text may be smaller).
BROKEN = """() => {
  const found = [];
  const seen = (each) => each.checkVisibility({ visibilityProperty: true }) && !each.closest('.unseen');
  for (const each of document.querySelectorAll('button, .button, .pill, .badge, .tabs a, nav a, kbd')) {
    if (!seen(each)) continue;
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
    if (box.width && (box.right > innerWidth + 1 || box.left < -1)) found.push('outside: ' + each.innerText);
  }
  for (const each of document.querySelectorAll('button, .button, summary, nav a, input, select, textarea, h2 > a, h3 > a')) {
    const box = (each.closest('label') ?? each).getBoundingClientRect();
    if (!seen(each) || !box.width || each.type === 'hidden') continue;
    if (box.height < 23.5 || box.width < 23.5) found.push(`small: ${Math.round(box.width)} x ${Math.round(box.height)}: ${each.innerText || each.name}`);
  }
  // A word of a text that is broken because its column is too narrow. An address or a long word may be.
  const texts = document.createTreeWalker(document.querySelector('main') ?? document.body, NodeFilter.SHOW_TEXT);
  for (let node = texts.nextNode(); node; node = texts.nextNode()) {
    if (!node.data.trim() || !seen(node.parentElement)) continue;
    for (const match of node.data.matchAll(/(?<![^\\s-])\\p{L}{2,15}(?![^\\s.,:;!?-])/gu)) {
      const range = document.createRange();
      range.setStart(node, match.index);
      range.setEnd(node, match.index + match[0].length);
      if (new Set([...range.getClientRects()].map((box) => Math.round(box.top))).size > 1) found.push(`broken: ${match[0]} in: ${node.data.trim().slice(0, 60)}`);
    }
  }
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth) found.push('too wide: ' + root.scrollWidth);
  return found;
}"""

# What axe-core finds. Of a scheme are colours alone.
SHUT_OUT = """(rules) => axe.run({ resultTypes: ['violations'], ...rules }).then(({ violations }) =>
  violations.flatMap((each) => each.nodes.map((node) => `${each.id}: ${node.html.slice(0, 200)}: ${node.failureSummary}`)))"""
SCHEMES: dict[Literal["light", "dark"], dict[str, list[str]]] = {
    "light": {},
    "dark": {"runOnly": ["color-contrast"]},
}

# What the keyboard has to reach, what it has reached, and what shows no focus.
REACHABLE = """() => [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary')].filter(
  (each) => each.checkVisibility({ visibilityProperty: true }) && each.tabIndex >= 0 && !each.disabled
    && !(each.type === 'radio' && !each.checked)).length"""
WATCH = """addEventListener('focusin', ({ target }) => {
  window.reached ??= new Set();
  window.unseen ??= [];
  reached.add(target);
  const ring = (look) => look.outlineStyle !== 'none' && parseFloat(look.outlineWidth) >= 2;
  const shown = target.matches('.more') && target.nextElementSibling.checkVisibility() ? target.nextElementSibling : target;
  if (!ring(getComputedStyle(shown))) unseen.push(target.outerHTML.slice(0, 120));
})"""
# An autofocused field, or what was clicked, would be the beginning.
BEGIN = """() => {
  document.activeElement.blur();
  window.reached = new Set();
  window.unseen = [];
  document.querySelector('.skip')?.focus();
}"""


@pytest.fixture
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=_QUIET)
        yield opened
        opened.close()


def enter(page: Page, site: str, address: str) -> None:
    page.goto(f"{site}/sign-in")
    page.get_by_role("button", name="Sign in with Microsoft").click()
    page.get_by_role("link", name=address).click()
    page.get_by_role("navigation", name="Main").wait_for()


def name_of(path: str) -> str:
    return re.sub(r"[^a-z]+", "-", pattern_of(path).lower()).strip("-")[:80] or "home"


def shoot(page: Page, suffix: str, number: int, path: str) -> None:
    """Keep what the page looks like. ``number``: its place among the pages, because several have one name."""
    if SHOTS:
        page.evaluate("scrollTo(0, 0)")
        file = Path(SHOTS) / f"{number:03}-{name_of(path)}-{suffix}.jpeg"
        page.screenshot(path=file, full_page=True, type="jpeg", quality=60)


def keyboard(page: Page) -> list[str]:
    """What is wrong with a walk through the page by the Tab key."""
    wanted, steps = page.evaluate(REACHABLE), 0
    page.evaluate(BEGIN)
    while steps < wanted or (
        steps < wanted + 20 and page.evaluate("document.activeElement !== document.body")
    ):
        page.keyboard.press("Tab")
        steps += 1
    page.evaluate("document.activeElement.blur()")
    reached, unseen = page.evaluate("[reached.size, unseen]")
    found = [f"no ring: {each}" for each in unseen]
    return [*found, f"{reached} of {wanted} are reached"] if reached < wanted else found


def shut_out(page: Page, width: int) -> Iterator[str]:
    """What axe-core finds on a page as it is now, in light and dark."""
    for scheme, rules in SCHEMES.items():
        page.emulate_media(color_scheme=scheme)
        yield from (f"{scheme} at {width}: {each}" for each in page.evaluate(SHUT_OUT, rules))
    page.emulate_media(color_scheme="light")


def state(page: Page, what: str, number: int) -> list[str]:
    """What is wrong with a page in the state that it is in."""
    page.evaluate(AXE_SCRIPT)
    page.context.set_offline(True)
    page.set_viewport_size({"width": 1280, "height": 800})
    found = [f"{each} at 1280" for each in page.evaluate(BROKEN)]
    shoot(page, "desk-light", number, what)
    page.set_viewport_size({"width": 320, "height": 800})
    found += [f"{each} at 320" for each in (*page.evaluate(BROKEN), *shut_out(page, 320))]
    shoot(page, "phone-light", number, what)
    page.context.set_offline(False)
    return [f"{what}: {each}" for each in found]


def faults(page: Page, path: str, number: int) -> Iterator[str]:
    """What is wrong with a page, at each size. It has been loaded once."""
    page.evaluate(AXE_SCRIPT)
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        yield from (f"{each} at {width}" for each in page.evaluate(BROKEN))
        for scheme, rules in SCHEMES.items():
            page.emulate_media(color_scheme=scheme)
            if width in READ:
                yield from (f"{scheme} at {width}: {each}" for each in page.evaluate(SHUT_OUT, rules))
            if width in (390, 1280):
                shoot(page, f"{'phone' if width == 390 else 'desk'}-{scheme}", number, path)
        page.emulate_media(color_scheme="light")
        if width in READ:
            yield from (f"{each} at {width}" for each in keyboard(page))


def test_every_page_fits_every_screen_and_shuts_nobody_out(stage: Stage, site: str, browser: Browser) -> None:
    office, found = busy_office(stage), []
    for paths, signs_in in ((office.pages, True), (ALONE, False)):
        context = browser.new_context(reduced_motion="reduce")
        context.add_init_script(WATCH)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        if signs_in:
            enter(page, site, office.address)
        for number, path in enumerate(paths, start=1 if signs_in else 901):
            page.goto(site + path)
            context.set_offline(True)  # what the page asks for by itself would change it meanwhile
            found += [f"{path}: {each}" for each in faults(page, path, number)]
            context.set_offline(False)
        context.close()
    assert not found, "\n".join(found)


def opened(stage: Stage, browser: Browser, site: str, member_id: UUID) -> Page:
    """A browser in which somebody is signed in."""
    with stage.world.database.transaction() as tx:
        token = sessions.open_session(tx, member_id)
    context = browser.new_context(reduced_motion="reduce")
    context.add_cookies([{"name": "onbehalf", "value": token, "url": site}])
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    # What is looked at stays: live parts are replaced every two seconds.
    page.add_init_script(
        "document.addEventListener('htmx:beforeRequest', (event) => { if (event.target.id === 'live') event.preventDefault(); })"
    )
    return page


class Sights:
    """What has been looked at: what looks the same for somebody else, or again on another page, is looked at once."""

    def __init__(self) -> None:
        self._seen: dict[str, set[str]] = {}

    def has_new(self, where: str, html: str) -> bool:
        """Is there an element on it, by its tag, classes and attributes, that was not there before?"""
        main = html.partition("<main")[2].partition("</main>")[0]
        parts = {
            f"{tag} {' '.join(sorted(_ATTRIBUTE.findall(rest)))}" for tag, rest in _ELEMENT.findall(main)
        }
        seen = self._seen.setdefault(where, set())
        new = parts - seen
        seen |= parts
        return bool(new)


# Of an element: its classes and kind, and the names of its other attributes.
_ELEMENT = re.compile(r"<([a-z][a-z0-9]*)((?:\"[^\"]*\"|[^>\"])*)>")
_ATTRIBUTE = re.compile(r"(?:class|type|role|aria-[a-z]+)=\"[^\"]*\"|[a-z-]+(?==)")


def test_every_page_shuts_out_neither_a_recruiter_nor_an_owner_nor_a_lender(
    stage: Stage, site: str, browser: Browser
) -> None:
    office, found, sights = busy_office(stage), [], Sights()
    others = others_of(stage, office)
    admin = opened(stage, browser, site, office.named["ada"])
    for path in office.pages:
        sights.has_new(pattern_of(path), admin.request.get(site + path).text())
    for number, (who, (member_id, paths)) in enumerate(others.items(), start=1):
        page, reached = opened(stage, browser, site, member_id), 0
        for path in paths:
            answer = page.request.get(site + path)
            assert answer.status in (200, 403, 404), f"{who}: {path} answers {answer.status}"
            reached += answer.ok
            if not sights.has_new(pattern_of(path), answer.text()):
                continue
            page.goto(site + path)
            found += state(page, f"{who}: {path}", number * 1000 + paths.index(path))
        assert reached > 40, f"{who} sees {reached} pages"
    assert not found, "\n".join(found)


def pattern_of(path: str) -> str:
    """A path without its ids."""
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "…", path)


def refuse(page: Page, action: str, sent: dict[str, str]) -> int:
    """Send a form with ``sent`` and, in every other text, what is wrong everywhere; returns the status, 0 if there is no such form."""
    there = page.evaluate(FILL, [action, sent])
    if not there:
        return 0
    with page.expect_navigation() as answer:
        page.evaluate("HTMLFormElement.prototype.submit.call(document.querySelector('form[data-wrong]'))")
    return answer.value.status if answer.value else 0


FILL = """([action, sent]) => {
  const form = [...document.querySelectorAll('main form[method=post]')].find((each) => each.getAttribute('action').split('?')[0] === action);
  if (!form) return false;
  form.dataset.wrong = '';
  for (const each of form.querySelectorAll('input:not([type=hidden], [type=radio], [type=checkbox], [type=file]), textarea')) {
    if (each.matches('input')) each.type = 'text';
    each.value = '?';
  }
  for (const [name, value] of Object.entries(sent)) {
    for (const each of form.querySelectorAll(`[name="${name}"]`)) each.remove();
    if (value) form.append(Object.assign(document.createElement('input'), { type: 'hidden', name, value }));
  }
  return true;
}"""
# The error that is shown is that of a field, which says so to whoever only hears it, or of the whole form.
SAID = """() => {
  const seen = (each) => each?.checkVisibility({ visibilityProperty: true }) && each.innerText.trim();
  const wrong = [...document.querySelectorAll('main [aria-invalid=true]')];
  const silent = wrong.filter((each) => !each.getAttribute('aria-describedby').trim().split(/\\s+/).some((id) => id.endsWith('-error') && seen(document.getElementById(id))));
  if (silent.length) return silent.map((each) => 'says no error: ' + each.outerHTML.slice(0, 120));
  return wrong.length || [...document.querySelectorAll('main [role=alert]')].some(seen) ? [] : ['shows no error'];
}"""


def test_a_refused_form_says_so_and_shuts_nobody_out(stage: Stage, site: str, browser: Browser) -> None:
    office, found = busy_office(stage), []
    page = opened(stage, browser, site, office.named["ada"])
    for number, (path, action, sent) in enumerate(office.refused, start=4001):
        page.set_viewport_size({"width": 1280, "height": 800})
        page.goto(site + path)
        status = refuse(page, action, sent)
        what = f"{path}: {action} refused"
        if status != 422:
            found.append(f"{what}: {status}, and not 422")
            continue
        found += [f"{what}: {each}" for each in page.evaluate(SAID)] + state(page, what, number)
    assert not found, "\n".join(found)


def test_open_menus_dialogs_and_suggestions_shut_nobody_out(
    stage: Stage, site: str, browser: Browser
) -> None:
    office, found = busy_office(stage), []
    known: set[str] = set()
    page = opened(stage, browser, site, office.named["ada"])

    def look(what: str) -> None:
        found.extend(state(page, what, 5001 + len(known)))

    for path in office.pages:
        text = page.request.get(site + path).text()
        if not set(opening(text, path)) - known:
            continue
        page.set_viewport_size({"width": 1280, "height": 800})
        page.goto(site + path)
        here = 0
        for each in page.locator("details:not([open]) > summary, a[data-dialog]").element_handles():
            (what,) = opening(
                each.evaluate("(each) => (each.matches('a') ? each : each.parentElement).outerHTML"), path
            )[:1]
            if what in known:
                continue
            # What is in a menu is reached through it, and one that stayed open could cover it.
            link = each.evaluate("""(each) => {
              for (const menu of document.querySelectorAll('details[open]')) menu.open = false;
              if (each.matches('a')) each.closest('details')?.setAttribute('open', '');
              return each.matches('a');
            }""")
            if not each.is_visible():
                continue
            known.add(what)
            here += 1
            if here > 6:
                continue  # as those before: the folds of the API's reference
            each.click()
            page.locator("dialog[open] .dialog" if link else "details[open]").first.wait_for()
            look(f"{path} with {what}")
            page.set_viewport_size({"width": 1280, "height": 800})
            page.evaluate(
                "document.querySelector('dialog[open]')?.close();"
                " document.querySelectorAll('details[open]').forEach((each) => { each.open = false; })"
            )
    page.goto(f"{site}/people")
    page.get_by_role("searchbox", name="Search").first.fill("Weber")
    page.locator("#found a").first.wait_for()
    look("suggestions")
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{site}/sequences")
    page.get_by_label("All pages").check(force=True)
    look("All pages")
    assert len(known) > 20, known
    assert not found, "\n".join(found)


def opening(html: str, path: str) -> list[str]:
    """What can be opened in it: where a dialog's link leads, what a fold is called, and where a menu is."""
    found = [
        pattern_of(each).partition("?")[0]
        for each in re.findall(r'<a [^>]*href="([^"]*)"[^>]* data-dialog', html)
    ]
    for rest, summary in re.findall(r"<details([^>]*)>\s*<summary[^>]*?>(.*?)</summary>", html, re.DOTALL):
        if menu := re.search(r'class="(menu[^"]*)"', rest):
            found.append(menu[1] if "user" in menu[1] else f"{menu[1]} of {pattern_of(path)}")
        else:
            found.append(" ".join(re.sub(r"<bdi.*?</bdi>|<[^>]*>|[0-9]+", " ", summary).split()))
    return found


def test_an_empty_office_shuts_nobody_out(stage: Stage, site: str, browser: Browser) -> None:
    ada, rita = stage.world.member("Ada Novak", role="admin"), stage.world.member("Rita Recruiter")
    made_operator(stage, ada)
    found, sights = [], Sights()
    for number, member_id in enumerate((ada, rita), start=6):
        page = opened(stage, browser, site, member_id)
        for path in PAGES:
            if "{" in path or "?" in path:
                continue
            if sights.has_new(path, page.request.get(site + path).text()):
                page.goto(site + path)
                found += state(page, path, number * 1000 + PAGES.index(path))
    assert not found, "\n".join(found)


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
    css = (ROOT / "web/static/base.css").read_text()
    light, _, dark = css.partition("@media (prefers-color-scheme: dark)")
    colours = tokens(light) | (tokens(dark.partition("}")[0]) if scheme == "dark" else {})
    for ground in ("bg", "surface", "sunken"):
        for edge in ("focus", "edge"):
            assert contrast(colours[edge], colours[ground]) >= 3, (edge, ground)
        for ink in ("ink", "soft", "link"):
            assert contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)
    for ink, ground in (
        ("ok", "ok-soft"),
        ("warn", "warn-soft"),
        ("bad", "bad-soft"),
        ("info", "info-soft"),
        ("on-accent", "accent"),
    ):
        assert contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)
