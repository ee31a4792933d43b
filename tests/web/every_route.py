"""Every address of the product, from its own routes: pages with their forms, calls of the API with bodies as described.

A new page, form or call is in the sweeps of tests/web/test_other_organizations.py and test_hostile_inputs.py without a line of theirs.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args, get_origin, get_type_hints

from fastapi import FastAPI
from fastapi.routing import APIRoute

from lab.access_records import (  # fmt: skip
    ApiKey,
    Grant,
    GrantRequest,
    Mailbox,
    Member,
    NoticeChannel,
    PageResult,
    Session,
    Webhook,
    Withdrawal,
)
from lab.import_records import PeopleImport
from lab.listening_records import IncomingMessage
from lab.records import Delivery, Enrollment, Event, HandoverRequest, Notice, Step, Suppression
from lab.stage import Stage
from web.forms import PageForm
from web.routers import PAGES

_HOLE = re.compile(r"\{(\w+)(?::\w+)?\}")
# What one name means in some addresses. Everywhere else it is what ``ids_of`` says.
_ELSEWHERE = {
    ("/handovers/", "asked"): "handover",
    ("/hand-overs/", "request"): "handover",
    ("/grant-requests/", "request"): "asked",
    ("/attention/reviews/", "of"): "delivery",
    ("/attention/addresses/", "of"): "failed",
    ("/attention/addresses/", "delivery"): "failed",
    ("/attention/incidents/", "of"): "incident",
    ("/attention/", "of"): "sequence",
    ("/settings/preferences/", "of"): "channel",
    ("/messages/unassigned/", "message"): "unassigned",
    ("/unassigned/", "message"): "unassigned",
    ("/sequences/{sequence}/steps/", "step"): "step",
    ("/addresses/", "mailbox"): "which",
    ("/settings/team/{member}/hand-over", "member"): "left",
}
CAPABILITIES = ("/approve/{token}",)  # whoever has the token may: it names no organization


@dataclass(frozen=True, slots=True)
class Route:
    """``path``: with holes, without converters. ``fields``: of a page's form, or what a body of the API is described as; ``query``: so too."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: str
    fields: Mapping[str, Any]
    verbs: tuple[str, ...] = ()
    query: Mapping[str, Any] = field(default_factory=dict)

    @property
    def holes(self) -> list[str]:
        """The names of its ids."""
        return [each for each in _HOLE.findall(self.path) if each != "verb"]

    def filled(self, value: Callable[[str], str]) -> Iterator[str]:
        """The address with these values, once for each verb."""
        path = _HOLE.sub(
            lambda hole: hole[0] if hole[1] == "verb" else value(meant(self.path, hole[1])), self.path
        )
        for verb in self.verbs or ("",):
            yield path.replace("{verb}", verb)


def meant(path: str, name: str) -> str:
    """What a hole of an address is about."""
    return next(
        (kind for (start, hole), kind in _ELSEWHERE.items() if hole == name and path.startswith(start)), name
    )


def pages() -> list[Route]:
    """Every address of a page and of a form."""
    found = []
    for router in PAGES:
        for route in router.routes:
            assert isinstance(route, APIRoute)
            path = _HOLE.sub(r"{\1}", route.path)
            if path in CAPABILITIES:
                continue
            hints = get_type_hints(route.endpoint, include_extras=True)
            verbs = get_args(hints["verb"]) if get_origin(hints.get("verb")) is Literal else ()
            methods = route.methods or set()
            found += [Route("GET", path, {}, verbs)] if "GET" in methods else []
            found += [Route("POST", path, _fields(hints), verbs)] if "POST" in methods else []
    return found


def _fields(hints: Mapping[str, Any]) -> dict[str, Any]:
    forms = [
        each
        for hint in hints.values()
        for each in (hint, *get_args(hint))
        if isinstance(each, type) and issubclass(each, PageForm)
    ]
    return {
        name: each.annotation
        for form in forms
        for name, each in form.model_fields.items()
        if name != "member"  # whose page it is on, which browsers send (tests/web/test_another_member.py)
    }


def calls(api: FastAPI) -> list[Route]:
    """Every call of the API. ``fields``: the schema of its body, {} if it has none."""
    document = api.openapi()
    found = []
    for path, methods in document["paths"].items():
        for method, given in methods.items():
            schema = (
                given.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            )
            found.append(Route(method.upper(), path, _whole(document, schema), query=_query(document, given)))
    return found


