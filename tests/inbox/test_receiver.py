"""Mail is taken for known addresses, once Postgres has it; everything else is refused while the sender can still be told."""

import smtplib
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from structlog.testing import capture_logs

from db.core.crypto import Place
from db.core.session import Database
from db.events import outbox
from db.listening import received
from domain.jobs import ProcessMail
from domain.message import SENT_BY_US
from inbox.session import MAX_RECIPIENTS
from lab.factories import World
from lab.listening_records import ReceivedMail
from lab.records import OutboxJob
from tests.collector import Collector
from tests.inbox.delivering import wait_until
from tests.inbox.serving import Inbox, Wire, running_inbox

LETTER = b"From: anna@example.org\r\nMessage-ID: <1@example.org>\r\nSubject: Re: Hi\r\n\r\nYes.\r\n"


@pytest.fixture
def wire(inbox: Inbox, address: str) -> Iterator[Wire]:
    """A connection on which a sender and a recipient are named."""
    opened = inbox.raw()
    assert opened.hear().startswith(b"220 ")
    opened.say(b"EHLO mx.example.org", b"MAIL FROM:<anna@example.org>", f"RCPT TO:<{address}>".encode())
    assert [opened.hear()[:3] for _ in range(3)] == [b"250", b"250", b"250"]
    yield opened
    opened.close()


def kept(world: World) -> list[bytes]:
    """The messages that are kept, as workers read them."""
    ids = [each.id for each in world.all(ReceivedMail)]
    with world.database.transaction() as tx:
        found = [received.begin(tx, world.keys, each) for each in ids]
    return [each.raw for each in found if each is not None]


def waits(world: World) -> int:
    jobs = world.all(OutboxJob, kind="process_mail")
    with world.database.transaction() as tx:
        return sum(isinstance(outbox.load(tx, each.id), ProcessMail) for each in jobs)


@pytest.mark.row("P15")
def test_what_is_taken_is_kept_sealed_with_the_job_that_reads_it(
    inbox: Inbox, world: World, address: str
) -> None:
    inbox.client().sendmail("anna@example.org", [address], LETTER)
    assert kept(world) == [LETTER]
    assert waits(world) == 1
    row = world.only(ReceivedMail)
    assert (row.address, row.sender, row.peer, row.helo, row.encrypted, row.size) == (
        address, "anna@example.org", "127.0.0.1", "mx.example.org", False, len(LETTER),
    )  # fmt: skip
    assert row.raw is not None
    assert b"Yes." not in row.raw


def test_a_recipient_may_be_written_in_capitals_and_have_something_behind_a_plus(
    inbox: Inbox, world: World, address: str
) -> None:
    local, _, domain = address.partition("@")
    inbox.client().sendmail("a@example.org", [f"{local.upper()}+Token@{domain.upper()}"], LETTER)
    assert world.only(ReceivedMail).address == f"{local}+token@{domain}"


@pytest.mark.parametrize(
    "stranger",
    ["nobody@onbehalf.example", "anna@example.org", "postmaster", "@onbehalf.example", "a@[127.0.0.1]", "x%y@onbehalf.example"],
)  # fmt: skip
def test_nobody_elses_mail_is_taken(inbox: Inbox, world: World, stranger: str) -> None:
    client = inbox.client()
    client.mail("anna@example.org")
    code, _ = client.docmd(f"RCPT TO:<{stranger}>")
    assert code in (550, 553)
    assert client.docmd("DATA")[0] == 503
    assert kept(world) == []


def test_an_address_that_people_send_from_takes_no_mail_here(inbox: Inbox, world: World) -> None:
    world.mailbox(world.member(), address="rita@acme.example")
    client = inbox.client()
    client.mail("anna@example.org")
    code, said = client.rcpt("rita@acme.example")
    assert (code, said[:5]) == (550, b"5.1.1")


def test_a_report_has_no_sender_and_is_taken(inbox: Inbox, world: World, address: str) -> None:
    inbox.client().sendmail("", [address], LETTER)
    assert world.only(ReceivedMail).sender == ""


