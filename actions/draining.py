"""The drain of a withdrawal (V2): wait for what had passed the gate, and have workers remove the drafts of what is stuck.

After a moment the drafts go, so that a late request finds nothing to send.
"""

import time
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from actions import errands
from app.runtime import Runtime
from db.sending import test_emails
from db.withdrawing import drain, last_tokens
from db.withdrawing.withdrawals import Scope
from domain.connection import TRACEABLE
from domain.errands import BEGINS_WITHIN, ErrandKind
from domain.withdrawal import RECALL_AFTER

_POLL = 0.1
_AT_ONCE = 8  # drafts; one mailbox's are removed one at a time, and others' errands need their turn


class _Asking:
    """The errands of this withdrawal, each asked for once. If no worker answers, emails in doubt stay so and are named."""

    def __init__(self, runtime: Runtime, actor: str, deadline: float) -> None:
        self._runtime, self._actor, self.deadline = runtime, actor, deadline
        self._known: set[tuple[ErrandKind, UUID]] = set()
        self._asked: errands.Asked | None = None

    def once(self, kind: ErrandKind, scope: Scope, found: Sequence[drain.InFlight]) -> None:
        """Ask for errands that are new and that a worker can do."""
        left = self.deadline - time.monotonic()
        able = {(kind, each.delivery_id) for each in found if each.provider in TRACEABLE}
        new = sorted(able - self._known)
        if not new or left <= 0 or self.silent:
            return
        self._known.update(new)
        self._ask(kind, scope, [delivery_id for _, delivery_id in new], left)

    def of_mailboxes(self, kind: ErrandKind, scope: Scope, mailbox_ids: Sequence[UUID]) -> None:
        """Ask for errands about mailboxes."""
        left = self.deadline - time.monotonic()
        if left > 0:
            self._ask(kind, scope, mailbox_ids, left)

    def _ask(self, kind: ErrandKind, scope: Scope, subjects: Sequence[UUID], left: float) -> None:
        asked = errands.ask(
            self._runtime,
            scope.organization_id,
            kind,
            *subjects,
            actor=self._actor,
            begin_within=min(BEGINS_WITHIN, timedelta(seconds=left)),
        )
        if self._asked is None:
            self._asked = asked
        else:
            self._asked.add(asked)

    @property
    def silent(self) -> bool:
        """Has one of them not been begun in time?"""
        return self._asked is not None and self._asked.silent

    def pending(self) -> bool:
        """Is one of them running, or may a worker still begin it?"""
        return self._asked is not None and self._asked.pending()

    def wait(self) -> None:
        """Wait until all have ended, or this withdrawal must answer."""
        while self.pending() and time.monotonic() < self.deadline:
            time.sleep(_POLL)

    def give_up(self) -> None:
        if self._asked is not None:
            self._asked.give_up()


def drain_scopes(runtime: Runtime, scopes: Sequence[Scope], actor: str, deadline: float) -> set[UUID]:
    """V2: wait for emails past the gate; after a moment, remove their drafts, each once. Returns the deliveries past the gate."""
    recall_at = time.monotonic() + RECALL_AFTER.total_seconds()
    asked = _Asking(runtime, actor, deadline)
    seen: set[UUID] = set()
    while time.monotonic() < deadline:
        with runtime.database.transaction() as tx:
            open_sends = [(scope, drain.in_flight(tx, scope)) for scope in scopes]
            seen.update(each.delivery_id for _, found in open_sends for each in found)
            # The reconciler looks for emails in doubt and may take minutes. Recall their drafts now, and name them.
            testing = any(
                test_emails.on_the_way(tx, scope.mailbox_ids) for scope in scopes if scope.whole_mailboxes
            )
        patient = time.monotonic() < recall_at
        for scope, found in open_sends:
            asked.once(
                ErrandKind.RECALL_DRAFT,
                scope,
                [each for each in found if not (patient and each.state == "sending")],
            )
        sending = any(each.state == "sending" for _, found in open_sends for each in found)
        if not testing and not sending and not asked.pending():
            break
        time.sleep(_POLL)
    _last_requests(runtime, scopes, asked)
    return seen


def _last_requests(runtime: Runtime, scopes: Sequence[Scope], asked: _Asking) -> None:
    """Search once more and remove drafts in mailboxes whose tokens are erased: afterwards nobody can."""
    erased = [scope for scope in scopes if scope.last_tokens]
    with runtime.database.transaction() as tx:
        in_flight = [(scope, drain.in_flight(tx, scope)) for scope in erased]
        # A courtesy, not a safety measure: the gate refuses these forever.
        left = [(scope, drain.drafts_left(tx, scope)) for scope in erased]
    for scope, found in in_flight:
        asked.once(ErrandKind.SEARCH_ONCE_MORE, scope, [each for each in found if each.state == "in_doubt"])
    asked.wait()
    for scope, found in left:
        for first in range(0, len(found), _AT_ONCE):
            asked.once(ErrandKind.RECALL_DRAFT, scope, found[first : first + _AT_ONCE])
            asked.wait()
    if not asked.silent:
        for scope in erased:
            _end_access(runtime, scope, asked)
    asked.give_up()


def _end_access(runtime: Runtime, scope: Scope, asked: _Asking) -> None:
    """Have our access end at the provider too, now that nothing is left to ask there. It matters to nobody's safety."""
    with runtime.database.transaction() as tx:
        boxes = last_tokens.at_google(tx, scope.last_tokens)
    if boxes:
        asked.of_mailboxes(ErrandKind.REVOKE_ACCESS, scope, boxes)
        asked.wait()
