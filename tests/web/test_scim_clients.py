"""Provisioning with clients of others: scim2-client and scim2-tester over the network, and requests as Entra sends them."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from scim2_client import BaseSyncSCIMClient
from scim2_models import PatchOp
from scim2_tester import Status, check_server

from db.access.api_keys import PROVISION
from lab.access_records import Member
from lab.stage import Stage
from tests.web.test_api import key_of
from tests.web.test_scim import AT, PATCH, USER


class Client(BaseSyncSCIMClient):
    """scim2-client, over the HTTP client of our tests. It validates every answer by what the service says of itself."""

    def __init__(self, client: httpx.Client) -> None:
        super().__init__()
        self.client = client

    def _stays_under_base_url(self, endpoint: str) -> bool:
        return str(self.client.build_request("GET", endpoint).url).startswith(str(self.client.base_url))

    def _parse_json(self, response: Any) -> Any:
        return response.json()

    def request(self, method: str, url: str, **more: Any) -> httpx.Response:
        """Send a request."""
        return self.client.request(method, url, **more)


@pytest.fixture
def client(stage: Stage, site: str) -> Iterator[Client]:
    headers = {"Authorization": f"Bearer {key_of(stage.world, PROVISION)}"}
    alone = httpx.Limits(max_keepalive_connections=0)
    with httpx.Client(
        base_url=f"{site}{AT}/", headers=headers, trust_env=False, timeout=60, limits=alone
    ) as wire:
        yield Client(wire)


def test_a_test_suite_of_others_finds_nothing_wrong(stage: Stage, client: Client) -> None:
    """Except that nobody is without a name, nor neither active nor not, and that the one address we keep is the primary one for work."""
    results = check_server(client)
    ours = (
        "PATCH modify() did not remove attribute 'displayName'",
        "PATCH modify() did not remove attribute 'active'",
        "PATCH modify() returned unexpected value for 'emails'",
    )
    bad = [
        str(each.reason)
        for each in results
        if each.status in (Status.DEVIATION, Status.ERROR, Status.CRITICAL)
    ]
    assert [each for each in ours if not any(reason.startswith(each) for reason in bad)] == []
    wrong = [each for each in bad if not each.startswith(ours)]
    assert not wrong, "\n".join(wrong)
    assert len([each for each in results if each.status is Status.SUCCESS]) > 20


def test_a_client_of_others_adds_changes_and_ends_a_member(stage: Stage, client: Any) -> None:
    client.discover()
    user = client.get_resource_model("User")
    assert [each.name for each in client.provider.resource_types] == ["User"]  # and no groups
    address = "rita@acme.example"
    rita = client.create(
        user(user_name=address, display_name="Rita", emails=[{"value": address}], active=True)
    )
    assert client.query(user, rita.id) == rita
    found = client.query(user, query_parameters={"filter": f'userName eq "{address}"', "count": 1})
    assert [each.id for each in found.resources] == [rita.id]
    rita.display_name = "Rita Recruiter"
    assert client.replace(rita).display_name == "Rita Recruiter"
    patched: Any = PatchOp[user]  # type: ignore[valid-type]  # what was discovered
    patch = patched(operations=[{"op": "replace", "path": "active", "value": False}])
    assert client.modify(user, rita.id, patch).active is False
    assert not stage.only(Member).active
    client.delete(user, rita.id)
    assert client.query(user).total_results == 0


WORK = 'emails[type eq "work"].value'
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
BEFORE = {
    "schemas": [USER, ENTERPRISE],
    "externalId": "oid-1",
    "userName": "Lena@acme.example",
    "active": True,
    "displayName": "Lena Lang",
    "emails": [{"primary": True, "type": "work", "value": "lena@acme.example"}],
    "meta": {"resourceType": "User"},
    "name": {"formatted": "Lena Lang", "familyName": "Lang", "givenName": "Lena"},
    "roles": [],
    ENTERPRISE: {"department": "Sales", "manager": "x"},
}


def now(**changed: object) -> dict[str, object]:
    """What is known of Lena, with changes."""
    return {"name": "Lena Lang", "email": "lena@acme.example", "active": True, "role": "member"} | changed


# Requests of Entra's provisioning service, as its documentation and those who take them describe them: operations in capitals, true
# and false as text, paths with filters, values without a path, names of attributes with dots in them, and what nobody here keeps.
SENT: dict[str, tuple[list[dict[str, object]], dict[str, object]]] = {
    "active as text": ([{"op": "Replace", "path": "active", "value": "False"}], now(active=False)),
    "active in lower case": ([{"op": "replace", "path": "active", "value": "false"}], now(active=False)),
    "active added": ([{"op": "Add", "path": "active", "value": "False"}], now(active=False)),
    "active as it should be": ([{"op": "replace", "path": "active", "value": False}], now(active=False)),
    "active without a path": ([{"op": "replace", "value": {"active": False}}], now(active=False)),
    "active by its long name": ([{"op": "Replace", "path": f"{USER}:active", "value": "False"}], now(active=False)),
    "an address by a filter": ([{"op": "Replace", "path": WORK, "value": "l.lang@acme.example"}], now(email="l.lang@acme.example")),
    "an address of another type": ([{"op": "Add", "path": 'emails[type eq "home"].value', "value": "l@home.example"}], now()),
    "addresses as a list": (
        [{"op": "Replace", "path": "emails", "value": [{"type": "work", "value": "l.lang@acme.example"}]}],
        now(email="l.lang@acme.example"),
    ),
    "a family name": (
        [{"op": "Replace", "path": "name.familyName", "value": "Lund"}, {"op": "Replace", "path": "name.formatted", "value": "Lena Lund"},
         {"op": "Replace", "path": "displayName", "value": "Lena Lund"}],
        now(name="Lena Lund"),
    ),
    "a displayed name apart from the formatted one": ([{"op": "Replace", "path": "displayName", "value": "Lang, Lena"}], now(name="Lang, Lena")),
    "names with dots and no path": (
        [{"op": "replace", "value": {"displayName": "Lena Lund", "name.familyName": "Lund", f"{ENTERPRISE}:employeeNumber": "7"}}],
        now(name="Lena Lund"),
    ),
    "what is not kept": (
        [{"op": "Add", "path": "title", "value": "Director"}, {"op": "Add", "path": f"{ENTERPRISE}:department", "value": "HR"},
         {"op": "Add", "path": f"{ENTERPRISE}:manager", "value": [{"$ref": "../Users/1", "value": "1"}]},
         {"op": "Add", "path": 'phoneNumbers[type eq "work"].value', "value": "+49 30 1"},
         {"op": "Add", "path": 'addresses[type eq "work"].country', "value": "DE"}],
        now(),
    ),
    "roles": (
        [{"op": "Add", "path": "roles", "value": [{"primary": False, "value": "owner"}]},
         {"op": "Replace", "path": 'roles[primary eq "True"].value', "value": "admin"}],
        now(),
    ),
    "a value removed": ([{"op": "Remove", "path": "name.givenName"}], now()),
}  # fmt: skip


@pytest.mark.parametrize("sent", SENT)
def test_entras_changes_are_understood(stage: Stage, client: Client, sent: str) -> None:
    operations, expected = SENT[sent]
    lena = client.request("POST", "Users", json=BEFORE)
    assert lena.status_code == 201, lena.text
    assert lena.headers["location"] == lena.json()["meta"]["location"]
    path = f"Users/{lena.json()['id']}"
    answer = client.request("PATCH", path, json={"schemas": [PATCH], "Operations": operations})
    assert answer.status_code == 200, answer.text
    member = stage.only(Member)
    assert {each: getattr(member, each) for each in expected} == expected
    # Asked again, as after an answer that was lost, it is the same.
    again = client.request("PATCH", path, json={"schemas": [PATCH], "Operations": operations})
    assert (again.status_code, again.json()) == (200, answer.json())
    assert client.request("GET", path).json() == answer.json()


def test_entra_tests_its_connection_and_matches_before_it_adds(stage: Stage, client: Client) -> None:
    def found(text: str) -> list[str]:
        answer = client.request("GET", "Users", params={"filter": text})
        assert answer.status_code == 200, answer.text
        assert answer.json()["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:ListResponse"]
        return [each["id"] for each in answer.json()["Resources"]]

    assert found('userName eq "3f2504e0-4f89-11d3-9a0c-0305e82c3301"') == []  # nobody is called that
    lena = client.request("POST", "Users", json=BEFORE).json()["id"]
    for text in (
        'userName eq "lena@acme.example"', 'externalId eq "oid-1"', f'{WORK} eq "lena@acme.example"', 'userName Eq "LENA@acme.example"',
    ):  # fmt: skip
        assert found(text.replace("].value eq", " and value eq") + ("]" if "[" in text else "")) == [lena], (
            text
        )
    assert client.request("POST", "Users", json=BEFORE).status_code == 409
    assert client.request("DELETE", f"Users/{lena}").status_code == 204
    assert found('externalId eq "oid-1"') == []
