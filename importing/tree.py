"""YAML as a tree that remembers positions. No tags, anchors or aliases: an organization file is plain data."""

import gc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import yaml

from importing.problems import ImportRejected, Problem, nearest

MAX_SIZE = 5 * 1024 * 1024  # bytes
MAX_PROBLEMS = 1000  # per file; more would only repeat them
_MAX_DEPTH = 20


@dataclass(frozen=True, slots=True)
class Place:
    """A value's position, counted from 1."""

    line: int
    column: int


def parse_yaml(file: str, text: str) -> yaml.Node:
    """Return the root node. Raises ``ImportRejected`` for anything but plain YAML. Parsed in C: 5 MiB take a few seconds."""
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        line, column = _line_and_column(text, error.start)
        raise ImportRejected(
            file, [Problem(line, column, "this is not YAML: half of a character", "Save it as UTF-8.")]
        ) from None
    if size > MAX_SIZE:
        raise ImportRejected(file, [Problem(0, 0, "the file is larger than 5 MiB", "Split it.")])
    try:
        node = _built(file, yaml.parse(text, Loader=yaml.CSafeLoader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        raise ImportRejected(file, [Problem(line, column, f"this is not YAML: {error.problem}")]) from None
    except yaml.reader.ReaderError as error:
        # libyaml reports bytes.
        line, column = _line_and_column(text, len(text.encode()[: error.position].decode(errors="ignore")))
        raise ImportRejected(
            file, [Problem(line, column, "this is not YAML: a control character", "Remove it.")]
        ) from None
    except (yaml.YAMLError, RecursionError) as error:
        raise ImportRejected(file, [Problem(0, 0, f"this is not YAML: {type(error).__name__}")]) from None
    if node is None:
        raise ImportRejected(file, [Problem(0, 0, "the file is empty", "Start with: organizations:")])
    return node


@contextmanager
def collector_at_rest() -> Iterator[None]:
    """Turn off garbage collection: repeated passes over a million new nodes take three times as long as reading them."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


def _built(file: str, events: Iterable[yaml.Event]) -> yaml.Node | None:
    """Build the tree of one document, with values as written: we do not need YAML's own types."""
    root: yaml.Node | None = None
    parents: list[tuple[yaml.CollectionNode, list[yaml.Node]]] = []
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent) and root is not None:
            raise _at(file, event, "a second document begins here", "Keep one.")
        if isinstance(event, yaml.CollectionEndEvent):
            done, items = parents.pop()
            done.value = (
                list(zip(items[::2], items[1::2], strict=True))
                if isinstance(done, yaml.MappingNode)
                else items
            )
            continue
        if not isinstance(event, yaml.NodeEvent):
            continue
        tag, implicit = getattr(event, "tag", None), getattr(event, "implicit", False)
        if event.anchor or (tag and not (any(implicit) if isinstance(implicit, tuple) else implicit)):
            raise _at(file, event, "anchors, aliases and tags are not supported", "Write it out.")
        node: yaml.Node
        start: Any = event.start_mark  # libyaml's own mark type, with the same fields
        end: Any = event.end_mark
        if isinstance(event, yaml.ScalarEvent):
            node = yaml.ScalarNode("", event.value, start, end, style=event.style)
        else:
            kind = yaml.MappingNode if isinstance(event, yaml.MappingStartEvent) else yaml.SequenceNode
            node = kind("", [], start, end)
        if parents:
            parents[-1][1].append(node)
        else:
            root = node
        if isinstance(node, yaml.CollectionNode):
            if len(parents) >= _MAX_DEPTH:
                raise _at(file, event, "this is nested too deeply", "")
            parents.append((node, []))
    return root


def _line_and_column(text: str, offset: int) -> tuple[int, int]:
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


def _at(file: str, event: yaml.Event, what: str, fix: str) -> ImportRejected:
    mark = event.start_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
    return ImportRejected(file, [Problem(line, column, what, fix)])


class Reader:
    """Reads nodes into values and collects their problems."""

    def __init__(self, file: str, source: str) -> None:
        self.problems: list[Problem] = []
        self._file, self._source = file, source

    def wrong(self, node: yaml.Node | Place, what: str, fix: str = "") -> None:
        """Record a problem at a node. Raises ``ImportRejected`` once there are too many to be useful."""
        place = node if isinstance(node, Place) else place_of(node)
        self.problems.append(Problem(place.line, place.column, what, fix))
        if len(self.problems) >= MAX_PROBLEMS:
            raise ImportRejected(self._file, self.problems)

    def place_inside(self, node: yaml.Node, value: str, offset: int) -> Place:
        """Return the position in the file of the brace at ``offset`` in a text, however YAML quoted or folded the text."""
        brace = value[offset : offset + 2]
        at = node.start_mark.index - 1 if node.start_mark else -1
        for _ in range(value.count(brace, 0, offset) + 1):
            at = self._source.find(brace, at + 1)
        if not brace or at < 0:
            return place_of(node)
        return Place(*_line_and_column(self._source, at))

    def mapping(
        self, node: yaml.Node, what: str, *, required: set[str], optional: set[str]
    ) -> dict[str, yaml.Node]:
        """Return a mapping's values by key; record unknown, missing and repeated keys."""
        if not isinstance(node, yaml.MappingNode):
            self.wrong(node, f"{what} must be a mapping", f"Give {', '.join(sorted(required))}.")
            return {}
        found: dict[str, yaml.Node] = {}
        for key, value in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else ""
            if name not in required | optional:
                self.wrong(key, f"{what} has no field {name!r}", nearest(name, required | optional))
            elif name in found:
                self.wrong(key, f"{name!r} appears twice", "Keep one of them.")
            else:
                found[name] = value
        for name in sorted(required - set(found)):
            self.wrong(node, f"{what} lacks {name}", f"Add: {name}: …")
        return found

    def sequence(self, node: yaml.Node | None, what: str, *, most: int = 100_000) -> list[yaml.Node]:
        """Return a list's items; none if it is missing."""
        if node is None:
            return []
        if not isinstance(node, yaml.SequenceNode):
            self.wrong(node, f"{what} must be a list", "Start each item with a dash.")
            return []
        if len(node.value) > most:
            self.wrong(node, f"{what} has more than {most} items", "Take some out.")
            return []
        return list(node.value)

    def text(self, node: yaml.Node | None, what: str, *, most: int = 200, lines: bool = False) -> str:
        """Return a text, or "" if it is missing, which was already recorded. ``lines``: line breaks are allowed."""
        if node is None:
            return ""
        if not isinstance(node, yaml.ScalarNode):
            self.wrong(node, f"{what} must be a text")
            return ""
        value: str = node.value if lines else node.value.strip()
        if not value.strip():
            self.wrong(node, f"{what} is empty", "Write something.")
        elif len(value) > most:
            self.wrong(node, f"{what} has more than {most} characters", "Shorten it.")
        elif not lines and any(
            ord(each) < 32 or 127 <= ord(each) < 160 or each in "\u2028\u2029" for each in value
        ):
            self.wrong(node, f"{what} holds a line break or control character", "Write it on one line.")
        return value

    def choice(self, node: yaml.Node | None, what: str, default: str, allowed: set[str]) -> str:
        """Return one of ``allowed``."""
        if node is None:
            return default
        value = self.text(node, what)
        if value and value not in allowed:
            self.wrong(node, f"{what} cannot be {value!r}", nearest(value, allowed))
            return default
        return value or default

    def number(self, node: yaml.Node | None, what: str, default: int, least: int, most: int) -> int:
        """Return a whole number within the limits."""
        if node is None:
            return default
        text = self.text(node, what)
        if not text.isascii() or not text.isdigit() or len(text) > 9 or not least <= int(text) <= most:
            self.wrong(node, f"{what} must be a whole number from {least} to {most}")
            return default
        return int(text)

    def plain(self, node: yaml.Node) -> Any:
        """Return a node as plain lists, dicts and texts."""
        if isinstance(node, yaml.MappingNode):
            return {str(key.value): self.plain(value) for key, value in node.value}
        if isinstance(node, yaml.SequenceNode):
            return [self.plain(each) for each in node.value]
        return str(node.value)


def is_null(node: yaml.Node | None) -> bool:
    """Is it an explicit ``null``? A value that somebody forgot to write is none."""
    return (
        isinstance(node, yaml.ScalarNode) and not node.style and node.value in ("null", "Null", "NULL", "~")
    )


def place_of(node: yaml.Node) -> Place:
    """Return where a node begins."""
    mark = node.start_mark
    return Place(mark.line + 1, mark.column + 1) if mark else Place(0, 0)
