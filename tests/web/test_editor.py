"""Texts are written in a small editor, in a real Chromium: what somebody sees is what is kept, and what arrives. Judged by the ledger."""

import pytest
from playwright.sync_api import Browser, Locator, Page

from actions import signatures
from domain.markup import is_html
from lab.records import Delivery, Sequence, Step
from lab.stage import Stage
from tests.web.test_in_a_browser import DESK, PHONE, browser, pytestmark, sign_in, visit  # noqa: F401 - fixtures
from tests.web.visitor import email_of, known_account
from transports.html import sanitise

WORD = """<html xmlns:o="urn:schemas-microsoft-com:office:office"><head><style>p.MsoNormal{margin:0}</style></head><body lang="DE">
<!--StartFragment--><p class="MsoNormal"><b><span style="font-family:Calibri;mso-fareast-language:EN-US">Das Team</span></b><o:p></o:p></p>
<p class="MsoListParagraph" style="text-indent:-18pt;mso-list:l0 level1 lfo1"><![if !supportLists]><span style="mso-list:Ignore">·<span>  </span></span><![endif]>Zwölf
Leute</p>
<p class="MsoNormal"><a href="https://acme.example/team" style="color:blue">Mehr</a> <a href="javascript:alert(1)">nichts</a><img src="https://t.example/p"></p><!--EndFragment--></body></html>"""


class Desk:
    """Rita at the page of a step of hers."""

    def __init__(self, stage: Stage, site: str, browser: Browser, body: str, size: dict[str, int]) -> None:  # noqa: F811
        self.stage = stage
        self.rita = stage.world.member("Rita Recruiter")
        known_account(stage, email_of(stage, self.rita))
        self.box = stage.mailbox(self.rita)
        self.sequence = stage.world.sequence(self.rita, self.box, body=body)
        stage.put(Sequence, self.sequence, name="Backend engineers")
        self.site = site
        self.page, self.complaints = visit(browser, site, size, scripts=True)
        sign_in(self.page, email_of(stage, self.rita))
        self.open()

    @property
    def step(self) -> Step:
        return self.stage.only(Step, sequence_id=self.sequence, retired_at=None)

    def open(self) -> None:
        self.page.goto(f"{self.site}/sequences/{self.sequence}/steps/{self.step.id}")

    @property
    def text(self) -> Locator:
        return self.page.get_by_role("textbox", name="Text", exact=True)

    def press(self, *names: str) -> None:
        for name in names:
            self.page.get_by_role("button", name=name, exact=True).click()

    def save(self) -> str:
        """Save the step; returns what is kept."""
        self.press("Save step")
        self.page.get_by_text("Saved.").wait_for()
        return self.step.body


def desk(stage: Stage, site: str, browser: Browser, body: str, size: dict[str, int] = DESK) -> Desk:  # noqa: F811
    return Desk(stage, site, browser, body, size)


def start(page: Page) -> None:
    page.keyboard.press("Control+a")
    page.keyboard.press("Delete")


@pytest.mark.parametrize("size", [PHONE, DESK])
def test_bold_text_with_a_link_and_a_field_arrives_as_it_was_written(
    stage: Stage,
    site: str,
    browser: Browser,  # noqa: F811
    size: dict[str, int],
) -> None:
    at = desk(stage, site, browser, "Hello.", size)
    page = at.page
    at.text.click()
    start(page)
    page.keyboard.type("Hello ")
    page.get_by_text("Insert field", exact=True).click()
    page.get_by_label("For whoever has none").fill("there")
    at.press("First name")
    page.keyboard.press("Enter")
    page.keyboard.type("We pay ")
    page.keyboard.press("Control+b")
    page.keyboard.type("very well")
    page.keyboard.press("Control+b")
    page.keyboard.type(", see ")
    at.press("Link")
    page.get_by_label("Address").fill("acme.example/jobs?for={{company}}&a=1")
    at.press("Set link")
    page.keyboard.press("Enter")
    at.press("Bullets")
    page.keyboard.type("one")
    page.keyboard.press("Enter")
    page.keyboard.type("two")
    kept = at.save()
    assert kept == (
        "<p>Hello {{first_name|there}}</p><p>We pay <b>very well</b>, see"
        ' <a href="https://acme.example/jobs?for={{company}}&amp;a=1">acme.example/jobs?for={{company}}&amp;a=1</a></p>'
        "<ul><li>one</li><li>two</li></ul>"
    )
    assert sanitise(kept) == kept  # nothing of what it makes is taken away
    at.open()
    assert at.text.locator("b").inner_text() == "very well"
    page.goto(f"{site}/sequences/{at.sequence}/preview?step=1")
    page.get_by_text("With formatting").click()
    assert page.locator(".formatted b").inner_text() == "very well"
    stage.world.enroll(at.sequence, first_name="", company="Kestrel & Co")
    stage.send_due()
    (left,) = stage.left()
    assert "<p>Hello there</p><p>We pay <b>very well</b>, see <a href=" in left.body
    assert "for=Kestrel%20%26%20Co&amp;a=1" in left.body
    assert "<ul><li>one</li><li>two</li></ul>" in left.body
    assert at.complaints == []


