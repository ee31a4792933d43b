"""Read what arrived in a mailbox, keep what concerns somebody, and forget the rest at once.

Page by page: load the emails of ours that it may be about, match, fetch only what matched, classify, record. A page that failed
leaves everything as it was; the next reading begins some minutes before the last one ended and finds it again.
"""

from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

import structlog

import counters
from app.runtime import Runtime, current
from db.core.crypto import Place
from db.core.session import database_now
from db.listening import matching, opt_out_tokens, reads, recording
from db.listening.matching import Asked, Copy
from db.listening.opt_outs import opt_out_by_link
from db.listening.problems import notify_of_unread
from db.listening.reads import Reading
from db.listening.recording import Heard
from db.sending import lanes
from db.withdrawing.losing import lose_connection
from domain.delivery import READ_FIRST
from domain.errors import ConnectionRefused, NotFound, OperatorMisconfigured, ProviderError, Throttled
from domain.jobs import ReadMailbox
from domain.listening.bookmarks import Bookmarks
from domain.listening.cadence import NOTIFY_AFTER
from domain.listening.kinds import Kind
from domain.listening.match import match
from domain.listening.message import Incoming
from domain.listening.trust import trusted
from domain.opt_out import OptOut, without_code
from inbox.judge import judge
from transports.base import Content, Header, HidesReplies, Metered, Reads
from workers.actor import actor, read_delivery_message
from workers.read_by import way_to_read
from workers.read_items import Items, headers_of, is_report, whole_of

_COMPLAINTS = "feedback-report"

log = structlog.get_logger()


class _TurnLostError(Exception):
    """Another worker reads the mailbox by now. Nothing of the page is kept."""


@actor(ReadMailbox.actor, ReadMailbox.queue)
def read_mailbox(mailbox_id: object, round: object) -> None:  # noqa: A002 - the field's name in the message
    """Take the message for one reading."""
    job = ReadMailbox(*read_delivery_message(mailbox_id, round))
    structlog.contextvars.bind_contextvars(mailbox_id=str(job.mailbox_id))
    read(current(), job.mailbox_id, job.round)


def read(
    runtime: Runtime,
    mailbox_id: UUID,
    round_: int | None = None,
    *,
    max_pages: int | None = None,
    hidden_from: str | None = None,
) -> bool:
    """Read a mailbox. Returns False if its turn was another worker's, or if it is not read to its end.

    ``round_`` None: now, whatever was planned. ``max_pages``: who has no time for more leaves the rest to the next turn.
    ``hidden_from``: search for this address too, if the provider leaves out of its lists what some people's machines answer.
    """
    with runtime.database.transaction() as tx:
        reading = reads.begin(tx, mailbox_id, round_)
    if reading is None:
        return False
    structlog.contextvars.bind_contextvars(
        organization_id=str(reading.organization_id), mailbox_id=str(mailbox_id)
    )
    try:
        end = _pages(runtime, reading, max_pages, hidden_from)
    except _TurnLostError:
        log.warning("lease_lost", state="reading")
        return False
    except (ProviderError, OperatorMisconfigured) as error:
        _failed(runtime, reading, error)
        return False
    with runtime.database.transaction() as tx:
        if end is None:
            reads.finish(tx, reading, complete=False)
            return False
        return reads.finish(tx, reading, complete=True, watermark=end.watermark, bookmarks=end.bookmarks)


@dataclass(frozen=True, slots=True)
class _End:
    """What a complete reading has found out. ``watermark``: when the last item came that it knows of."""

    watermark: datetime
    bookmarks: Bookmarks


