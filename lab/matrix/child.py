"""One job in its own process, which stops at one named point and does there what it is asked to.

``test_matrix`` uses it.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from typing import Any, TypeVar
from uuid import UUID

import time_machine

from actions import withdraw
from app.broker import Broker
from app.runtime import Runtime
from config import Settings
from db.core.session import Database, Transaction
from domain.jobs import ReconcileDelivery, SendStep
from domain.message import OutgoingMessage
from observability import configure_logging
from scheduler import due_steps, outbox_relay
from transports.base import Accepted, Draft, Found, MailboxFacts, Thread, Traceable, Transport
from transports.entra import Entra
from transports.entra_app import EntraApp
from transports.google import Google
from workers import fan_out, notify_owner, pause_sequence, reconcile_delivery, send_step

_T = TypeVar("_T")
APPLICATION = "onbehalf-matrix-child"

# Every job, as its process runs it. ``number`` is the message's dispatch number, if there is one.
JOBS: dict[str, Callable[[Runtime, UUID, int], object]] = {
    "send": lambda runtime, subject, number: send_step.send(runtime, SendStep(subject, number)),
    "renew a token": lambda runtime, subject, number: send_step.send(runtime, SendStep(subject, number)),
    "reconcile": lambda runtime, subject, number: reconcile_delivery.reconcile(
        runtime, ReconcileDelivery(subject, number)
    ),
    "revoke": lambda runtime, subject, _: withdraw.revoke_grant(runtime, subject, actor="matrix"),
    "fan out": lambda runtime, subject, _: fan_out.spread(runtime, subject),
    "pause": lambda runtime, subject, _: pause_sequence.pause(runtime, subject),
    "notify": lambda runtime, subject, _: notify_owner.notify(runtime, subject),
    "tick": lambda runtime, _, __: due_steps.tick(runtime.database, broker_of(runtime)),
    "relay": lambda runtime, _, __: outbox_relay.relay(runtime.database, broker_of(runtime)),
}


class InjectedError(Exception):
    """An unexpected exception."""


class Meeting:
    """The one point at which this process waits for orders."""

    def __init__(self, orders: Connection, point: str) -> None:
        self._orders, self._point, self._met = orders, point, False

    def reach(self, point: str) -> None:
        """Continue, unless this is the point and it is reached for the first time."""
        if point != self._point or self._met:
            return
        self._met = True
        self._orders.send(("at", time.monotonic()))
        match self._orders.recv():
            case "go":
                return
            case "raise":
                raise InjectedError(point)
            case ("clock", seconds):
                time_machine.travel(datetime.now(UTC) + timedelta(seconds=seconds), tick=True).start()


class MeetingDatabase(Database):
    """Numbers transactions from 1, with points before, inside and after each.

    Inside means that everything is written and nothing committed, unless it is a statement that commits by
    itself.
    """

    def __init__(self, url: str, meeting: Meeting) -> None:
        super().__init__(url, application=APPLICATION)
        self._meeting, self._count = meeting, 0

    def transaction(self) -> AbstractContextManager[Transaction]:  # type: ignore[override]  # any will do
        return self._meeting_at(super().transaction())

    def statement(self) -> AbstractContextManager[Transaction]:  # type: ignore[override]  # any will do
        return self._meeting_at(super().statement())

    @contextmanager
    def _meeting_at(self, work: AbstractContextManager[Transaction]) -> Iterator[Transaction]:
        self._count += 1
        number = self._count
        self._meeting.reach(f"before commit {number}")
        with work as tx:
            yield tx
            self._meeting.reach(f"inside commit {number}")
        self._meeting.reach(f"after commit {number}")


class MeetingCalls:
    """An object whose calls are points: before and after each call of ``names``."""

    def __init__(self, inner: object, meeting: Meeting, names: dict[str, str]) -> None:
        self._inner, self._meeting, self._names = inner, meeting, names

    def __getattr__(self, name: str) -> object:
        method = getattr(self._inner, name)
        label = self._names.get(name)
        if label is None:
            return method

        def call(*args: object, **kwargs: object) -> object:
            self._meeting.reach(f"before {label}")
            answer = method(*args, **kwargs)
            self._meeting.reach(f"after {label}")
            return answer

        return call


class MeetingTransport:
    """A transport whose draft, submission and search are points."""

    def __init__(self, inner: Traceable, meeting: Meeting) -> None:
        self._inner, self._meeting = inner, meeting

    def verify(self) -> MailboxFacts:
        return self._inner.verify()

    def prepare(self, message: OutgoingMessage, correlation_id: str, thread: Thread | None) -> Draft:
        return self._at("the draft", lambda: self._inner.prepare(message, correlation_id, thread))

    def send(self, draft: Draft) -> Accepted:
        return self._at("the submission", lambda: self._inner.send(draft))

    def find(self, correlation_id: str) -> Sequence[Found]:
        return self._at("the search", lambda: self._inner.find(correlation_id))

    def update(self, draft: Draft, message: OutgoingMessage) -> Draft:
        return self._inner.update(draft, message)

    def recall(self, draft_id: str) -> bool:
        return self._inner.recall(draft_id)

    def close(self) -> None:
        self._inner.close()

    def _at(self, label: str, call: Callable[[], _T]) -> _T:
        self._meeting.reach(f"before {label}")
        answer = call()
        self._meeting.reach(f"after {label}")
        return answer


class MeetingRuntime(Runtime):
    """Takes its tokens from a separate database, so that only the job's own commits are numbered."""

    def __init__(self, settings: Settings, meeting: Meeting) -> None:
        super().__init__(settings, MeetingDatabase(settings.database_url, meeting))
        self.meeting = meeting
        self._steady = Runtime(settings, Database(settings.database_url, application=APPLICATION))
        entra = Entra(settings.microsoft_client_id, settings.microsoft_client_secret, settings.entra_url)
        google = Google(settings.google_client_id, settings.google_client_secret, settings.google_url)
        for name, endpoint in (("entra", entra), ("google", google)):
            self._steady.__dict__[name] = MeetingCalls(endpoint, meeting, {"refresh": "the token request"})
        self._steady.__dict__["entra_app"] = MeetingCalls(
            EntraApp(settings), meeting, {"token": "the token request"}
        )

    def transport(self, mailbox_id: UUID, provider: str, **rest: Any) -> Transport:
        inner = self._steady.transport(mailbox_id, provider, **rest)
        assert isinstance(inner, Traceable)
        return MeetingTransport(inner, self.meeting)


def broker_of(runtime: Runtime) -> Broker:
    """A broker whose messages are points."""
    assert isinstance(runtime, MeetingRuntime)
    broker = Broker(runtime.settings.redis_url)
    return MeetingCalls(broker, runtime.meeting, {"enqueue": "the message"})  # type: ignore[return-value]


def main(orders: Connection, settings: Settings, job: str, subject: UUID, number: int, point: str) -> None:
    """Do the job and report how it ended."""
    configure_logging("json", "critical")
    runtime = MeetingRuntime(settings, Meeting(orders, point))
    if job == "notify":
        mail = notify_owner.mail

        def mail_with_points(*args: object) -> notify_owner.Mailed:
            runtime.meeting.reach("before the mail")
            state = mail(*args)  # type: ignore[arg-type]
            runtime.meeting.reach("after the mail")
            return state

        notify_owner.mail = mail_with_points  # type: ignore[assignment]  # takes the same arguments
    try:
        JOBS[job](runtime, subject, number)
        orders.send(("returned", time.monotonic()))
    except Exception as error:  # noqa: BLE001 - reported to the test
        orders.send(("raised", type(error).__name__))
