"""Runs one delivery in its own process and kills it, with SIGKILL, at one named point. Used by test_crash_points."""

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from uuid import UUID

from app.runtime import Runtime
from config import Settings
from db.core.session import Database, Transaction
from domain.jobs import SendStep
from domain.message import OutgoingMessage
from transports.base import Accepted, Draft, Found, MailboxFacts, Thread, Traceable, Transport
from workers.send_step import send


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class DyingDatabase(Database):
    """Dies before, inside or after its n-th transaction. C1 is a delivery's first, then C2, C3 and C4."""

    def __init__(self, url: str, at: str) -> None:
        super().__init__(url)
        self._at, self._count = at, 0

    def transaction(self) -> AbstractContextManager[Transaction]:  # type: ignore[override]  # any will do
        return self._dying(super().transaction())

    def statement(self) -> AbstractContextManager[Transaction]:  # type: ignore[override]  # any will do
        return self._dying(super().statement())

    @contextmanager
    def _dying(self, work: AbstractContextManager[Transaction]) -> Iterator[Transaction]:
        self._count += 1
        if self._at == f"before C{self._count}":
            die()
        with work as tx:
            yield tx
            if self._at == f"inside C{self._count}":
                die()
        if self._at == f"after C{self._count}":
            die()


class DyingTransport:
    """Dies before or after X1 (the draft) or X2 (the submission)."""

    def __init__(self, inner: Traceable, at: str) -> None:
        self._inner, self._at = inner, at

    def prepare(self, message: OutgoingMessage, correlation_id: str, thread: Thread | None) -> Draft:
        if self._at == "before X1":
            die()
        draft = self._inner.prepare(message, correlation_id, thread)
        if self._at == "after X1":
            die()
        return draft

    def send(self, draft: Draft) -> Accepted:
        if self._at == "before X2":
            die()
        accepted = self._inner.send(draft)
        if self._at == "after X2":
            die()
        return accepted

    def verify(self) -> MailboxFacts:
        return self._inner.verify()

    def find(self, correlation_id: str) -> Sequence[Found]:
        return self._inner.find(correlation_id)

    def update(self, draft: Draft, message: OutgoingMessage) -> Draft:
        return self._inner.update(draft, message)

    def recall(self, draft_id: str) -> bool:
        return self._inner.recall(draft_id)

    def close(self) -> None:
        self._inner.close()


class DyingRuntime(Runtime):
    """Takes its tokens from a database that does not die, so that only the delivery's own commits count."""

    def __init__(self, settings: Settings, at: str) -> None:
        super().__init__(settings, DyingDatabase(settings.database_url, at))
        self._at = at
        self._steady = Runtime(settings, Database(settings.database_url))

    def transport(self, mailbox_id: UUID, provider: str, **rest: Any) -> Transport:
        inner = self._steady.transport(mailbox_id, provider, **rest)
        assert isinstance(inner, Traceable)
        return DyingTransport(inner, self._at)


def main() -> None:
    at, delivery_id, dispatch_no = sys.argv[1:]
    send(DyingRuntime(Settings.from_environment(), at), SendStep(UUID(delivery_id), int(dispatch_no)))


if __name__ == "__main__":
    main()
