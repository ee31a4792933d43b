"""Changes in a mailbox: delta queries, and subscriptions with their handshake and notifications.

A state is what a folder held (each item's change key), so nothing needs a journal. Source of the formats: Microsoft
Graph, "message: delta" and "Set up notifications for changes in resource data".
"""

import asyncio
import itertools
import secrets
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import aiohttp

from lab.emulator.http import Request, Response
from lab.emulator.messages import error
from lab.emulator.showing import shown
from lab.emulator.world import LISTED, Mailbox

_PAGE = 50
_EVERY = 0.2  # seconds between checks for changes
State = dict[str, str]  # item id -> a fingerprint of its state


def _state_of(mailbox: Mailbox, folder: str | None) -> State:
    held = (
        each
        for each in mailbox.messages.values()
        if (each.folder == folder if folder else each.folder in LISTED) and not each.hidden
    )
    return {
        each.id: f"{each.data['changeKey']} {each.data['isDraft']} {each.data['isRead']}" for each in held
    }


class Deltas:
    """Delta tokens, each with its state and the items still to be paged."""

    def __init__(self) -> None:
        self._states: dict[str, tuple[State, list[dict[str, Any]]]] = {}

    def forget(self) -> None:
        """Expire all tokens, as when a mailbox is moved: clients get 410 and start over."""
        self._states.clear()

    def query(self, request: Request, mailbox: Mailbox, folder: str) -> Response:
        """Return one page: first all items, later what was added, changed or removed since the token."""
        query = request.query
        given = query.get("$deltatoken") or query.get("$skiptoken")
        if given is None:
            before: State = {}
        elif given not in self._states:
            return error(
                410,
                "SyncStateNotFound",
                "The sync state generation is not found; start a full synchronization.",
            )
        else:
            before, rest = self._states[given]
            if "$skiptoken" in query:
                return self._page(request, before, rest)
        now = _state_of(mailbox, folder)
        changed: list[dict[str, Any]] = [
            shown(mailbox.messages[each], query) for each, state in now.items() if before.get(each) != state
        ]
        gone = [{"id": each, "@removed": {"reason": "deleted"}} for each in before if each not in now]
        return self._page(request, now, changed + gone)

    def _page(self, request: Request, state: State, items: list[dict[str, Any]]) -> Response:
        wanted = request.headers.get("prefer", "").partition("odata.maxpagesize=")[2].partition(",")[0]
        size = int(wanted) if wanted.isdigit() and int(wanted) else _PAGE
        token = secrets.token_urlsafe(24)
        self._states[token] = (state, items[size:])
        kind, name = ("nextLink", "$skiptoken") if items[size:] else ("deltaLink", "$deltatoken")
        link = f"http://{request.headers.get('host', 'localhost')}{request.path}?{urlencode({name: token})}"
        return Response(200, {f"@odata.{kind}": link, "value": items[:size]})


@dataclass(slots=True)
class Subscription:
    """One subscription. ``data`` is what Graph shows."""

    data: dict[str, Any]
    mailbox: Mailbox
    folder: str | None
    seen: State = field(default_factory=dict)
    ended: bool = False

    @property
    def expired(self) -> bool:
        """Has it expired?"""
        return datetime.fromisoformat(self.data["expirationDateTime"]) <= datetime.now(UTC)


