"""The reference of the JSON API in pages, from the description that the running version gives of itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, Request
from starlette.routing import Mount

_METHODS = ("get", "post", "put", "patch", "delete")
_DEEPEST = 4  # levels of a body that are described


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter or a field of a body. ``level``: how deep it is in it."""

    name: str
    type: str
    required: bool
    words: str
    level: int = 0


@dataclass(frozen=True, slots=True)
class Call:
    """One thing that a program can ask for. ``answers``: status and words."""

    id: str
    method: str
    path: str
    summary: str
    words: str
    parameters: list[Field]
    body: list[Field]
    answer: list[Field]
    answers: list[tuple[str, str]]


def description_of(request: Request, at: str = "/api/v1") -> dict[str, Any]:
    """Return the OpenAPI document of the API, or of what else is mounted ``at`` a path."""
    api = next(
        route.app
        for route in request.app.routes
        if isinstance(route, Mount) and isinstance(route.app, FastAPI) and route.path == at
    )
    found: dict[str, Any] = api.openapi()
    return found


def groups_of(
    document: Mapping[str, Any], at: str = "/api/v1", *, together: str = ""
) -> dict[str, list[Call]]:
    """Return all calls by the first word of their path, in the order of the document, or all ``together`` under one name."""
    groups: dict[str, list[Call]] = {}
    for path, methods in document["paths"].items():
        group = together or path.split("/")[1].replace("-", " ").capitalize()
        for method in _METHODS:
            if method in methods:
                groups.setdefault(group, []).append(_call(document, at, path, method, methods[method]))
    return dict(sorted(groups.items()))


def _call(document: Mapping[str, Any], at: str, path: str, method: str, given: Mapping[str, Any]) -> Call:
    body = given.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    good: Mapping[str, Any] = next(
        (each for code, each in given["responses"].items() if code.startswith("2")), {}
    )
    answer = good.get("content", {}).get("application/json", {}).get("schema", {})
    return Call(
        f"{method}-{path.strip('/').replace('/', '-').replace('{', '').replace('}', '')}",
        method.upper(),
        f"{at}{path}",
        given.get("summary", path),
        given.get("description", ""),
        [
            Field(
                each["name"],
                type_of(document, each.get("schema", {})),
                each.get("required", False),
                each.get("description", ""),
            )
            for each in given.get("parameters", [])
        ],
        list(_fields(document, body)),
        list(_fields(document, answer)),
        [(code, each.get("description", "")) for code, each in given["responses"].items()],
    )


def _resolved(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def _fields(document: Mapping[str, Any], schema: Mapping[str, Any], level: int = 0) -> list[Field]:
    schema = _resolved(document, schema)
    found: list[Field] = []
    required = schema.get("required", [])
    for name, each in schema.get("properties", {}).items():
        words = each.get("description", "")
        found.append(Field(name, type_of(document, each), name in required, words, level))
        inner = _resolved(document, each.get("items", each))
        if level < _DEEPEST and inner.get("properties"):
            found += _fields(document, inner, level + 1)
    return found


def type_of(document: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """Return a field's type in words: ``text``, ``list of UUID``, ``read or manage``, ``number or null``."""
    schema = _resolved(document, schema)
    if "enum" in schema:
        return " or ".join(str(each) for each in schema["enum"])
    if "const" in schema:
        return str(schema["const"])
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return " or ".join(dict.fromkeys(type_of(document, each) for each in schema[several]))
    if schema.get("type") == "array":
        return f"list of {type_of(document, schema.get('items', {}))}"
    return _NAMES.get(schema.get("format", ""), "") or _NAMES.get(schema.get("type", ""), "anything")


_NAMES = {
    "uuid": "UUID",
    "date-time": "time (RFC 3339)",
    "date": "date",
    "string": "text",
    "integer": "number",
    "number": "number",
    "boolean": "true or false",
    "null": "null",
    "object": "object",
}
