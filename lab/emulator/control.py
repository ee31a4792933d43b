"""The control API: ``/_control/…``, for tests, drills and the demo. Bad requests get a clear error."""

import time
from dataclasses import asdict
from typing import Any

from lab.emulator.answers import KINDS
from lab.emulator.entra import Entra
from lab.emulator.entra_refusals import REFUSALS
from lab.emulator.faults import Faults
from lab.emulator.gmail import Gmail
from lab.emulator.google import DEFAULT_SCOPES as GOOGLE_SCOPES
from lab.emulator.google import Google
from lab.emulator.google_refusals import TOKEN_REFUSALS
from lab.emulator.graph import Graph
from lab.emulator.http import Request, Response
from lab.emulator.incoming import Incoming
from lab.emulator.noise import newsletters
from lab.emulator.records import Behaviour
from lab.emulator.reports import STYLES
from lab.emulator.switches import SWITCHES
from lab.emulator.world import FOLDERS, Mailbox, World

DEFAULT_SCOPES = "User.Read Mail.ReadWrite Mail.Send MailboxSettings.Read"
_SETTABLE = {
    "name", "password", "purpose", "enabled", "has_mailbox", "time_zone", "working_hours", "automatic_replies",
    "switches", "refusal", "granted", "user_principal_name", "aliases", "guest_of", "tenant_id", "google", "vacation",
    "signature",
}  # fmt: skip


