"""Every action that the product writes to the audit trail has a sentence, and no sentence is of an action that nothing writes."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.audit_words import GROUPS, SENTENCES, sentence

ROOT = Path(__file__).parents[2]
PACKAGES = ("actions", "app", "commands", "db", "importing", "inbox", "scheduler", "web", "workers")
# What the hole of an action such as ``f"delivery_{outcome}"`` may be.
HOLES = {
    "grant_": ("revoked", "expired"),
    "delivery_": ("skipped", "failed", "cancelled"),
    "enrollment_": ("paused", "archived", "stopped"),
    "handover_": ("declined", "cancelled"),
}
# The functions that write an entry, and which argument is the action.
WRITERS = {"audit.write": 3, "audit.write_for_all": 2, "audit.entry": 2}


def actions_of(source: str) -> Iterator[str]:
    """The actions that a module writes, with what a variable may hold in its function."""
    module = ast.parse(source)
    tables = {
        ast.unparse(each.targets[0]): each.value
        for each in module.body
        if isinstance(each, ast.Assign) and isinstance(each.value, ast.Dict)
    }
    for function in ast.walk(module):
        if isinstance(function, ast.FunctionDef):
            for call in ast.walk(function):
                if isinstance(call, ast.Call) and (place := place_of(call)) is not None:
                    yield from values(call.args[place], function, tables)


def place_of(call: ast.Call) -> int | None:
    """Which argument of a call is the action, or None. A helper ``_audit`` is given it as its only text."""
    name = ast.unparse(call.func)
    if name.rpartition(".")[2] == "_audit":
        texts = [at for at, each in enumerate(call.args) if isinstance(each, ast.Constant)]
        return texts[0] if texts else None
    return WRITERS.get(name)


def values(node: ast.expr, function: ast.FunctionDef, tables: dict[str, ast.Dict]) -> Iterator[str]:
    """What an argument may be. ``tables``: the module's, by name."""
    match node:
        case ast.Subscript(value=ast.Name(id=name)) if name in tables:
            for each in tables[name].values:
                yield from values(each, function, tables)
        case ast.Constant(value=str(action)):
            yield action
        case ast.IfExp(body=one, orelse=other):
            yield from values(one, function, tables)
            yield from values(other, function, tables)
        case ast.JoinedStr(values=[ast.Constant(value=str(start)), _]):
            yield from (start + each for each in HOLES[start])
        case ast.Name(id=name) if name not in {each.arg for each in function.args.args}:
            assigned = [
                each.value
                for each in ast.walk(function)
                if isinstance(each, ast.Assign) and ast.unparse(each.targets[0]) == name
            ]
            assert assigned, f"nothing says what {name} is in {function.name}"
            for each in assigned:
                yield from values(each, function, tables)
        case ast.Name():
            pass  # a helper that is given the action: its callers are writers too
        case _:
            pytest.fail(f"{function.name}: {ast.unparse(node)} is no action that this test can read")


def test_every_action_of_the_code_has_a_sentence_and_every_sentence_an_action() -> None:
    written = {
        action
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        if "migrations" not in path.parts
        for action in actions_of(path.read_text(encoding="utf-8"))
    }
    assert len(written) > 60
    assert written == set(SENTENCES)


def test_a_sentence_is_in_one_group_and_begins_with_what_somebody_did() -> None:
    assert sum(len(group) for group in GROUPS.values()) == len(SENTENCES)
    assert all(words[0].isupper() and not words.endswith(".") for words in SENTENCES.values())


def test_an_action_of_an_earlier_version_says_its_name() -> None:
    assert sentence("mailbox_painted") == "Mailbox painted"


def test_the_test_reads_variables_and_refuses_what_it_cannot_read() -> None:
    source = "def f(tx):\n    what = 'a' if x else 'b'\n    audit.write(tx, o, who, what, s, {})\n"
    assert sorted(actions_of(source)) == ["a", "b"]
