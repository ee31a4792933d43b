"""Gmail's answers, read."""

from collections.abc import Mapping
from dataclasses import dataclass

from domain.errors import ProviderUnavailable
from transports.gmail_message import decoded
from transports.lenient_json import read_json

Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class Item:
    """A message. ``headers``: those asked for that it has, by their names in lower case, decoded."""

    id: str
    thread_id: str
    is_draft: bool
    headers: Mapping[str, str]

    @property
    def message_id(self) -> str:
        """Its Message-ID, with angle brackets; empty if it has none."""
        return self.headers.get("message-id", "")


def json_of(body: bytes) -> Json:
    """Return an answer as an object. Raises ``ProviderUnavailable``."""
    try:
        value = read_json(body)
    except ValueError as error:
        raise unreadable() from error
    if not isinstance(value, dict):
        raise unreadable()
    return value


def item_of(value: object) -> Item:
    """Return a message."""
    if not isinstance(value, dict):
        raise unreadable()
    payload = value.get("payload")
    listed = payload.get("headers") if isinstance(payload, dict) else None
    headers = {
        str(each["name"]).lower(): decoded(str(each["value"]))
        for each in (listed if isinstance(listed, list) else [])
        if isinstance(each, dict) and "name" in each and "value" in each
    }
    return Item(id_of(value), text_of(value, "threadId"), "DRAFT" in labels_of(value), headers)


def labels_of(value: Json) -> list[object]:
    """Return a message's labels. The answer names none for a message without any, which is no draft, so it has left."""
    labels = value.get("labelIds")
    return labels if isinstance(labels, list) else []


def list_of(answer: Json, name: str) -> list[Json]:
    """Return what a list has under ``name``; none if it is left out."""
    value = answer.get(name, [])
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise unreadable()
    return value


def id_of(value: Json) -> str:
    """Return an answer's id, which it must have."""
    found = text_of(value, "id")
    if not found:
        raise unreadable()
    return found


def text_of(value: Json, name: str) -> str:
    """Return a text; empty if there is none."""
    found = value.get(name)
    return found if isinstance(found, str) else ""


def unreadable() -> ProviderUnavailable:
    """The error for an answer of another form than expected."""
    return ProviderUnavailable("Google's answer cannot be read.", code="unreadable_answer")
