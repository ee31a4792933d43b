"""Organization files: organizations with members, mailboxes, grants and sequences, as validated plain values."""

import yaml

from domain import merge
from domain.address import parse_address
from domain.approval import StepKind
from domain.delay import spelled
from domain.errors import InvalidInput
from domain.message import MAX_BODY, MAX_SUBJECT
from domain.send_window import SendWindow, known_zone
from domain.signature import MAX_SIGNATURE, checked_signature
from domain.step_edits import Words
from domain.task import MAX_TEXT
from importing.answers import read_answers
from importing.organization_specs import (
    EntitySpec,
    GrantSpec,
    Hours,
    MailboxSpec,
    MemberSpec,
    OrganizationSpec,
    SequenceSpec,
)
from importing.problems import ImportRejected
from importing.tree import Place, Reader, collector_at_rest, is_null, parse_yaml, place_of

_MAX_STEPS = 100
_MAX_FIELDS = 200


def read_organization_file(file: str, text: str) -> list[OrganizationSpec]:
    """Read an organization file. Raises ``ImportRejected`` with all of the file's problems."""
    with collector_at_rest():
        return _read(file, text)


def _read(file: str, text: str) -> list[OrganizationSpec]:
    reader = Reader(file, text)
    root = reader.mapping(
        parse_yaml(file, text), "an organization file", required={"organizations"}, optional=set()
    )
    organizations = [
        _organization(reader, node) for node in reader.sequence(root.get("organizations"), "organizations")
    ]
    _once(reader, [(each.name.lower(), each.place) for each in organizations], "organization")
    addresses = [(box.address, box.place) for each in organizations for box in each.mailboxes]
    _once(reader, addresses, "mailbox")
    if not organizations and not reader.problems:
        reader.wrong(Place(1, 1), "there is no organization in it", "Start with: organizations:")
    if reader.problems:
        raise ImportRejected(file, reader.problems)
    return organizations


def _organization(reader: Reader, node: yaml.Node) -> OrganizationSpec:
    found = reader.mapping(
        node,
        "an organization",
        required={"name", "time_zone"},
        optional={"answers", "sending", "legal_entities", "members", "mailboxes", "grants", "sequences"},
    )
    zone = reader.text(found.get("time_zone"), "time_zone")
    if zone:
        try:
            known_zone(zone)
        except InvalidInput as error:
            reader.wrong(found["time_zone"], error.what, error.fix)
            zone = "UTC"
    spec = OrganizationSpec(
        reader.text(found.get("name"), "name"),
        zone or "UTC",
        _sending(reader, found.get("sending"), zone or "UTC"),
        _entities(reader, found.get("legal_entities")),
        tuple(_member(reader, each) for each in reader.sequence(found.get("members"), "members")),
        tuple(_mailbox(reader, each) for each in reader.sequence(found.get("mailboxes"), "mailboxes")),
        tuple(_grant(reader, each) for each in reader.sequence(found.get("grants"), "grants")),
        tuple(
            _sequence(reader, each, zone or "UTC")
            for each in reader.sequence(found.get("sequences"), "sequences")
        ),
        place_of(node),
        read_answers(reader, found.get("answers"), {"stop", "away_days", "opt_out_line"}),
    )
    _once(reader, [(each.email, each.place) for each in spec.members], "member")
    _once(reader, [(each.name.lower(), each.place) for each in spec.sequences], "sequence")
    return spec


def _member(reader: Reader, node: yaml.Node) -> MemberSpec:
    found = reader.mapping(
        node, "a member", required={"name", "email"}, optional={"role", "active", "legal_entity"}
    )
    active = reader.choice(found.get("active"), "active", "true", {"true", "false"})
    if active == "false":
        reader.wrong(
            found["active"], "members are not deactivated by import", "Use: onbehalf member deactivate EMAIL."
        )
    return MemberSpec(
        reader.text(found.get("name"), "name"),
        _address(reader, found.get("email"), "email"),
        reader.choice(found["role"], "role", "member", {"owner", "admin", "member"})
        if "role" in found
        else None,
        reader.text(found["legal_entity"], "legal_entity") if "legal_entity" in found else None,
        place_of(node),
    )


def _entities(reader: Reader, node: yaml.Node | None) -> tuple[EntitySpec, ...]:
    """Read legal entities. A parent must come first, so that there are no cycles."""
    specs: list[EntitySpec] = []
    for each in reader.sequence(node, "legal_entities"):
        found = reader.mapping(each, "a legal entity", required={"name"}, optional={"parent"})
        parent = reader.text(found["parent"], "parent") if "parent" in found else None
        if parent is not None and parent not in {spec.name for spec in specs}:
            reader.wrong(
                found["parent"], f"there is no legal entity {parent} before it", "List the parent first."
            )
        specs.append(EntitySpec(reader.text(found.get("name"), "name"), parent, place_of(each)))
    _once(reader, [(each.name.lower(), each.place) for each in specs], "legal entity")
    return tuple(specs)


def _says(node: yaml.Node | None, word: str) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.value.strip().lower() == word


def _mailbox(reader: Reader, node: yaml.Node) -> MailboxSpec:
    found = reader.mapping(
        node, "a mailbox", required={"address", "owner"}, optional={"daily_cap", "provider", "signature"}
    )
    return MailboxSpec(
        _address(reader, found.get("address"), "address"),
        _address(reader, found.get("owner"), "owner"),
        reader.number(found["daily_cap"], "daily_cap", 1000, 1, 10_000) if "daily_cap" in found else None,
        reader.choice(found["provider"], "provider", "graph", {"graph", "gmail"})
        if "provider" in found
        else None,
        place_of(node),
        _signature(reader, found.get("signature")),
    )


