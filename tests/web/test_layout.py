"""Every page at every size, with long names and addresses, in light and dark: nothing breaks, hides or shuts anybody out.

The pages are those of tests/web/office.py.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Page, sync_playwright

from lab.stage import Stage
from tests.web.office import ALONE, busy_office
from tests.web.test_in_a_browser import _QUIET, CHROMIUM

ROOT = Path(__file__).parents[2]
SHOTS = os.environ.get("SCREENSHOTS")  # a folder for screenshots
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
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|[^a-z]+", "-", path).strip("-") or "home"


def shoot(page: Page, prefix: str, path: str) -> None:
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"{prefix}_{name_of(path)}.png", full_page=True)


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


def faults(page: Page, path: str) -> Iterator[str]:
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
                shoot(page, f"frame_{width}_{scheme}", path)
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
        for path in paths:
            page.goto(site + path)
            context.set_offline(True)  # what the page asks for by itself would change it meanwhile
            found += [f"{path}: {each}" for each in faults(page, path)]
            context.set_offline(False)
        context.close()
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