class Control:
    """Handles ``/_control``."""

    def __init__(
        self,
        world: World,
        faults: Faults,
        entra: Entra,
        graph: Graph,
        incoming: Incoming,
        google: Google,
        gmail: Gmail,
    ) -> None:
        self._world, self._faults, self._entra, self._graph = world, faults, entra, graph
        self._incoming, self._google, self._gmail = incoming, google, gmail

    def handle(self, request: Request) -> Response:
        """Handle one request."""
        segments = request.segments[1:]
        try:
            body = request.json()
            return Response(200, self._act(request, request.method, "/".join(segments[:2]), body))
        except KeyError as error:
            return Response(400, {"error": f"missing or unknown: {error.args[0]}"})
        except ValueError as error:
            return Response(400, {"error": str(error)})

    def _act(self, request: Request, method: str, verb: str, body: Any) -> Any:
        world = self._world
        match method, verb:
            case "POST", "reset":
                world.reset()
                self._faults.clear()
                self._entra.identities.clear()
                self._graph.deltas.forget()
                self._graph.subscriptions.clear()
                self._gmail.history.forget()
                self._gmail.pubsub.clear()
                return {}
            case "POST", "push-subscriptions":
                return self._gmail.pubsub.subscribe(body)
            case "POST", "push-tokens":
                return {"token": self._gmail.pubsub.token_of(body["topic"], body["claims"])}
            case "POST", "forget-history":
                self._gmail.history.forget()
                return {}
            case "POST", "forget-deltas":
                self._graph.deltas.forget()
                return {}
            case "POST", "lifecycle":
                mailbox = self._known(body["mailbox"])
                return {"notified": self._graph.subscriptions.lifecycle(mailbox, str(body["event"]))}
            case "POST", "identities":
                self._entra.identities.configure(body)
                return {}
            case "POST", "mailboxes":
                return [self._mailbox(each) for each in body["mailboxes"]]
            case "GET", "mailboxes":
                return sorted(world.mailboxes)
            case "POST", "refresh-tokens":
                google = self._known(body["address"]).google
                scopes = body.get("scopes", GOOGLE_SCOPES if google else DEFAULT_SCOPES)
                issue = self._google.issue_refresh_token if google else self._entra.issue_refresh_token
                return {"refresh_token": issue(body["address"], scopes, body.get("client_id", ""))}
            case "POST", "switches":
                if unknown := set(body["switches"]) - set(SWITCHES):
                    raise ValueError(f"no such switch: {min(unknown)}; there are {', '.join(SWITCHES)}")
                target = self._known(body["mailbox"]).switches if body.get("mailbox") else world.switches
                target.update(body["switches"])
                return target
            case "POST", "faults":
                return asdict(self._faults.add(**body))
            case "GET", "faults":
                return self._faults.listed()
            case "DELETE", "faults":
                self._faults.clear()
                return {}
            case "GET", "ledger":
                world.settle_all()
                since = int(request.query.get("since", "0"))
                return [asdict(entry) for entry in world.ledger[since:]]
            case "GET", "messages":
                mailbox = self._known(request.query["mailbox"])
                world.settle(mailbox)
                return [
                    {
                        "folder": each.folder,
                        "properties": each.properties,
                        "copied": each.copied_at is not None,
                        **each.data,
                    }
                    for each in mailbox.messages.values()
                ]
            case "POST", "delete":
                mailbox = self._known(body["mailbox"])
                return {"deleted": mailbox.messages.pop(body["id"], None) is not None}
            case "POST", "revoke":
                return self._revoke(self._known(body["address"]))
            case "POST", "approve":
                scopes = " ".join(f"https://graph.microsoft.com/{each}" for each in DEFAULT_SCOPES.split())
                self._entra.approve(self._known(body["mailbox"]).tenant_id, scopes)
                return {}
            case "POST", "app-access":
                self._entra.app_only.configure(self._known(body["mailbox"]).tenant_id, body["values"])
                return {}
            case "POST", "rename":
                _rename(world, self._known(body["address"]), str(body["to"]))
                return {}
            case "POST", "deliver":
                return self._deliver(self._known(body["mailbox"]), body)
            case "POST", "incoming":
                mailbox, values = self._known(body["mailbox"]), body["values"]
                came = {"id": self._incoming.accept(mailbox, values)}
                if mailbox.google:
                    self._gmail.history.note(mailbox)
                return came
            case "POST", "wrote-by-hand":
                mailbox = self._known(body["mailbox"])
                own = {"from": mailbox.address, "from_name": mailbox.name, "to": [body["to"]]}
                own |= {"folder": "sentitems", "kind": "wrote_by_hand", "person": body["to"].lower()}
                return {"id": self._incoming.accept(mailbox, own | body["values"])}
            case "POST", "newsletters":
                mailbox = self._known(body["mailbox"])
                letters = newsletters(int(body["count"]), body.get("values") or {})
                return {"ids": [self._incoming.accept(mailbox, each) for each in letters]}
            case "POST", "behaviour":
                return self._behave(str(body["address"]), body["values"])
            case "DELETE", "behaviour":
                world.behaviours.clear()
                return {}
            case "GET", "arrivals":
                world.settle_all()
                return [asdict(each) for each in world.arrivals[int(request.query.get("since", "0")) :]]
            case "GET", "stats":
                return self._stats()
        raise ValueError(f"no such verb: {method} /_control/{verb}")

    def _mailbox(self, values: dict[str, Any]) -> dict[str, Any]:
        address = values["address"]
        if unknown := set(values) - _SETTABLE - {"address"}:
            raise ValueError(
                f"a mailbox has no field {min(unknown)}; there are {', '.join(sorted(_SETTABLE))}"
            )
        refusals = {*REFUSALS, *TOKEN_REFUSALS}
        if values.get("refusal") and values["refusal"] not in refusals:
            raise ValueError(f"no such refusal: {values['refusal']}; there are {', '.join(sorted(refusals))}")
        mailbox = self._world.add_mailbox(
            address, **{name: values[name] for name in values if name != "address"}
        )
        return {"address": mailbox.address, "user_id": mailbox.user_id, "tenant_id": mailbox.tenant_id}

    def _known(self, address: str) -> Mailbox:
        mailbox = self._world.mailboxes.get(address.lower())
        if mailbox is None:
            raise ValueError(f"no such mailbox: {address}")
        return mailbox

    def _revoke(self, mailbox: Mailbox) -> dict[str, int]:
        revoked = 0
        for token in (*self._world.refresh.values(), *self._world.access.values()):
            if token.address == mailbox.address and not token.revoked:
                token.revoked = True
                revoked += 1
        return {"revoked": revoked}

    def _deliver(self, mailbox: Mailbox, body: dict[str, Any]) -> dict[str, Any]:
        values = {"from": body["from"], "subject": body.get("subject", ""), "html": body.get("body", "")}
        conversation = {"conversation_id": body["conversation_id"]} if body.get("conversation_id") else {}
        return {"id": self._incoming.accept(mailbox, values | conversation)}

    def _behave(self, address: str, values: dict[str, Any]) -> dict[str, Any]:
        try:
            behaviour = Behaviour(**values)
        except TypeError as error:
            raise ValueError(f"a behaviour has no such field: {error}") from None
        if behaviour.kind not in KINDS:
            raise ValueError(f"no such behaviour: {behaviour.kind}; there are {', '.join(KINDS)}")
        if behaviour.style not in STYLES:
            raise ValueError(f"no such style: {behaviour.style}; there are {', '.join(STYLES)}")
        held = self._world.behaviours.setdefault(address.lower(), [])
        held.append(behaviour)
        return {"behaviours": len(held)}

    def _stats(self) -> dict[str, Any]:
        world = self._world
        world.settle_all()
        return {
            "now": time.monotonic(),
            "requests": world.requests,
            "accepted": {each.address: each.accepted for each in world.mailboxes.values() if each.accepted},
            "accepted_total": world.accepted_total,
            "most_at_once": {each.address: each.most_in_flight for each in world.mailboxes.values()},
            "in_flight": sum(each.in_flight for each in world.mailboxes.values()),
            "coming": len(world.pending),
            "violations": world.violations,
            "folders": {
                folder: sum(
                    m.folder == folder for each in world.mailboxes.values() for m in each.messages.values()
                )
                for folder in FOLDERS
            },
        }


def _rename(world: World, mailbox: Mailbox, address: str) -> None:
    """Change the primary address, as after a marriage: the account is the same, the old address becomes an alias."""
    before, mailbox.address = mailbox.address, address.lower()
    mailbox.aliases = [*mailbox.aliases, before]
    world.mailboxes[mailbox.address] = world.mailboxes.pop(before)
    for token in (*world.access.values(), *world.refresh.values()):
        if token.address == before:
            token.address = mailbox.address
    world.changed = True