def _signature(reader: Reader, node: yaml.Node | None) -> str | None:
    if node is None:
        return None
    try:
        return checked_signature(reader.text(node, "signature", most=MAX_SIGNATURE, lines=True))
    except InvalidInput as error:
        reader.wrong(node, error.what, error.fix)
        return None


def _grant(reader: Reader, node: yaml.Node) -> GrantSpec:
    found = reader.mapping(node, "a grant", required={"mailbox", "to"}, optional=set())
    to = found.get("to")
    everyone = _says(to, "everyone")
    return GrantSpec(
        _address(reader, found.get("mailbox"), "mailbox"),
        None if everyone else _address(reader, to, "to"),
        place_of(node),
    )


def _sequence(reader: Reader, node: yaml.Node, zone: str) -> SequenceSpec:
    found = reader.mapping(
        node,
        "a sequence",
        required={"name", "owner", "send_from", "steps"},
        optional={"answers", "fields", "sending", "signature", "status"},
    )
    fields = []
    for each in reader.sequence(found.get("fields"), "fields", most=_MAX_FIELDS):
        name = reader.text(each, "a field", most=64)
        if name and not merge.fields_in(f"{{{{{name}}}}}"):
            reader.wrong(each, f"{name!r} cannot be a field", "Use small letters, digits and underscores.")
        else:
            fields.append(name)
    allowed = merge.STANDARD_FIELDS | set(fields)
    steps: list[Words] = []
    for each in reader.sequence(found.get("steps"), "steps", most=_MAX_STEPS):
        steps.append(_step(reader, each, allowed, first=all(step.is_task for step in steps)))
    places = [place_of(each) for each in reader.sequence(found.get("steps"), "steps", most=_MAX_STEPS)]
    _once(reader, [(step.key or "", place) for step, place in zip(steps, places, strict=True)], "step id")
    if "steps" in found and not steps:
        reader.wrong(found["steps"], "a sequence needs at least one step", "Add a step.")
    return SequenceSpec(
        reader.text(found.get("name"), "name"),
        _address(reader, found.get("owner"), "owner"),
        None
        if _says(found.get("send_from"), "company")
        else _address(reader, found.get("send_from"), "send_from"),
        tuple(fields) if "fields" in found else None,
        _sending(reader, found.get("sending"), zone),
        reader.choice(found["status"], "status", "active", {"active", "draft"})
        if "status" in found
        else None,
        tuple(steps),
        place_of(node),
        read_answers(reader, found.get("answers"), {"stop", "opt_out_line"}),
        reader.choice(found["signature"], "signature", "on", {"on", "off"}) == "on"
        if "signature" in found
        else None,
    )


def _step(reader: Reader, node: yaml.Node, allowed: frozenset[str] | set[str], *, first: bool) -> Words:
    """``first``: no email comes before it."""
    found = reader.mapping(node, "a step", required={"delay", "body"}, optional={"subject", "id", "kind"})
    delay = reader.text(found.get("delay"), "delay")
    if delay:
        try:
            delay = spelled(delay)
        except InvalidInput as error:
            reader.wrong(found["delay"], error.what, error.fix)
    kind = (
        StepKind(reader.choice(found["kind"], "kind", "automatic", set(StepKind)))
        if "kind" in found
        else None
    )
    subject = None
    if kind is StepKind.TASK:
        if "subject" in found:
            reader.wrong(found["subject"], "a task has no subject", "Its first line says what to do.")
    elif "subject" in found:
        subject = reader.text(found["subject"], "subject", most=MAX_SUBJECT)
        _template(reader, found["subject"], subject, allowed)
    elif first:
        reader.wrong(
            node, "the first email has no subject", "Only later emails can answer in the same thread."
        )
    most = MAX_TEXT if kind is StepKind.TASK else MAX_BODY
    body = reader.text(found.get("body"), "body", most=most, lines=True)
    if "body" in found:
        _template(reader, found["body"], body, allowed)
    key = reader.text(found["id"], "id", most=64) if "id" in found else None
    return Words(delay, subject, body, key, kind)


def _template(reader: Reader, node: yaml.Node, template: str, allowed: frozenset[str] | set[str]) -> None:
    if len(template) > MAX_BODY:
        return  # already reported
    for problem in merge.check(template, allowed):
        reader.wrong(reader.place_inside(node, template, problem.offset), problem.what, problem.fix)


def _sending(reader: Reader, node: yaml.Node | None, zone: str) -> Hours | None:
    if node is None or is_null(node):
        return None if node is None else Hours(None)
    value = reader.plain(node)
    if not isinstance(value, dict):
        fix = "Give days, from, to, holidays; or null, which removes the hours."
        reader.wrong(node, "sending must be a mapping", fix)
        return None
    try:
        return Hours(SendWindow.from_json({"zone": zone, **value}).to_json())
    except InvalidInput as error:
        at = node
        if isinstance(node, yaml.MappingNode):
            name = error.where.rpartition(".")[2]
            at = next((each for key, each in node.value if key.value == name), node)
        reader.wrong(at, error.what, error.fix)
        return None


def _address(reader: Reader, node: yaml.Node | None, what: str) -> str:
    text = reader.text(node, what, most=320)
    if not text or node is None:
        return ""
    try:
        return parse_address(text).email
    except InvalidInput as error:
        reader.wrong(node, error.what, error.fix)
        return ""


def _once(reader: Reader, named: list[tuple[str, Place]], what: str) -> None:
    seen: dict[str, Place] = {}
    for name, place in named:
        if name and name in seen:
            reader.wrong(
                place, f"the {what} {name} is already on line {seen[name].line}", "Keep one of them."
            )
        seen.setdefault(name, place)
