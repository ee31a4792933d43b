"""Mail that comes into the emulator's mailboxes, and what recipients answer by themselves."""

import email
import email.policy
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any

import orjson
import pytest

from lab.emulator.background import Running
from lab.emulator.client import ControlError
from lab.emulator.incoming import Incoming
from lab.emulator.snapshot import restore, snapshot
from lab.emulator.world import World
from tests.lab.emulator.local import OTTO, RITA, Local, at, letter, marked

ANNA = "anna@example.org"


@pytest.fixture
def graph() -> Iterator[Local]:
    local = Local()
    yield local
    local.runner.close()


def incoming(graph: Local, **values: Any) -> str:
    return str(graph.control("incoming", mailbox=RITA, values={"from": ANNA} | values)["id"])


def behave(graph: Local, kind: str, address: str = ANNA, **values: Any) -> None:
    graph.control("behaviour", address=address, values={"kind": kind, **values})


def arrivals(graph: Local) -> list[dict[str, Any]]:
    return list(graph.call(("GET", "/_control/arrivals", {}))[0].json())


def passes(graph: Local, seconds: float) -> None:
    """Let so much time pass for what is on its way."""
    for each in graph.world.pending:
        each.at -= seconds


def sent_and_answered(graph: Local) -> tuple[dict[str, Any], dict[str, Any], EmailMessage]:
    """Send one email to Anna; return the ledger's entry, the item of her answer, and its MIME."""
    graph.send(graph.draft(marked()))
    (entry,) = graph.ledger()
    (arrival,) = arrivals(graph)
    assert (arrival["answers"], arrival["person"], arrival["mailbox"]) == (entry["seq"], ANNA, RITA)
    query = {"$expand": "singleValueExtendedProperties"}
    item = graph("GET", at(arrival["item"]), params=query).json()
    item["properties"] = {each["id"]: each["value"] for each in item.get("singleValueExtendedProperties", [])}
    raw = graph("GET", at(arrival["item"], "/$value")).content
    return entry, item, email.message_from_bytes(raw, policy=email.policy.default)


def test_mail_arrives_later_and_the_ledger_says_when(graph: Local) -> None:
    before = time.monotonic()
    item = incoming(graph, subject="Yes", after=30)
    assert (graph.listed(), arrivals(graph)) == ([], [])
    passes(graph, 30)
    (arrival,) = arrivals(graph)
    assert before <= arrival["at"] <= time.monotonic()
    assert (arrival["item"], arrival["subject"], arrival["sender"]) == (item, "Yes", ANNA)
    assert arrival["received"] == graph("GET", at(item)).json()["receivedDateTime"]
    assert arrival["wall"][:19] == arrival["received"][:19]


def test_mail_may_become_visible_long_after_it_was_received(graph: Local) -> None:
    late = incoming(graph, subject="Late", late=50)
    (arrival,) = arrivals(graph)
    received, visible = (datetime.fromisoformat(arrival[each]) for each in ("received", "wall"))
    assert timedelta(seconds=49) < visible - received < timedelta(seconds=52)
    assert graph("GET", at(late)).json()["receivedDateTime"] == arrival["received"]


def test_the_emulator_says_how_much_mail_is_still_to_come(graph: Local) -> None:
    incoming(graph, after=30, moved_after=10)
    assert graph("GET", "/_control/stats").json()["coming"] == 2
    passes(graph, 30)
    assert graph("GET", "/_control/stats").json()["coming"] == 1


def test_mail_may_be_moved_by_a_rule_or_deleted_before_anybody_reads_it(graph: Local) -> None:
    moved = incoming(graph, moved_after=10, moved_to="junkemail")
    deleted = incoming(graph, deleted_after=10)
    assert {each["id"] for each in graph.listed("inbox")} == {moved, deleted}
    passes(graph, 10)
    assert graph.listed("inbox") == []
    assert (
        [each["id"] for each in graph.listed("junkemail")]
        == [each["id"] for each in graph.listed()]
        == [moved]
    )
    assert graph("GET", at(deleted)).status_code == 404
    assert len(arrivals(graph)) == 2


