"""People at work while everything breaks: they permit, withdraw, pause, resume, reply and unsubscribe.

All is journaled.
"""

import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from uuid import UUID

from sqlalchemy import text

from actions import grants, holds, members, resume, withdraw
from actions.connect import connect_mailbox
from app.runtime import Runtime
from db.core.session import DatabaseUnavailable, retry_while_unavailable
from db.withdrawing.holds import Whose
from domain.errors import NotPermitted, OnbehalfError
from domain.holds import Level
from domain.withdrawal import WithdrawalResult
from lab.drills.company import Desk, connect_by_smtp
from lab.nemesis.arena import Arena
from lab.nemesis.background import Background
from lab.nemesis.providers import tidy
from lab.tenants import join

ACTOR = "driver"
_TRIES = 8
_LASTS = 3.0  # seconds that a hold lasts at most: meanwhile everybody whom it concerns sends nothing
_AIMS_FOR = 3.0  # seconds


@dataclass(frozen=True, slots=True)
class Errand:
    """``at`` seconds after the start, somebody at desk ``desk`` does ``kind``, and undoes it ``back`` seconds later.

    ``aimed``: at whichever desk it hurts most at that moment, instead of ``desk``.
    """

    at: float
    kind: str
    desk: int
    person: int
    back: float | None
    aimed: bool


_KINDS = {
    "revoke": 5, "disconnect": 3, "pause": 3, "reply": 6, "unsubscribe": 3, "pause_person": 2, "mailbox_owner_leaves": 1,
    "tidy": 4, "hold_mailbox": 3, "hold_organization": 1,
}  # fmt: skip


def draw(chance: random.Random, seconds: float, desks: int, people: int) -> list[Errand]:
    """Draw about one errand a second, over all desks. Half of them are aimed."""
    errands, at = [], 1.0
    while at < seconds - 2:
        kind = chance.choices(list(_KINDS), list(_KINDS.values()))[0]
        back = chance.uniform(0.5, 6) if chance.random() < 0.75 else None
        desk, person, aimed = chance.randrange(desks), chance.randrange(people), chance.random() < 0.5
        errands.append(Errand(round(at, 2), kind, desk, person, back, aimed))
        at += chance.uniform(0.4, 1.6)
    return errands


