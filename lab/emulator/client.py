"""A client for the control API, for tests, drills and the demo."""

from types import TracebackType
from typing import Any, Self

import httpx

from lab.emulator.records import Arrival, LedgerEntry


class ControlError(Exception):
    """The emulator refused a control request. The text is the emulator's."""


class EmulatorControl:
    """``base_url``: the emulator's. Synchronous; threads may share it."""

    def __init__(self, base_url: str) -> None:
        self._http = httpx.Client(base_url=f"{base_url.rstrip('/')}/_control", timeout=30, trust_env=False)

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def reset(self) -> None:
        """Reset the world."""
        self._call("POST", "/reset", {})

    def add_mailboxes(self, *mailboxes: dict[str, Any]) -> list[dict[str, Any]]:
        """Add or change users: ``{"address", "name", "purpose", "refusal", "granted", …}``."""
        answer: list[dict[str, Any]] = self._call("POST", "/mailboxes", {"mailboxes": list(mailboxes)})
        return answer

    def addresses(self) -> set[str]:
        """Return the addresses of all users."""
        return set(self._call("GET", "/mailboxes"))

    def refresh_token(self, address: str, scopes: str | None = None, client_id: str = "onbehalf") -> str:
        """Return a refresh token, as after a sign-in."""
        body = {
            "address": address,
            "client_id": client_id,
            **({"scopes": scopes} if scopes is not None else {}),
        }
        return str(self._call("POST", "/refresh-tokens", body)["refresh_token"])

    def switch(self, mailbox: str | None = None, **switches: Any) -> None:
        """Set switches for the world or for one mailbox."""
        self._call("POST", "/switches", {"mailbox": mailbox, "switches": switches})

    def fault(self, route: str, **values: Any) -> int:
        """Script a fault (``emulator.faults.Fault``); returns its id."""
        return int(self._call("POST", "/faults", {"route": route, **values})["id"])

    def faults(self) -> list[dict[str, Any]]:
        """Return all scripted faults, with how often each was used."""
        answer: list[dict[str, Any]] = self._call("GET", "/faults")
        return answer

    def clear_faults(self) -> None:
        """Remove all faults."""
        self._call("DELETE", "/faults")

    def ledger(self, since: int = 0) -> list[LedgerEntry]:
        """Return the emails that left, from entry ``since`` on."""
        return [LedgerEntry(**each) for each in self._call("GET", f"/ledger?since={since}")]

    def messages(self, mailbox: str) -> list[dict[str, Any]]:
        """Return everything in a mailbox, with folder, extended properties and whether a copy has left."""
        answer: list[dict[str, Any]] = self._call("GET", f"/messages?mailbox={mailbox}")
        return answer

    def delete(self, mailbox: str, item_id: str) -> bool:
        """Delete an item as the mailbox's owner would."""
        return bool(self._call("POST", "/delete", {"mailbox": mailbox, "id": item_id})["deleted"])

    def revoke(self, address: str) -> int:
        """Revoke all of a user's sessions and tokens."""
        return int(self._call("POST", "/revoke", {"address": address})["revoked"])

    def approve(self, mailbox: str) -> None:
        """Consent for the mailbox's whole tenant, like an administrator in Entra's portal: nobody returns to the app."""
        self._call("POST", "/approve", {"mailbox": mailbox})

    def app_access(self, mailbox: str, **values: Any) -> None:
        """Set what the application may do in the mailbox's tenant by itself: ``lab/emulator/app_only.py``, ``configure``."""
        self._call("POST", "/app-access", {"mailbox": mailbox, "values": values})

    def identities(self, **values: Any) -> None:
        """Set what the app's registration trusts, and the identities of hosts: ``lab/emulator/identity.py``, ``configure``."""
        self._call("POST", "/identities", values)

    def rename(self, address: str, to: str) -> None:
        """Change an account's primary address; the old one becomes an alias."""
        self._call("POST", "/rename", {"address": address, "to": to})

    def deliver(self, mailbox: str, **values: Any) -> str:
        """Deliver an email to a mailbox's inbox: from, subject, body, conversation_id."""
        return str(self._call("POST", "/deliver", {"mailbox": mailbox, **values})["id"])

    def incoming(self, mailbox: str, **values: Any) -> str:
        """Put any mail into a mailbox, now or later; returns the item's id. ``values``: ``lab/emulator/incoming.py``, ``accept``.

        ``sender`` stands for ``from``.
        """
        if "sender" in values:
            values["from"] = values.pop("sender")
        if isinstance(values.get("raw"), bytes):
            values["raw"] = values["raw"].decode("latin-1")
        return str(self._call("POST", "/incoming", {"mailbox": mailbox, "values": values})["id"])

    def wrote_by_hand(self, mailbox: str, to: str, **values: Any) -> str:
        """The mailbox's owner writes an email without us: an item in Sent Items with no correlation id; returns its id."""
        return str(
            self._call("POST", "/wrote-by-hand", {"mailbox": mailbox, "to": to, "values": values})["id"]
        )

    def newsletters(self, mailbox: str, count: int, **values: Any) -> list[str]:
        """Put foreign mail that concerns nobody into a mailbox; returns the items' ids."""
        body = {"mailbox": mailbox, "count": count, "values": values}
        return [str(each) for each in self._call("POST", "/newsletters", body)["ids"]]

    def behaviour(self, address: str, *, kind: str, after: float = 0.0, **values: Any) -> None:
        """Let an address do something by itself with each email of ours: ``lab/emulator/records.py``, ``Behaviour``.

        ``*@example.org`` and ``*`` stand for addresses that have none of their own.
        """
        given = {"kind": kind, "after": after, **values}
        self._call("POST", "/behaviour", {"address": address, "values": given})

    def forget_history(self) -> None:
        """Let all of Gmail's history ids of before be too old, as after a week."""
        self._call("POST", "/forget-history", {})

    def push_to(self, url: str, *, topic: str, account: str, audience: str = "") -> None:
        """Have a topic's messages pushed to an address, with tokens of this service account."""
        body = {"url": url, "topic": topic, "account": account, "audience": audience}
        self._call("POST", "/push-subscriptions", body)

    def push_token(self, topic: str, **claims: Any) -> str:
        """Return a token that Google signs for a topic's pushes; ``claims`` replace its own."""
        return str(self._call("POST", "/push-tokens", {"topic": topic, "claims": claims})["token"])

    def clear_behaviours(self) -> None:
        """Let nobody answer any more. What is on its way still arrives."""
        self._call("DELETE", "/behaviour")

    def arrivals(self, since: int = 0) -> list[Arrival]:
        """Return what reached mailboxes, and when, from entry ``since`` on."""
        return [Arrival(**each) for each in self._call("GET", f"/arrivals?since={since}")]

    def stats(self) -> dict[str, Any]:
        """Return requests by route, acceptance times by mailbox, the most concurrent requests, violations, and what is still to come."""
        answer: dict[str, Any] = self._call("GET", "/stats")
        return answer

    def certificate(self) -> str:
        """Return the SMTP server's certificate as PEM."""
        return str(self._call("GET", "/certificate")["pem"])

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        answer = self._http.request(method, path, json=body)
        if answer.status_code != 200:
            raise ControlError(f"{method} {path}: {answer.text}")
        return answer.json()
