"""What came into a mailbox at Gmail, by its history ("Synchronize clients with Gmail", "users.history.list").

An id is good for about a week, sometimes for hours only; after that Gmail answers 404. Pages come without records and are not the last
(gauteh/lieer issue 24), records come out of order (googleapis/google-api-nodejs-client issue 3508). While we page, the mailbox moves on,
so the first page's id is where we stand: later ids may be past what the first pages had.

A draft that its owner sends by hand may stay the same message, so what gets a label of mail that came or went counts as well.
"""

from collections.abc import Callable
from dataclasses import dataclass

from domain.errors import ProviderUnavailable
from transports.gmail_answers import Json, id_of, json_of, labels_of, list_of, text_of
from transports.gmail_client import Request
from transports.gmail_errors import Purpose, failure
from transports.once import Answer

_LISTED = 500  # records in a page; the most that Gmail gives
_MAX_PAGES = 20  # a mailbox into which so much comes is imported into: most of it is old, and a list by time leaves that out
_GAP = {400, 404, 410}
_MAIL = {"SENT", "INBOX", "SPAM"}


@dataclass(frozen=True, slots=True)
class Changes:
    """Where the history stood, and the ids of the messages that came since, each once. Drafts are none."""

    stands: str
    ids: list[str]


def stands(ask: Callable[[Request], Json]) -> str:
    """Return the mailbox's history id."""
    found = text_of(ask(lambda gmail: gmail.users.getProfile(userId="me", fields="historyId")), "historyId")
    if not found.isdecimal():
        raise ProviderUnavailable(
            "Google does not say where the mailbox's history stands.", code="no_history_id"
        )
    return found


def added(ask: Callable[[Request], Answer], since: str) -> Changes | None:
    """Return what came since. None: the history does not say it for sure (too old, none, too long, or behind ``since``)."""
    stood = ""
    found: dict[str, None] = {}
    page: str | None = None
    for _ in range(_MAX_PAGES):
        answer = ask(_list(since, page))
        if answer.status in _GAP:
            return None
        if not 200 <= answer.status < 300:
            raise failure(answer.status, answer.headers, answer.body, Purpose.READ)
        value = json_of(answer.body)
        stood = stood or text_of(value, "historyId")
        if not stood.isdecimal() or int(stood) < int(since):
            return None
        for record in list_of(value, "history"):
            found |= dict.fromkeys(_came(record))
        page = text_of(value, "nextPageToken") or None
        if page is None:
            return Changes(stood, list(found))
    return None


def _came(record: Json) -> list[str]:
    new = [_message(each) for each in list_of(record, "messagesAdded")]
    moved = [_message(each) for each in list_of(record, "labelsAdded") if _MAIL & {*labels_of(each)}]
    return [id_of(each) for each in new if "DRAFT" not in labels_of(each)] + [id_of(each) for each in moved]


def _message(change: Json) -> Json:
    message = change.get("message")
    return message if isinstance(message, dict) else {}


def _list(since: str, page: str | None) -> Request:
    return lambda gmail: gmail.history.list(
        userId="me",
        startHistoryId=since,
        historyTypes=["messageAdded", "labelAdded"],
        maxResults=_LISTED,
        pageToken=page,
        fields="history(messagesAdded/message(id,labelIds),labelsAdded(labelIds,message/id)),historyId,nextPageToken",
    )