class Driver(Background[Errand]):
    """Runs errands on threads, one at a time per desk, so that it is never unclear what is permitted."""

    def __init__(self, arena: Arena) -> None:
        super().__init__("driver", 10, self._do)
        self._arena = arena
        self._locks = [threading.Lock() for _ in arena.company.desks]

    def _do(self, errand: Errand) -> None:
        errand = self._aim(errand) if errand.aimed else errand
        with self._locks[errand.desk]:
            desk = self._arena.company.desks[errand.desk]
            act: Callable[[Desk, Errand], None] = getattr(self, f"_{errand.kind}")
            act(desk, errand)

    def _aim(self, errand: Errand) -> Errand:
        """Pick a desk and a person whose email is in flight right now (for ``tidy``: is searched for)."""
        state = "in_doubt" if errand.kind == "tidy" else "sending"
        until = time.monotonic() + _AIMS_FOR
        while time.monotonic() < until:
            for mailbox_id, enrollment_id in retry_while_unavailable(partial(self._in_state, state), 30):
                number, desk = next(
                    (number, each)
                    for number, each in enumerate(self._arena.company.desks)
                    if each.mailbox_id == mailbox_id
                )
                if not self._locks[number].locked():
                    people = [each.enrollment_id for each in desk.people]
                    return replace(errand, desk=number, person=people.index(enrollment_id))
            time.sleep(0.03)
        return errand

    def _in_state(self, state: str) -> list[tuple[UUID, UUID]]:
        with self._arena.direct.transaction() as tx:
            rows = tx.execute(
                text("SELECT mailbox_id, enrollment_id FROM deliveries WHERE state = :state LIMIT 20"),
                {"state": state},
            )
            return [(row.mailbox_id, row.enrollment_id) for row in rows]

    def _revoke(self, desk: Desk, errand: Errand) -> None:
        _, grant, _ = desk.keys
        standing = self._grant(desk)
        if standing is None:
            return
        self._withdraw("revoke", [grant], lambda: withdraw.revoke_grant(self._runtime, standing, actor=ACTOR))
        if errand.back is not None:
            time.sleep(errand.back)
            self._give_back(desk)

    def _disconnect(self, desk: Desk, errand: Errand) -> None:
        mailbox, grant, _ = desk.keys
        self._withdraw(
            "disconnect",
            [mailbox, grant],
            lambda: withdraw.disconnect_mailbox(self._runtime, desk.mailbox_id, actor=ACTOR),
        )
        if errand.back is not None:
            time.sleep(errand.back)
            self._reconnect(desk)
            self._give_back(desk)

    def _mailbox_owner_leaves(self, desk: Desk, errand: Errand) -> None:
        mailbox, grant, _ = desk.keys
        self._withdraw(
            "deactivate",
            [mailbox, grant],
            lambda: withdraw.deactivate_member(self._runtime, desk.mailbox_owner_id, actor=ACTOR),
        )
        if errand.back is not None:
            time.sleep(errand.back)
            self._permit(
                "reactivate",
                [],
                lambda: members.reactivate_member(self._runtime, desk.mailbox_owner_id, actor=ACTOR),
            )
            self._reconnect(desk)
            self._give_back(desk)

    def _pause(self, desk: Desk, errand: Errand) -> None:
        *_, sequence = desk.keys
        self._withdraw(
            "pause",
            [sequence],
            lambda: withdraw.pause_sequence(self._runtime, desk.sequence_id, actor=ACTOR, reason="a test"),
        )
        if errand.back is not None:
            time.sleep(errand.back)
            self._resume(desk)

    def _reply(self, desk: Desk, errand: Errand) -> None:
        person = desk.people[errand.person]
        self._withdraw(
            "reply",
            [f"enrollment:{person.enrollment_id}"],
            lambda: withdraw.stop_enrollment(
                self._runtime, person.enrollment_id, actor=ACTOR, reason="replied"
            ),
        )

    def _unsubscribe(self, desk: Desk, errand: Errand) -> None:
        person = desk.people[errand.person]
        self._withdraw(
            "unsubscribe",
            [f"candidate:{person.candidate_id}"],
            lambda: withdraw.suppress_candidate(
                self._runtime, person.candidate_id, actor=ACTOR, reason="unsubscribed"
            ),
        )

    def _pause_person(self, desk: Desk, errand: Errand) -> None:
        person = desk.people[errand.person]
        key = f"enrollment:{person.enrollment_id}"
        self._withdraw(
            "pause_person",
            [key],
            lambda: withdraw.pause_enrollment(
                self._runtime, person.enrollment_id, actor=ACTOR, reason="a test"
            ),
        )
        if errand.back is not None:
            time.sleep(errand.back)
            self._permit(
                "resume_person",
                [key],
                lambda: resume.resume_enrollment(self._runtime, person.enrollment_id, actor=ACTOR),
            )

    def _hold_mailbox(self, desk: Desk, errand: Errand) -> None:
        """An operator holds a mailbox, and always lets it go on."""
        self._hold(Whose(self._arena.company.id, desk.mailbox_id), f"hold:{desk.mailbox_id}", errand)

    def _hold_organization(self, _desk: Desk, errand: Errand) -> None:
        """The same with all mailboxes, while other errands go on at the other desks."""
        self._hold(Whose(self._arena.company.id), f"hold:{self._arena.company.id}", errand)

    def _hold(self, whose: Whose, key: str, errand: Errand) -> None:
        level = Level.OPERATOR
        self._withdraw(
            "hold",
            [key],
            lambda: holds.hold(self._runtime, whose, level=level, actor=ACTOR, reason="a test"),
        )
        time.sleep(min(errand.back or _LASTS, _LASTS))
        self._permit(
            "release",
            [key],
            lambda: holds.release(self._runtime, whose, level=level, actor=ACTOR),
            tries=60,  # nothing else ends it, not even one whose answer was lost
        )

    def _tidy(self, desk: Desk, _errand: Errand) -> None:
        """The mailbox's owner empties Sent Items."""
        tidy(self._arena, desk.address)

    def _reconnect(self, desk: Desk) -> None:
        mailbox, *_ = desk.keys
        if desk.by_smtp:
            port = self._arena.links["mail"].port
            self._permit(
                "reconnect",
                [mailbox],
                lambda: connect_by_smtp(self._runtime, desk.mailbox_id, desk.address, port),
            )
            return
        if desk.of_tenant:
            self._permit(
                "reconnect",
                [mailbox],
                lambda: join(self._runtime, self._arena.control, desk.address, actor=ACTOR),
            )
            return
        self._permit(
            "reconnect",
            [mailbox],
            lambda: connect_mailbox(
                self._runtime,
                desk.mailbox_id,
                refresh_token=self._arena.known_mailbox(desk.mailbox_id),
                actor=ACTOR,
                provider=desk.provider,
            ),
        )

    def _give_back(self, desk: Desk) -> None:
        _, grant, _ = desk.keys
        self._permit(
            "grant",
            [grant],
            lambda: grants.give_grant(
                self._runtime,
                mailbox_id=desk.mailbox_id,
                mailbox_owner_id=desk.mailbox_owner_id,
                grantee_id=desk.owner_id,
                actor=ACTOR,
            ),
        )
        # Usually after the pause has arrived, sometimes before.
        time.sleep(1)
        self._resume(desk)

    def _resume(self, desk: Desk) -> None:
        *_, sequence = desk.keys
        self._permit(
            "resume", [sequence], lambda: resume.resume_sequence(self._runtime, desk.sequence_id, actor=ACTOR)
        )

    def _withdraw(self, verb: str, forbids: Sequence[str], ask: Callable[[], WithdrawalResult]) -> None:
        for _ in range(_TRIES):
            try:
                with self._arena.journal.call(verb, forbids=forbids) as call:
                    answer = ask()
                    call.in_doubt = [str(each) for each in answer.in_doubt]
                    call.stopped, call.already_sent = answer.stopped, answer.already_sent
            except DatabaseUnavailable:
                time.sleep(1)
            except NotPermitted:
                return  # another errand has already ended it
            else:
                return

    def _permit(
        self, verb: str, permits: Sequence[str], ask: Callable[[], object], *, tries: int = _TRIES
    ) -> None:
        for _ in range(tries):
            try:
                with self._arena.journal.call(verb, permits=permits):
                    ask()
            except NotPermitted:
                return
            except OnbehalfError:
                time.sleep(1)  # the database or the provider is away: try again
            else:
                return

    def _grant(self, desk: Desk) -> UUID | None:
        def ask() -> UUID | None:
            with self._arena.direct.transaction() as tx:
                found: UUID | None = tx.execute(
                    text("SELECT id FROM grants WHERE mailbox_id = :id AND archived_at IS NULL LIMIT 1"),
                    {"id": desk.mailbox_id},
                ).scalar_one_or_none()
                return found

        return retry_while_unavailable(ask, 30)

    @property
    def _runtime(self) -> Runtime:
        return self._arena.runtime
