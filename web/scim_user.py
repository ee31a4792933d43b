"""Members in the words of SCIM 2.0 (RFC 7643): what there is of a user, what we say of ourselves, and what filters may ask."""

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import ValidationError
from scim2_models import (
    URN,
    AuthenticationScheme,
    Bulk,
    ChangePassword,
    ComplexAttribute,
    Context,
    ETag,
    Filter,
    Meta,
    Mutability,
    Patch,
    PatchOp,
    Required,
    Resource,
    ResourceType,
    SCIMException,
    ScimFilter,
    ScimPolicy,
    ServiceProviderConfig,
    Sort,
    Uniqueness,
)
from scim2_models.path import CompareOperator, Comparison, FilterNode, LogicalExpr, LogicalOperator

from db.access.provisioned import Provisioned, Wanted
from domain.address import unprintable
from domain.provisioning import Said, parsed
from web.forms import id_of

MAX_PAGE = 200  # users in one answer
MAX_FILTER = 500  # characters
# Identity providers send more than we keep, and not always as the standard says: RFC 7644 lets us ignore what we do not keep, and
# the rest is how Entra speaks (docs/provisioning.md).
POLICY = ScimPolicy(
    unknown=ScimPolicy.Unknown.ignore,
    remove_value_as_filter=ScimPolicy.RemoveValue.apply,
    unmatched_path_filter=ScimPolicy.UnmatchedPathFilter.create,
)


class User(Resource[Any]):
    """A member. Other attributes are accepted and not kept."""

    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:User")

    class Name(ComplexAttribute):
        """A name and its parts."""

        formatted: str | None = None
        """The whole name, as people see it."""

        family_name: str | None = None
        """The family name."""

        given_name: str | None = None
        """The first name."""

    class Emails(ComplexAttribute):
        """An address. Of several, we keep the primary one, or else the first for work."""

        value: str | None = None
        """The address."""

        type: str | None = None
        """Always work when we answer."""

        primary: bool | None = None
        """Always true when we answer."""

    user_name: Annotated[str | None, Uniqueness.server, Required.true] = None
    """The sign-in name, unique in the organization."""

    name: Name | None = None
    """The name and its parts."""

    display_name: str | None = None
    """The whole name, as people see it."""

    emails: list[Emails] | None = None
    """The address that notices go to. Leave it out where userName is an address."""

    active: bool | None = None
    """False ends the member's access. We answer when nothing of theirs can leave any more."""


TYPE = ResourceType.from_resource(User)
SCHEMA = User.to_schema()
# Said to be required, because not every user name is an address; we do without where it is one. We keep one address, whatever its
# type is called.
for _each in SCHEMA.attributes or ():
    if _each.name == "emails":
        _each.required = Required.true
        for _part in _each.sub_attributes or ():
            if _part.name == "value":
                _part.required = Required.true
            else:
                _part.mutability = Mutability.read_only

_TEXT: dict[str, Any] = {"type": "string"}
_ADDRESS = {"type": "object", "properties": {"value": _TEXT, "type": _TEXT, "primary": {"type": "boolean"}}}
# Bodies as the reference describes them. Others may be in them, and are ignored.
TAKES_USER = {
    "type": "object",
    "required": ["schemas", "userName"],
    "properties": {
        "schemas": {"type": "array", "items": {"const": str(User.__schema__)}},
        "userName": _TEXT,
        "externalId": _TEXT,
        "displayName": _TEXT,
        "name": {
            "type": "object",
            "properties": {"formatted": _TEXT, "givenName": _TEXT, "familyName": _TEXT},
        },
        "emails": {"type": "array", "items": _ADDRESS},
        "active": {"type": "boolean"},
    },
}
TAKES_PATCH = {
    "type": "object",
    "required": ["schemas", "Operations"],
    "properties": {
        "schemas": {"type": "array", "items": {"const": "urn:ietf:params:scim:api:messages:2.0:PatchOp"}},
        "Operations": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["op", "path", "value"],
                "properties": {
                    "op": {"enum": ["replace", "add", "remove"]},
                    "path": {
                        "enum": [
                            "active",
                            "displayName",
                            "userName",
                            "externalId",
                            'emails[type eq "work"].value',
                        ]
                    },
                    "value": {"type": "boolean"},
                },
            },
        },
    },
}


def config(base: str) -> ServiceProviderConfig:
    """Return what this service can do. ``base``: its public address."""
    return ServiceProviderConfig(
        patch=Patch(supported=True),
        bulk=Bulk(supported=False, max_operations=0, max_payload_size=0),
        filter=Filter(supported=True, max_results=MAX_PAGE),
        change_password=ChangePassword(supported=False),
        sort=Sort(supported=False),
        etag=ETag(supported=False),
        authentication_schemes=[
            AuthenticationScheme(
                name="Bearer token",
                description="A token that an admin makes on the page Team, under Provisioning",
                type=AuthenticationScheme.Type.oauthbearertoken,
                primary=True,
            )
        ],
        meta=Meta(resource_type="ServiceProviderConfig", location=f"{base}/ServiceProviderConfig"),
    )


