"""A webhook's server is called at one of the addresses that its name resolves to."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from domain.errors import ProviderUnavailable
from transports import web_calls
from transports.addresses import connect, public
from transports.web_calls import check_url, post


class _Answering(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Log nothing."""


@pytest.fixture
def leads_by_ipv6_first(monkeypatch: pytest.MonkeyPatch) -> None:
    truly = socket.getaddrinfo

    def answer(host: str, port: int, *rest: Any, **named: Any) -> list[Any]:
        if host != "hooks.example":
            return truly(host, port, *rest, **named)
        return [(10, 1, 6, "", ("::1", port, 0, 0)), (2, 1, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr("socket.getaddrinfo", answer)


@pytest.mark.usefixtures("leads_by_ipv6_first")
def test_a_name_that_leads_by_ipv6_first_is_reached_where_only_ipv4_answers() -> None:
    with HTTPServer(("127.0.0.1", 0), _Answering) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        target = check_url(f"http://hooks.example:{server.server_port}/told", anywhere=True)
        assert post(target, b"{}", {"Content-Type": "application/json"}, anywhere=True) == 204
        server.shutdown()


@pytest.mark.usefixtures("leads_by_ipv6_first")
def test_a_server_that_answers_at_none_of_its_addresses_is_named_out_of_reach() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(ProviderUnavailable):
        post(check_url(f"http://hooks.example:{port}/", anywhere=True), b"{}", {}, anywhere=True)


def test_however_many_addresses_a_name_has_connecting_takes_no_longer_than_one_may(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waited: list[float] = []

    def silent(_address: object, timeout: float, *_: object, **__: object) -> socket.socket:
        waited.append(timeout)
        raise TimeoutError

    monkeypatch.setattr("socket.create_connection", silent)
    with pytest.raises(TimeoutError):
        connect([f"192.0.2.{number}" for number in range(1, 9)], 587, 10.0)
    assert len(waited) == 8
    assert sum(waited) <= 10.0


def _drip(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while True:
        connection.sendall(b"a")
        time.sleep(0.05)


def _ask_to_go_on(connection: socket.socket) -> None:
    while True:
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        time.sleep(0.05)


def _say_nothing(connection: socket.socket) -> None:
    connection.recv(1)
    time.sleep(30)


def _endless_headers(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        connection.sendall(b"X-More: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n" * 100)


def _endless_header(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-More: ")
    while True:
        connection.sendall(b"a" * 10_000)


def _endless_body(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 202 Accepted\r\nContent-Length: 9999999999\r\n\r\n")
    while True:
        connection.sendall(b"a" * 10_000)


@pytest.fixture
def receiving() -> Iterator[Callable[[Callable[[socket.socket], None]], str]]:
    """Start a receiver that behaves as requested. Returns its URL."""
    listeners: list[socket.socket] = []

    def start(behave: Callable[[socket.socket], None]) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def serve() -> None:
            try:
                connection, _ = listener.accept()
                with connection:
                    behave(connection)
            except OSError:
                return  # the caller has gone

        threading.Thread(target=serve, daemon=True).start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}/told"

    yield start
    for listener in listeners:
        listener.close()


@pytest.mark.parametrize("behave", [_drip, _ask_to_go_on, _say_nothing])
def test_a_call_ends_in_time_whatever_the_receiver_drips(
    receiving: Callable[..., str], behave: Callable[[socket.socket], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_calls, "WITHIN", 0.6)
    with pytest.raises(ProviderUnavailable) as refused:
        post(check_url(receiving(behave), anywhere=True), b"{}", {}, anywhere=True)
    assert "Timeout" in refused.value.code


@pytest.mark.parametrize("behave", [_endless_headers, _endless_header])
def test_an_answer_without_end_is_not_read_to_its_end(
    receiving: Callable[..., str], behave: Callable[[socket.socket], None]
) -> None:
    with pytest.raises(ProviderUnavailable) as refused:
        post(check_url(receiving(behave), anywhere=True), b"{}", {}, anywhere=True)
    assert "Timeout" not in refused.value.code  # long before


def test_of_an_answer_only_the_status_is_read(receiving: Callable[..., str]) -> None:
    assert post(check_url(receiving(_endless_body), anywhere=True), b"{}", {}, anywhere=True) == 202


def test_a_name_server_that_says_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_calls, "WITHIN", 0.2)
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: time.sleep(5))
    with pytest.raises(ProviderUnavailable):
        post(check_url("https://hooks.example/", anywhere=False), b"{}", {}, anywhere=False)


_NOT_FOR_EVERYONE = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.127.255.255",
    "127.0.0.1",
    "127.1.2.3",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.170",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.1.1.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::10.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:0:10.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::10.0.0.1",
    "64:ff9b:1::1",
    "64:ff9b:1:ffff::a00:1",
    "100::1",
    "100:0:0:1::1",
    "2001::1",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a00:1::1",
    "2002:c0a8:101::1",
    "3fff::1",
    "3fff:fff:ffff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%1",
    "fec0::1",
    "feff:ffff::1",
    "ff02::1",
    "4000::1",
    "8000::1",
]
_FOR_EVERYONE = [
    "1.1.1.1",
    "8.8.8.8",
    "93.184.215.14",
    "100.63.255.255",
    "100.128.0.1",
    "172.15.0.1",
    "172.32.0.1",
    "192.88.98.1",
    "198.17.0.1",
    "198.20.0.1",
    "223.255.255.255",
    "2606:4700:4700::1111",
    "2a00:1450:4001::1",
    "2001:4860:4860::8888",
    "2003::1",
    "2400:cb00::1",
    "3ffe::1",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
    "2002:808:808::1",
]


@pytest.mark.parametrize("address", _NOT_FOR_EVERYONE)
def test_an_address_that_is_not_of_the_open_internet_is_not_called(address: str) -> None:
    assert not public(address)


@pytest.mark.parametrize("address", _FOR_EVERYONE)
def test_an_address_of_the_open_internet_is(address: str) -> None:
    assert public(address)
