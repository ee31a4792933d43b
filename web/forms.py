"""Forms: what was typed, field by field; and those that were refused, shown again with it and the message beside its field."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, TypeVar
from uuid import UUID

from fastapi import Form
from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator
from starlette.datastructures import FormData

from domain.errors import InvalidInput, NotFound, NotPermitted, OnbehalfError

REFUSED = (InvalidInput, NotPermitted, NotFound)
_WRITTEN = ("account", "address", "all", "host", "mailbox", "words")


def id_of(text: str) -> UUID | None:
    """An id in an address or a form, or None for anything else."""
    try:
        return UUID(text)
    except ValueError:
        return None


Id = Annotated[UUID | None, BeforeValidator(id_of)]


class PageForm(BaseModel):
    """A form of a page. A missing field is empty; of one that comes twice the last counts; files are left out.

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
        """What may be shown again: texts, never a secret."""
        return {name: value for name, value in self.model_dump().items() if isinstance(value, str)}


Model = TypeVar("Model", bound=PageForm)
Typed = Annotated[Model, Form()]  # as a parameter: the form that was sent


def written(form: FormData) -> list[str]:
    """What somebody wrote in the form, not what they chose, and never a password."""
    return [
        text
        for name, text in form.multi_items()
        if (name in _WRITTEN or name.startswith("value-")) and isinstance(text, str) and text.strip()
    ]


@dataclass(frozen=True, slots=True)
class Filled:
    """``values``: what was typed. ``errors``: field -> what is wrong; "" for what is no single field's."""

    values: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    chosen: frozenset[str] = frozenset()  # of fields that hold several

    def get(self, name: str, present: object = "") -> object:
        """What was typed, or else what is there."""
        return self.values.get(name, present)


def again(
    typed: Mapping[str, str],
    error: OnbehalfError,
    places: Mapping[str, str],
    *,
    other: str = "",
    chosen: list[str] | None = None,
) -> Filled:
    """``places``: where an error says it is -> the form's field. ``other``: the field of errors that say nothing of a place."""
    where = error.where if isinstance(error, InvalidInput) else ""
    return Filled(typed, {places.get(where, other): said(error)}, frozenset(chosen or ()))


def said(error: OnbehalfError) -> str:
    """The error in whole sentences, without its place: it stands there already."""
    if not isinstance(error, InvalidInput):
        return str(error)
    what = error.what[:1].upper() + error.what[1:]
    return f"{what if what.endswith(('.', '!', '?')) else what + '.'} {error.fix}".strip()
