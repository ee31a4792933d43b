"""Webhooks over the JSON API: added once, listed without their secret, removed, and only the organization's own."""

from uuid import uuid4

import pytest

from lab.factories import World
from lab.stage import Stage
from tests.web.test_api import Api, api, client, key_of  # noqa: F401 - fixtures

URL = "http://127.0.0.1:9/hook"


def test_a_webhook_is_added_listed_without_its_secret_and_removed(api: Api) -> None:  # noqa: F811
    added = api.post("/webhooks", {"url": URL})
    assert added.status_code == 201
    assert added.json()["secret"].startswith("whsec_")
    (listed,) = api.get("/webhooks").json()["items"]
    assert (listed["id"], listed["host"], listed["waiting"]) == (added.json()["id"], "127.0.0.1:9", 0)
    assert "secret" not in listed
    assert URL not in str(listed)
    assert api.post(f"/webhooks/{listed['id']}/remove").json()["items"] == []
    assert api.post(f"/webhooks/{listed['id']}/remove").status_code == 404


@pytest.mark.parametrize("url", ["", "ftp://hooks.example", "no url", "https://a\0b.example", 3, None])
def test_a_url_that_is_none_is_refused(api: Api, url: object) -> None:  # noqa: F811
    assert api.post("/webhooks", {"url": url}).status_code == 422


def test_a_secret_is_in_no_kept_answer(api: Api) -> None:  # noqa: F811
    assert api.post("/webhooks", {"url": URL}, once="x").status_code == 422
    assert api.get("/webhooks").json()["items"] == []


def test_another_organizations_webhook_does_not_exist(stage: Stage, api: Api) -> None:  # noqa: F811
    other = World(stage.world.database)
    theirs = Api(api._client, key_of(other, "read", "manage"))
    webhook = theirs.post("/webhooks", {"url": URL}).json()["id"]
    assert api.get("/webhooks").json()["items"] == []
    assert api.post(f"/webhooks/{webhook}/remove").status_code == 404
    assert api.post(f"/webhooks/{uuid4()}/remove").status_code == 404


def test_a_key_that_may_only_read_adds_none(stage: Stage, api: Api) -> None:  # noqa: F811
    reader = Api(api._client, key_of(stage.world, "read"))
    assert reader.post("/webhooks", {"url": URL}).status_code == 403
    assert reader.get("/webhooks").status_code == 200
