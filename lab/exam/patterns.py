"""Patterns of Python source.

``$name`` is any expression, the same one each time; ``...`` is the rest of a call's arguments.
"""

import ast
import copy
from collections.abc import Sequence
from typing import cast

_META = "any_"  # how ``$name`` is written so that it parses as Python


def parse(source: str) -> ast.AST:
    """Parse an expression or a statement."""
    (statement,) = ast.parse(source.replace("$", _META)).body
    return statement.value if isinstance(statement, ast.Expr) else statement


def match(wanted: object, found: object, bound: dict[str, object]) -> dict[str, object] | None:
    """Match the pattern. Returns what its ``$names`` and ``...`` stand for, or None."""
    if isinstance(wanted, ast.Name) and wanted.id.startswith(_META):
        if not isinstance(found, ast.expr):
            return None
        known = bound.setdefault(wanted.id, found)
        return bound if ast.dump(cast("ast.AST", known)) == ast.dump(found) else None
    if isinstance(wanted, list) and isinstance(found, list):
        same = len(wanted) == len(found) and all(
            match(*each, bound) is not None for each in zip(wanted, found, strict=True)
        )
        return bound if same else None
    if not isinstance(wanted, ast.AST) or type(wanted) is not type(found):
        return bound if not isinstance(wanted, ast.AST) and wanted == found else None
    if isinstance(wanted, ast.expr_context):
        return bound
    fields = {name: (value, getattr(found, name)) for name, value in ast.iter_fields(wanted)}
    if isinstance(wanted, ast.Call) and isinstance(found, ast.Call) and _is_rest(wanted.args[-1:]):
        given = len(wanted.args) - 1
        bound["..."] = found.args[given:], found.keywords
        fields |= {"args": (wanted.args[:-1], found.args[:given]), "keywords": ([], [])}
    return bound if all(match(*each, bound) is not None for each in fields.values()) else None


def _is_rest(last: Sequence[ast.expr]) -> bool:
    return bool(last) and isinstance(last[0], ast.Constant) and last[0].value is ...


class Fill(ast.NodeTransformer):
    """Replaces the names in a pattern by what another pattern matched."""

    def __init__(self, bound: dict[str, object]) -> None:
        self._bound = bound

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return copy.deepcopy(cast("ast.AST", self._bound.get(node.id, node)))

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if _is_rest(node.args[-1:]):
            args, keywords = copy.deepcopy(
                cast("tuple[list[ast.expr], list[ast.keyword]]", self._bound["..."])
            )
            node.args[-1:], node.keywords = args, [*node.keywords, *keywords]
        return self.generic_visit(node)
