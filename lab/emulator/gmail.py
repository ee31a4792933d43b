"""The Gmail API for the token's own mailbox: ``/gmail/v1/users/me/…``.

A draft holds a message, has an id of its own that stays, and is gone once it is sent ("Create and send email drafts").
"""

import asyncio
import base64
import binascii
import secrets
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from lab.emulator.faults import Faults, strike
from lab.emulator.gmail_history import History
from lab.emulator.gmail_items import attachment, labels_of, new_item, reference, sent_item, shown
from lab.emulator.gmail_routes import CHANGES, SEND, UNITS, has_label, name_route, page, scopes_for, send_as
from lab.emulator.gmail_search import found
from lab.emulator.google import valid_token
from lab.emulator.google_refusals import gmail_error, gmail_refusal
from lab.emulator.http import Request, Response
from lab.emulator.pubsub import PubSub
from lab.emulator.world import Mailbox, Message, World

_NOT_FOUND = "Requested entity was not found."


class Gmail:
    """Answers for the Gmail API. One per world."""

    def __init__(self, world: World, faults: Faults) -> None:
        self._world, self._faults = world, faults
        self.history = History()
        self.pubsub = PubSub(world, self.history)

    async def handle(self, request: Request) -> Response:
        """Authenticate, count, apply faults, enforce limits, act."""
        token = valid_token(self._world, request)
        if token is None:
            return gmail_error(401, "authError", "Invalid Credentials")
        mailbox = self._world.mailboxes[token.address]
        segments = request.segments[3:]
        if not segments or segments[0].lower() not in ("me", mailbox.address):
            return gmail_error(403, "forbidden", f"Delegation denied for {mailbox.address}")
        route, item_id = name_route(request.method, segments[1:])
        self._world.requests[route] = self._world.requests.get(route, 0) + 1
        mailbox.in_flight += 1
        mailbox.most_in_flight = max(mailbox.most_in_flight, mailbox.in_flight)
        try:
            if mailbox.in_flight > self._world.switch(mailbox, "requests_at_once"):
                self._world.violations.append(f"{mailbox.address}: {mailbox.in_flight} requests at once")
                return gmail_refusal("gmail_concurrent", {})
            if self._over_quota(mailbox, UNITS.get(route, 1)):
                return gmail_refusal("gmail_user_rate", {})
            if latency := self._world.switch(mailbox, "latency"):
                await asyncio.sleep(latency)
            fault = self._faults.take(route, mailbox.address)
            if route == SEND and (no := self._refusal(mailbox)) is not None:
                return no
            if fault is not None and fault.when == "before":
                struck = await strike(fault)
                if struck is not None:
                    return struck
            if not scopes_for(route) & {*token.scopes.split()}:
                text = "Request had insufficient authentication scopes."
                return gmail_error(403, "insufficientPermissions", text)
            if not mailbox.has_mailbox:
                return gmail_refusal("gmail_off", {})
            answer = self._act(route, item_id, request, mailbox)
            self.history.note(mailbox)
            if fault is not None and fault.when == "after":
                return await strike(fault) or answer
            return answer
        finally:
            mailbox.in_flight -= 1

    def _over_quota(self, mailbox: Mailbox, units: int) -> bool:
        now = time.monotonic()
        if now >= mailbox.window_began + 60:
            mailbox.window_began, mailbox.window_count = now, 0
        mailbox.window_count += units
        return bool(mailbox.window_count > self._world.switch(mailbox, "google_units_a_minute"))

    def _refusal(self, mailbox: Mailbox) -> Response | None:
        """Return Gmail's refusal if it refuses to send anything for this mailbox."""
        today = sum(at > time.monotonic() - 86400 for at in mailbox.accepted)
        if today >= self._world.switch(mailbox, "emails_a_day"):
            return gmail_refusal("gmail_sending_limit", {})
        return None

    def _act(self, route: str, item_id: str, request: Request, mailbox: Mailbox) -> Response:
        self._world.settle(mailbox)
        query = parse_qs(urlsplit(request.target).query, keep_blank_values=True)
        try:
            body = request.json() if request.method in ("POST", "PUT") else {}
            match route:
                case "GET /gmail/profile":
                    return self._profile(mailbox)
                case "GET /gmail/settings/sendAs":
                    return Response(200, {"sendAs": send_as(mailbox)})
                case "GET /gmail/settings/vacation":
                    return Response(200, mailbox.vacation)
                case "PUT /gmail/settings/vacation":
                    mailbox.vacation = dict(body)
                    self._world.changed = True
                    return Response(200, mailbox.vacation)
                case "POST /gmail/watch":
                    return self._watch(mailbox, body)
                case "POST /gmail/stop":
                    mailbox.watched = {}
                    return Response(204)
                case "GET /gmail/history":
                    return self._history(mailbox, query)
                case "GET /gmail/drafts":
                    return self._drafts(mailbox, query)
                case "POST /gmail/drafts":
                    return self._create(mailbox, body)
                case "POST /gmail/drafts/send":
                    return self._send(mailbox, body, request)
                case "GET /gmail/messages":
                    return self._list(mailbox, query)
                case "GET /gmail/threads":
                    return self._threads(mailbox, query)
            return self._one(route, item_id, mailbox, body, query)
        except (ValueError, TypeError, AttributeError, binascii.Error) as error:
            return gmail_error(400, "invalidArgument", f"Invalid value: {error}")

    def _one(
        self, route: str, item_id: str, mailbox: Mailbox, body: dict[str, Any], query: dict[str, list[str]]
    ) -> Response:
        now = self.history.note(mailbox)
        if route.startswith(("GET /gmail/drafts", "PUT /gmail/drafts", "DELETE /gmail/drafts")):
            draft = _draft(mailbox, item_id)
            if draft is None:
                return gmail_error(404, "notFound", _NOT_FOUND)
            if route.startswith("DELETE"):
                del mailbox.messages[draft.id]
                self._world.changed = True
                return Response(204)
            if route.startswith("PUT"):
                return self._replace(mailbox, draft, body)
            return Response(200, {"id": draft.draft_id, "message": shown(draft, now, query)})
        if route == "GET /gmail/threads/{id}":
            inside = [each for each in mailbox.messages.values() if each.data["conversationId"] == item_id]
            if not inside:
                return gmail_error(404, "notFound", _NOT_FOUND)
            messages = [shown(each, now, query) for each in sorted(inside, key=lambda each: each.received)]
            return Response(200, {"id": item_id, "historyId": str(now), "messages": messages})
        item_id, _, part = item_id.partition("\n")
        message = mailbox.messages.get(item_id)
        if route == "GET /gmail/messages/{id}" and message is not None:
            return Response(200, shown(message, now, query))
        if route == "GET /gmail/messages/{id}/attachments/{part}" and message is not None:
            content = attachment(message, part)
            if content is not None:
                return Response(200, content)
        return gmail_error(404, "notFound", _NOT_FOUND)

    def _profile(self, mailbox: Mailbox) -> Response:
        messages = list(mailbox.messages.values())
        return Response(
            200,
            {
                "emailAddress": mailbox.address,
                "messagesTotal": len(messages),
                "threadsTotal": len({each.data["conversationId"] for each in messages}),
                "historyId": str(self.history.note(mailbox)),
            },
        )

    def _watch(self, mailbox: Mailbox, body: dict[str, Any]) -> Response:
        topic = str(body.get("topicName", ""))
        if not topic.startswith("projects/") or "/topics/" not in topic:
            return gmail_error(400, "invalidArgument", "Invalid topicName does not match projects/*/topics/*")
        if mailbox.watched.get("topic", topic) != topic:
            text = "Only one user push notification client allowed per developer (call /stop then try again)"
            return gmail_error(400, "failedPrecondition", text)
        ends = datetime.now(UTC) + timedelta(days=7)
        expiration = str(int(ends.timestamp() * 1000))
        mailbox.watched = {"topic": topic, "labelIds": body.get("labelIds") or [], "expiration": expiration}
        self.pubsub.watch(mailbox)
        return Response(200, {"historyId": str(self.history.note(mailbox)), "expiration": expiration})

    def _history(self, mailbox: Mailbox, query: dict[str, list[str]]) -> Response:
        start = query.get("startHistoryId", [""])[-1]
        if not start.isdigit():
            return gmail_error(400, "invalidArgument", "Invalid startHistoryId")
        delay = self._world.switch(mailbox, "google_history_delay")
        records = self.history.since(mailbox, int(start), delay)
        if records is None:
            return gmail_error(404, "notFound", _NOT_FOUND)
        kinds = {CHANGES[each] for each in query.get("historyTypes", CHANGES)}
        label = query.get("labelId", [""])[-1]
        records = [each for each in records if kinds & set(each) and (not label or has_label(each, label))]
        now = {"historyId": str(self.history.note(mailbox))}
        return page(query, "history", records, now, most=500)

    def _drafts(self, mailbox: Mailbox, query: dict[str, list[str]]) -> Response:
        matching = self._found(mailbox, query, ["DRAFT"])
        drafts = [{"id": each.draft_id, "message": reference(each)} for each in matching]
        return page(query, "drafts", drafts, {"resultSizeEstimate": len(drafts)}, most=500)

    def _list(self, mailbox: Mailbox, query: dict[str, list[str]]) -> Response:
        messages = [reference(each) for each in self._found(mailbox, query, query.get("labelIds", []))]
        return page(query, "messages", messages, {"resultSizeEstimate": len(messages)}, most=500)

    def _threads(self, mailbox: Mailbox, query: dict[str, list[str]]) -> Response:
        matching = self._found(mailbox, query, query.get("labelIds", []))
        ids = dict.fromkeys(each.data["conversationId"] for each in matching)
        now = str(self.history.note(mailbox))
        threads = [{"id": each, "snippet": "", "historyId": now} for each in ids]
        return page(query, "threads", threads, {"resultSizeEstimate": len(threads)}, most=500)

    def _found(self, mailbox: Mailbox, query: dict[str, list[str]], labels: list[str]) -> list[Message]:
        everywhere = query.get("includeSpamTrash", ["false"])[-1].lower() == "true"
        return found(self._world, mailbox, query.get("q", [""])[-1], labels, everywhere=everywhere)

    def _create(self, mailbox: Mailbox, body: dict[str, Any]) -> Response:
        given = body.get("message") or {}
        draft = new_item(
            self._world, mailbox, _raw(given), "drafts", self._known_thread(mailbox, given.get("threadId"))
        )
        draft.draft_id = f"r{next(self._world.ids)}{secrets.randbelow(10**16):016d}"
        mailbox.messages[draft.id] = draft
        self._world.changed = True
        return Response(200, {"id": draft.draft_id, "message": _after(draft)})

    def _replace(self, mailbox: Mailbox, before: Message, body: dict[str, Any]) -> Response:
        """Give a draft another message, which has an id of its own."""
        given = body.get("message") or {}
        thread = self._known_thread(mailbox, given.get("threadId"))
        draft = new_item(self._world, mailbox, _raw(given), "drafts", thread)
        draft.draft_id = before.draft_id
        del mailbox.messages[before.id]
        mailbox.messages[draft.id] = draft
        self._world.changed = True
        return Response(200, {"id": draft.draft_id, "message": _after(draft)})

    def _known_thread(self, mailbox: Mailbox, thread_id: str | None) -> str:
        known = any(each.data["conversationId"] == thread_id for each in mailbox.messages.values())
        if thread_id and not known:
            raise ValueError("Invalid thread_id value")
        return thread_id or ""

    def _send(self, mailbox: Mailbox, body: dict[str, Any], request: Request) -> Response:
        draft_id = str(body.get("id") or "")
        draft = _draft(mailbox, draft_id)
        if draft is None:
            if draft_id in mailbox.consumed:
                self._world.violations.append(f"{mailbox.address}: an accepted item was submitted again")
            return gmail_error(404, "notFound", _NOT_FOUND)
        kinds = ("toRecipients", "ccRecipients", "bccRecipients")
        recipients = [each["emailAddress"]["address"] for kind in kinds for each in draft.data[kind]]
        if not recipients:
            return gmail_error(400, "invalidArgument", "Recipient address required")
        if bad := next((each for each in recipients if "@" not in each or " " in each), ""):
            return gmail_error(400, "invalidArgument", f"Invalid To header: {bad}")
        sent = sent_item(self._world, mailbox, draft)
        del mailbox.messages[draft.id]
        mailbox.messages[sent.id] = sent
        mailbox.consumed[draft_id] = None
        self._world.submit(mailbox, sent, request.headers.get("authorization", ""))
        return Response(200, _after(sent))


def _draft(mailbox: Mailbox, draft_id: str) -> Message | None:
    drafts = (each for each in mailbox.messages.values() if each.folder == "drafts")
    return next((each for each in drafts if draft_id and each.draft_id == draft_id), None)


def _raw(given: dict[str, Any]) -> bytes:
    text = str(given.get("raw") or "")
    if not text:
        raise ValueError(
            "'raw' RFC822 payload message string or uploading message via /upload/* URL required"
        )
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars="-_", validate=True)


def _after(message: Message) -> dict[str, Any]:
    return {**reference(message), "labelIds": labels_of(message)}
