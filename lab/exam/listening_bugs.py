"""Bugs in listening that somebody could write one day: what is read, what it is taken for, and what follows."""

from lab.exam.planting import Bug, bug, instead, sql, swap

_WAY = "workers.read_by:way_to_read"
_FRESH = "domain.preflight:_is_fresh"

LISTENING_BUGS: tuple[Bug, ...] = (
    bug(
        "the sender's own mail counts as an answer",
        ("domain.listening.match:is_own", instead("return False")),
    ),
    bug(
        "mail dated in the future moves the watermark past what is unread",
        ("workers.read_mailbox:_read_up_to", swap("$each.received_at <= $reading.began", "True")),
    ),
    bug(
        "a reading begins where the last one ended, and mail that became visible late is lost",
        (_WAY, swap("$reading.watermark - OVERLAP", "$reading.watermark")),
    ),
    bug(
        "a machine's answer counts as the person's",
        ("domain.listening.classify:classify", swap("_by_machine($incoming, $written, $match, ...)", "None")),
    ),
    bug(
        "a bounce about the sender's quota ends the person",
        (
            "domain.listening.consequences:_bounced/SENDER",
            swap("SenderWaits(...)", "Ends('bounced', everywhere=True, suppresses='bounced')"),
        ),
    ),
    bug(
        "opening the opt-out link opts out",
        (
            "web.opt_out:show",
            swap(
                "runtime_of($request).for_tenant($named.organization_id).database.transaction()",
                "(actions.opt_out(runtime_of($request).for_tenant($named.organization_id), $named),"
                " runtime_of($request).for_tenant($named.organization_id).database.transaction())[1]",
            ),
        ),
    ),
    bug(
        "the gate lets a follow-up rest on a reading of any age",
        (_FRESH, swap("$now - $heard.read_as_of <= FRESH", "True")),
    ),
    bug(
        "a foreign thread in the same conversation stops the person",
        (
            "domain.listening.match:match",
            swap(
                "_is_candidate($incoming.sender, $each) and _same_conversation($incoming, $each)",
                "_same_conversation($incoming, $each)",
            ),
        ),
    ),
    bug(
        "an answer that is read again is recorded again",
        (
            "db.listening.recording:_values",
            swap("$each.provider_id", "f'{$each.provider_id}/{$each.id}'"),
        ),
    ),
    bug(
        "an opt-out by email ends only its own sequence",
        (
            "domain.listening.consequences:consequence",
            swap("Ends('opted_out', everywhere=True, suppresses=$why)", "Ends('opted_out')"),
        ),
    ),
    bug(
        "only the first page is read",
        ("transports.graph_reading:pages", swap("not $items", "not $items or before")),
    ),
    bug(
        "a person who is away is away only for the sequence that heard of it",
        (
            "db/sending/claims.sql:facts",
            sql(
                "away_until, unclear_until, c.email,",
                "(SELECT c.away_until FROM incoming_messages m WHERE m.id = c.away_message_id AND m.enrollment_id = e.id)"
                " AS away_until, unclear_until, c.email,",
            ),
        ),
    ),
    bug(
        "a hint counts as a reading",
        (
            "db/mailboxes/subscriptions.sql:take",
            sql(
                "SET hinted_at = clock_timestamp(),",
                "SET hinted_at = clock_timestamp(), read_as_of = clock_timestamp(),",
            ),
        ),
    ),
    bug(
        "a reading counts from its end",
        (
            "db/listening/reads.sql:finish",
            sql("greatest(read_as_of, :as_of)", "greatest(read_as_of, :as_of, clock_timestamp())"),
        ),
    ),
    bug(
        "what an answer ends is decided, and nobody is ended",
        ("db.listening.follow:_end", swap("people.end_person(...)", "[]")),
    ),
)
