"""Merge fields: ``{{first_name}}`` or ``{{first_name|there}}``. An allow-list, one pass, no expressions, never a hole."""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from domain.errors import MessageRejected

STANDARD_FIELDS = frozenset(
    {
        "first_name",
        "last_name",
        "full_name",
        "email",
        "company",
        "title",
        "location",
        "sender_name",
        "sender_first_name",
        "sender_email",
    }
)

_FIELD = re.compile(r"\{\{\s*([a-z][a-z0-9_]{0,63})\s*(?:\|([^{}|]*))?\}\}", re.ASCII)


class MissingField(MessageRejected):
    """A field is empty for this person and has no fallback. ``field``: which."""

    def __init__(self, field: str) -> None:
        self.field = field
        super().__init__(
            f"{{{{{field}}}}} is empty for this person and has no fallback.",
            code="missing_merge_field",
        )


@dataclass(frozen=True, slots=True)
class MergeField:
    """One use of a field. ``fallback`` None: none was given. ``offset``: characters from the template's start."""

    name: str
    fallback: str | None
    offset: int


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a template, and where (characters from its start)."""

    offset: int
    what: str
    fix: str


def fields_in(template: str) -> tuple[MergeField, ...]:
    """Every well-formed field of a template, in order."""
    return tuple(
        MergeField(match[1], None if match[2] is None else match[2].strip(), match.start())
        for match in _FIELD.finditer(template)
    )


def check(template: str, allowed: Collection[str]) -> list[Problem]:
    """Unknown fields and braces that are no field, each with its place."""
    problems = [
        Problem(
            each.offset,
            f"{{{{{each.name}}}}} is not a known field",
            f"Use one of: {', '.join(sorted(allowed))}.",
        )
        for each in fields_in(template)
        if each.name not in allowed
    ]
    # Same length, so that offsets stay true.
    rest = _FIELD.sub(lambda match: " " * len(match[0]), template)
    problems += [
        Problem(
            match.start(),
            "braces that are not a merge field",
            "Write {{name}} or {{name|fallback}}.",
        )
        for match in re.finditer(r"\{\{|\}\}", rest)
    ]
    return sorted(problems, key=lambda problem: problem.offset)


def fill(template: str, values: Mapping[str, str], *, escape: Callable[[str], str]) -> str:
    """Put values in, escaped, in one pass: a value that looks like a field stays text.

    Raises ``MissingField``; ``MessageRejected`` for braces or names that no check has seen.
    """
    if problems := check(template, values.keys()):
        raise MessageRejected(problems[0].what, code="bad_template")

    def value(match: re.Match[str]) -> str:
        text = values[match[1]].strip()
        if text:
            return escape(text)
        if match[2] is None or not match[2].strip():
            raise MissingField(match[1])
        return escape(match[2].strip())

    return _FIELD.sub(value, template)
