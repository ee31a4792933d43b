"""Bugs that somebody could write one day, as changes to what a function means: the nemesis has to see each of them.

A bug that no longer finds its place fails ``tests/lab/exam/test_bugs.py``, so none silently stops being planted.
"""

from lab.exam.listening_bugs import LISTENING_BUGS
from lab.exam.planting import before, bug, condition, drop, instead, move, sql, swap

_SUBMIT, _PASS_GATE = "workers.send_step:submit", "workers.send_step:pass_gate"
_RECORD_SENT, _EXPIRE_LEASES = "db.sending.outcomes:record_sent", "db/sending/dispatch.sql:expire_leases"
_AFTER_FAILURE, _PREFLIGHT = "domain.delivery:after_failure", "domain.preflight:preflight"
_RECOVER, _IN_DOUBT = "domain.recovery:recover", "domain.recovery:_in_doubt"

_A_LOST_ANSWER_IS_RETRIED = (_AFTER_FAILURE, swap("Reconcile(now, $reason, $lane)", "Retry(now, $reason)"))
_NOTHING_FOLLOWS = (_RECORD_SENT, drop("go_on"))

BUGS = (
    bug(
        "a claim does not compare the state and the dispatch number",
        (
            "db/sending/claims.sql:claim",
            sql("AND {queued} AND dispatch_no = :dispatch_no", "AND ({queued} OR true)"),
        ),
    ),
    bug("a send whose answer was lost is retried", _A_LOST_ANSWER_IS_RETRIED),
    bug(
        "an email in doubt is sent again where nobody can be asked",
        (_IN_DOUBT, swap("$draft is not None and $crashes < MAX_CRASHES", "$crashes < MAX_CRASHES")),
        (
            _IN_DOUBT,
            swap(
                "Reuse($draft.id, in_doubt=True)",
                "Reuse($draft.id if $draft else '', in_doubt=True)",
            ),
        ),
        (_RECOVER, swap("InDoubt($reason) if $history.submitted else New()", "New()")),
    ),
    bug(
        "a doubt ends at the first reconcile attempt",
        (
            "db/sending/reconcile_attempts.sql:claim",
            sql("d.grace_until <= clock_timestamp() AS over", "true AS over"),
        ),
    ),
    bug(
        "any draft with the correlation id is taken for the submitted one",
        (_RECOVER, swap("$item.is_draft and $item.id == $history.draft_id", "$item.is_draft")),
    ),
    bug(
        "a 202 counts although the draft was being removed",
        ("db/sending/outcomes.sql:in_flight", sql(":known_by <> 'answer'", ":known_by <> ''")),
    ),
    bug(
        "a lost worker's submission starts again instead of being reconciled",
        (
            _EXPIRE_LEASES,
            sql("CASE WHEN {passed_gate} THEN", "CASE WHEN {passed_gate} AND false THEN"),
        ),
        (
            _EXPIRE_LEASES,
            sql("grace_until = CASE WHEN state = 'sending' THEN", "grace_until = CASE WHEN false THEN"),
        ),
    ),
    bug(
        "a later attempt drafts again without searching for the earlier draft",
        (_RECOVER, condition("attempts", becomes=True)),
        _A_LOST_ANSWER_IS_RETRIED,
    ),
    bug(
        "a throttled submission is taken for refused",
        (
            _AFTER_FAILURE,
            swap(
                "Reconcile($until, THROTTLED, lane_waits_until=$until)",
                "Retry($until, THROTTLED, lane_waits=True)",
            ),
        ),
    ),
    bug(
        "a mailbox that has reached its limit is not waited for: its emails are given up",
        (
            f"{_AFTER_FAILURE}/SendingLimitReached",
            swap("Retry($until, LIMIT_REACHED, lane_waits=True)", "Fail(LIMIT_REACHED)"),
        ),
    ),
    bug(
        "nobody sees that an accepted email has never left Drafts",
        ("workers.check_drafts:check", swap("$transport.drafts()", "frozenset()")),
    ),
    bug(
        "the gate does not ask again",
        (_PASS_GATE, swap("preflight($fresh.facts)", "preflight(claim.facts)")),
    ),
    bug("the gate reads before it locks", (_PASS_GATE, move("load_claim", before="lock_lane"))),
    bug("the gate locks nothing", ("db/sending/gate.sql:lock_lane", sql("FOR UPDATE"))),
    bug(
        "a withdrawal does not wait for what is on its way, and says nothing is",
        (
            "actions.withdraw:_answered",
            swap("draining.drain_scopes($runtime, $scopes, ...)", "draining.drain_scopes($runtime, [], ...)"),
        ),
    ),
    bug(
        "an email counts as sent before it is submitted",
        (
            _SUBMIT,
            before(
                "send",
                'early = SentFacts("answer", draft.id, draft.internet_message_id, draft.conversation_id)\n'
                "settle.sent(runtime, claim, early, from_state=State.SENDING)",
            ),
        ),
    ),
    bug(
        "an email that was accepted is not recorded",
        (_SUBMIT, swap("settle.sent($runtime, $claim, ...)", "settle.step_back($runtime, $claim)")),
    ),
    bug(
        "the next step is planned when this one passes the gate",
        (
            _PASS_GATE,
            before(
                "pass_gate",
                "from db.sending.enrollments import insert_next_step\n"
                "insert_next_step(tx, fresh.enrollment_id, after_step=fresh.content.step_id, now=lane.now)",
            ),
        ),
        _NOTHING_FOLLOWS,
        (_PREFLIGHT, condition("previous_sent", becomes=False)),
    ),
    bug("the next step is forgotten", _NOTHING_FOLLOWS),
    bug(
        "delays run on the worker's own clock",
        (_RECORD_SENT, before("go_on", "from datetime import UTC")),
        (_RECORD_SENT, swap("go_on($tx, $here, now=$now)", "go_on($tx, $here, now=datetime.now(UTC))")),
    ),
    bug("a mailbox may send sixty a minute", ("domain.lane:PER_MINUTE", instead("60.0"))),
    bug(
        "nobody asks whether the person unsubscribed or replied",
        (_PREFLIGHT, condition("suppressed", becomes=False)),
        (_PREFLIGHT, condition("enrollment_status", becomes=False)),
    ),
    bug(
        "nobody asks whether the permission stands",
        ("domain.authority:_permission", condition("mailbox_owner", becomes=True)),
        (
            "domain.authority:_authority",
            swap(
                "assert $grant is not None",
                'if $grant is None:\n    return Authorized("own_mailbox", None)',
            ),
        ),
    ),
    bug(
        "nobody asks whether the sequence was paused",
        ("domain.preflight:_stopped", swap('$facts.sequence_status != "active"', "False")),
    ),
    bug(
        "everything is sent from the first mailbox that was used",
        (
            "app.runtime:Runtime.transport",
            swap(
                "StoredTokens($database, $keys, $entra, $mailbox_id, kind.scopes, $token)",
                'StoredTokens($database, $keys, $entra, self.__dict__.setdefault("_first", $mailbox_id), kind.scopes)',
            ),
        ),
    ),
    bug(
        "leases are never taken back",
        ("scheduler.sweeper:sweep", swap("dispatch.expire_leases(...)", "dispatch.Expired(0, 0)")),
    ),
    bug(
        "a message that nobody took is never enqueued again",
        ("scheduler.sweeper:sweep", drop("enqueue")),
    ),
    bug(
        "a job counts as done when it is enqueued",
        (
            "db/events/outbox.sql:take_unpublished",
            sql(
                "SET published_at = clock_timestamp()",
                "SET done_at = clock_timestamp(), published_at = clock_timestamp()",
            ),
        ),
        ("db.events.outbox:_LOAD", sql("AND done_at IS NULL")),
    ),
    bug(
        "whoever notices a lost permission makes a cause of its own",
        ("domain.events:grant_cause", instead('import uuid\nreturn f"grant:{grant_id}:{uuid.uuid4()}"')),
    ),
    bug(
        "a disconnection keeps the tokens",
        (
            "db/withdrawing/last_tokens.sql:put_aside",
            sql("access_token = NULL, access_expires_at = NULL, refresh_token = NULL,"),
        ),
    ),
    bug(
        "a refresh logs its token",
        (
            "app.tokens:StoredTokens._ask",
            before("refresh", 'print("refreshing with", row.refresh_token, flush=True)'),
        ),
    ),
    bug(
        "the audit chain forgets what came before",
        (
            "db.audit.audit_chain:seal",
            swap("chain_hash($before, $entry, $key)", "chain_hash(Link().hash, $entry, $key)"),
        ),
    ),
    bug(
        "a notice is not mailed again when the relay asks to wait",
        ("workers.notify_owner:mail/Throttled", swap('Mailed("failed", $wait)', 'Mailed("failed")')),
        (
            "workers.notify_owner:mail/ProviderUnavailable",
            swap('Mailed("failed", $wait)', 'Mailed("failed")'),
        ),
    ),
    bug(
        "whoever is connected to a Redis that takes no writes any more stays connected to it",
        ("app.broker:Broker._dispatch", condition("_turned_away", becomes=True)),
    ),
    *LISTENING_BUGS,
)
