"""How an email says that its recipient can opt out, by each provider, judged by what recipients receive."""

import email
import email.policy
from collections.abc import Iterator
from dataclasses import replace

import pytest

from domain.address import Address
from domain.connection import SmtpServer
from domain.errors import InvalidInput
from domain.message import OutgoingMessage, Unsubscribe
from lab.emulator.background import Running
from tests.transports.contract import letter
from tests.transports.mailer import Mailer, serving
from tests.transports.test_graph import EntraTokens
from transports.base import Thread
from transports.entra import Entra
from transports.graph import GraphProvider, GraphTransport
from transports.smtp import SmtpTransport, by_password
from transports.smtp_session import PLAIN

RITA = "rita@acme.example"
URL = f"https://jobs.acme.example/opt-out/{'k' * 300}"
WAY_OUT = Unsubscribe(URL, f"{RITA}?subject=opt-out%20abc", one_click_header=True)
WAYS = f"<{URL}>, <mailto:{RITA}?subject=opt-out%20abc>"
POST = "List-Unsubscribe=One-Click"


def leaving(way_out: Unsubscribe | None, number: int = 1, subject: str = "An offer") -> OutgoingMessage:
    return replace(letter(number, subject=subject), unsubscribe=way_out)


@pytest.fixture
def graph(emulator: Running) -> Iterator[GraphTransport]:
    emulator.control.add_mailboxes({"address": RITA})
    emulator.control.switch(drafts_delay=0.0)
    provider = GraphProvider(emulator.url)
    entra = Entra("onbehalf", "demo-secret", emulator.url)
    yield provider.transport(EntraTokens(entra, emulator.control.refresh_token(RITA)))
    provider.close()


def received(emulator: Running) -> list[dict[str, str]]:
    return [each.headers for each in emulator.control.ledger()]


@pytest.mark.parametrize(
    ("way_out", "headers"),
    [
        (WAY_OUT, {"List-Unsubscribe": WAYS, "List-Unsubscribe-Post": POST}),
        (replace(WAY_OUT, one_click_header=False), {"List-Unsubscribe": WAYS}),
        (replace(WAY_OUT, url=""), {"List-Unsubscribe": f"<mailto:{WAY_OUT.mailto}>"}),
        (None, {}),
    ],
    ids=["arrives", "does not arrive here", "by email only", "none"],
)
@pytest.mark.row("F2")
def test_by_graph_it_arrives_as_headers_of_a_first_email_and_of_a_follow_up(
    emulator: Running, graph: GraphTransport, way_out: Unsubscribe | None, headers: dict[str, str]
) -> None:
    graph.send(graph.prepare(leaving(way_out), "correlation_id-1", None))
    thread = Thread("correlation_id-1", "An offer", "")
    graph.send(graph.prepare(leaving(way_out, 2, "Re: An offer"), "correlation_id-2", thread))
    gone = Thread("never-sent", "An offer", "", "<1@acme.example>")
    graph.send(graph.prepare(leaving(way_out, 3), "correlation_id-3", gone))
    assert received(emulator) == [headers] * 3
    assert [each.correlation_id for each in emulator.control.ledger()] == [
        f"correlation_id-{number}" for number in (1, 2, 3)
    ]


def test_an_edited_draft_gets_the_new_way_out(emulator: Running, graph: GraphTransport) -> None:
    draft = graph.prepare(leaving(WAY_OUT), "correlation_id-1", None)
    newer = Unsubscribe("https://jobs.acme.example/opt-out/new")
    graph.send(graph.update(draft, leaving(newer)))
    assert received(emulator)[0]["List-Unsubscribe"] == "<https://jobs.acme.example/opt-out/new>"
    assert len(graph.find("correlation_id-1")) == 1


@pytest.fixture
def mailer() -> Iterator[Mailer]:
    with serving(Mailer()) as running:
        yield running


@pytest.mark.parametrize("way_out", [WAY_OUT, replace(WAY_OUT, one_click_header=False)])
@pytest.mark.row("F2")
def test_by_smtp_both_headers_arrive_unbroken(mailer: Mailer, way_out: Unsubscribe) -> None:
    opened = by_password(SmtpServer("127.0.0.1", mailer.port, PLAIN), RITA, "s3cret", anywhere=True)
    transport = SmtpTransport(opened, Address(RITA), zone="UTC")
    transport.send(transport.prepare(leaving(way_out), "a" * 32, None))
    transport.send(transport.prepare(leaving(None), "b" * 32, None))
    transport.close()
    first, second = (email.message_from_bytes(each, policy=email.policy.default) for each in mailer.letters)
    assert URL.encode() in mailer.letters[0]
    assert " ".join(str(first["List-Unsubscribe"]).split()) == WAYS
    assert first["List-Unsubscribe-Post"] == POST
    assert "List-Unsubscribe" not in second


@pytest.mark.parametrize(
    ("values", "where"),
    [
        ({}, "needs a page or an address"),
        ({"url": "http://jobs.acme.example/x"}, "url"),
        ({"url": "https://a.example/x>,<https://evil.example"}, "url"),
        ({"url": "https://a.example/x\r\nBcc: all@example.org"}, "url"),
        ({"url": "https://a.example/ä"}, "url"),
        ({"url": f"https://a.example/{'x' * 1000}"}, "url"),
        ({"url": "javascript:alert(1)"}, "url"),
        ({"mailto": "rita"}, "mailto"),
        ({"mailto": "rita@acme.example, all@example.org"}, "mailto"),
        ({"mailto": "rita@acme.example\nBcc: x@y"}, "mailto"),
    ],
)
def test_what_no_header_can_hold_is_refused(values: dict[str, str], where: str) -> None:
    with pytest.raises(InvalidInput, match=where):
        Unsubscribe(**values)  # type: ignore[arg-type]


def test_a_demo_may_stay_on_its_own_machine() -> None:
    assert Unsubscribe("http://localhost:8000/opt-out/x").ways == "<http://localhost:8000/opt-out/x>"
    with pytest.raises(InvalidInput):
        Unsubscribe("http://localhost.evil.example/x")