def test_one_message_for_several_organizations_is_kept_for_each(
    inbox: Inbox, world: World, address: str
) -> None:
    from db.mailboxes import senders

    other = World(world.database)
    with world.database.transaction() as tx:
        senders.ensure_default(tx, other.organization_id, "onbehalf.example")
        theirs = senders.default_address_of(tx, other.organization_id)
    assert theirs is not None
    inbox.client().sendmail("anna@example.org", [address, theirs, address], LETTER)
    assert {each.organization_id for each in world.all(ReceivedMail)} == {
        world.organization_id,
        other.organization_id,
    }


def test_what_is_too_large_is_refused_before_it_is_sent(inbox: Inbox, address: str) -> None:
    client = inbox.client()
    assert client.esmtp_features["size"] == str(1024 * 1024)
    code, said = client.mail("anna@example.org", [f"size={1024 * 1024 + 1}"])
    assert (code, said[:5]) == (552, b"5.3.4")


@pytest.mark.parametrize("line", [b"x" * 70, b"x" * 200_000, b""])
def test_what_turns_out_too_large_is_refused_and_the_connection_goes_on(
    inbox: Inbox, world: World, address: str, wire: Wire, line: bytes
) -> None:
    assert wire.ask(b"DATA").startswith(b"354")
    wire.say(*[line] * (1024 * 1024 // (len(line) + 2) + 1))
    assert wire.ask(b".").startswith(b"552 5.3.4")
    assert wire.ask(b"NOOP").startswith(b"250")
    assert kept(world) == []
    inbox.client().sendmail("anna@example.org", [address], LETTER)  # what it held is free again
    assert kept(world) == [LETTER]


def test_whoever_goes_on_and_on_is_cut_off(wire: Wire, world: World) -> None:
    assert wire.ask(b"DATA").startswith(b"354")
    with pytest.raises(ConnectionError):
        for _ in range(100):
            wire.say(b"x" * 100_000)
        wire.hear()
        raise ConnectionResetError
    assert kept(world) == []


def test_memory_for_all_is_bounded_and_who_comes_too_many_is_told_to_come_later(
    inbox: Inbox, world: World, address: str
) -> None:
    opened = []
    for _ in range(6):
        each = inbox.raw()
        each.say(
            b"EHLO mx.example.org", b"MAIL FROM:<a@example.org>", f"RCPT TO:<{address}>".encode(), b"DATA"
        )
        assert [each.hear()[:3] for _ in range(5)][-1] == b"354"
        each.say(b"x" * 900_000)
        opened.append(each)
    # All hold what they sent until they end; only then is it known who came too many.
    replies = [each.ask(b".")[:9] for each in opened]
    assert b"452 4.3.1" in replies
    assert set(replies) <= {b"452 4.3.1", b"250 2.0.0"}
    assert len(kept(world)) == 1  # they are the same


def test_lines_are_as_long_as_they_are(inbox: Inbox, world: World, address: str) -> None:
    letter = b"Subject: long\r\n\r\n" + b"y" * 300_000 + b"\r\n.z\r\n" + b"w" * 65_536 + b"\r\n..\r\n"
    inbox.client().sendmail("anna@example.org", [address], letter)
    assert kept(world) == [letter]


@pytest.mark.parametrize("ending", [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r", b"\r.\r\n"])
def test_only_cr_lf_dot_cr_lf_ends_a_message_and_what_hides_another_is_refused(
    wire: Wire, world: World, address: str, ending: bytes
) -> None:
    assert wire.ask(b"DATA").startswith(b"354")
    hidden = f"MAIL FROM:<boss@acme.example>\r\nRCPT TO:<{address}>\r\nDATA\r\nSubject: forged\r\n\r\nhidden".encode()
    wire.connection.sendall(LETTER + b"end" + ending + hidden + b"\r\n.\r\n")
    assert wire.hear().startswith(b"550 5.6.0")
    assert wire.ask(b"NOOP").startswith(b"250")
    assert kept(world) == []


def test_commands_that_come_all_at_once_are_answered_one_by_one(
    inbox: Inbox, world: World, address: str
) -> None:
    wire = inbox.raw()
    assert wire.hear().startswith(b"220")
    rcpt = f"RCPT TO:<{address}>".encode()
    wire.say(
        b"EHLO mx.example.org", b"MAIL FROM:<a@example.org>", b"RCPT TO:<no@onbehalf.example>", rcpt, b"DATA"
    )
    assert [wire.hear()[:3] for _ in range(5)] == [b"250", b"250", b"550", b"250", b"354"]
    wire.say(LETTER + b".", b"MAIL FROM:<b@example.org>", rcpt, b"DATA")
    assert [wire.hear()[:3] for _ in range(4)] == [b"250", b"250", b"250", b"354"]
    wire.say(LETTER + b"More.", b".", b"QUIT")
    assert [wire.hear()[:3] for _ in range(2)] == [b"250", b"221"]
    assert len(kept(world)) == 2


def test_a_message_that_goes_round_is_refused(inbox: Inbox, world: World, address: str) -> None:
    client = inbox.client()
    hops = b"".join(b"Received: from a by b\r\n\t; now\r\n" for _ in range(51))
    for loop in (hops, f"{SENT_BY_US}: yes\r\n".encode()):
        with pytest.raises(smtplib.SMTPDataError) as refused:
            client.sendmail("anna@example.org", [address], loop + LETTER)
        assert (refused.value.smtp_code, refused.value.smtp_error[:5]) == (554, b"5.4.6")
    assert kept(world) == []
    quoted = LETTER + f"> {SENT_BY_US}: yes\r\n{SENT_BY_US}: yes\r\n".encode() + hops
    client.sendmail("anna@example.org", [address], quoted)
    assert kept(world) == [quoted]


def test_a_message_that_comes_again_is_kept_once_whatever_way_it_came(
    inbox: Inbox, world: World, address: str
) -> None:
    for trace in (b"", b"Received: from a by b;\r\n\tnow\r\n", b"received: from c\r\nDKIM-Signature: x\r\n"):
        inbox.client().sendmail("anna@example.org", [address], trace + LETTER)
    assert kept(world) == [LETTER]
    inbox.client().sendmail("anna@example.org", [address], LETTER.replace(b"<1@", b"<2@"))
    assert len(kept(world)) == 2
    world.older(ReceivedMail, "received_at", hours=25)
    inbox.client().sendmail("anna@example.org", [address], LETTER)
    assert len(kept(world)) == 3


@pytest.mark.parametrize("stage", range(6))
@pytest.mark.parametrize("reset", [False, True])
def test_a_connection_cut_at_any_stage_leaves_nothing_half_kept(
    inbox: Inbox, world: World, address: str, stage: int, reset: bool
) -> None:
    wire = inbox.raw()
    assert wire.hear().startswith(b"220")
    steps = (
        b"EHLO mx.example.org", b"MAIL FROM:<a@example.org>", f"RCPT TO:<{address}>".encode(), b"DATA",
        LETTER + b"half a line"
    )  # fmt: skip
    for step in steps[:stage]:
        wire.connection.sendall(step + (b"" if step is steps[-1] else b"\r\n"))
        if step is not steps[-1]:
            wire.hear()
    wire.close(reset=reset)
    settled(inbox)
    assert kept(world) == []
    inbox.client().sendmail("a@example.org", [address], LETTER)
    assert kept(world) == [LETTER]


def test_a_message_whose_250_is_lost_comes_again_and_is_kept_once(
    inbox: Inbox, world: World, wire: Wire, address: str
) -> None:
    assert wire.ask(b"DATA").startswith(b"354")
    with world.locked(OutboxJob):
        wire.say(LETTER + b".")
        until = time.monotonic() + 20
        while all(each.idle.is_set() for each in inbox.server._hosts.open()):
            assert time.monotonic() < until
        wire.close(reset=True)
        settled(inbox)
    inbox.client().sendmail("anna@example.org", [address], LETTER)
    assert kept(world) == [LETTER]


def settled(inbox: Inbox) -> None:
    """The server has noticed that all connections are gone."""
    until = time.monotonic() + 20
    while inbox.server._hosts.open():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_while_the_database_is_away_the_sender_keeps_it(
    world: World, address: str, wire: Wire, inbox: Inbox
) -> None:
    inbox.server._receiver._database.close()
    inbox.server._receiver._database = Database("postgresql+psycopg://127.0.0.1:1/none", pool_size=1)
    assert wire.ask(b"DATA").startswith(b"354")
    assert wire.ask(LETTER + b".").startswith(b"451 4.3.0")
    wire.say(b"MAIL FROM:<a@example.org>", f"RCPT TO:<{address}>".encode())
    assert [wire.hear()[:9] for _ in range(2)] == [b"250 2.1.0", b"451 4.3.0"]
    assert kept(world) == []


def test_starttls_forgets_what_was_said_before_and_what_was_sent_ahead(
    inbox: Inbox, world: World, address: str
) -> None:
    import ssl

    client = inbox.client(tls=True)
    assert "starttls" not in client.esmtp_features
    assert "auth" not in client.esmtp_features
    assert client.docmd("AUTH", "PLAIN AGEAYg==")[0] == 502
    client.sendmail("anna@example.org", [address], LETTER)
    assert world.only(ReceivedMail).encrypted
    wire = inbox.raw()
    wire.hear()
    wire.ask(b"EHLO mx.example.org")
    wire.say(b"STARTTLS", b"MAIL FROM:<injected@example.org>")
    assert wire.hear().startswith(b"220")
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    secured = Wire(context.wrap_socket(wire.connection))
    assert secured.ask(f"RCPT TO:<{address}>".encode()).startswith(b"503")
    secured.ask(b"EHLO mx.example.org")
    assert secured.ask(f"RCPT TO:<{address}>".encode()).startswith(b"503")
    secured.close()


def test_a_handshake_that_fails_harms_nobody_else(inbox: Inbox, world: World, address: str) -> None:
    wire = inbox.raw()
    wire.hear()
    wire.ask(b"EHLO mx.example.org")
    assert wire.ask(b"STARTTLS").startswith(b"220")
    with capture_logs() as logs:
        wire.connection.sendall(b"this is no TLS at all" * 100)
        with suppress(ConnectionError):
            while wire.connection.recv(100):
                pass
        wire.close()
        wait_until(lambda: bool(logs), lambda: "nothing was logged")  # the server closes first and logs then
    assert [(entry["event"], entry["log_level"]) for entry in logs] == [("tls_not_begun", "info")]
    inbox.client().sendmail("anna@example.org", [address], LETTER)
    assert kept(world) == [LETTER]


def test_without_a_certificate_there_is_no_starttls(inbox_database: Database, world: World) -> None:
    with running_inbox(inbox_database, world) as plain:
        client = plain.client()
        assert "starttls" not in client.esmtp_features
        assert client.docmd("STARTTLS")[0] == 454


def test_what_this_server_can_do(inbox: Inbox) -> None:
    features = inbox.client().esmtp_features
    assert set(features) == {"size", "8bitmime", "pipelining", "starttls", "smtputf8"}


def test_eight_bits_and_addresses_beyond_ascii_come_as_they_are(
    inbox: Inbox, world: World, address: str
) -> None:
    letter = "From: jürgen@bücher.example\r\nSubject: Grüße\r\n\r\nJa, gern.\r\n".encode()
    client = inbox.client()
    client.sendmail("jürgen@bücher.example", [address], letter, mail_options=["BODY=8BITMIME", "SMTPUTF8"])
    assert kept(world) == [letter]
    assert world.only(ReceivedMail).sender == "jürgen@bücher.example"


@pytest.mark.parametrize(
    "line",
    [b"EHLO \xff\x00\x1b[31m", b"MAIL FROM:<a\x00b@example.org>", b"MAIL FROM:<\xff@example.org>", b"MAIL FROM:<>", b'MAIL FROM:<"a b"@example.org>'],
)  # fmt: skip
def test_strange_words_are_kept_as_far_as_a_row_can_hold_them_or_refused(
    inbox: Inbox, world: World, address: str, line: bytes
) -> None:
    wire = inbox.raw()
    wire.hear()
    wire.ask(b"EHLO mx.example.org")
    answer = wire.ask(line)
    if line.startswith(b"EHLO"):
        answer = wire.ask(b"MAIL FROM:<a@example.org>")
    if answer.startswith(b"250"):
        assert wire.ask(f"RCPT TO:<{address}>".encode()).startswith(b"250")
        wire.ask(b"DATA")
        assert wire.ask(LETTER + b".").startswith(b"250")
    else:
        assert answer[:1] == b"5"
    wire.close()


def test_too_many_recipients_are_told_to_come_as_another_message(wire: Wire, address: str) -> None:
    rcpt = f"RCPT TO:<{address}>".encode()
    replies = [wire.ask(rcpt)[:9] for _ in range(MAX_RECIPIENTS)]
    assert replies == [b"250 2.1.5"] * (MAX_RECIPIENTS - 1) + [b"452 4.5.3"]


def test_whoever_tries_out_addresses_is_sent_away(wire: Wire) -> None:
    replies = [wire.ask(f"RCPT TO:<guess{n}@onbehalf.example>".encode())[:3] for n in range(21)]
    assert replies == [b"550"] * 20 + [b"421"]


def test_whoever_repeats_a_command_for_ever_is_sent_away(wire: Wire) -> None:
    replies = [wire.ask(b"VRFY someone")[:3] for _ in range(21)]
    assert replies[-1] == b"421"


def test_one_host_may_hold_a_few_connections(inbox: Inbox) -> None:
    opened = [inbox.raw() for _ in range(21)]
    assert [each.hear()[:3] for each in opened] == [b"220"] * 20 + [b"421"]
    for each in opened:
        each.close()
    settled(inbox)
    assert inbox.raw().hear().startswith(b"220")


def test_a_silent_peer_is_sent_away(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inbox.session.MAX_COMMAND_SECONDS", 0.2)
    wire = inbox.raw()
    assert wire.hear().startswith(b"220")
    assert wire.hear().startswith(b"421 4.4.2")


def test_a_connection_ends_at_some_time_however_busy(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inbox.session.MAX_SECONDS", 0.5)
    wire = inbox.raw()
    assert wire.hear().startswith(b"220")
    replies: list[bytes] = []
    while not replies or not replies[-1].startswith(b"421"):
        replies.append(wire.ask(b"NOOP"))
        time.sleep(0.02)
        assert len(replies) < 90
    assert replies[-1].startswith(b"421 4.4.2")


def test_a_line_that_never_ends_is_refused(inbox: Inbox) -> None:
    wire = inbox.raw()
    wire.hear()
    assert wire.ask(b"EHLO " + b"x" * 300_000).startswith(b"500")
    assert wire.ask(b"EHLO mx.example.org").startswith(b"250")


def test_whoever_reads_no_replies_holds_no_connection(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inbox.session.MAX_COMMAND_SECONDS", 0.2)
    monkeypatch.setattr("inbox.session.LINGERS", 0.2)
    wire = socket.create_connection(("127.0.0.1", inbox.port))
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    wire.recv(1, socket.MSG_PEEK)  # there is a reply; it stays unread
    settled(inbox)
    wire.close()


def test_a_server_that_ends_says_so_and_leaves_no_connection_open(
    inbox_database: Database, world: World
) -> None:
    with running_inbox(inbox_database, world) as ending:
        wires = [Wire(socket.create_connection(("127.0.0.1", ending.port), timeout=20)) for _ in range(3)]
        assert [each.hear()[:3] for each in wires] == [b"220"] * 3
    assert [each.hear()[:9] for each in wires] == [b"421 4.3.2"] * 3
    assert ending.server._hosts.open() == []
    for each in wires:
        each.close()


def test_what_is_kept_opens_in_its_own_row_only(inbox: Inbox, world: World, address: str) -> None:
    inbox.client().sendmail("anna@example.org", [address], LETTER)
    raw = world.only(ReceivedMail).raw
    assert raw is not None
    place = Place(world.organization_id, world.organization_id, "received_mail.raw")
    with pytest.raises(Exception, match="changed or moved"):
        world.keys.decrypt_bytes(raw, place)


def test_mail_that_is_kept_is_a_trace(recorded: Callable[[], Collector], inbox: Inbox, address: str) -> None:
    inbox.client().sendmail("anna@example.org", [address], LETTER)
    collector = recorded()
    (mail,) = collector.named("keep mail")
    assert mail.said["onbehalf.code"] == "250"
    assert {each.parent for each in collector.spans} == {"", mail.id}  # in another thread, and a part of it
    assert b"example" not in collector.raw