def _pages(runtime: Runtime, reading: Reading, max_pages: int | None, hidden_from: str | None) -> _End | None:
    """Read page after page. Returns None if there is more. Raises ``_TurnLostError``."""
    with closing(runtime.transport(reading.mailbox_id, reading.provider)) as transport:
        assert isinstance(transport, Reads)  # ``domain.connection.READABLE`` says so
        pages, items, watermark = 0, 0, reading.watermark
        way = way_to_read(reading, transport)
        for page in way.pages:
            watermark = max(watermark, _read_up_to(reading, page))
            # A log is in no order of time: until it is read to its end, an earlier email may still come.
            _keep_page(runtime, reading, transport, page, reading.watermark if way.by_log else watermark)
            pages, items = pages + 1, items + len(page)
            if pages == max_pages:
                counters.READINGS.labels("more").inc()
                log.info("mailbox_read", count=items, outcome="more")
                return None
        if hidden_from is not None and isinstance(transport, HidesReplies):
            # Not in order of time, so it says nothing about how far the mailbox is read.
            _keep_page(runtime, reading, transport, transport.written_by(hidden_from), reading.watermark)
        counters.READINGS.labels("complete").inc()
        log.info("mailbox_read", count=items, outcome="complete", known_by="log" if way.by_log else "time")
        return _End(watermark, way.bookmarks(reading.began))


def _keep_page(
    runtime: Runtime, reading: Reading, transport: Reads, page: Sequence[Header], read_up_to: datetime
) -> None:
    heard = _of_page(runtime, reading, Items(transport, reading.failing_for), page)
    arrived = [
        each
        for each in page
        if each.received_at > reading.watermark and not each.correlation_id and not each.is_draft
    ]
    with runtime.database.transaction() as tx:
        new = recording.record(tx, reading.organization_id, reading.mailbox_id, heard)
        if not reads.keep(tx, reading, read_up_to, seen=len(arrived), matched=len(new)):
            raise _TurnLostError
        if isinstance(transport, Metered) and (wait := transport.gives_way()):
            lanes.hold(tx, reading.mailbox_id, database_now(tx) + wait, READ_FIRST)
    for each in new:
        counters.MESSAGES.labels(each.judged.kind.value).inc()


def _read_up_to(reading: Reading, page: Sequence[Header]) -> datetime:
    """When the page's last item came. One from the future, on our clock, says nothing: mail that comes until then is unread."""
    return max(
        (each.received_at for each in page if each.received_at <= reading.began), default=reading.watermark
    )


def _of_page(runtime: Runtime, reading: Reading, items: Items, page: Sequence[Header]) -> list[Heard]:
    """Return what concerns somebody. Fetches only what matched, and reports, whose headers do not say what they are about."""
    ours = [each for each in page if each.correlation_id and not each.is_draft]
    with runtime.database.transaction() as tx:
        if ours:
            matching.note_copies(tx, reading.mailbox_id, [_copy(each) for each in ours])
        known = matching.recorded(tx, reading.mailbox_id, [each.provider_id for each in page])
    fresh = [
        each
        for each in page
        if not each.correlation_id and not each.is_draft and each.provider_id not in known
    ]
    if not fresh:
        return []
    whole = {each.provider_id: whole_of(items, each, reading.began) for each in fresh if is_report(each)}
    incoming = {each.provider_id: whole.get(each.provider_id) or headers_of(each) for each in fresh}
    opt_outs = _by_token(runtime, reading, incoming)
    asked = replace(_asked(incoming, reading), deliveries=[each.delivery_id for each in opt_outs])
    with runtime.database.transaction() as tx:
        possible = matching.possible(tx, runtime.web_keys, reading.organization_id, reading.mailbox_id, asked)
    _of_deleted_emails(runtime, [each for each in opt_outs if each.delivery_id not in possible.enrollments])
    if not possible.sent:
        return []
    heard = []
    for header in fresh:
        one = incoming[header.provider_id]
        if match(one, possible.sent, reading.addresses) is None:
            continue
        if header.provider_id not in whole:
            one = whole_of(items, header, reading.began)
        judged = judge(one, possible.sent, reading.addresses)
        if judged.kind is Kind.BOUNCE or one.report is not None:
            # Anybody can write a report, a complaint too. It ends a person or holds a mailbox, so it has to know our email.
            judged = trusted(judged, proven=False, certain=False, report=True)
        if judged.match is None or judged.kind is Kind.OTHER:
            continue
        delivery_id = judged.match.sent.delivery_id
        key = Heard(
            provider_id=header.provider_id,
            sender=one.sender,
            received_at=header.received_at,
            judged=judged,
            enrollment_id=possible.enrollments[delivery_id],
            candidate_id=possible.candidates[delivery_id],
            message_id=one.message_id or "",
            conversation_id=header.conversation_id,
            sender_name=one.sender_name,
            recipients=one.recipients,
            subject=without_code(one.subject) if judged.kind is Kind.OPT_OUT else one.subject,
            certain_opt_out=_is_certain(one, judged.match.sent.token),
        )
        heard.append(_with_content(runtime, reading, key, one, items.content(header.provider_id)))
    return heard


