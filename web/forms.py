"""Forms of pages: what was sent, and how a refused form is shown again with what was typed and the error beside its field."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import Form
from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator
from starlette.datastructures import FormData

from domain.errors import InvalidInput, NotFound, NotPermitted, OnbehalfError
from domain.send_window import instant

REFUSED = (InvalidInput, NotPermitted, NotFound)
_WRITTEN = (
    *(
        "account",
        "address",
        "all",
        "because",
        "body",
        "email",
        "fields",
        "holidays",
        "host",
        "introduction",
        "line",
        "lines",
        "mailbox",
        "name",
        "source",
        "subject",
    ),
    *("anyway", "company", "first_name", "last_name", "location", "text", "title", "url", "value", "words"),
)


def id_of(text: str) -> UUID | None:
    """Return the id, or None if ``text`` is none."""
    try:
        return UUID(text)
    except ValueError:
        return None


def number_of(text: str) -> int:
    """Return the number, or 0 if ``text`` is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else 0


Id = Annotated[UUID | None, BeforeValidator(id_of)]


def local_time(text: str, zone: str, where: str) -> datetime:
    """Read what a field for date and time holds, by the member's clock. Raises ``InvalidInput``. ``where``: the field."""
    try:
        at = datetime.fromisoformat(text)
        return at if at.tzinfo is not None else instant(at, ZoneInfo(zone))
    except (ValueError, OverflowError):
        raise InvalidInput(
            "This is no date and time", where=where, fix="Write it like 2026-12-24 09:00."
        ) from None


class PageForm(BaseModel):
    """A form of a page. A missing field is empty, the last value of a repeated field counts, and files are ignored.

    Raises ``InvalidInput`` for a NUL, which Postgres does not take.
    """

    model_config = ConfigDict(frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _texts(cls, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        found = {}
        for name, value in fields.items():
            texts = [
                each for each in (value if isinstance(value, list) else [value]) if isinstance(each, str)
            ]
            if any("\0" in each for each in texts):
                raise InvalidInput("it holds a NUL character", where=name[:40], fix="Remove it.")
            if texts:
                found[name] = texts if isinstance(value, list) and name in cls.model_fields else texts[-1]
        return found

    def typed(self) -> dict[str, str]:
        """Return the texts, which may be shown again; secrets are not among them."""
        return {name: value for name, value in self.model_dump().items() if isinstance(value, str)}


Model = TypeVar("Model", bound=PageForm)
Typed = Annotated[Model, Form()]  # as a parameter: the form that was sent


def written(form: FormData) -> list[str]:
    """Return the texts that somebody wrote, without what they chose from a list and without passwords."""
    return [
        text
        for name, text in form.multi_items()
        if (name in _WRITTEN or name.startswith("value-")) and isinstance(text, str) and text.strip()
    ]


@dataclass(frozen=True, slots=True)
class Filled:
    """A form as it was filled in. ``errors``: field → what is wrong; "" for an error of no single field."""

    values: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    chosen: frozenset[str] = frozenset()  # of fields that hold several

    def get(self, name: str, present: object = "") -> object:
        """Return what was typed, or else ``present``."""
        return self.values.get(name, present)


def again(
    typed: Mapping[str, str],
    error: OnbehalfError,
    places: Mapping[str, str],
    *,
    other: str = "",
    chosen: list[str] | None = None,
) -> Filled:
    """Return the form with the error beside its field. ``places``: the error's place → field. ``other``: the field otherwise."""
    where = error.where if isinstance(error, InvalidInput) else ""
    return Filled(typed, {places.get(where, other): said(error)}, frozenset(chosen or ()))


def said(error: OnbehalfError) -> str:
    """Return the error in whole sentences, without its place, because it is shown there."""
    if not isinstance(error, InvalidInput):
        return str(error)
    what = error.what[:1].upper() + error.what[1:]
    return f"{what if what.endswith(('.', '!', '?')) else what + '.'} {error.fix}".strip()
