"""Notices in chats, by Apprise: https only, and only to services whose servers the address cannot choose.

An address names a channel by secrets in its path. Apprise's own forms and options (several channels, files as templates, unverified certificates,
other hosts) are refused, so whoever types one reaches one channel on the service's own servers, on the open internet, and nothing else.
"""

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from apprise.asset import AppriseAsset
from apprise.common import NotifyFormat, NotifyType, PersistentStoreMode
from apprise.plugins.discord import NotifyDiscord
from apprise.plugins.google_chat import NotifyGoogleChat
from apprise.plugins.slack import NotifySlack
from apprise.plugins.webexteams import NotifyWebexTeams
from apprise.plugins.workflows import NotifyWorkflows

from domain.errors import InvalidInput, ProviderUnavailable
from domain.notice import Link
from transports.addresses import resolve

# It writes addresses, which are secrets.
logging.getLogger("apprise").setLevel(logging.CRITICAL)

_LONGEST = 2000
_WITHIN = 5.0  # seconds to connect, and to answer
_MOST_LETTERS, _MOST_IN_TITLE = 1900, 200  # Discord takes 2,000 in all
# How chats write a mention, a link under other words, a tag. A word joiner behind the first letter keeps it text.
_MEANS_MORE = re.compile(r"@(?=everyone|here|channel|all\b)|<|\](?=\()", re.IGNORECASE)
_JOINED = "\\g<0>\u2060"
_MARKS = re.compile(r"[\\`*_\[\]]")  # of Markdown


@dataclass(frozen=True, slots=True)
class Service:
    """A chat service. ``hosts``: of its addresses. ``arguments``: what these may carry. ``values``: for Apprise, beside the address.

    ``marked``: its texts are Markdown; elsewhere a plain address is a link.
    """

    name: str
    plugin: Any  # Apprise's class for it, which is only partly typed
    hosts: re.Pattern[str]
    arguments: frozenset[str] = frozenset()
    values: Mapping[str, str] = field(default_factory=dict)
    marked: bool = False


_SERVICES = (
    Service("Slack", NotifySlack, re.compile(r"hooks\.slack\.com")),
    Service(
        "Microsoft Teams",
        NotifyWorkflows,
        # Microsoft's "IP address configuration for Power Automate" has these domains.
        re.compile(r"([a-z0-9-]{1,63}\.)+(logic\.azure\.(com|us)|api\.powerplatform\.(com|us))"),
        frozenset({"api-version", "sp", "sv", "sig"}),
        marked=True,
    ),
    Service("Discord", NotifyDiscord, re.compile(r"discord(app)?\.com")),
    Service(
        "Google Chat", NotifyGoogleChat, re.compile(r"chat\.googleapis\.com"), frozenset({"key", "token"})
    ),
    Service(
        "Webex",
        NotifyWebexTeams,
        re.compile(r"webexapis\.com|api\.ciscospark\.com"),
        values={"mode": "webhook"},
        marked=True,
    ),
)
NAMES = tuple(each.name for each in _SERVICES)


@dataclass(frozen=True, slots=True)
class Target:
    """A channel that may be written to, and the host that its address names."""

    service: Service
    host: str
    plugin: Any


def check_url(url: str) -> Target:
    """Read the https address that a service gives for a channel. Raises ``InvalidInput``, which does not quote it."""
    url = url.strip()
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise _refused("It is no address") from error
    if len(url) > _LONGEST or not url.isascii() or any(ord(letter) <= 32 for letter in url):
        raise _refused("It is no address")
    if parts.username or parts.password or parts.fragment:
        raise _refused("It has more than a channel in it")
    host = (parts.hostname or "").lower()
    service = _service_of(parts.scheme, host, port)
    if {name for name, _ in parse_qsl(parts.query, keep_blank_values=True)} - service.arguments:
        raise _refused("It has options")
    read: Any = service.plugin.parse_native_url
    results: dict[str, Any] | None = read(url)
    if not results:
        raise _refused(f"It is no channel of {service.name}")
    return Target(service, host, _made(service, results))


def _service_of(scheme: str, host: str, port: int | None) -> Service:
    for each in _SERVICES:
        if scheme == "https" and port in (None, 443) and each.hosts.fullmatch(host):
            return each
    raise _refused("It is of no service we know, or not https")


def _made(service: Service, results: Mapping[str, Any]) -> Any:
    asset = AppriseAsset(
        app_id="Onbehalf",
        app_desc="Onbehalf",
        image_url_mask="",  # no pictures from other servers
        image_url_logo="",
        storage_mode=PersistentStoreMode.MEMORY,
    )
    try:
        plugin = service.plugin(**{**results, **service.values, "asset": asset})
    except TypeError as error:  # what Apprise raises for values it does not take
        raise _refused(f"It is no channel of {service.name}") from error
    plugin.verify_certificate, plugin.redirects = True, False
    plugin.socket_connect_timeout = plugin.socket_read_timeout = _WITHIN
    plugin.throttle = _at_once
    return plugin


def _at_once(*_: object, **__: object) -> None:
    """Apprise would sleep as long as a service says, and here a worker's thread. The job comes back later instead."""


def deliver(url: str, title: str, text: str, links: Sequence[Link]) -> None:
    """Write once to a channel. ``links``: a label and a whole address each; they are never cut.

    Raises ``InvalidInput``, ``ServerUnsafe`` (a private network) and ``ProviderUnavailable`` (not taken, as far as we know).
    """
    target = check_url(url)
    resolve(target.host, 443, anywhere=False)
    said, body = worded(target.service, title, text, links)
    body_format = NotifyFormat.MARKDOWN if target.service.marked else NotifyFormat.TEXT
    target.plugin.notify_format = body_format  # nothing is converted: Apprise's plain text shows backslashes
    if not target.plugin.notify(body=body, title=said, notify_type=NotifyType.INFO, body_format=body_format):
        raise ProviderUnavailable(f"{target.service.name} did not take the message.", code="not_taken")


def worded(service: Service, title: str, text: str, links: Sequence[Link]) -> tuple[str, str]:
    """Return title and body for a service. What people wrote stays text: it mentions nobody, and no link hides under other words."""
    title = _short(_plain(title), _MOST_IN_TITLE)
    ways = [f"[{label}]({address})" if service.marked else f"{label}: {address}" for label, address in links]
    ends = "\n\n".join(ways) if service.marked else "\n".join(ways)
    body = _plain(text)
    if service.marked:
        body = _MARKS.sub(r"\\\g<0>", body)
    return title, f"{_short(body, _MOST_LETTERS - len(title) - len(ends))}\n\n{ends}".rstrip()


def _plain(text: str) -> str:
    return _MEANS_MORE.sub(_JOINED, text)


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: max(most - 1, 0)].rstrip()}…"


def _refused(what: str) -> InvalidInput:
    return InvalidInput(
        what,
        where="url",
        fix=f"Paste the https address that {', '.join(NAMES[:-1])} or {NAMES[-1]} gives for a channel.",
    )
