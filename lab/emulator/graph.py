"""Microsoft Graph's mail routes for the token's own mailbox: ``/v1.0/me/…`` and ``/v1.0/users/{id}/…``."""

import asyncio
import secrets
import time
from typing import Any

import orjson

from lab.emulator.app_only import AppOnly
from lab.emulator.changes import Deltas, Subscriptions
from lab.emulator.faults import Faults, strike
from lab.emulator.http import Request, Response
from lab.emulator.listing import list_messages
from lab.emulator.messages import apply, error, new_message
from lab.emulator.properties import IN_REPLY_TO, REFERENCES
from lab.emulator.refusals import refusal
from lab.emulator.routes import folder_of, mark_refused, name_route, settings_of, tenant_of
from lab.emulator.showing import mime, shown
from lab.emulator.world import Mailbox, Message, World, folder_id

SEND = "POST /me/messages/{id}/send"
_SCOPES = {
    "GET /me": "user.read",
    "GET /organization": "user.read",
    "GET /me/mailboxSettings": "mailboxsettings.read",
    "POST /me/messages/{id}/send": "mail.send",
    "POST /me/sendMail": "mail.send",
}


class Graph:
    """Answers for Graph. One per world."""

    def __init__(self, world: World, faults: Faults) -> None:
        self._world = world
        self._faults = faults
        self.deltas = Deltas()
        self.subscriptions = Subscriptions(world.settle)
        self.app_only = AppOnly(world)

    async def handle(self, request: Request) -> Response:
        """Authenticate, count, apply faults, enforce limits, act."""
        token = self._world.access.get(request.headers.get("authorization", "").removeprefix("Bearer "))
        valid = token is not None and not token.revoked and token.expires_at > time.monotonic()
        if token is None or not valid or token.audience != "https://graph.microsoft.com":
            text = "Lifetime validation failed, the token is expired." if token else "Access token is empty."
            return error(401, "InvalidAuthenticationToken", text)
        segments = request.segments[1:]
        if segments == ["$batch"]:
            return await self._batch(request)
        if token.tenant:
            found = self._subscribed(request, segments) or self.app_only.whose(token, segments, request)
            if isinstance(found, Response):
                return found
            mailbox = found
            if segments[:1] == ["users"]:
                segments = ["me", *segments[2:]]
        else:
            mailbox = self._world.mailboxes[token.address]
        if segments[:1] == ["users"]:
            if len(segments) < 2 or segments[1].lower() not in (mailbox.address, mailbox.user_id, "me"):
                return error(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
            segments = ["me", *segments[2:]]
        route, item_id = name_route(request.method, segments)
        self._world.requests[route] = self._world.requests.get(route, 0) + 1
        mailbox.in_flight += 1
        mailbox.most_in_flight = max(mailbox.most_in_flight, mailbox.in_flight)
        try:
            if mailbox.in_flight > self._world.switch(mailbox, "requests_at_once"):
                self._world.violations.append(f"{mailbox.address}: {mailbox.in_flight} requests at once")
                return error(429, "ApplicationThrottled", "Application is over its MailboxConcurrency limit.")
            if wait := self._world.over_rate(mailbox):
                if route == SEND and self._world.switch(mailbox, "throttled_requests_execute"):
                    self._act(route, item_id, request, mailbox)
                    mark_refused(mailbox, item_id)
                refused = error(429, "ApplicationThrottled", "Application is over its request rate limit.")
                refused.headers["Retry-After"] = str(wait)
                return refused
            if latency := self._world.switch(mailbox, "latency"):
                await asyncio.sleep(latency)
            fault = self._faults.take(route, mailbox.address)
            if route == SEND and (no := self._refusal(mailbox)) is not None:
                return no
            if fault is not None and fault.when == "before":
                struck = await strike(fault)
                if struck is not None:
                    return struck
            wanted = _SCOPES.get(route, "mail.readwrite")
            if token.tenant:
                if (no := self.app_only.denied(token, mailbox, route)) is not None:
                    return no
            elif wanted not in token.scopes.lower().split():
                return error(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
            if segments[:1] == ["subscriptions"]:
                answer = await self.subscriptions.handle(
                    request.method,
                    item_id,
                    request,
                    mailbox,
                    int(self._world.switch(mailbox, "subscription_minutes")),
                )
            else:
                answer = self._act(route, item_id, request, mailbox, fault.stuck if fault else "")
            if fault is not None and fault.when == "after":
                if fault.status == 429 or fault.refusal:
                    mark_refused(mailbox, item_id)
                return await strike(fault) or answer
            return answer
        finally:
            mailbox.in_flight -= 1

    def _subscribed(self, request: Request, segments: list[str]) -> Mailbox | None:
        """Return the mailbox of a subscription that a request names."""
        named = segments[:1] == ["subscriptions"] and len(segments) > 1
        return self.subscriptions.mailbox_of(segments[1]) if named else None

    async def _batch(self, request: Request) -> Response:
        """Handle up to 20 requests in one, each answered separately, in order."""
        try:
            asked = request.json()["requests"]
            parts = [
                (str(each["id"]), str(each["method"]), f"/v1.0/{str(each['url']).lstrip('/')}", each)
                for each in asked
            ]
        except (ValueError, KeyError, TypeError):
            return error(400, "BadRequest", "Unable to read JSON request payload.")
        if len(parts) > 20:
            return error(400, "BadRequest", "Number of batch request steps exceeds the maximum value of 20.")
        answers = []
        for number, method, target, part in parts:
            headers = {"authorization": request.headers.get("authorization", "")}
            headers |= {name.lower(): value for name, value in (part.get("headers") or {}).items()}
            body = orjson.dumps(part["body"]) if "body" in part else b""
            answer = await self.handle(Request(method.upper(), target, headers, body))
            answers.append(
                {"id": number, "status": answer.status, "headers": answer.headers, "body": answer.value}
            )
        return Response(200, {"responses": answers})

    def _refusal(self, mailbox: Mailbox) -> Response | None:
        """Return Exchange's refusal if it refuses to send anything for this mailbox."""
        if self._world.switch(mailbox, "suspended"):
            return refusal("suspended", {})
        today = sum(at > time.monotonic() - 86400 for at in mailbox.accepted)
        return refusal("message_limit", {}) if today >= self._world.switch(mailbox, "emails_a_day") else None

    def _act(self, route: str, item_id: str, request: Request, mailbox: Mailbox, stuck: str = "") -> Response:
        if route == "GET /me":
            return Response(
                200,
                {
                    "id": mailbox.user_id,
                    "displayName": mailbox.name,
                    "mail": mailbox.address,
                    "userPrincipalName": mailbox.sign_in_name,
                    "proxyAddresses": [
                        f"SMTP:{mailbox.address}",
                        *(f"smtp:{each}" for each in mailbox.aliases),
                    ],
                },
            )
        if route == "GET /organization":
            return Response(200, {"value": [tenant_of(self._world, mailbox.tenant_id)]})
        if not mailbox.has_mailbox or mailbox.google:
            text = "The mailbox is either inactive, soft-deleted, or is hosted on-premise."
            return error(404, "MailboxNotEnabledForRESTAPI", text)
        self._world.settle(mailbox)
        try:
            body = request.json() if request.method in ("POST", "PATCH") else {}
        except ValueError:
            return error(400, "BadRequest", "Unable to read JSON request payload.")
        match route:
            case "GET /me/mailboxSettings":
                return Response(200, settings_of(mailbox))
            case "GET /me/messages":
                return list_messages(self._world, mailbox, request, None)
            case "GET /me/mailFolders/{id}/messages":
                if item_id.lower() == "recoverableitemspurges":
                    shown_now = mailbox.purged if self._world.switch(mailbox, "purges_listable") else []
                    return list_messages(self._world, mailbox, request, shown_now, every_folder=True)
                folder = folder_of(mailbox, item_id)
                inside = [each for each in mailbox.messages.values() if each.folder == folder]
                return list_messages(self._world, mailbox, request, inside)
            case "GET /me/mailFolders/{id}/messages/delta":
                folder = folder_of(mailbox, item_id)
                if folder is None:
                    return error(404, "ErrorItemNotFound", "The specified folder was not found in the store.")
                return self.deltas.query(request, mailbox, folder)
            case "GET /me/mailFolders/{id}":
                folder = folder_of(mailbox, item_id)
                if folder is None:
                    return error(404, "ErrorItemNotFound", "The specified folder was not found in the store.")
                return Response(200, {"id": folder_id(mailbox, folder), "displayName": folder})
            case "POST /me/messages":
                return self._create(mailbox, body)
            case "POST /me/translateExchangeIds":
                # There is only one kind of id here, so each translates to itself.
                ids = [str(each) for each in body.get("inputIds") or []]
                return Response(200, {"value": [{"sourceId": each, "targetId": each} for each in ids]})
            case "POST /me/sendMail":
                lowered = {name.lower(): value for name, value in body.items()}
                created = self._create(mailbox, lowered.get("message") or {})
                if created.status != 201:
                    return created
                return self._send(mailbox, mailbox.messages[created.value["id"]], request)
        message = mailbox.messages.get(item_id)
        if message is None:
            return error(404, "ErrorItemNotFound", "The specified object was not found in the store.")
        match route:
            case "GET /me/messages/{id}":
                return self._one(mailbox, message, request)
            case "GET /me/messages/{id}/attachments":
                return Response(200, {"value": message.attachments})
            case "PATCH /me/messages/{id}":
                if problem := apply(message, body, draft=message.data["isDraft"]):
                    return problem
                self._world.mark(mailbox, message)
                self._world.changed = True
                return Response(200, shown(message, {}))
            case "DELETE /me/messages/{id}":
                message.folder = "deleteditems"
                message.data["parentFolderId"] = folder_id(mailbox, "deleteditems")
                return Response(204)
            case "POST /me/messages/{id}/permanentDelete":
                del mailbox.messages[item_id]
                mailbox.purged.append(message)
                if message.accepted_at is not None and message.copied_at is None:
                    if self._world.switch(mailbox, "purge_stops_copy"):
                        return Response(204)
                    self._world.leave(mailbox, message, "graph", message.sent_with)
                return Response(204)
            case "POST /me/messages/{id}/send":
                message.stuck = message.stuck or stuck
                return self._send(mailbox, message, request)
            case "GET /me/messages/{id}/$value":
                return Response(200, body=mime(message), content_type="text/plain")
            case "POST /me/messages/{id}/createReply" | "POST /me/messages/{id}/createReplyAll":
                return self._answer(mailbox, message, body, "RE", to_all=route.endswith("All"))
            case "POST /me/messages/{id}/createForward":
                return self._answer(mailbox, message, body, "FW")
        return error(400, "BadRequest", f"The emulator has no route {route}.")

    def _one(self, mailbox: Mailbox, message: Message, request: Request) -> Response:
        prefer = request.headers.get("prefer", "")
        several = bool(self._world.switch(mailbox, "expands_several"))
        value = shown(message, request.query, prefer=prefer, several=several)
        applied = [each.strip() for each in prefer.split(",") if "body-content-type" in each]
        return Response(200, value, {"Preference-Applied": ", ".join(applied)} if applied else {})

    def _create(self, mailbox: Mailbox, body: dict[str, Any]) -> Response:
        message = new_message(self._world, mailbox)
        if problem := apply(message, body, draft=True):
            return problem
        mailbox.messages[message.id] = message
        self._world.mark(mailbox, message)
        self._world.changed = True
        return Response(201, shown(message, {}))

    def _answer(
        self, mailbox: Mailbox, parent: Message, body: dict[str, Any], prefix: str, *, to_all: bool = False
    ) -> Response:
        lowered = {name.lower(): value for name, value in body.items()}
        given = lowered.get("message") or {}
        if lowered.get("comment") and given.get("body"):
            return error(400, "ErrorInvalidRequest", "Give either a comment or a message body.")
        message = new_message(self._world, mailbox)
        subject = parent.data["subject"]
        message.data["subject"] = (
            subject if subject.upper().startswith(f"{prefix}:") else f"{prefix}: {subject}"
        )
        # A reply to one's own sent email goes to oneself. Only reply-all goes to its recipients.
        own = [{"emailAddress": {"address": mailbox.address, "name": mailbox.name}}]
        if prefix == "RE":
            message.data["toRecipients"] = list(parent.data["toRecipients"]) if to_all else own
        if not parent.data["isDraft"]:
            message.data["conversationId"] = parent.data["conversationId"]
            message.in_reply_to = parent.data["internetMessageId"]
            before = parent.references or parent.in_reply_to
            message.references = f"{before} {message.in_reply_to}".strip()
        if not self._world.switch(mailbox, "replies_take_properties"):
            given = {name: each for name, each in given.items() if name != "singleValueExtendedProperties"}
        if problem := apply(message, given, draft=True):
            return problem
        if self._world.switch(mailbox, "replies_quote"):
            message.data["body"]["content"] += parent.data["body"]["content"]
        mailbox.messages[message.id] = message
        self._world.mark(mailbox, message)
        self._world.changed = True
        return Response(201, shown(message, {}))

    def _send(self, mailbox: Mailbox, message: Message, request: Request) -> Response:
        token = request.headers.get("authorization", "")
        if not (
            message.data["toRecipients"] or message.data["ccRecipients"] or message.data["bccRecipients"]
        ):
            return error(400, "ErrorInvalidRecipients", "At least one recipient is not valid.")
        if message.accepted_at is not None or not message.data["isDraft"]:
            after = ", after a refusal" if message.refused else ""
            self._world.violations.append(f"{mailbox.address}: an accepted item was submitted again{after}")
            match str(self._world.switch(mailbox, "second_send")):
                case "400":
                    return error(400, "ErrorInvalidRequest", "The item cannot be sent.")
                case "202":
                    return Response(202)
                case "duplicate":
                    self._world.leave(mailbox, message, "graph", token)
                    return Response(202)
            return error(404, "ErrorItemNotFound", "The specified object was not found in the store.")
        if self._world.switch(mailbox, "reply_properties"):
            message.in_reply_to = message.properties.get(IN_REPLY_TO, message.in_reply_to)
            message.references = message.properties.get(REFERENCES, message.references)
        self._world.accept(mailbox, message, token)
        return Response(202, headers={"request-id": secrets.token_hex(16)})
