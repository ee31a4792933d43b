"""Changes to the product's source by what it means: a function, a call, a condition, a piece of SQL; never by its text.

A target is ``module:name``: a function, a method (``Class.method``) or a constant of a module; ``module:name/Word`` is the one
``except`` or ``case`` of a function that names ``Word``; ``db/sending/gate.sql:lock_lane`` is a part of a ``.sql`` file. Renamed variables, other formatting and moved lines change nothing.
What is not found, or found more than once where it has to be unique, raises ``NotPlanted``.
"""

import ast
import copy
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias, TypeVar

from lab.exam.patterns import Fill, match, parse

_T = TypeVar("_T")
Edit: TypeAlias = Callable[[ast.AST], None]
_FIRST_FIELD = 0xE000  # from here on, one letter for each field of an f-string


class NotPlanted(Exception):
    """The product has no such place any more, or more than one."""


@dataclass(frozen=True, slots=True)
class Change:
    """``edit`` changes the part of the source that ``target`` names."""

    target: str
    edit: Edit

    @property
    def file(self) -> str:
        """Where the target is, seen from the root."""
        place = self.target.partition(":")[0]
        return place if place.endswith(".sql") else f"{place.replace('.', '/')}.py"


@dataclass(frozen=True, slots=True)
class Bug:
    """``name`` says what the code does wrong."""

    name: str
    changes: tuple[Change, ...]


def bug(name: str, *changes: tuple[str, Edit]) -> Bug:
    """Short for a bug and its changes."""
    return Bug(name, tuple(Change(*each) for each in changes))


def drop(call: str) -> Edit:
    """Leave out the statement that calls ``call``."""

    def edit(target: ast.AST) -> None:
        block, at = _statement(target, call)
        block[at] = ast.Pass()

    return edit


def before(call: str, source: str) -> Edit:
    """Do ``source`` before the statement that calls ``call``."""

    def edit(target: ast.AST) -> None:
        block, at = _statement(target, call)
        block[at:at] = ast.parse(source).body

    return edit


def move(call: str, *, before: str) -> Edit:
    """Do the statement that calls ``call`` before the one that calls ``before``, in the same block."""

    def edit(target: ast.AST) -> None:
        block, at = _statement(target, call)
        other, to = _statement(target, before)
        if block is not other or at <= to:
            raise NotPlanted(f"{call} does not follow {before} in one block")
        block.insert(to, block.pop(at))

    return edit


def condition(mentions: str, *, becomes: bool) -> Edit:
    """Every ``if`` whose condition mentions this name or attribute is decided beforehand."""

    def edit(target: ast.AST) -> None:
        asked = [
            each
            for each in ast.walk(target)
            if isinstance(each, ast.If | ast.IfExp) and mentions in _names(each.test)
        ]
        if not asked:
            raise NotPlanted(f"no condition mentions {mentions}")
        for each in asked:
            each.test = ast.Constant(becomes)

    return edit


def sql(fragment: str, becomes: str = "") -> Edit:
    """Replace a piece of one string. Any white space equals any other; ``{}`` is any field of an f-string."""
    pattern = re.compile(
        r"\s+".join(re.escape(word).replace(r"\{\}", "[\ue000-\uf8ff]") for word in fragment.split())
    )

    def edit(target: ast.AST) -> None:
        hits = [each for each in _strings(target) for _ in pattern.finditer(_text(each))]
        (string,) = _only(hits, f"“{fragment}”")
        changed = pattern.sub(lambda _: becomes, _text(string))
        if isinstance(string, ast.Constant):
            string.value = changed
            return
        fields = [each for each in string.values if not isinstance(each, ast.Constant)]
        string.values = [
            fields[ord(part) - _FIRST_FIELD] if "\ue000" <= part[0] <= "\uf8ff" else ast.Constant(part)
            for part in re.split("([\ue000-\uf8ff])", changed)
            if part
        ]

    return edit


def swap(pattern: str, becomes: str) -> Edit:
    """Replace one expression or statement; both are patterns (``patterns.py``)."""
    wanted, new = parse(pattern), parse(becomes)

    def edit(target: ast.AST) -> None:
        hits = [
            (parent, name, at, bound)
            for parent, name, at, child in _children(target)
            if (bound := match(wanted, child, {})) is not None
        ]
        ((parent, name, at, bound),) = _only(hits, f"“{pattern}”")
        put = Fill(bound).visit(copy.deepcopy(new))
        if at is None:
            setattr(parent, name, put)
        else:
            getattr(parent, name)[at] = put

    return edit


def instead(source: str) -> Edit:
    """Give a function this body, or a constant this value."""

    def edit(target: ast.AST) -> None:
        body = ast.parse(source).body
        if isinstance(target, ast.FunctionDef):
            target.body = body
        elif isinstance(target, ast.Assign | ast.AnnAssign) and isinstance(body[0], ast.Expr):
            target.value = body[0].value
        else:
            raise NotPlanted("it is neither a function nor a constant")

    return edit