def test_text_without_formatting_stays_plain_text_line_by_line(
    stage: Stage,
    site: str,
    browser: Browser,  # noqa: F811
) -> None:
    body = "Hello {{first_name}},\n\n\nR&D  at <Acme>:\n  one\n\nBye & thanks"
    at = desk(stage, site, browser, body)
    assert at.save() == body  # nobody typed
    at.open()
    at.text.click()
    at.page.keyboard.press("Control+End")
    at.page.keyboard.type("!")
    kept = at.save()
    assert kept == f"{body}!"
    assert not is_html(kept)
    at.open()
    at.text.click()
    start(at.page)
    at.page.keyboard.type("One")
    at.page.keyboard.press("Shift+Enter")
    at.page.keyboard.type("two")
    at.page.keyboard.press("Enter")
    at.page.keyboard.type("three")
    assert at.save() == "One\ntwo\n\nthree"
    assert at.complaints == []


def test_what_only_looks_like_a_tag_is_sent_as_it_looks(
    stage: Stage,
    site: str,
    browser: Browser,  # noqa: F811
) -> None:
    at = desk(stage, site, browser, "Hello.")
    at.text.click()
    start(at.page)
    at.page.keyboard.type("Write <b>bold</b>")
    assert at.save() == "<p>Write &lt;b&gt;bold&lt;/b&gt;</p>"
    at.open()
    assert at.text.inner_text() == "Write <b>bold</b>"


def test_html_that_the_editor_does_not_know_is_edited_as_source(
    stage: Stage,
    site: str,
    browser: Browser,  # noqa: F811
) -> None:
    body = '<table><tr><td style="color:red">Hello</td></tr></table>'
    at = desk(stage, site, browser, body)
    at.page.get_by_text("This text has HTML that the editor does not know").wait_for()
    source = at.text
    assert source.input_value() == body
    assert at.page.get_by_role("button", name="Bold").is_disabled()
    source.fill(body.replace("Hello", "Good day"))
    assert at.save() == body.replace("Hello", "Good day")
    at.open()
    at.text.fill("<p>Now <i>simple</i></p>")
    at.press("Source")  # back to the editor, which knows it
    assert at.text.locator("i").inner_text() == "simple"
    assert at.save() == "<p>Now <i>simple</i></p>"
    at.open()
    at.press("Source")
    at.text.fill("One <b>two</b>\nthree\n\nfour")
    at.press("Source")
    at.page.keyboard.press("Control+End")
    at.page.keyboard.type("!")
    assert at.save() == "<p>One <b>two</b><br>three</p><p>four!</p>"


def test_whoever_comes_back_to_a_page_sees_what_would_be_sent(
    stage: Stage,
    site: str,
    browser: Browser,  # noqa: F811
) -> None:
    at = desk(stage, site, browser, "Hello.")
    at.text.click()
    at.page.keyboard.press("Control+End")
    at.page.keyboard.type(" More.")
    at.page.goto(f"{site}/sequences")
    at.page.go_back()
    at.page.wait_for_load_state("load")
    area = at.page.locator("textarea[name=body]")
    assert at.text.inner_text() == area.input_value()