class Subscriptions:
    """Change notifications for messages. ``settle``: brings a mailbox up to date."""

    def __init__(self, settle: Callable[[Mailbox], None]) -> None:
        self._settle = settle
        self._held: dict[str, Subscription] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._numbers = itertools.count(1)

    def clear(self) -> None:
        """End all subscriptions."""
        for each in self._held.values():
            each.ended = True
        self._held.clear()

    def stop(self) -> None:
        """End all subscriptions at once, without further notifications."""
        self.clear()
        for task in self._tasks:
            task.cancel()

    async def handle(
        self, method: str, item_id: str, request: Request, mailbox: Mailbox, minutes: int
    ) -> Response:
        """Handle ``/subscriptions`` and ``/subscriptions/{id}`` for the token's user. ``minutes``: the longest lifetime."""
        mine = {key: each for key, each in self._held.items() if each.mailbox is mailbox and not each.expired}
        try:
            body = request.json()
        except ValueError:
            return error(400, "BadRequest", "Unable to read JSON request payload.")
        if not item_id:
            if method == "POST":
                return await self._create(body, mailbox, minutes)
            return Response(200, {"value": [each.data for each in mine.values()]})
        if item_id not in mine:
            return error(404, "ResourceNotFound", "The object was not found.")
        match method:
            case "PATCH":
                problem = _until(body, minutes)
                if isinstance(problem, Response):
                    return problem
                mine[item_id].data["expirationDateTime"] = problem
                return Response(200, mine[item_id].data)
            case "DELETE":
                self._held.pop(item_id).ended = True
                return Response(204)
        return Response(200, mine[item_id].data)

    def mailbox_of(self, key: str) -> Mailbox | None:
        """Return the mailbox of a subscription."""
        held = self._held.get(key)
        return None if held is None else held.mailbox

    def lifecycle(self, mailbox: Mailbox, event: str) -> int:
        """Send ``reauthorizationRequired``, ``subscriptionRemoved`` or ``missed``; returns how many subscriptions got it."""
        notified = 0
        for key, each in list(self._held.items()):
            url = each.data.get("lifecycleNotificationUrl")
            if each.mailbox is mailbox and url:
                self._start(_post(url, [_notice(key, each, lifecycleEvent=event)]))
                notified += 1
                if event == "subscriptionRemoved":
                    self._held.pop(key).ended = True
        return notified

    async def _create(self, body: dict[str, Any], mailbox: Mailbox, minutes: int) -> Response:
        until = _until(body, minutes)
        if isinstance(until, Response):
            return until
        if not body.get("notificationUrl") or not body.get("changeType"):
            return error(400, "InvalidRequest", "changeType and notificationUrl are required.")
        parts = str(body.get("resource", "")).strip("/").lower().split("/")
        if parts[-1] != "messages":
            return error(
                400, "ExtensionError", f"The emulator has no subscriptions to {body.get('resource')!r}."
            )
        folder = next((name for name in LISTED if any(name in part for part in parts)), None)
        for name in ("notificationUrl", "lifecycleNotificationUrl"):
            if body.get(name) and not await _answers(body[name]):
                text = (
                    "Subscription validation request failed. Notification endpoint must respond with 200 OK."
                )
                return error(400, "ValidationError", text)
        key = f"subscription-{next(self._numbers)}"
        data = {**body, "id": key, "expirationDateTime": until, "creatorId": mailbox.user_id}
        subscription = Subscription(data, mailbox, folder, _state_of(mailbox, folder))
        self._held[key] = subscription
        self._start(self._notify(key, subscription))
        return Response(201, {name: value for name, value in data.items() if name != "clientState"})

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)  # without a reference, a task may be collected before it ends
        task.add_done_callback(self._tasks.discard)

    async def _notify(self, key: str, subscription: Subscription) -> None:
        wanted = subscription.data["changeType"].split(",")
        while not subscription.ended and not subscription.expired:
            await asyncio.sleep(_EVERY)
            self._settle(subscription.mailbox)
            now, before = _state_of(subscription.mailbox, subscription.folder), subscription.seen
            subscription.seen = now
            changes = [("created", each) for each in now if each not in before]
            changes += [("updated", each) for each in now if each in before and now[each] != before[each]]
            changes += [("deleted", each) for each in before if each not in now]
            notices = [
                _notice(
                    key,
                    subscription,
                    changeType=kind,
                    resourceData={"@odata.type": "#microsoft.graph.message", "id": each},
                )
                for kind, each in changes
                if kind in wanted
            ]
            if notices:
                await _post(subscription.data["notificationUrl"], notices)


def _notice(key: str, subscription: Subscription, **values: Any) -> dict[str, Any]:
    data = subscription.data
    return {
        "subscriptionId": key,
        "clientState": data.get("clientState"),
        "tenantId": subscription.mailbox.tenant_id,
        "subscriptionExpirationDateTime": data["expirationDateTime"],
        "resource": data["resource"],
        **values,
    }


def _until(body: dict[str, Any], minutes: int) -> str | Response:
    """Return the requested expiry, or Graph's refusal."""
    try:
        until = datetime.fromisoformat(str(body.get("expirationDateTime")))
    except ValueError:
        return error(400, "InvalidRequest", "expirationDateTime is required.")
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    if not datetime.now(UTC) < until <= datetime.now(UTC) + timedelta(minutes=minutes):
        return error(
            400, "ExtensionError", f"Subscription expiration can only be {minutes} minutes in the future."
        )
    return until.isoformat()


async def _answers(url: str) -> bool:
    """Do the handshake: the endpoint must return the token as plain text within 10 seconds."""
    token = f"Validation: Testing client application reachability for subscription {secrets.token_hex(8)}"
    separator = "&" if "?" in url else "?"
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as http,
            http.post(f"{url}{separator}{urlencode({'validationToken': token})}") as answer,
        ):
            return answer.status == 200 and (await answer.text()) == token
    except (aiohttp.ClientError, TimeoutError, ValueError):
        return False


async def _post(url: str, notices: list[dict[str, Any]]) -> None:
    """Deliver once. Graph would retry for hours, but nothing here may rely on that."""
    try:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=3)) as http:
            await (await http.post(url, json={"value": notices})).read()
    except (aiohttp.ClientError, TimeoutError):
        return
