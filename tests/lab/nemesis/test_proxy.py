"""The links that the nemesis hurts: a refused client hears why, and what is connected stays connected."""

import socket
import threading
from collections.abc import Iterator

import pytest

from lab.nemesis.proxy import Proxy


def server(says: bytes) -> tuple[socket.socket, int]:
    """Greets everybody, then says nothing more."""
    listener = socket.create_server(("127.0.0.1", 0))
    kept: list[socket.socket] = []

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                break
            connection.sendall(says)
            kept.append(connection)
        for each in kept:
            each.close()

    threading.Thread(target=serve, daemon=True).start()
    return listener, int(listener.getsockname()[1])


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    made = Proxy()
    yield made
    made.close()


def greeting(port: int) -> tuple[socket.socket, bytes]:
    connection = socket.create_connection(("127.0.0.1", port), 10)
    return connection, connection.recv(100)


def test_a_link_that_takes_few_turns_others_away_until_it_is_healed(proxy: Proxy) -> None:
    listener, port = server(b"220 welcome\r\n")
    link = proxy.link("relay", port)
    link.at_most, link.turned_away = 1, b"421 4.7.0 too many connections\r\n"
    first, said = greeting(link.port)
    assert said == b"220 welcome\r\n"
    second, said = greeting(link.port)
    assert said == b"421 4.7.0 too many connections\r\n"
    assert second.recv(100) == b""
    proxy.ask(link.heal)
    third, said = greeting(link.port)
    assert said == b"220 welcome\r\n"
    for each in (first, second, third):
        each.close()
    listener.close()


def test_a_link_that_leads_elsewhere_leaves_connections_where_they_are(proxy: Proxy) -> None:
    former, new = server(b"former"), server(b"new")
    link = proxy.link("redis", former[1])
    kept, said = greeting(link.port)
    assert said == b"former"
    link.target = new[1]
    later, said = greeting(link.port)
    assert said == b"new"
    kept.settimeout(0.2)
    with pytest.raises(TimeoutError):  # open, and silent
        kept.recv(100)
    for each in (kept, later, former[0], new[0]):
        each.close()
