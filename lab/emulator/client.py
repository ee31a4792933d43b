"""A client of the control API, for tests, drills and the demo."""

from types import TracebackType
from typing import Any, Self

import httpx

from lab.emulator.world import LedgerEntry


class ControlError(Exception):
    """The emulator refused a control request; the text is its own."""


class EmulatorControl:
    """``base_url``: the emulator's. Synchronous, safe to share between threads."""

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
        """Forget everything."""
        self._call("POST", "/reset", {})

    def add_mailboxes(self, *mailboxes: dict[str, Any]) -> list[dict[str, Any]]:
        """Add or change users: ``{"address", "name", "purpose", "refusal", "granted", …}``."""
        answer: list[dict[str, Any]] = self._call("POST", "/mailboxes", {"mailboxes": list(mailboxes)})
        return answer

    def refresh_token(self, address: str, scopes: str | None = None, client_id: str = "onbehalf") -> str:
        """A refresh token as after a sign-in."""
        body = {
            "address": address,
            "client_id": client_id,
            **({"scopes": scopes} if scopes is not None else {}),
        }
        return str(self._call("POST", "/refresh-tokens", body)["refresh_token"])

    def switch(self, mailbox: str | None = None, **switches: Any) -> None:
        """Set switches, for the world or one mailbox."""
        self._call("POST", "/switches", {"mailbox": mailbox, "switches": switches})

    def fault(self, route: str, **values: Any) -> int:
        """Script a fault (``emulator.faults.Fault``); returns its id."""
        return int(self._call("POST", "/faults", {"route": route, **values})["id"])

    def faults(self) -> list[dict[str, Any]]:
        """All scripted faults, with how often each was used."""
        answer: list[dict[str, Any]] = self._call("GET", "/faults")
        return answer

    def clear_faults(self) -> None:
        """Forget all faults."""
        self._call("DELETE", "/faults")

    def ledger(self, since: int = 0) -> list[LedgerEntry]:
        """What left, from entry ``since`` on."""
        return [LedgerEntry(**each) for each in self._call("GET", f"/ledger?since={since}")]

    def messages(self, mailbox: str) -> list[dict[str, Any]]:
        """Everything in a mailbox, with folder, extended properties and whether a copy has left."""
        answer: list[dict[str, Any]] = self._call("GET", f"/messages?mailbox={mailbox}")
        return answer

    def delete(self, mailbox: str, item_id: str) -> bool:
        """Delete an item as its owner would."""
        return bool(self._call("POST", "/delete", {"mailbox": mailbox, "id": item_id})["deleted"])

    def revoke(self, address: str) -> int:
        """Revoke all sessions and tokens of a user."""
        return int(self._call("POST", "/revoke", {"address": address})["revoked"])

    def approve(self, mailbox: str) -> None:
        """Consent for the mailbox's whole tenant, as an administrator does in Entra's portal: nobody is sent back to the app."""
        self._call("POST", "/approve", {"mailbox": mailbox})

    def identities(self, **values: Any) -> None:
        """What the app's registration trusts, and the identities of hosts: ``lab/emulator/identity.py``, ``configure``."""
        self._call("POST", "/identities", values)

    def rename(self, address: str, to: str) -> None:
        """Give an account another primary address; the old one becomes an alias."""
        self._call("POST", "/rename", {"address": address, "to": to})

    def deliver(self, mailbox: str, **values: Any) -> str:
        """Deliver an email to a mailbox's inbox: from, subject, body, conversation_id."""
        return str(self._call("POST", "/deliver", {"mailbox": mailbox, **values})["id"])

    def stats(self) -> dict[str, Any]:
        """Requests by route, accepted times by mailbox, the most requests at once, violations seen."""
        answer: dict[str, Any] = self._call("GET", "/stats")
        return answer

    def certificate(self) -> str:
        """The SMTP server's certificate, PEM."""
        return str(self._call("GET", "/certificate")["pem"])

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        answer = self._http.request(method, path, json=body)
        if answer.status_code != 200:
            raise ControlError(f"{method} {path}: {answer.text}")
        return answer.json()