def test_raw_mail_is_taken_as_it_is_however_broken(graph: Local) -> None:
    deep = "".join(f"Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n" for n in range(1000))
    for raw in (
        "From: =?utf-8?q?=C3=84nna?= <anna@example.org>\nSubject: =?x-unknown?b?4pyT?=\n\nHello",
        "no header at all",
        "",
        "Content-Type: text/plain; charset=x-none\nContent-Transfer-Encoding: base64\n\n%%%",
        "From: a@b\nFrom: c@d\nTo: undisclosed-recipients:;\nMessage-ID: broken\n\n",
        deep,
    ):
        item = incoming(graph, raw=raw)
        assert graph("GET", at(item)).status_code == 200
        assert graph("GET", at(item, "/$value")).content == raw.encode() or not raw
    first = arrivals(graph)[0]
    assert (first["sender"], first["internet_message_id"][:1]) == (ANNA, "<")


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"from": ANNA, "colour": "red"}, "no field colour"),
        ({"from": ANNA, "folder": "nowhere"}, "no such folder: nowhere"),
        ({"subject": "x"}, "missing or unknown: from"),
        ({"from": ANNA, "received_at": "yesterday"}, "yesterday"),
    ],
)
def test_bad_mail_is_refused_with_what_is_wrong(graph: Local, values: dict[str, Any], text: str) -> None:
    body = {"json": {"mailbox": RITA, "values": values}}
    (answer,) = graph.call(("POST", "/_control/incoming", body))
    assert answer.status_code == 400
    assert text in answer.json()["error"]


@pytest.mark.parametrize("keeps", [True, False])
def test_a_reply_names_what_it_answers_quotes_it_and_joins_the_conversation(
    graph: Local, keeps: bool
) -> None:
    graph.switch(keeps_conversations=keeps)
    behave(graph, "reply")
    entry, item, mime = sent_and_answered(graph)
    assert mime["In-Reply-To"] == mime["References"] == entry["internet_message_id"]
    assert item["properties"]["string 1042"] == entry["internet_message_id"]
    assert (item["subject"], item["from"]["emailAddress"]["address"]) == ("Re: An offer", ANNA)
    assert "> <p>Hello</p>" in mime.get_content()
    assert (item["conversationId"] == entry["conversation_id"]) is keeps


@pytest.mark.parametrize(
    ("kind", "sender", "in_thread"),
    [
        ("reply_new_thread", ANNA, False),
        ("reply_from_alias", "anna@private.example", True),
        ("reply_from_colleague", "colleague@example.org", True),
        ("opt_out", ANNA, True),
        ("unclear", "noreply@example.org", True),
        ("calendar", ANNA, False),
        ("same_subject", "stranger@elsewhere.example", False),
    ],
)
def test_people_answer_in_many_ways(graph: Local, kind: str, sender: str, in_thread: bool) -> None:
    behave(graph, kind)
    entry, item, mime = sent_and_answered(graph)
    assert item["from"]["emailAddress"]["address"] == sender
    assert (mime["In-Reply-To"] == entry["internet_message_id"]) is in_thread
    assert arrivals(graph)[0]["kind"] == kind
    assert "Auto-Submitted" not in mime
    if kind == "calendar":
        assert item["properties"]["string 1a"] == "IPM.Schedule.Meeting.Request"
    if kind == "same_subject":
        assert item["conversationId"] == entry["conversation_id"]


@pytest.mark.parametrize("kind", ["auto_reply", "left_company"])
def test_a_machine_of_another_tenant_answers_each_sender_once_and_says_so(graph: Local, kind: str) -> None:
    behave(graph, kind)
    entry, item, mime = sent_and_answered(graph)
    assert (mime["Auto-Submitted"], mime["In-Reply-To"]) == ("auto-replied", entry["internet_message_id"])
    assert (item["properties"]["string 1a"], item["subject"]) == ("IPM.Note", "Automatic reply: An offer")
    graph.send(graph.draft())
    assert len(arrivals(graph)) == 1


@pytest.mark.parametrize("hides", [True, False])
def test_an_automatic_reply_of_the_same_tenant_has_its_class_and_is_left_out_of_lists(
    graph: Local, hides: bool
) -> None:
    graph.switch(hides_own_tenants_replies=hides)
    behave(graph, "auto_reply", OTTO)
    graph.send(graph.draft(letter(toRecipients=[{"emailAddress": {"address": OTTO}}])))
    (to_otto, arrival) = sorted(arrivals(graph), key=lambda each: str(each["kind"]))
    assert (to_otto["mailbox"], arrival["hidden"]) == (OTTO, hides)
    assert len(graph.listed("inbox")) == (0 if hides else 1)
    (found,) = graph.listed(**{"$search": f'"from:{OTTO}"', "$expand": "singleValueExtendedProperties"})
    kinds = {each["id"]: each["value"] for each in found["singleValueExtendedProperties"]}
    assert kinds["string 1a"] == "IPM.Note.Rules.OofTemplate.Microsoft"


