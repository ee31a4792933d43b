"""Rows are what their classes say: looked at whenever a test, or the product under it, reads one."""

from collections.abc import Callable, Sequence
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from db.core.statements import row_maker


def checked_row_maker(row: type[Any] | None, columns: Sequence[str]) -> Callable[[Sequence[Any]], Any]:
    """``row_maker``, whose rows raise ``TypeError`` where a column is not of its field's type."""
    make = row_maker(row, columns)
    if row is None:
        return make
    hints = get_type_hints(row)  # none of a plain value

    def checking(values: Sequence[Any]) -> Any:
        made = make(values)
        each = [(name, getattr(made, name), hint) for name, hint in hints.items()] or [("", made, row)]
        for name, value, hint in each:
            if not fits(value, hint):
                raise TypeError(f"{row.__qualname__} {name} is {type(value).__qualname__}, not {hint}")
        return made

    return checking


def fits(value: object, hint: Any) -> bool:
    """Is the value of that type?"""
    origin, given = get_origin(hint), get_args(hint)
    if hint is Any:
        return True
    if origin in (Union, UnionType):
        return any(fits(value, each) for each in given)
    if hint is None or hint is type(None):
        return value is None
    if not isinstance(value, origin or hint):
        return False
    if origin is not None and issubclass(origin, Sequence):
        return all(fits(each, given[0]) for each in value)
    return True
