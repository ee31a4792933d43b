"""A form redirects once it has done something: reloading its answer repeats nothing, and a second click finds the first one's."""

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any

import pytest
from fastapi.routing import APIRoute

from web import main, people_import, routers

# They only look: they change nothing, and show the form again with what was found.
LOOKS = {
    "web.grants.give": "do=find: sequences by name",
    "web.grants.accept": "do=find: sequences by name",
    "web.people_enroll.enroll": "do=check: what enrolling would do",
    "web.suppressions.import_lines": "do=check: what importing would do",
    "web.change_senders.change": "do=show: what other choices mean",
    "web.person_address.correct": "before it was read: what another address changes",
    "web.step_preview.show_typed": "a preview of what is typed",
}
# Mail providers ask these, and follow no redirect (RFC 8058); whoever opts out on the page is redirected.
FOR_MACHINES = {"web.opt_out.stop", "web.opt_out.stop_nothing", "web.hooks.hear", "web.hooks.hear_google"}
_REDIRECT = "RedirectResponse"


def posts() -> list[Callable[..., Any]]:
    """Return what answers the posts of all pages."""
    all_routers = [*routers.PAGES, *main._OTHERS, people_import.uploads]
    found = [each for router in all_routers for each in router.routes if isinstance(each, APIRoute)]
    return [inspect.unwrap(each.endpoint) for each in found if "POST" in (each.methods or ())]


def named(function: Callable[..., Any]) -> str:
    return f"{function.__module__}.{function.__name__}"


def returns_of(tree: ast.AST) -> Iterator[ast.expr]:
    """What a function returns, without what the functions inside it do."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Return) and node.value is not None:
            yield node.value
        elif not isinstance(node, ast.FunctionDef | ast.Lambda):
            yield from returns_of(node)


def tree_of(function: Callable[..., Any]) -> ast.AST:
    return ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]


def stay(function: Callable[..., Any], seen: tuple[str, ...] = ()) -> list[str]:
    """Return its answers that neither redirect nor refuse."""
    if named(function) in seen:
        return []
    tree = tree_of(function)
    return [
        ast.unparse(value)
        for value in returns_of(tree)
        if not _leaves(value, tree, function, (*seen, named(function)))
    ]


def _leaves(value: ast.expr, tree: ast.AST, function: Callable[..., Any], seen: tuple[str, ...]) -> bool:
    match value:
        case ast.Lambda(body=inner):
            return _leaves(inner, tree, function, seen)
        case ast.Await(value=inner):
            return _leaves(inner, tree, function, seen)
        case ast.IfExp(body=one, orelse=other):
            return _leaves(one, tree, function, seen) and _leaves(other, tree, function, seen)
        case ast.Name() if given := _assigned(value, tree):
            return all(_leaves(each, tree, function, seen) for each in given)
        case ast.Call(func=called, args=args, keywords=keywords):
            status = next((each.value for each in keywords if each.arg in ("status", "status_code")), None)
            if status is not None and _refuses(status, tree):
                return True
            if ast.unparse(called) == "run_in_threadpool":
                rest = ast.Call(func=args[0], args=args[1:], keywords=keywords)
                return _leaves(rest, tree, function, seen)
            name = ast.unparse(called)
            if name in inspect.signature(function).parameters:
                return True  # whoever passes it is asked
            target = function.__globals__.get(name)
            if getattr(target, "__name__", "") == _REDIRECT:
                return True
            if not isinstance(target, FunctionType) or stay(inspect.unwrap(target), seen):
                return False
            return all(_leaves(each, tree, function, seen) for each in _answering(target, value))
    inside = {each.name: each for each in ast.walk(tree) if isinstance(each, ast.FunctionDef)}
    local = inside.get(ast.unparse(value))
    return local is not None and all(_leaves(each, local, function, seen) for each in returns_of(local))


def _answering(target: FunctionType, call: ast.Call) -> list[ast.expr]:
    """The arguments that ``target`` calls for its answer."""
    called = {ast.unparse(each.func) for each in returns_of(tree_of(target)) if isinstance(each, ast.Call)}
    given = dict(zip(inspect.signature(target).parameters, call.args, strict=False))
    return [value for name, value in given.items() if name in called]


def _refuses(status: ast.expr, tree: ast.AST) -> bool:
    """Can it only be a redirect or a refusal?"""
    match status:
        case ast.Constant(value=int(code)):
            return code >= 300
        case ast.IfExp(body=one, orelse=other):
            return _refuses(one, tree) and _refuses(other, tree)
        case ast.Name() if given := _assigned(status, tree):
            return all(_refuses(each, tree) for each in given)
    return False


def _assigned(name: ast.Name, tree: ast.AST) -> list[ast.expr]:
    assigned = (each for each in ast.walk(tree) if isinstance(each, ast.Assign))
    return [each.value for each in assigned if ast.unparse(each.targets[0]) == name.id]


def test_every_form_of_a_page_redirects_once_it_is_done() -> None:
    found = {named(each): stay(each) for each in posts() if named(each) not in FOR_MACHINES}
    assert len(found) > 70
    assert {name: staying for name, staying in found.items() if staying and name not in LOOKS} == {}


def test_what_is_let_off_is_still_there_and_needs_it() -> None:
    found = {named(each): stay(each) for each in posts()}
    assert [name for name in (*LOOKS, *FOR_MACHINES) if not found.get(name)] == []


def _shown(*, status: int = 200) -> str:
    return str(status)


def _stays() -> str:
    return _shown()


def _refuses_only() -> str:
    return _shown(status=422)


def _stays_by_a_name() -> str:
    answer = _shown()
    answer += "."
    return answer


@pytest.mark.parametrize(("function", "staying"), [(_stays, 1), (_stays_by_a_name, 1), (_refuses_only, 0)])
def test_the_sweep_sees_an_answer_that_stays(function: Callable[..., Any], staying: int) -> None:
    assert len(stay(function)) == staying