def user_of(member: Provisioned, base: str) -> User:
    """Return a member as SCIM shows them."""
    return User(
        id=str(member.id),
        external_id=member.external_id,
        user_name=member.user_name,
        name=User.Name(
            formatted=member.formatted_name, family_name=member.family_name, given_name=member.given_name
        ),
        display_name=member.name,
        emails=[User.Emails(value=member.email, type="work", primary=True)],
        active=member.active,
        meta=Meta(resource_type="User", location=f"{base}/Users/{member.id}"),
    )


def said_of(user: User, before: Provisioned | None = None) -> Said:
    """Return what a user says of a member. ``before``: who they are. Raises ``InvalidInput``."""
    user_name, emails = user.user_name or "", user.emails or []
    if before is not None and _moved(user_name, emails, before):
        emails = []
    formatted, given, family = _parts(user)
    return parsed(
        user_name,
        [(each.value or "", bool(each.primary), each.type or "") for each in emails],
        _names(user, before),
        external_id=user.external_id,
        formatted_name=formatted,
        given_name=given,
        family_name=family,
    )


def _moved(user_name: str, emails: list[User.Emails], before: Provisioned) -> bool:
    """Is only the user name another one, which was the address? Where a provider sends no emails, that is how an address changes."""
    same = [each.value for each in emails] == [before.email] == [before.user_name.lower()]
    return same and user_name != before.user_name and "@" in user_name


def _names(user: User, before: Provisioned | None) -> list[str]:
    """Return what may be their name, best first. What is displayed is said, or else made of the rest, and then made of it again."""
    shown, rest = user.display_name or "", _made_of(*_parts(user))
    if before is None:
        return [shown, *rest]
    made = _made_of(before.formatted_name, before.given_name, before.family_name)
    if shown == before.name and shown in made[:1]:
        return [*rest, shown]
    return [shown, *rest, before.name]


def _made_of(formatted: str | None, given: str | None, family: str | None) -> list[str]:
    return [each for each in (formatted, " ".join(each for each in (given, family) if each)) if each]


def _parts(user: User) -> tuple[str | None, str | None, str | None]:
    name = user.name or User.Name()
    return name.formatted, name.given_name, name.family_name


def says_left(operations: object) -> bool:
    """Do the operations of a patch, each taken alone, end the member's access in the end? What else is in them may be anything."""
    active = None
    for each in _single(operations):
        user, alone = User(user_name="-"), {"schemas": [str(PatchOp.__schema__)], "Operations": [each]}
        try:
            patch = PatchOp[User].model_validate(
                alone, scim_ctx=Context.RESOURCE_PATCH_REQUEST, scim_policy=POLICY
            )
            patch.patch(user, POLICY)
        except (SCIMException, ValidationError):  # it says nothing, and is refused with the whole request
            continue
        active = active if user.active is None else user.active
    return active is False


def _single(operations: object) -> Iterator[object]:
    """Each operation; where one has no path, each attribute of its value."""
    for each in operations if isinstance(operations, list) else ():
        value = each.get("value") if isinstance(each, dict) else None
        if isinstance(value, dict) and not each.get("path"):
            yield from (each | {"value": {name: part}} for name, part in value.items())
        else:
            yield each


_SEARCHED = {"username": "user_name", "externalid": "external_id", "id": "id"}


def searched(asked: ScimFilter[Any]) -> tuple[Wanted | None, bool]:
    """Return the members among whom a filter finds all, None: nobody; and whether it finds every one of them."""
    found: dict[str, Any] = {}
    terms = list(_terms(asked.ast))
    for term in terms:
        if isinstance(term, Comparison) and term.op is CompareOperator.eq and isinstance(term.value, str):
            name = _SEARCHED.get(term.attr_path.attr.lower())
            if name is not None and term.attr_path.sub_attr is None and name not in found:
                if unprintable(term.value):  # no name has one, and Postgres takes not all of them
                    return None, True
                found[name] = term.value
    if "id" in found and (member_id := id_of(found["id"])) is None:
        return None, True
    if "id" in found:
        found["id"] = member_id
    return Wanted(**found), len(found) == len(terms)


def _terms(node: FilterNode) -> Iterator[FilterNode]:
    """What all has to be true."""
    if isinstance(node, LogicalExpr) and node.op is LogicalOperator.and_:
        for each in node.terms:
            yield from _terms(each)
    else:
        yield node
