"""Forms that were refused: shown again with what was typed, the message beside its field."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from domain.errors import InvalidInput, NotFound, NotPermitted, OnbehalfError

REFUSED = (InvalidInput, NotPermitted, NotFound)
_NEVER_SHOWN = ("password", "form_key")


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
    form: Mapping[str, str],
    error: OnbehalfError,
    places: Mapping[str, str],
    *,
    other: str = "",
    chosen: list[str] | None = None,
) -> Filled:
    """``places``: where an error says it is -> the form's field. ``other``: the field of errors that say nothing of a place."""
    where = error.where if isinstance(error, InvalidInput) else ""
    kept = {name: value for name, value in form.items() if name not in _NEVER_SHOWN}
    return Filled(kept, {places.get(where, other): said(error)}, frozenset(chosen or ()))


def said(error: OnbehalfError) -> str:
    """The error in whole sentences, without its place: it stands there already."""
    if not isinstance(error, InvalidInput):
        return str(error)
    what = error.what[:1].upper() + error.what[1:]
    return f"{what if what.endswith(('.', '!', '?')) else what + '.'} {error.fix}".strip()
