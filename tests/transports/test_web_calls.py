"""A webhook's server is called at one of the addresses that its name leads to."""

import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from domain.errors import ProviderUnavailable
from transports.addresses import connect
from transports.web_calls import check_url, post


class _Answering(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Not to the console."""


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