def test_what_is_pasted_from_word_is_simple(stage: Stage, site: str, browser: Browser) -> None:  # noqa: F811
    at = desk(stage, site, browser, "Hello.")
    at.text.click()
    start(at.page)
    at.text.evaluate(
        """(text, html) => {
            const data = new DataTransfer();
            data.setData("text/html", html);
            data.setData("text/plain", "Das Team");
            text.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
        }""",
        WORD,
    )
    at.text.get_by_text("Mehr").wait_for()
    kept = at.save()
    assert kept == (
        "<p><b>Das Team</b></p><ul><li>Zwölf Leute</li></ul>"
        '<p><a href="https://acme.example/team">Mehr</a> nichts</p>'
    )
    assert at.complaints == []


def test_it_is_heard_and_worked_by_keyboard(stage: Stage, site: str, browser: Browser) -> None:  # noqa: F811
    at = desk(stage, site, browser, "Hello.")
    page = at.page
    bold = page.get_by_role("button", name="Bold")
    assert at.text.get_attribute("aria-multiline") == "true"
    described = at.text.get_attribute("aria-describedby")
    assert "Plain text stays plain" in page.locator(f"#{described}").inner_text()
    page.get_by_text("Text", exact=True).click()  # the label
    page.keyboard.press("Control+a")
    page.keyboard.press("Control+b")
    assert bold.get_attribute("aria-pressed") == "true"
    page.keyboard.press("Control+z")
    assert at.text.locator("b").count() == 0
    page.keyboard.press("Control+y")
    assert at.text.locator("b").count() == 1
    bold.focus()
    page.keyboard.press("Space")
    assert at.text.locator("b").count() == 0
    assert bold.get_attribute("aria-pressed") == "false"
    page.keyboard.press("Tab")  # the text has the focus after a button's work, and Tab leaves it
    assert page.evaluate("document.activeElement.textContent.trim()") == "Fields you can insert"


def test_a_signature_and_an_email_by_hand_are_written_in_it(
    stage: Stage,
    site: str,
    browser: Browser,  # noqa: F811
) -> None:
    at = desk(stage, site, browser, "Hello.")
    page = at.page
    page.goto(f"{site}/settings/sequences/signature")
    page.get_by_role("textbox", name="Signature").click()
    page.keyboard.press("Control+i")
    page.keyboard.type("Rita")
    page.get_by_role("button", name="Save signature").click()
    page.get_by_text("Emails that have not left end with it").wait_for()
    with stage.database.transaction() as tx:
        assert signatures.show(tx, at.box).signed.body == "<p><i>Rita</i></p>"
    stage.world.enroll(at.sequence)
    stage.send_due()
    planned = stage.only(Delivery)
    person = page.goto(f"{site}/people")
    assert person is not None
    page.locator("main tbody a").first.click()
    page.goto(f"{page.url}/messages")
    page.get_by_label("Subject").fill("Tuesday")
    page.get_by_role("textbox", name="Email", exact=True).click()
    page.keyboard.type("Does Tuesday suit you?")
    page.get_by_role("button", name="Send", exact=True).click()
    page.get_by_text("leaves as soon as its checks are done").wait_for()
    stage.send_due()
    assert "<p>Does Tuesday suit you?</p>\n<p>Rita</p>" in stage.left()[-1].body
    assert planned.id != stage.all(Delivery)[-1].id
    assert at.complaints == []


def test_without_scripts_it_is_the_area_and_the_list_of_fields(
    stage: Stage,
    site: str,
    browser: Browser,  # noqa: F811
) -> None:
    at = desk(stage, site, browser, "Hello.")
    page, complaints = visit(browser, site, DESK, scripts=False)
    sign_in(page, email_of(stage, at.rita))
    page.goto(at.page.url)
    assert page.get_by_role("button", name="Bold").count() == 0
    page.get_by_text("Fields you can insert").click()
    page.get_by_text("{{first_name}}", exact=True).wait_for()
    page.get_by_label("Text", exact=True).fill("<p>By <b>hand</b></p>")
    page.get_by_role("button", name="Save step").click()
    page.get_by_text("Saved.").wait_for()
    assert at.step.body == "<p>By <b>hand</b></p>"
    assert complaints == []