@pytest.mark.parametrize(
    ("kind", "values", "status"),
    [
        ("bounce", {}, "5.1.1"),
        ("bounce", {"style": "postfix"}, "5.1.1"),
        ("bounce", {"style": "gmail", "status": "5.1.10"}, "5.1.10"),
        ("bounce_soft", {}, "4.4.7"),
        ("bounce_sender", {}, "5.1.8"),
        ("bounce_sender", {"status": "5.7.705"}, "5.7.705"),
    ],
)
def test_a_report_says_who_was_not_reached_and_about_which_email(
    graph: Local, kind: str, values: dict[str, Any], status: str
) -> None:
    behave(graph, kind, **values)
    entry, item, mime = sent_and_answered(graph)
    assert mime.get_content_type() == "multipart/report"
    assert mime.get_param("report-type") == "delivery-status"
    _, about, original = mime.iter_parts()
    *_, recipient = about.walk()
    assert recipient["Final-Recipient"] == f"rfc822;{ANNA}"
    assert (recipient["Action"], recipient["Status"]) == ("failed", status)
    assert item["properties"]["string 1a"] == "REPORT.IPM.Note.NDR"
    assert item["properties"]["string 1046"] == entry["internet_message_id"]
    assert entry["internet_message_id"] in original.as_string()
    if not values:
        assert item["from"]["emailAddress"]["address"].endswith("@acme.example")
        assert original.get_content_type() == "text/rfc822-headers"


def test_a_delay_is_no_failure_and_exim_keeps_to_no_rfc(graph: Local) -> None:
    behave(graph, "bounce_soft", delayed=True)
    _, item, mime = sent_and_answered(graph)
    assert item["properties"]["string 1a"] == "REPORT.IPM.Note.Delayed.DR"
    assert "Action: delayed" in mime.as_string()
    behave(graph, "bounce", "bert@example.org", style="exim")
    graph.send(graph.draft(letter(toRecipients=[{"emailAddress": {"address": "bert@example.org"}}])))
    raw = graph("GET", at(arrivals(graph)[-1]["item"], "/$value")).text
    assert "X-Failed-Recipients: bert@example.org" in raw
    assert "multipart/report" not in raw


def test_a_read_receipt_is_a_report_of_another_kind(graph: Local) -> None:
    behave(graph, "receipt")
    _, item, mime = sent_and_answered(graph)
    assert mime.get_param("report-type") == "disposition-notification"
    assert item["properties"]["string 1a"] == "REPORT.IPM.Note.IPNRN"


def test_reports_may_come_without_the_original_id(graph: Local) -> None:
    graph.switch(original_id_on_reports=False)
    behave(graph, "bounce")
    assert "string 1046" not in sent_and_answered(graph)[1]["properties"]


def test_an_address_answers_by_its_own_behaviour_before_those_of_its_domain_and_of_everybody(
    graph: Local,
) -> None:
    behave(graph, "reply", "*", after=5)
    behave(graph, "opt_out", "*@example.org", times=1)
    behave(graph, "unclear", ANNA)
    addresses = (ANNA, "bert@example.org", "bert@example.org", "carl@example.net")
    for address in addresses:
        graph.send(graph.draft(letter(toRecipients=[{"emailAddress": {"address": address}}])))
    assert [each["kind"] for each in arrivals(graph)] == ["unclear", "opt_out"]
    passes(graph, 5)
    assert [(each["kind"], each["person"]) for each in arrivals(graph)[2:]] == [("reply", "carl@example.net")]
    assert graph.call(("DELETE", "/_control/behaviour", {}))[0].status_code == 200
    graph.send(graph.draft())
    assert len(arrivals(graph)) == 3


def test_an_email_carries_the_opt_out_headers_that_arrive(graph: Local) -> None:
    ways, post = "<https://x.example/u>, <mailto:u@x.example>", "List-Unsubscribe=One-Click"
    name = "String {00020386-0000-0000-C000-000000000046} Name List-Unsubscribe-Post"
    properties = [{"id": name, "value": post}, {"id": "String 0x1045", "value": ways}]
    body = letter(singleValueExtendedProperties=properties + marked()["singleValueExtendedProperties"])
    body["toRecipients"] = [{"emailAddress": {"address": OTTO}}]
    graph.send(graph.draft(body))
    (entry,) = graph.ledger()
    assert entry["headers"] == {"List-Unsubscribe": ways, "List-Unsubscribe-Post": post}
    assert entry["correlation_id"] == "key-1"
    (received,) = Reading(graph, OTTO).listed(**{"$select": "internetMessageHeaders"})
    shown = {each["name"]: each["value"] for each in received["internetMessageHeaders"]}
    assert (shown["List-Unsubscribe"], shown["List-Unsubscribe-Post"]) == (ways, post)
    graph.switch(named_headers_arrive=False)
    graph.send(graph.draft(body))
    assert graph.ledger()[1]["headers"] == {"List-Unsubscribe": ways}
    graph.switch(unsubscribe_arrives=False)
    graph.send(graph.draft(body))
    assert graph.ledger()[2]["headers"] == {}


