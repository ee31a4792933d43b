"""Bugs that somebody could write one day, as changes to the product's text: the nemesis has to see each of them.

Each ``old`` occurs exactly once in its file (``tests/lab/exam/test_bugs.py``), so a bug cannot silently stop being planted.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Change:
    """Replace ``old`` by ``new`` in ``file``."""

    file: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Bug:
    """``name`` says what the code does wrong."""

    name: str
    changes: tuple[Change, ...]


def bug(name: str, *changes: tuple[str, str, str]) -> Bug:
    """Short for a bug and its changes."""
    return Bug(name, tuple(Change(*each) for each in changes))


_SEND_STEP, _GATE, _OUTCOMES = "workers/send_step.py", "db/sending/gate.py", "db/sending/outcomes.py"
_RECOVERY = "domain/recovery.py"
_PREFLIGHT, _WITHDRAWALS, _WITHDRAW = (
    "domain/preflight.py",
    "db/withdrawing/withdrawals.py",
    "actions/withdraw.py",
)

BUGS = (
    bug(
        "a claim does not compare the state and the message's number",
        (
            "db/sending/claims.py",
            "WHERE id = :id AND {_TAKE.by_key()} AND dispatch_no = :dispatch_no RETURNING",
            "WHERE id = :id RETURNING",
        ),
    ),
    bug(
        "a send whose answer was lost is retried",
        (
            "domain/delivery.py",
            "return Reconcile(now, reason, lane_waits_until)",
            "return Retry(now, reason)",
        ),
    ),
    bug(
        "an email in doubt is sent again where nobody can be asked",
        (
            _RECOVERY,
            "    if draft is not None and history.crashes < MAX_CRASHES:\n        return Reuse(draft.id, in_doubt=True)\n",
            "    if history.crashes < MAX_CRASHES:\n        return Reuse(draft.id if draft else '', in_doubt=True)\n",
        ),
        (_RECOVERY, 'return InDoubt("trace_missing") if history.submitted else New()', "return New()"),
    ),
    bug(
        "a doubt ends at the first look",
        ("db/looks.py", "d.grace_until <= clock_timestamp() AS over", "true AS over"),
    ),
    bug(
        "any draft with the correlation_id is taken for the submitted one",
        (_RECOVERY, "if each.is_draft and each.id == history.draft_id), None)", "if each.is_draft), None)"),
    ),
    bug(
        "a 202 counts although the draft was being removed",
        (_OUTCOMES, "(:known_by <> 'answer' OR d.recalled_draft", "(:known_by <> '' OR d.recalled_draft"),
    ),
    bug(
        "a lost worker's submission starts again instead of being looked for",
        (
            "db/sending/dispatch.py",
            "state = CASE WHEN {_IN_DOUBT.where()} THEN {_IN_DOUBT.value} ELSE {_LOST.value} END, reason",
            "state = 'pending', reason",
        ),
        (
            "db/sending/dispatch.py",
            "grace_until = CASE WHEN state = 'sending' THEN clock_timestamp() + :grace END",
            "grace_until = CASE WHEN false THEN clock_timestamp() + :grace END",
        ),
    ),
    bug(
        "a later attempt drafts again without looking for the earlier one",
        (_RECOVERY, "    if history.attempts == 1:\n", "    if True:\n"),
        (
            "domain/delivery.py",
            "return Reconcile(now, reason, lane_waits_until)",
            "return Retry(now, reason)",
        ),
    ),
    bug(
        "a throttled submission is taken for refused",
        (
            "domain/delivery.py",
            "return Reconcile(until, THROTTLED, lane_waits_until=until)",
            "return Retry(until, THROTTLED, lane_waits=True)",
        ),
    ),
    bug(
        "the gate does not ask again",
        (_SEND_STEP, "decision = preflight(fresh.facts)", "decision = preflight(claim.facts)"),
    ),
    bug(
        "the gate reads before it locks",
        (
            _SEND_STEP,
            (
                "            lane = gate.lock_lane(tx, claim.mailbox_id)\n            verified_at = time.monotonic()\n"
                "            fresh = load_claim(tx, claim.delivery_id, claim.lease_token)\n"
            ),
            (
                "            fresh = load_claim(tx, claim.delivery_id, claim.lease_token)\n"
                "            lane = gate.lock_lane(tx, claim.mailbox_id)\n            verified_at = time.monotonic()\n"
            ),
        ),
    ),
    bug(
        "the gate locks nothing",
        (_GATE, 'WHERE l.mailbox_id = :mailbox_id FOR UPDATE"', 'WHERE l.mailbox_id = :mailbox_id"'),
    ),
    bug(
        "a withdrawal does not wait for what is on its way, and says nothing is",
        (
            _WITHDRAW,
            "    seen = _drain(runtime, scopes, actor, deadline=started",
            "    seen = _drain(runtime, [], actor, deadline=started",
        ),
    ),
    bug(
        "an email counts as sent before it is submitted",
        (
            _SEND_STEP,
            "        submitted = True\n        accepted = transport.send(draft)\n",
            (
                '        submitted = True\n        early = SentFacts("answer", draft.id, draft.internet_message_id, draft.conversation_id)\n'
                "        settle.sent(runtime, claim, early, from_state=State.SENDING)\n        accepted = transport.send(draft)\n"
            ),
        ),
    ),
    bug(
        "an email that was accepted is not recorded",
        (
            _SEND_STEP,
            "retry_while_unavailable(lambda: settle.sent(runtime, claim, sent, from_state=State.SENDING), _RETRY_FOR)",
            "retry_while_unavailable(lambda: settle.step_back(runtime, claim), _RETRY_FOR)",
        ),
    ),
    bug(
        "the next step is planned when this one passes the gate",
        (
            _SEND_STEP,
            "                return verified_at if gate.pass_gate(tx, fresh, lane, decision) else None\n",
            (
                "                from db.enrollments import insert_next_step\n\n"
                "                insert_next_step(tx, fresh.enrollment_id, after_step=fresh.content.step_id, now=lane.now)\n"
                "                return verified_at if gate.pass_gate(tx, fresh, lane, decision) else None\n"
            ),
        ),
        (
            _OUTCOMES,
            "    go_on(tx, here, now=row.now)\n    return True\n",
            "    return True\n",
        ),
        (_PREFLIGHT, "    if not facts.previous_sent:\n", "    if False:\n"),
    ),
    bug(
        "the next step is forgotten",
        (
            _OUTCOMES,
            "    go_on(tx, here, now=row.now)\n    return True\n",
            "    return True\n",
        ),
    ),
    bug(
        "delays run on the worker's own clock",
        (
            _OUTCOMES,
            "    go_on(tx, here, now=row.now)\n    return True\n",
            ("    from datetime import UTC\n\n    go_on(tx, here, now=datetime.now(UTC))\n    return True\n"),
        ),
    ),
    bug(
        "a mailbox may send sixty a minute",
        ("domain/lane.py", "PER_MINUTE = 26.0", "PER_MINUTE = 60.0"),
    ),
    bug(
        "nobody asks whether the person unsubscribed or replied",
        (_PREFLIGHT, "    if facts.suppressed is not None:\n", "    if False:\n"),
        (
            _PREFLIGHT,
            '    if facts.enrollment_status in ("stopped", "archived", "finished"):\n',
            "    if False:\n",
        ),
        (_PREFLIGHT, '    if facts.enrollment_status != "active":\n', "    if False:\n"),
    ),
    bug(
        "nobody asks whether the permission stands",
        ("domain/authority.py", "    if holder is None or owner.id == holder.id:\n", "    if True:\n"),
        (
            "domain/authority.py",
            "    assert grant is not None  # missing() found one\n",
            '    if grant is None:\n        return Authorized("own_mailbox", None)\n',
        ),
    ),
    bug(
        "nobody asks whether the sequence was paused",
        (_PREFLIGHT, '    if facts.sequence_status != "active":\n', "    if False:\n"),
    ),
    bug(
        "everything is sent from the first mailbox that was used",
        (
            "app/runtime.py",
            "        tokens = StoredTokens(self.database, self.keys, self.entra, mailbox_id, kind.scopes, token)\n",
            (
                '        first = self.__dict__.setdefault("_first", mailbox_id)\n'
                "        tokens = StoredTokens(self.database, self.keys, self.entra, first, kind.scopes)\n"
            ),
        ),
    ),
    bug(
        "leases are never taken back",
        (
            "scheduler/sweeper.py",
            "expired = dispatch.expire_leases(tx, grace=GRACE)",
            "expired = dispatch.Expired(0, 0)",
        ),
    ),
    bug(
        "a message that nobody took is never enqueued again",
        (
            "scheduler/sweeper.py",
            'jobs = dispatch.enqueue_again(tx)\n    for job in jobs:\n        enqueue(broker, job)\n    if jobs:\n        log.warning("bells',
            'jobs = dispatch.enqueue_again(tx)\n    if jobs:\n        log.warning("bells',
        ),
    ),
    bug(
        "a job counts as done when it is enqueued",
        (
            "db/events/outbox.py",
            "UPDATE outbox SET published_at = clock_timestamp(), attempts",
            "UPDATE outbox SET done_at = clock_timestamp(), published_at = clock_timestamp(), attempts",
        ),
        (
            "db/events/outbox.py",
            "SELECT kind, payload FROM outbox WHERE id = :id AND done_at IS NULL",
            "SELECT kind, payload FROM outbox WHERE id = :id",
        ),
    ),
    bug(
        "whoever notices a lost permission makes a cause of its own",
        (
            "domain/events.py",
            "def grant_cause(",
            (
                'def grant_cause(grant_id: UUID, version: int) -> str:\n    """Planted."""\n    import uuid\n\n'
                '    return f"grant:{grant_id}:{uuid.uuid4()}"\n\n\ndef _grant_cause('
            ),
        ),
    ),
    bug(
        "a disconnection keeps the tokens",
        (
            "db/withdrawing/last_tokens.py",
            '"UPDATE credentials SET access_token = NULL, access_expires_at = NULL, refresh_token = NULL,"\n',
            '"UPDATE credentials SET"\n',
        ),
    ),
    bug(
        "a refresh logs its token",
        (
            "app/tokens.py",
            "        tokens = self._entra.refresh(row.refresh_token,",
            '        print("refreshing with", row.refresh_token, flush=True)\n        tokens = self._entra.refresh(row.refresh_token,',
        ),
    ),
    bug(
        "the audit chain forgets what came before",
        (
            "db/audit/audit_chain.py",
            "chain_hash(chain.head.hash, written, key)",
            "chain_hash(Link().hash, written, key)",
        ),
    ),
    bug(
        "a notice is not mailed again when the relay asks to wait",
        (
            "workers/notify_owner.py",
            'return Mailed("failed", asked * random.uniform(1, 1.5))  # noqa: S311 - spreads retries, guards nothing',
            'return Mailed("failed")',
        ),
        (
            "workers/notify_owner.py",
            '        log.warning("notice_mail_waits", code=error.code)\n        return Mailed("failed", wait)\n    except OperatorMisconfigured',
            '        return Mailed("failed")\n    except OperatorMisconfigured',
        ),
    ),
    bug(
        "whoever is connected to a Redis that takes no writes any more stays connected to it",
        (
            "app/broker.py",
            "                if not _turned_away(error):\n                    raise\n",
            "                raise\n",
        ),
    ),
)
