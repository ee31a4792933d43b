"""Merge fields: ``{{first_name}}`` or ``{{first_name|there}}``. Known fields only, one pass, no expressions, no gaps.

Fallbacks may be written as in other tools, ``{{first_name | default: "there"}}``. Other tools' fields are refused
with the right spelling (``domain/foreign_fields.py``). A value in a link is encoded for its place
(``domain/link_values.py``).
"""

import difflib
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache

from domain import fallbacks, foreign_fields, link_values
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

_SPACE = r"(?:\s|&nbsp;)*+"
# After the name: nothing, a fallback after a bar, or another language's "or else".
_FIELD = re.compile(
    r"\{\{"
    + _SPACE
    + r"([a-z][a-z0-9_]{0,63})"
    + _SPACE
    + r"(?:\|\|?([^{}|]*)|(?:\?\?|\bor\b)([^{}|]*))?\}\}"
)
_OTHER = re.compile(r"\{\{([^{}\n]{1,200})\}\}")
_BRACES = "Write {{name}} or {{name|fallback}}."


class MissingField(MessageRejected):
    """``field`` is empty for this person and has no fallback."""

    def __init__(self, field: str) -> None:
        self.field = field
        super().__init__(
            f"{{{{{field}}}}} is empty for this person and has no fallback.",
            code="missing_merge_field",
        )


class BadTemplate(MessageRejected):
    """The text has unknown fields or stray braces, so it can be sent to nobody."""

    def __init__(self, problem: "Problem") -> None:
        super().__init__(f"{problem.what}. {problem.fix}", code="bad_template")


@dataclass(frozen=True, slots=True)
class MergeField:
    """One use of a field. ``fallback`` None: none was given. ``offset``: characters from the template's start."""

    name: str
    fallback: str | None
    offset: int


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a template, where (characters from its start), and how to fix it."""

    offset: int
    what: str
    fix: str


def fields_in(template: str) -> tuple[MergeField, ...]:
    """Return every well-formed field of a template, in order."""
    return tuple(
        MergeField(match[1], fallbacks.read(_written(match)).text, match.start())
        for match in _FIELD.finditer(template)
    )


def check(template: str, allowed: Collection[str]) -> list[Problem]:
    """Return unknown fields, filters, other tools' fields and braces that are no field, each with its place."""
    return list(_check(template, frozenset(allowed)))


@lru_cache(maxsize=256)
def _check(template: str, allowed: frozenset[str]) -> tuple[Problem, ...]:
    problems = []
    for match in _FIELD.finditer(template):
        name, fallback = match[1], fallbacks.read(_written(match))
        if name not in allowed:
            problems.append(
                Problem(match.start(), f"{{{{{name}}}}} is not a known field", _right(name, allowed))
            )
        elif fallback.filter:
            problems.append(
                Problem(
                    match.start(),
                    f"{fallback.filter!r} in {match[0]} is a filter of another tool, and there are none here",
                    f"Write {{{{{name}}}}}, or {{{{{name}|there}}}} with the words for people without one.",
                )
            )
    # Blank the fields out, at the same length, so that offsets stay right.
    rest = _FIELD.sub(lambda match: match[0] if _tripled(template, match) else " " * len(match[0]), template)
    for each in foreign_fields.find(rest, allowed):
        written = template[each.start : each.end]
        problems.append(Problem(each.start, f"{written[:60]} is {each.what}", each.fix))
        rest = rest[: each.start] + " " * (each.end - each.start) + rest[each.end :]
    for match in _OTHER.finditer(rest):
        if meant := foreign_fields.mentioned(match[1], allowed):
            what = f"{match[0][:60]} is {foreign_fields.FIELD_OF_ANOTHER}"
            problems.append(Problem(match.start(), what, foreign_fields.right(meant)))
            rest = rest[: match.start()] + " " * len(match[0]) + rest[match.end() :]
    problems += [
        Problem(match.start(), "braces that are not a merge field", _BRACES)
        for match in re.finditer(r"\{\{|\}\}", rest)
    ]
    return tuple(sorted(problems, key=lambda problem: problem.offset))


def fill(
    template: str, values: Mapping[str, str], *, escape: Callable[[str], str], as_sent: bool = False
) -> str:
    """Put the values in, escaped, in one pass: a value that looks like a field stays text.

    A value in a link is encoded for its place. ``as_sent``: the template was sent before as it is, and is not
    checked again. Raises ``MissingField``, and ``BadTemplate`` if ``check`` finds a problem.
    """
    if not as_sent and (problems := check(template, values.keys())):
        raise BadTemplate(problems[0])
    places = link_values.places_in(template)

    def value(match: re.Match[str]) -> str:
        if match[1] not in values:
            return match[0]  # only with ``as_sent``
        before = places.get(match.start())
        fallback = fallbacks.read(_written(match)).text or ""
        for text in (values[match[1]].strip(), fallback.strip()):
            fitting = text if before is None else link_values.encode(text, before)
            if fitting:
                return escape(fitting)
        raise MissingField(match[1])

    return _FIELD.sub(value, template)


def _tripled(template: str, match: re.Match[str]) -> bool:
    before, after = (
        template[max(0, match.start() - 2) : match.start()],
        template[match.end() : match.end() + 2],
    )
    return before.endswith("{") and after.startswith("}") and before != "{{" and after != "}}"


def _written(match: re.Match[str]) -> str | None:
    written: str | None = match[2] if match[2] is not None else match[3]
    return written


def _right(name: str, allowed: frozenset[str]) -> str:
    meant = foreign_fields.meant_by(name, allowed)
    close = [meant] if meant else difflib.get_close_matches(name, sorted(allowed), n=1, cutoff=0.8)
    listed = f"Use one of: {', '.join(sorted(allowed))}."
    return f"Write {{{{{close[0]}}}}}. {listed}" if close else listed
