"""Chat channels: an address reaches one channel of its service by https, and nothing else; what is said there stays text."""

import json
from typing import Any, ClassVar

import pytest
import requests

from domain.errors import InvalidInput, ProviderUnavailable, ServerUnsafe
from transports import chat

SLACK = "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
TEAMS = (
    "https://prod-12.westeurope.logic.azure.com:443/workflows/0123456789abcdef/triggers/manual/paths/invoke"
    "?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=abcDEF123"
)
DISCORD = "https://discord.com/api/webhooks/123456789012345678/abcdefghijklmnop_-0"
GOOGLE = "https://chat.googleapis.com/v1/spaces/AAAA/messages?key=k&token=t"
WEBEX = f"https://webexapis.com/v1/webhooks/incoming/{'Y2lzY29zcGFyazovL3' * 5}"
ALL = {"Slack": SLACK, "Microsoft Teams": TEAMS, "Discord": DISCORD, "Google Chat": GOOGLE, "Webex": WEBEX}
LINK = "https://onbehalf.example/people/1?a=1&b=rita_r"


@pytest.mark.parametrize(("service", "url"), ALL.items())
def test_a_channel_of_a_service(service: str, url: str) -> None:
    target = chat.check_url(url)
    assert target.service.name == service
    assert target.plugin.verify_certificate
    assert not target.plugin.redirects
    assert len(target.plugin) == 1


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nothing",
        "http://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ",
        "https://hooks.slack.com.attacker.example/services/T1/B1/x",
        "https://attacker.example/services/T1/B1/x",
        "https://hooks.slack.com:8443/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ",
        "https://a@hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ",
        f"{SLACK}?verify=no",
        f"{SLACK}/random/general",
        f"{TEAMS}&template=file:///etc/passwd",
        f"{TEAMS}&verify=no",
        TEAMS.replace("logic.azure.com", "powerplatform.attacker.example"),
        TEAMS.replace("prod-12.", "."),
        TEAMS.replace(":443", ":8443"),
        "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ",
        "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/one/two/three",  # a request for each
        "workflows://127.0.0.1:8080/abc/def",
        "json://localhost/",
        "jsons://intranet.example/",
        "file:///etc/passwd",
        "mailto://user:password@example.org",
        "https://[::1/x",
        "https://discord.com/api/webhooks/nothing",
        "https://webexapis.com/v1/webhooks/incoming/short",
    ],
)
def test_anything_else_is_refused_and_not_quoted(url: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        chat.check_url(url)
    assert refused.value.where == "url"
    assert not url or url not in str(refused.value)


class _Answer:
    content = b'{"ok": true}'
    text = "ok"

    def __init__(self, status: int, headers: dict[str, str]) -> None:
        self.status_code, self.headers = status, headers


class Services:
    """The chat services: what they were asked, and how they answer."""

    status: ClassVar[int] = 200
    headers: ClassVar[dict[str, str]] = {}

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []

    @property
    def said(self) -> str:
        """The last message, as it is in its JSON."""
        return json.dumps(json.loads(self.asked[-1][1]["data"]), ensure_ascii=False)


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch) -> Services:
    found = Services()

    def request(_session: object, *, method: str, url: str, **values: Any) -> _Answer:
        assert method.upper() == "POST"
        found.asked.append((url, values))
        return _Answer(found.status, found.headers)

    monkeypatch.setattr(requests.Session, "request", request)
    monkeypatch.setattr(chat, "resolve", lambda *_, **__: ["203.0.113.7"])
    return found


def say(url: str, title: str = "Ada answered", text: str = "She wrote back.") -> None:
    chat.deliver(url, title, text, [("Read the answer", LINK)])


@pytest.mark.parametrize(("service", "url"), ALL.items())
def test_a_message_is_one_request_with_its_link_and_no_pictures(
    services: Services, monkeypatch: pytest.MonkeyPatch, service: str, url: str
) -> None:
    monkeypatch.setattr(services, "status", 202 if service == "Microsoft Teams" else 200)
    if service == "Slack":
        monkeypatch.setattr(_Answer, "content", b"ok")
    say(url)
    ((_, values),) = services.asked
    assert values["verify"] is True
    assert values["allow_redirects"] is False
    assert "Ada answered" in services.said
    assert LINK.replace("&", "&amp;") in services.said or LINK in services.said
    assert "github" not in services.said


@pytest.mark.parametrize("status", [404, 429, 500])
@pytest.mark.parametrize("url", ALL.values(), ids=ALL)
def test_what_is_not_taken_is_said_and_nobody_sleeps(
    services: Services, monkeypatch: pytest.MonkeyPatch, url: str, status: int
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: pytest.fail("a worker's thread slept"))
    monkeypatch.setattr(services, "status", status)
    # As Discord: come back next year.
    monkeypatch.setattr(
        services, "headers", {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1830000000"}
    )
    with pytest.raises(ProviderUnavailable):
        say(url)
    assert 1 <= len(services.asked) <= 2


@pytest.mark.parametrize(
    "hostile",
    [
        "@everyone",
        "@here",
        "@all",
        "<!channel>",
        "<@U123>",
        "<users/all>",
        "<@all>",
        "<https://evil.example|Sign in>",
        "[Sign in](https://evil.example)",
        "<a href='https://evil.example'>Sign in</a>",
    ],
)
@pytest.mark.parametrize("url", ALL.values(), ids=ALL)
def test_what_a_stranger_wrote_mentions_nobody_and_hides_no_link(
    services: Services, monkeypatch: pytest.MonkeyPatch, url: str, hostile: str
) -> None:
    monkeypatch.setattr(services, "status", 202 if url == TEAMS else 200)
    monkeypatch.setattr(_Answer, "content", b"ok" if url == SLACK else b"{}")
    say(url, title=f"Answer: {hostile}", text=f"They wrote: {hostile}")
    assert hostile not in services.said
    assert "evil" not in hostile or "evil" in services.said  # nothing is dropped


@pytest.mark.parametrize("url", ALL.values(), ids=ALL)
def test_a_long_text_is_cut_and_its_link_is_not(
    services: Services, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setattr(services, "status", 202 if url == TEAMS else 200)
    monkeypatch.setattr(_Answer, "content", b"ok" if url == SLACK else b"{}")
    say(url, title="T" * 3000, text="B" * 30_000)
    (_, values) = services.asked[-1]
    assert len(values["data"]) < 4000
    assert services.said.count("B") <= 1900
    assert "rita_r" in services.said
    if url == DISCORD:
        assert len(json.loads(values["data"])["content"]) <= 2000


def test_a_service_whose_name_leads_inside_is_not_called(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    def inside(*_: object, **__: object) -> list[str]:
        raise ServerUnsafe("hooks.slack.com leads into a private network.", code="private_address")

    monkeypatch.setattr(chat, "resolve", inside)
    with pytest.raises(ServerUnsafe):
        say(SLACK)
    assert services.asked == []
