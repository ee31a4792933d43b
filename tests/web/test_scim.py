"""Provisioning by SCIM: what an identity provider sees, adds, changes and ends, and what it may not."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from app.rates import Rate
from db.access import api_keys, sessions
from db.access.api_keys import PROVISION
from db.sequences import candidates
from lab.access_records import Grant, Mailbox, Member
from lab.factories import World
from lab.records import AuditEntry, Candidate, Sequence
from lab.stage import Stage
from tests.web.test_api import API, key_of
from tests.web.visitor import Visitor, email_of, known_account
from web import scim_call

AT = "/scim/v2"
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


class Provider:
    """An identity provider with a token."""

    def __init__(self, client: httpx.Client, token: str) -> None:
        self._client, self._token = client, token

    def ask(self, method: str, path: str, body: object = None, **query: Any) -> httpx.Response:
        """Ask, and find every answer to be SCIM."""
        answer = self._client.request(
            method,
            AT + path,
            json=body,
            params=query or None,
            headers={"Authorization": f"Bearer {self._token}", "Content-Type": "application/scim+json"},
        )
        if answer.status_code != 204:
            assert answer.headers["content-type"] == "application/scim+json", answer.text
        return answer

    def add(self, user_name: str, **more: object) -> Any:
        """Add a member and return them as SCIM shows them."""
        answer = self.ask("POST", "/Users", {"schemas": [USER], "userName": user_name, **more})
        assert answer.status_code == 201, answer.text
        return answer.json()

    def patch(self, member: object, *operations: dict[str, object]) -> httpx.Response:
        """Change a member."""
        return self.ask("PATCH", f"/Users/{member}", {"schemas": [PATCH], "Operations": list(operations)})

    def list(self, text: str = "", **query: Any) -> Any:
        """Return the answer to a filter."""
        answer = self.ask("GET", "/Users", **({"filter": text} if text else {}), **query)
        assert answer.status_code == 200, answer.text
        return answer.json()


def is_error(answer: httpx.Response, status: int, kind: str | None = None) -> str:
    """Return what an error says."""
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert body["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
    assert (body["status"], body.get("scimType")) == (str(status), kind)
    return str(body["detail"])


@pytest.fixture
def client(site: str) -> Iterator[httpx.Client]:
    alone = httpx.Limits(max_keepalive_connections=0)
    with httpx.Client(base_url=site, trust_env=False, timeout=60, limits=alone) as made:
        yield made


@pytest.fixture
def provider(stage: Stage, client: httpx.Client) -> Provider:
    return Provider(client, key_of(stage.world, PROVISION))


def replaces(path: str, value: object) -> dict[str, object]:
    """As Entra spells it."""
    return {"op": "Replace", "path": path, "value": value}


def test_a_member_is_added_found_changed_ended_and_comes_back(stage: Stage, provider: Provider) -> None:
    made = provider.add(
        "Anna.Meier@acme.example",
        externalId="a-1",
        displayName="Anna Meier",
        name={"givenName": "Anna", "familyName": "Meier"},
        emails=[
            {"value": "private@home.example", "type": "home"},
            {"value": "anna@acme.example", "type": "work"},
        ],
        title="Director",
        roles=[{"value": "owner", "primary": True}],
        active=True,
    )
    assert made["userName"] == "Anna.Meier@acme.example"
    assert made["emails"] == [{"value": "anna@acme.example", "type": "work", "primary": True}]
    assert "title" not in made
    member = stage.only(Member)
    assert (member.name, member.email, member.role, member.active) == (
        "Anna Meier", "anna@acme.example", "member", True,
    )  # fmt: skip
    for text in (
        'userName eq "anna.meier@acme.example"',
        'externalId eq "a-1"',
        f'id eq "{made["id"]}"',
        'emails[type eq "work" and value eq "anna@acme.example"]',
        'userName eq "anna.meier@ACME.example" and active eq true',
        'name.familyName sw "Mei" and not (displayName co "Schmidt")',
    ):
        assert [each["id"] for each in provider.list(text)["Resources"]] == [made["id"]], text
    for text in ('userName eq "somebody@acme.example"', 'id eq "none"', "active eq false"):
        assert provider.list(text)["totalResults"] == 0
    changed = provider.patch(
        made["id"], replaces("displayName", "Anna Schmidt"), replaces("externalId", "a-2")
    )
    assert (changed.json()["displayName"], changed.json()["externalId"]) == ("Anna Schmidt", "a-2")
    assert provider.patch(made["id"], replaces("active", "False")).json()["active"] is False
    assert not stage.only(Member).active
    assert provider.list("active eq false")["totalResults"] == 1  # whoever left is still listed
    assert provider.patch(made["id"], replaces("active", "True")).json()["active"] is True
    trail = [each.action for each in stage.all(AuditEntry, subject=f"member:{member.id}")]
    assert trail == [
        "member_added", "member_changed", "member_deactivated", "withdrawal_answered", "member_reactivated",
    ]  # fmt: skip


def test_whoever_is_deleted_is_seen_no_more_and_comes_back_as_a_member_alone(
    stage: Stage, provider: Provider
) -> None:
    ada = stage.world.member("Ada Admin", role="admin")
    address = email_of(stage, ada)
    (shown,) = provider.list(f'userName eq "{address}"')["Resources"]
    assert shown["id"] == str(ada)  # those who were here before are found by their address
    assert provider.ask("DELETE", f"/Users/{ada}").status_code == 204
    left = stage.only(Member, ada)
    assert (left.active, left.role) == (False, "member")
    for answer in (
        provider.ask("GET", f"/Users/{ada}"),
        provider.ask("DELETE", f"/Users/{ada}"),
        provider.patch(ada, replaces("displayName", "Ada")),
    ):
        is_error(answer, 404)
    assert provider.list()["totalResults"] == 0
    again = provider.add(address, displayName="Ada Again")
    assert again["id"] == str(ada)  # who she was, with what she did
    back = stage.only(Member, ada)
    assert (back.active, back.role, back.name) == (True, "member", "Ada Again")


def test_a_put_replaces_and_says_nothing_of_active_unless_it_does(stage: Stage, provider: Provider) -> None:
    made = provider.add("otto@acme.example", displayName="Otto", externalId="o")
    path, body = f"/Users/{made['id']}", {"schemas": [USER], "userName": "otto@acme.example"}
    assert provider.ask("PUT", path, body | {"active": False}).json()["active"] is False
    changed = provider.ask("PUT", path, body | {"name": {"givenName": "Otto", "familyName": "Berg"}}).json()
    assert changed["active"] is False
    assert (changed["displayName"], changed.get("externalId")) == ("Otto Berg", None)
    renamed = provider.patch(made["id"], replaces("name.familyName", "Tal")).json()
    assert renamed["displayName"] == "Otto Tal"  # the parts made it
    assert provider.ask("PUT", path, body | {"active": True}).json()["active"] is True


def test_pages_have_no_gaps_and_no_doubles(stage: Stage, provider: Provider) -> None:
    made = [str(stage.world.member(f"Member {number}")) for number in range(7)]
    seen: list[str] = []
    for begin in (1, 4, 7, 10):
        page = provider.list(startIndex=begin, count=3)
        assert (page["totalResults"], page["startIndex"]) == (7, begin)
        assert page["itemsPerPage"] == len(page["Resources"])
        seen += [each["id"] for each in page["Resources"]]
    assert seen == made
    assert provider.list(count=0)["totalResults"] == 7
    assert provider.list(startIndex=-5, count=-1)["Resources"] == []
    assert len(provider.list('displayName co "member"', startIndex=6, count=5)["Resources"]) == 2
    some = provider.list(count=1, attributes="userName")["Resources"][0]
    assert set(some) == {"schemas", "id", "userName"}
    asked = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "count": 2}
    assert len(provider.ask("POST", "/Users/.search", asked).json()["Resources"]) == 2


def test_what_is_no_scim_is_refused_in_its_words(
    stage: Stage, provider: Provider, client: httpx.Client
) -> None:
    made = provider.add("nina@acme.example")["id"]
    ask = provider.ask
    is_error(ask("POST", "/Users", {"schemas": [USER], "userName": "NINA@acme.example"}), 409, "uniqueness")
    is_error(ask("POST", "/Users", {"schemas": [USER]}), 400, "invalidValue")
    is_error(ask("POST", "/Users", {"schemas": [USER], "userName": "nobody"}), 400, "invalidValue")
    is_error(ask("POST", "/Users", ["no object"]), 400, "invalidSyntax")
    is_error(ask("GET", "/Users", filter="userName like 3"), 400, "invalidFilter")
    is_error(ask("GET", "/Users", filter='title eq "x"'), 400, "invalidFilter")
    is_error(ask("GET", "/Users", filter="userName pr or " * 50 + "active pr"), 400, "tooMany")
    is_error(ask("POST", "/.search", {"attributes": ["emails[" + "(" * 600]}), 400, "tooMany")
    is_error(provider.patch(made, replaces("active", "maybe")), 400, "invalidValue")
    is_error(provider.patch(made, replaces("id", str(uuid4()))), 400, "mutability")
    is_error(provider.patch(made, replaces("emails[", "x")), 400, "invalidPath")
    is_error(provider.patch(made, {"op": "Remove", "path": "userName"}), 400, "mutability")
    is_error(
        provider.patch(made, replaces('emails[type eq "work"].value', "no address")), 400, "invalidValue"
    )
    is_error(provider.patch(made, *[replaces("active", True)] * 51), 413)
    is_error(provider.patch(made, replaces("emails[" + "(" * 600, "x")), 413)
    is_error(provider.patch(made, {"op": "add", "value": {"emails[" + "(" * 600: "x"}}), 413)
    is_error(provider.patch(made, replaces("displayName", "a\0b")), 400, "invalidValue")
    is_error(ask("GET", "/Groups"), 404)
    is_error(ask("GET", "/Users/"), 404)
    is_error(ask("GET", f"/Users/{uuid4()}"), 404)
    is_error(ask("GET", "/Users/none"), 404)
    is_error(ask("POST", "/Bulk", {}), 404)
    is_error(ask("POST", f"/Users/{made}", {}), 405)
    is_error(client.get(f"{AT}/Users"), 401)
    big = client.post(f"{AT}/Users", content=b"x" * 100_000)
    assert (big.status_code, big.headers["content-type"]) == (413, "application/scim+json")
    assert stage.count(Member) == 1


LEAVES = replaces("active", "False")
# What a request may get wrong beside a departure: the whole of it is refused, and the departure is not.
WRONG: dict[str, tuple[dict[str, object], ...]] = {
    "a path that is none": (LEAVES, replaces("emails[", "x")),
    "a name removed": ({"op": "Remove", "path": "userName"}, LEAVES),
    "a value of another type": (LEAVES, replaces("displayName", 5)),
    "no such value": (LEAVES, {"op": "Replace", "path": 'emails[value eq "x" or type eq "y"].value', "value": "z"}),
    "an operation that is none": (LEAVES, {"op": "move", "path": "title", "value": "x"}),
    "no path": ({"op": "replace", "value": {"userName": None, "active": False}},),
}  # fmt: skip


def test_a_departure_does_not_wait_for_what_is_wrong_beside_it(stage: Stage, provider: Provider) -> None:
    made = provider.add("nina@acme.example")["id"]
    for wrong, operations in WRONG.items():
        assert provider.patch(made, *operations).status_code == 400, wrong
        assert not stage.only(Member).active, wrong
        assert provider.patch(made, replaces("active", True)).json()["active"] is True
    assert provider.patch(made, LEAVES, replaces("emails[", "x"), replaces("active", True)).status_code == 400
    assert stage.only(Member).active  # what is said last counts


def test_a_departure_by_put_does_not_wait_either(stage: Stage, provider: Provider) -> None:
    made = provider.add("nina@acme.example")["id"]
    for wrong in ({"displayName": 5}, {"emails": "nina"}, {"userName": None}, {"meta": "x"}):
        body = {"schemas": [USER], "userName": "nina@acme.example", "ACTIVE": "false", **wrong}
        assert provider.ask("PUT", f"/Users/{made}", body).status_code == 400
        assert not stage.only(Member).active, wrong
        provider.patch(made, replaces("active", True))
    is_error(
        provider.ask("PUT", f"/Users/{made}", {"schemas": [USER], "active": "maybe"}), 400, "invalidValue"
    )
    assert stage.only(Member).active


def test_a_filter_by_a_name_that_nobody_can_have_finds_nobody(stage: Stage, provider: Provider) -> None:
    provider.add("nina@acme.example", externalId="n")
    for name in ("userName", "externalId", "id", "displayName"):
        for letter in ("\\u0000", "\\ud83d", "\\u2028"):
            assert provider.list(f'{name} eq "{letter}"')["totalResults"] == 0


def test_a_token_provisions_and_nothing_else(stage: Stage, client: httpx.Client) -> None:
    token, key = key_of(stage.world, PROVISION), key_of(stage.world, "read", "manage", "addresses")
    refused = client.get(f"{API}/candidates", headers={"Authorization": f"Bearer {token}"})
    assert (refused.status_code, "/scim/v2 alone" in refused.text) == (403, True)
    assert "Team" in is_error(Provider(client, key).ask("GET", "/Users"), 403)
    name = "Entra"
    with stage.world.database.transaction() as tx:
        ended = api_keys.make(tx, stage.world.organization_id, name, [PROVISION], actor="test")
        api_keys.revoke(tx, stage.world.organization_id, name, actor="test")
    is_error(Provider(client, ended).ask("GET", "/Users"), 401)


def test_a_token_that_asks_too_often_waits(
    stage: Stage, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scim_call, "PROVISIONING", Rate(2, "minute"))
    often, other = (Provider(client, key_of(stage.world, PROVISION)) for _ in range(2))
    assert [often.ask("GET", "/Users").status_code for _ in range(3)] == [200, 200, 429]
    refused = often.ask("GET", "/Users")
    assert "Try again" in is_error(refused, 429)
    assert 0 < int(refused.headers["retry-after"]) <= 60
    assert other.ask("GET", "/Users").status_code == 200


def test_another_organizations_members_do_not_exist(stage: Stage, client: httpx.Client) -> None:
    rita = stage.world.member("Rita Recruiter")
    elsewhere = World(stage.world.database)
    stranger = Provider(client, key_of(elsewhere, PROVISION))
    address = email_of(stage, rita)
    assert stranger.list()["totalResults"] == 0
    assert stranger.list(f'userName eq "{address}" or active pr')["totalResults"] == 0
    for answer in (
        stranger.ask("GET", f"/Users/{rita}"),
        stranger.ask("PUT", f"/Users/{rita}", {"schemas": [USER], "userName": "x@acme.example"}),
        stranger.patch(rita, replaces("active", False)),
        stranger.ask("DELETE", f"/Users/{rita}"),
    ):
        assert is_error(answer, 404) == "There is no such member."
    assert stage.only(Member, rita).active
    stranger.add(address)  # an address is one organization's, not the only one
    elsewhere.database.close()


def test_whoever_never_signed_in_and_has_something_keeps_the_address(
    stage: Stage, provider: Provider
) -> None:
    """Otherwise whoever provisions names an account of theirs, signs in, and is the owner."""
    olga = stage.world.member("Olga Owner", role="owner")
    hans = stage.world.member("Hans Holder")
    ben = stage.world.member("Ben Bringer")
    person = stage.only(Candidate, *stage.world.candidates(1))
    with stage.world.database.transaction() as tx:
        candidates.bring_in(tx, stage.world.organization_id, ben, [person.email])
    box = stage.mailbox(hans)
    evil = "evil@acme.example"
    for member in (olga, hans, ben):
        for path in ("userName", 'emails[type eq "work"].value'):
            said = is_error(provider.patch(member, replaces(path, evil)), 400, "mutability")
            assert "has never signed in" in said
        body = {"schemas": [USER], "userName": evil, "emails": [{"value": evil}]}
        is_error(provider.ask("PUT", f"/Users/{member}", body), 400, "mutability")
    assert {each.email for each in stage.all(Member)}.isdisjoint({evil})
    # A new one with nothing may be corrected.
    nina = provider.add("nnia@acme.example")["id"]
    corrected = provider.patch(nina, replaces("userName", "nina@acme.example")).json()
    assert corrected["emails"][0]["value"] == "nina@acme.example"
    # Nor can a user be named what is somebody else's, or a mailbox's.
    for taken in (email_of(stage, hans), stage.address(box)):
        is_error(provider.patch(nina, replaces("userName", taken)), 409, "uniqueness")
        is_error(provider.patch(nina, replaces("emails", [{"value": taken}])), 409, "uniqueness")


def test_an_account_outlives_another_address_and_nobody_else_signs_in_by_it(
    stage: Stage, provider: Provider
) -> None:
    hans = stage.world.member("Hans Holder")
    before = email_of(stage, hans)
    account = known_account(stage, before)
    Visitor(stage).sign_in(before)
    new, evil = "hans.neu@acme.example", "evil@acme.example"
    answer = provider.patch(hans, replaces("userName", new), replaces('emails[type eq "work"].value', new))
    assert answer.json()["userName"] == new
    assert stage.only(Member, hans).account_id == account.user_id
    known_account(stage, evil)
    provider.patch(hans, replaces("userName", evil), replaces('emails[type eq "work"].value', evil))
    stranger = stage.emulator.world.mailboxes[evil]
    with stage.world.database.transaction() as tx:
        assert sessions.member_of(tx, account.tenant_id, account.user_id, [before]) == hans
        assert sessions.member_of(tx, stranger.tenant_id, stranger.user_id, [evil]) is None


def test_a_first_sign_in_by_either_name_leads_to_the_member(stage: Stage, provider: Provider) -> None:
    made = provider.add("a.meier@acme.example", emails=[{"value": "anna.meier@acme.example", "type": "work"}])
    account = known_account(stage, "a.meier@acme.example")
    with stage.world.database.transaction() as tx:
        found = sessions.member_of(tx, account.tenant_id, account.user_id, ["a.meier@acme.example"])
    assert found == UUID(made["id"])


@pytest.mark.row("B8")
def test_a_departure_ends_permissions_and_a_return_gives_none_back(stage: Stage, provider: Provider) -> None:
    hans, rita = stage.world.member("Hans Holder"), stage.world.member("Rita Recruiter")
    box = stage.mailbox(hans)
    stage.world.grant(box, rita)
    stage.world.enroll(stage.world.sequence(rita, box, ("P1D",)), 2)
    # Whatever else the request says wrongly: a departure does not wait for a name.
    refused = provider.patch(
        hans, replaces("active", False), replaces('emails[type eq "work"].value', "evil@acme.example")
    )
    is_error(refused, 400, "mutability")
    assert not stage.only(Member, hans).active
    assert (stage.only(Mailbox).status, stage.only(Grant).archived_reason) == (
        "disconnected",
        "member_deactivated",
    )
    stage.run_outbox()
    assert (stage.only(Sequence).status, stage.only(Sequence).paused_reason) == (
        "paused",
        "MemberDeactivated",
    )
    provider.patch(hans, replaces("active", True))
    assert stage.only(Member, hans).active
    assert (stage.only(Mailbox).status, stage.only(Sequence).status) == ("disconnected", "paused")
    assert stage.only(Grant).archived_at is not None
    assert stage.left() == []