def test_a_mail_program_opts_out_by_the_address_that_the_header_names(graph: Local) -> None:
    behave(graph, "opt_out_by_token")
    ways = f"<https://x.example/u>, <mailto:{RITA}?subject=opt-out%20abc>"
    graph.send(graph.draft(letter(singleValueExtendedProperties=[{"id": "String 0x1045", "value": ways}])))
    (item,) = graph.listed("inbox")
    assert (item["subject"], item["from"]["emailAddress"]["address"]) == ("opt-out abc", ANNA)


class Reading:
    """Another mailbox's eyes."""

    def __init__(self, graph: Local, address: str) -> None:
        self.graph, self.token = graph, graph.sign_in(address)

    def listed(self, **query: str) -> list[dict[str, Any]]:
        return list(self.graph("GET", "/v1.0/me/messages", token=self.token, params=query).json()["value"])


def test_what_is_on_its_way_and_who_answers_survive_a_restart(graph: Local) -> None:
    incoming(graph, subject="Yes", after=30, moved_after=5, moved_to="archive")
    behave(graph, "auto_reply")
    graph.send(graph.draft())
    again = World()
    restore(again, orjson.loads(orjson.dumps(snapshot(graph.world))), [], list(graph.world.arrivals))
    assert again.behaviours == graph.world.behaviours
    assert [each.act for each in again.pending] == ["arrive", "move"]
    for each in again.pending:
        each.at -= 40
    Incoming(again).bring()
    assert [(each.subject, each.folder) for each in again.arrivals[1:]] == [("Yes", "inbox")]
    assert [each.folder for each in again.mailboxes[RITA].messages.values()][-1] == "archive"


def test_the_client_says_all_of_it(emulator: Running) -> None:
    control = emulator.control
    control.add_mailboxes({"address": RITA, "name": "Rita"})
    item = control.incoming(RITA, sender=ANNA, subject="Yes", kind="answer")
    control.incoming(RITA, raw=b"From: bert@example.org\nSubject: Gr\xc3\xbc\xdfe\n\nHello")
    written = control.wrote_by_hand(RITA, ANNA, subject="Lunch?")
    assert len(control.newsletters(RITA, 3, after=60)) == 3
    first, _, third = control.arrivals()
    assert (first.item, first.kind, third.item, third.kind) == (item, "answer", written, "wrote_by_hand")
    assert (third.folder, third.sender, third.person) == ("sentitems", RITA, ANNA)
    assert [each.seq for each in control.arrivals(since=2)] == [3]
    (by_hand,) = [each for each in control.messages(RITA) if each["folder"] == "sentitems"]
    assert not any(" name " in name for name in by_hand["properties"])
    assert control.ledger() == []
    control.behaviour(ANNA, kind="reply", after=2)
    with pytest.raises(ControlError, match="no such behaviour: shrug"):
        control.behaviour(ANNA, kind="shrug")
    with pytest.raises(ControlError, match="no such style: pigeon"):
        control.behaviour(ANNA, kind="bounce", style="pigeon")
    with pytest.raises(ControlError, match="no such field"):
        control.behaviour(ANNA, kind="reply", mood="good")
    control.clear_behaviours()


def test_an_email_by_smtp_is_answered_at_the_address_that_it_names(emulator: Running) -> None:
    import smtplib

    emulator.control.add_mailboxes({"address": RITA}, {"address": OTTO})
    emulator.control.behaviour(ANNA, kind="reply")
    with smtplib.SMTP("127.0.0.1", emulator.smtp_port) as smtp:
        smtp.login("relay", "relay-password")
        raw = f"From: noreply@acme.example\nReply-To: {OTTO}\nTo: {ANNA}\nSubject: Hi\nMessage-ID: <1@acme.example>\n"
        smtp.sendmail(
            "noreply@acme.example", [ANNA], f"{raw}List-Unsubscribe: <mailto:u@acme.example>\n\nHello"
        )
    (arrival,) = emulator.control.arrivals()
    assert (arrival.mailbox, arrival.person) == (OTTO, ANNA)
    assert emulator.control.ledger()[0].headers == {"List-Unsubscribe": "<mailto:u@acme.example>"}


def test_mail_comes_in_while_an_email_of_ours_is_between_two_folders(graph: Local) -> None:
    graph.switch(sent_gap=60.0)
    graph.send(graph.draft(marked()))
    assert graph.listed("drafts") == graph.listed("sentitems") == []
    assert incoming(graph, subject="A newsletter")