def planted(changes: Sequence[Change], root: Path) -> dict[str, str]:
    """The files that the changes touch, as they are with all of them. Raises ``NotPlanted``."""
    trees: dict[str, ast.Module] = {}
    for change in changes:
        path = root / change.file
        if not path.is_file():
            raise NotPlanted(f"{change.target}: {change.file} is not there")
        tree = trees.setdefault(change.file, _read(path))
        former = ast.dump(tree)
        try:
            change.edit(_find(tree, change.target.partition(":")[2]))
        except NotPlanted as error:
            raise NotPlanted(f"{change.target}: {error}") from None
        if ast.dump(tree) == former:
            raise NotPlanted(f"{change.target}: nothing changes")
    return {name: _written(name, tree) for name, tree in trees.items()}


def _read(path: Path) -> ast.Module:
    """A module; of a ``.sql`` file, as if each of its parts were a constant of one."""
    if path.suffix != ".sql":
        return ast.parse(path.read_text())
    _, *parts = re.split(r"^-- name: (\w+)\n", path.read_text(), flags=re.MULTILINE)
    body: list[ast.stmt] = [
        ast.Assign([ast.Name(name, ast.Store())], ast.Constant(text))
        for name, text in zip(parts[::2], parts[1::2], strict=True)
    ]
    return ast.Module(body, [])


def _written(name: str, tree: ast.Module) -> str:
    if not name.endswith(".sql"):
        return ast.unparse(ast.fix_missing_locations(tree)) + "\n"
    return "".join(
        f"-- name: {each.targets[0].id}\n{each.value.value}"
        for each in tree.body
        if isinstance(each, ast.Assign)
        and isinstance(each.targets[0], ast.Name)
        and isinstance(each.value, ast.Constant)
        and isinstance(each.value.value, str)
    )


def _find(tree: ast.Module, name: str) -> ast.AST:
    path, _, clause = name.partition("/")
    found: ast.AST = tree
    for part in path.split("."):
        inside = found.body if isinstance(found, ast.Module | ast.ClassDef) else []
        (found,) = _only([each for each in inside if part in _defines(each)], part)
    if clause:
        clauses = [
            each
            for each in ast.walk(found)
            if (isinstance(each, ast.ExceptHandler) and each.type and clause in _names(each.type))
            or (isinstance(each, ast.match_case) and clause in _names(each.pattern))
        ]
        (found,) = _only(clauses, clause)
    return found


def _defines(statement: ast.stmt) -> list[str]:
    match statement:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return [name]
        case ast.Assign(targets=[ast.Tuple(elts=each)]):
            return [name.id for name in each if isinstance(name, ast.Name)]
        case _:
            return []


def _only(found: Sequence[_T], what: str) -> Sequence[_T]:
    if len(found) != 1:
        raise NotPlanted(f"{what} is there {len(found)} times")
    return found


def _names(node: ast.AST) -> set[str]:
    """Every name and attribute in it."""
    each = list(ast.walk(node))
    return {name.id for name in each if isinstance(name, ast.Name)} | {
        attribute.attr for attribute in each if isinstance(attribute, ast.Attribute)
    }


def _children(node: ast.AST) -> Iterator[tuple[ast.AST, str, int | None, ast.AST]]:
    """Every node below: its parent, the field that holds it and its place in a list."""
    for parent in ast.walk(node):
        for name, value in ast.iter_fields(parent):
            if isinstance(value, ast.AST):
                yield parent, name, None, value
            elif isinstance(value, list):
                yield from (
                    (parent, name, at, each) for at, each in enumerate(value) if isinstance(each, ast.AST)
                )


def _statement(target: ast.AST, call: str) -> tuple[list[ast.stmt], int]:
    """The block and place of the one statement that calls ``call`` itself, not by a statement within."""
    calling = [
        (parent, name, at, each)
        for parent, name, at, each in _children(target)
        if isinstance(each, ast.stmt)
        and at is not None
        and any(_calls(inner, call) for inner in ast.walk(each))
    ]
    holding = {id(parent) for parent, *_ in calling}
    inner = [each for each in calling if not holding & {id(below) for below in ast.walk(each[3])}]
    ((parent, name, at, _),) = _only(inner, f"a call of {call}")
    return getattr(parent, name), at


def _calls(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Call) and (
        (isinstance(node.func, ast.Name) and node.func.id == name)
        or (isinstance(node.func, ast.Attribute) and node.func.attr == name)
    )


def _strings(target: ast.AST) -> Iterator[ast.Constant | ast.JoinedStr]:
    """Its strings; one that is part of an f-string is none of its own."""
    whole = [each for each in ast.walk(target) if isinstance(each, ast.JoinedStr)]
    parts = {id(part) for each in whole for part in each.values}
    yield from whole
    for each in ast.walk(target):
        if isinstance(each, ast.Constant) and isinstance(each.value, str) and id(each) not in parts:
            yield each


def _text(string: ast.Constant | ast.JoinedStr) -> str:
    if isinstance(string, ast.Constant):
        return str(string.value)
    fields = iter(range(_FIRST_FIELD, _FIRST_FIELD + len(string.values)))
    return "".join(
        str(each.value) if isinstance(each, ast.Constant) else chr(next(fields)) for each in string.values
    )