def _by_token(runtime: Runtime, reading: Reading, incoming: Mapping[str, Incoming]) -> list[OptOut]:
    """The opt-outs that come by the address that our emails have for it. Those of another organization say nothing here."""
    found = [
        opt_out_tokens.found_in(runtime.web_keys, " ".join((each.subject, *each.recipients)))
        for each in incoming.values()
    ]
    return [each[1] for each in found if each and each[1].organization_id == reading.organization_id]


def _of_deleted_emails(runtime: Runtime, opt_outs: Sequence[OptOut]) -> None:
    """Emails are deleted after some months, and the opt-outs that they offer are good for ever."""
    for each in opt_outs:
        with runtime.database.transaction() as tx, suppress(NotFound):  # NotFound: the person is erased
            opt_out_by_link(tx, each)


def _asked(incoming: Mapping[str, Incoming], reading: Reading) -> Asked:
    named: set[str] = set()
    addresses: set[str] = set()
    for each in incoming.values():
        named.update(each.in_reply_to, each.references)
        if each.report is not None:
            named.update(each.report.original_ids)
            addresses.update(one.address for one in each.report.recipients)
        addresses.update(each.recipients if each.sender in reading.addresses else (each.sender,))
    return Asked(named, {each.conversation_id or "" for each in incoming.values()}, addresses)


def _copy(header: Header) -> Copy:
    return Copy(header.correlation_id, header.internet_message_id, header.conversation_id)


def _is_certain(incoming: Incoming, token: str | None) -> bool:
    if incoming.report is not None and incoming.report.kind == _COMPLAINTS:
        return True
    where = " ".join((incoming.subject, *incoming.recipients)).casefold()
    return token is not None and token.casefold() in where


def _with_content(
    runtime: Runtime, reading: Reading, heard: Heard, incoming: Incoming, content: Content | None
) -> Heard:
    """Add what it says, encrypted."""
    content = content or Content(incoming.text, incoming.text, "")

    def sealed(text: str, column: str) -> bytes | None:
        place = Place(reading.organization_id, heard.id, f"incoming_messages.{column}")
        return runtime.web_keys.encrypt(text, place) if text else None

    return replace(
        heard,
        text=sealed(content.text, "text"),
        html=sealed(content.html, "html"),
        attachments=[asdict(each) for each in content.attachments],
    )


def _failed(runtime: Runtime, reading: Reading, error: ProviderError | OperatorMisconfigured) -> None:
    """Wait longer each time. A refused connection is lost as it is for sends, and a throttled mailbox is left alone by both."""
    code = getattr(error, "code", "") or type(error).__name__
    wait = error.retry_after if isinstance(error, Throttled) else timedelta()
    if isinstance(error, OperatorMisconfigured):
        log.critical("operator_misconfigured", error=str(error))
    counters.READINGS.labels("failed").inc()
    log.info("mailbox_not_read", error=type(error).__name__, code=code, seconds=wait.total_seconds())
    with runtime.database.transaction() as tx:
        if wait:
            lanes.hold(tx, reading.mailbox_id, database_now(tx) + wait)
        passes = isinstance(error, ProviderError) and not isinstance(error, ConnectionRefused)
        failing = reads.give_up(tx, reading, code, wait, counts=passes)
        if isinstance(error, ConnectionRefused):
            lose_connection(
                tx,
                reading.mailbox_id,
                connection_version=reading.connection_version,
                reason=error.reason,
                detail=error.code,
                on_send=error.on_send,
            )
        elif failing and (since := failing.failing_since) and failing.now - since >= NOTIFY_AFTER:
            notify_of_unread(tx, reading, since)
