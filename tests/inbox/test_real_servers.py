"""Real Exim and real Postfix, from Debian, deliver to the inbox."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest

from db.core.session import Database
from domain.message import SENT_BY_US
from lab.factories import World
from lab.listening_records import ReceivedMail
from lab.records import OutboxJob
from tests.inbox import exim, postfix
from tests.inbox.delivering import Delivery, wait_until
from tests.inbox.serving import Inbox, running_inbox
from tests.inbox.test_receiver import kept

LETTER = b"From: anna@example.org\r\nTo: you@onbehalf.example\r\nMessage-ID: <1@example.org>\r\nDate: Sun, 29 Nov 2026 05:58:23 +0000\r\nSubject: Re: Hi\r\n\r\nYes.\r\n.\r\n..\r\nAnna\r\n"
Start = Callable[..., AbstractContextManager[Delivery]]


@pytest.fixture(params=[exim, postfix], ids=["exim", "postfix"])
def start(request: pytest.FixtureRequest) -> Start:
    """How to start each of them."""
    if request.param.MISSING:
        pytest.skip(request.param.MISSING)
    found: Start = request.param.running_exim if request.param is exim else request.param.running_postfix
    return found


@pytest.fixture
def server(start: Start, inbox: Inbox) -> Iterator[Delivery]:
    with start(inbox.port) as running:
        yield running


def arrived(world: World, count: int = 1) -> list[bytes]:
    """What was kept, once that many have come, without what servers wrote above it."""
    wait_until(lambda: len(kept(world)) >= count, lambda: f"{len(kept(world))} of {count} came")
    found = kept(world)
    assert len(found) == count
    return [each[each.index(b"From: ") :] for each in found]


@pytest.mark.row("P15")
def test_an_answer_comes_byte_by_byte_over_tls(server: Delivery, world: World, address: str) -> None:
    server.give("anna@example.org", [address], LETTER)
    assert arrived(world) == [LETTER]
    row = world.only(ReceivedMail)
    assert (row.sender, row.encrypted) == ("anna@example.org", True)
    assert row.helo.endswith(".example.org")


def test_without_a_certificate_it_comes_in_the_clear_unless_the_sender_insists(
    start: Start, inbox_database: Database, world: World, address: str
) -> None:
    with running_inbox(inbox_database, world) as plain:
        with start(plain.port) as running:
            running.give("anna@example.org", [address], LETTER)
            assert arrived(world) == [LETTER]
        with start(plain.port, tls="encrypt") as running:
            running.give("anna@example.org", [address], LETTER.replace(b"<1@", b"<2@"))
            running.says("TLS")
    assert len(kept(world)) == 1


def test_with_a_certificate_a_sender_that_insists_on_tls_delivers(
    start: Start, inbox: Inbox, world: World, address: str
) -> None:
    with start(inbox.port, tls="encrypt") as running:
        running.give("anna@example.org", [address], LETTER)
        assert arrived(world) == [LETTER]


def test_an_unknown_recipient_is_refused_and_the_known_one_gets_it(
    server: Delivery, world: World, address: str
) -> None:
    server.give("anna@example.org", ["nobody@onbehalf.example", address], LETTER)
    assert arrived(world) == [LETTER]
    server.says("nobody@onbehalf.example", "550 5.1.1")


def test_what_is_too_large_goes_back_to_its_sender(server: Delivery, world: World, address: str) -> None:
    server.give("anna@example.org", [address], LETTER + b"x" * 76 + b"\r\n" + (b"y" * 76 + b"\r\n") * 20_000)
    server.says("5.3.4")
    assert kept(world) == []


def test_what_goes_round_goes_back_to_its_sender(server: Delivery, world: World, address: str) -> None:
    server.give("anna@example.org", [address], b"Received: from a by b; now\r\n" * 60 + LETTER)
    server.says("554 5.4.6")
    server.give("anna@example.org", [address], f"{SENT_BY_US}: yes\r\n".encode() + LETTER)
    server.says("554 5.4.6", "left from here")
    assert kept(world) == []


def test_eight_bits_come_as_they_are(server: Delivery, world: World, address: str) -> None:
    letter = LETTER + "Grüße, жду, ¡hasta luego!\r\n".encode()
    server.give("anna@example.org", [address], letter, "BODY=8BITMIME")
    assert arrived(world) == [letter]


def test_an_address_beyond_ascii_comes_by_smtputf8(server: Delivery, world: World, address: str) -> None:
    letter = "From: jürgen@bücher.example\r\nSubject: Grüße\r\n\r\nJa.\r\n".encode()
    server.give("jürgen@bücher.example", [address], letter, "SMTPUTF8", "BODY=8BITMIME")
    (found,) = arrived(world)
    assert "Grüße".encode() in found
    assert world.only(ReceivedMail).sender.startswith("jürgen@")


def test_many_come_over_few_connections(server: Delivery, world: World, address: str) -> None:
    letters = [LETTER.replace(b"<1@", f"<{n}@".encode()) for n in range(30)]
    for each in letters:
        server.give("anna@example.org", [address], each)
    assert sorted(arrived(world, 30)) == sorted(letters)


def test_a_report_without_a_sender_comes(server: Delivery, world: World, address: str) -> None:
    server.give("", [address], LETTER)
    assert arrived(world) == [LETTER]
    assert world.only(ReceivedMail).sender == ""


def test_while_the_database_is_away_the_sender_waits_and_comes_again(
    server: Delivery, inbox: Inbox, world: World, address: str
) -> None:
    good = inbox.server._receiver._database
    inbox.server._receiver._database = Database("postgresql+psycopg://127.0.0.1:1/none", pool_size=1)
    server.give("anna@example.org", [address], LETTER)
    server.says("451 4.3.0")
    inbox.server._receiver._database = good
    assert arrived(world) == [LETTER]


def test_a_message_whose_250_was_lost_is_kept_once(
    server: Delivery, inbox: Inbox, world: World, address: str
) -> None:
    """The connection breaks while Postgres commits: the sender cannot know, and comes again."""
    with world.locked(OutboxJob):
        server.give("anna@example.org", [address], LETTER)
        wait_until(
            lambda: not all(each.idle.is_set() for each in inbox.server._hosts.open()),
            lambda: f"{server.log()}",
        )
        for each in inbox.server._hosts.open():
            inbox.loop.call_soon_threadsafe(each.transport.abort)
        wait_until(
            lambda: "lost connection" in server.log() or "closed connection" in server.log(), server.log
        )
    wait_until(lambda: server.log().count("2.0.0 Kept") == 1, server.log)
    assert arrived(world) == [LETTER]