def _query(document: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    asked = [each for each in given.get("parameters", ()) if each["in"] == "query"]
    return {
        "type": "object",
        "properties": {each["name"]: _whole(document, each["schema"]) for each in asked},
        "required": [each["name"] for each in asked if each["required"]],
    }


def _whole(document: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """A schema without references."""
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    found = dict(schema)
    for several in ("anyOf", "allOf"):
        if several in found:
            found[several] = [_whole(document, each) for each in found[several]]
    if "properties" in found:
        found["properties"] = {name: _whole(document, each) for name, each in found["properties"].items()}
    if "items" in found:
        found["items"] = _whole(document, found["items"])
    return found


_TEXTS = {
    "email": "a@b.example", "address": "a@b.example", "url": "https://hooks.acme.example/x", "values": "a@b.example",
    "delay": "P1D", "at": "2030-01-01T00:00:00Z", "zone": "UTC", "host": "mail.acme.example", "events": "address.bounced",
}  # fmt: skip


def body_of(schema: Mapping[str, Any], value: Callable[[str], str], name: str = "") -> Any:
    """A body that fits its description, with ids of ``value`` wherever an id is asked for, also where it may be left out."""
    if several := schema.get("anyOf"):
        return body_of(next(each for each in several if each.get("type") != "null"), value, name)
    if "enum" in schema or "const" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    match schema.get("type"):
        case "object" if "properties" in schema:
            required = schema.get("required", ())
            return {
                each: body_of(kind, value, each)
                for each, kind in schema["properties"].items()
                if each in required or "uuid" in repr(kind)
            }
        case "object":
            return {}
        case "array":
            return [body_of(schema["items"], value, name)]
        case "string" if schema.get("format") == "uuid":
            return value(name.removesuffix("_id").removesuffix("_ids"))
        case "string":
            return _TEXTS.get(name, "x" * max(1, schema.get("minLength", 1)))
        case "integer":
            return max(1, schema.get("minimum", 1))
        case "boolean":
            return False
    return None


def ids_of(stage: Stage) -> dict[str, str]:
    """An id of each kind that addresses name, of the stage's organization."""

    def some(kind: type[Any], **where: object) -> str:
        return str(stage.all(kind, **where)[0].id)

    message = next(each for each in stage.all(IncomingMessage) if each.candidate_id)
    person = str(message.candidate_id)
    enrollment = stage.all(Enrollment, candidate_id=message.candidate_id)[0]
    delivery = stage.all(Delivery, sequence_id=enrollment.sequence_id, state="pending")[0]
    member, mailbox = some(Member, role="member", active=True), some(Mailbox)
    jobs = next(
        str(each.id)
        for each in stage.all(Mailbox)
        if each.owner_id is None and each.address.startswith("jobs")
    )
    incident = next(str(each.id) for each in stage.all(Notice) if each.channel == "in_app")
    named = {
        "asked": some(GrantRequest), "handover": some(HandoverRequest), "candidate": person, "person": person,
        "change": some(PageResult), "channel": some(NoticeChannel), "delivery": str(delivery.id), "edit": some(PageResult), "enrollment": str(enrollment.id), "event": some(Event),
        "grant": some(Grant), "incident": incident,
        "key": some(ApiKey), "left": some(Member, active=False), "member": member, "message": str(message.id), "notice": incident, "one": some(Session),
        "people_import": some(PeopleImport), "result": some(PageResult), "sequence": str(enrollment.sequence_id),
        "step": some(Step, sequence_id=enrollment.sequence_id), "suppression": some(Suppression), "webhook": some(Webhook),
        "task": some(Delivery, reason="waits_for_task"), "which": jobs, "withdrawal": some(Withdrawal), "mailbox": mailbox,
        "unassigned": some(IncomingMessage, status="unassigned"), "failed": some(Delivery, outcome="failed"),
    }  # fmt: skip
    other = next(str(each.id) for each in stage.all(Member, active=True) if str(each.id) != member)
    return named | {
        # What forms and bodies call them.
        "to": other, "owner": member, "requester": member, "backup": member, "newest": incident, "up_to": incident,
        "notification": incident, "candidate_ids": person, "sender": mailbox, "former": mailbox, "parent": member, "mailboxes": mailbox, "sequences": named["sequence"],
        "people": person, "tick": named["delivery"], "entity": member, "legal_entity": member, "channels": named["channel"],
    }  # fmt: skip
