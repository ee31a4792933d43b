"""A message's files and its HTML, within limits. Names are for people to read, never for a path."""

import unicodedata
from collections.abc import Iterable
from email.message import Message

from domain.address import visible
from domain.listening.message import File
from inbox.charsets import header_text
from inbox.mime import Part, parts
from transports.html import sanitise_received

MAX_FILES = 50
MAX_KEPT = 10 * 1024 * 1024  # bytes of one file; of a larger one name and size are kept
MAX_KEPT_OF_ALL = 25 * 1024 * 1024
_MAX_NAME = 120


def files(raw: bytes) -> list[File]:
    """Return the files, in their order."""
    found: list[File] = []
    left = MAX_KEPT_OF_ALL
    for each in _attached(parts(raw, most=len(raw))):
        content = each.content(len(each.body))
        kept = content if len(content) <= min(MAX_KEPT, left) else None
        left -= len(kept or b"")
        found.append(File(_name(each, len(found) + 1), each.content_type[:100], len(content), kept))
        if len(found) == MAX_FILES:
            break
    return found


def html(raw: bytes) -> str:
    """Return the HTML that the message shows, sanitised: no scripts, no remote images, no forms. "" if it has none or too much."""
    for each in parts(raw):
        if each.content_type == "text/html" and not each.attached:
            return sanitise_received(each.text())
    return ""


def as_it_came(raw: bytes) -> File:
    """A message that nobody can read, as a file."""
    return File("message.eml", "message/rfc822", len(raw), raw if len(raw) <= MAX_KEPT_OF_ALL else None)


def _attached(found: Iterable[Part]) -> Iterable[Part]:
    for each in found:
        if each.attached or not each.content_type.startswith(("text/", "multipart/")):
            yield each


def _name(part: Part, number: int) -> str:
    """The name it was given, as one line that no program takes for a path; or one by its number."""
    parsed = Message()
    parsed["Content-Disposition"] = " ".join(
        part.headers.get("content-disposition", ("attachment",))[0].split()
    )
    given = header_text(parsed.get_filename() or part.parameters.get("name", ""))
    name = "".join(each for each in visible(given) if unicodedata.category(each)[0] != "C")
    name = name.replace("\\", "/").rpartition("/")[2].strip(". ")
    if len(name) > _MAX_NAME:
        stem, dot, ending = name.rpartition(".")
        name = f"{stem[: _MAX_NAME - 20]}{dot}{ending[:19]}" if dot else name[:_MAX_NAME]
    if name:
        return name
    return "message.eml" if part.content_type == "message/rfc822" else f"file {number}"
