"""Cloud Pub/Sub between Gmail and whoever listens: topics with push subscriptions, and Google's key that signs their tokens.

"Configure push notifications in Gmail API", "Push subscriptions" and "Authentication for push subscriptions": at least once, in no
order, again after every answer that is no success.
"""

import asyncio
import base64
import itertools
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

import aiohttp
import orjson
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from lab.emulator.gmail_history import History
from lab.emulator.gmail_routes import has_label
from lab.emulator.http import Response
from lab.emulator.world import Mailbox, World

_EVERY = 0.2  # seconds between checks of watched mailboxes
_AGAIN = (
    0.1,
    0.5,
    2.0,
)  # seconds until a push is repeated that was not acknowledged; the real one goes on for days
_TAKEN = {102, 200, 201, 202, 204}
_KEPT = "public, max-age=21000, must-revalidate, no-transform"


@dataclass(frozen=True, slots=True)
class Subscription:
    """Where a topic's messages are pushed to. ``audience``: of the token; empty: the endpoint."""

    topic: str
    url: str
    account: str
    audience: str = ""


class GoogleKey:
    """The key that signs Google's tokens, made at first use, and its certificate."""

    def __init__(self) -> None:
        self.id = f"{time.time_ns():x}"

    @cached_property
    def _key(self) -> rsa.RSAPrivateKey:
        return rsa.generate_private_key(65537, 2048)

    @cached_property
    def certificate(self) -> str:
        """As ``https://www.googleapis.com/oauth2/v1/certs`` shows it: PEM."""
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "federated-signon.emulator")])
        now = datetime.now(UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self._key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=16))
            .sign(self._key, hashes.SHA256())
        )
        return made.public_bytes(serialization.Encoding.PEM).decode()

    def signed(self, claims: dict[str, Any]) -> str:
        """Return a JSON web token (RS256)."""
        head = {"alg": "RS256", "kid": self.id, "typ": "JWT"}
        text = f"{_encoded(orjson.dumps(head))}.{_encoded(orjson.dumps(claims))}"
        signature = self._key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{text}.{_encoded(signature)}"


class PubSub:
    """Publishes what comes into watched mailboxes. One per world."""

    def __init__(self, world: World, history: History) -> None:
        self._world, self._history = world, history
        self.key = GoogleKey()
        self._subscriptions: dict[str, Subscription] = {}
        self._seen: dict[str, int] = {}  # history id up to which was published, by user
        self._tasks: set[asyncio.Task[None]] = set()
        self._numbers = itertools.count(1)
        self._publishes = False

    def subscribe(self, values: dict[str, Any]) -> dict[str, Any]:
        """Push a topic's messages to ``url`` from now on, as ``account``."""
        made = Subscription(**values)
        self._subscriptions[made.topic] = made
        for mailbox in self._world.mailboxes.values():
            if _holds(mailbox.watched):  # since before the emulator started
                self.watch(mailbox)
        return {"subscription": _name(made)}

    def certificates(self) -> Response:
        """Answer ``GET /oauth2/v1/certs``."""
        self._world.requests["GET /google/certs"] = self._world.requests.get("GET /google/certs", 0) + 1
        return Response(200, {self.key.id: self.key.certificate}, {"Cache-Control": _KEPT})

    def token(self, subscription: Subscription, **claims: Any) -> str:
        """Return the token of a push, with other ``claims`` where a test wants them."""
        now = int(time.time())
        said = {
            "aud": subscription.audience or subscription.url,
            "azp": "113774264463038321964",
            "email": subscription.account,
            "email_verified": True,
            "exp": now + 3600,
            "iat": now,
            "iss": "https://accounts.google.com",
            "sub": "113774264463038321964",
        }
        return self.key.signed(said | claims)

    def token_of(self, topic: str, claims: dict[str, Any]) -> str:
        """``token`` by the topic's name."""
        return self.token(self._subscriptions[topic], **claims)

    def watch(self, mailbox: Mailbox) -> None:
        """Publish what comes in from now on."""
        self._seen.setdefault(mailbox.user_id, self._history.note(mailbox))
        if not self._publishes:
            self._publishes = True
            self._start(self._follow())

    def clear(self) -> None:
        """Forget subscriptions, and what was published."""
        self._subscriptions.clear()
        self._seen.clear()

    def stop(self) -> None:
        """Publish nothing more."""
        self.clear()
        for task in self._tasks:
            task.cancel()

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(_EVERY)
            for user_id, seen in list(self._seen.items()):
                mailbox = next((e for e in self._world.mailboxes.values() if e.user_id == user_id), None)
                if mailbox is None or not _holds(mailbox.watched):
                    self._seen.pop(user_id, None)
                    continue
                self._world.settle(mailbox)
                now = self._history.note(mailbox)
                self._seen[user_id] = now
                labels = mailbox.watched["labelIds"]
                changes = self._history.since(mailbox, seen) or []
                if any(not labels or any(has_label(each, label) for label in labels) for each in changes):
                    self._publish(mailbox, now)

    def _publish(self, mailbox: Mailbox, history_id: int) -> None:
        subscription = self._subscriptions.get(mailbox.watched["topic"])
        if subscription is None or self._world.switch(mailbox, "google_push_lost"):
            return
        data = {"emailAddress": mailbox.address, "historyId": history_id}
        message = {
            "data": base64.b64encode(orjson.dumps(data)).decode(),
            "messageId": str(next(self._numbers)),
            "publishTime": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        }
        body = {"message": message, "subscription": _name(subscription)}
        delay = self._world.switch(mailbox, "google_push_delay")
        for _ in range(self._world.switch(mailbox, "google_push_repeats")):
            self._start(self._push(subscription, body, delay))

    async def _push(self, subscription: Subscription, body: dict[str, Any], delay: float) -> None:
        for wait in (delay, *_AGAIN):
            await asyncio.sleep(wait)
            headers = {"Authorization": f"Bearer {self.token(subscription)}"}
            try:
                async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as http:
                    answer = await http.post(subscription.url, json=body, headers=headers)
            except (aiohttp.ClientError, TimeoutError):
                continue
            if answer.status in _TAKEN:
                return

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)  # without a reference, a task may be collected before it ends
        task.add_done_callback(self._tasks.discard)


def _holds(watched: dict[str, Any]) -> bool:
    return bool(watched) and int(watched["expiration"]) > time.time() * 1000


def _name(subscription: Subscription) -> str:
    return f"{subscription.topic.replace('/topics/', '/subscriptions/')}-push"


def _encoded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
