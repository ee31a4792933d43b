"""Company addresses over the JSON API: the same verbs as the pages, for the organization's own addresses only."""

import re
from uuid import uuid4

import httpx
import pytest

from db.mailboxes import senders
from lab.access_records import Mailbox, Organization, SmtpSettings
from lab.factories import World
from lab.stage import Stage
from tests.web.test_api import Api, client, key_of  # noqa: F401 - fixtures

JOBS = "jobs@acme.example"


pytestmark = pytest.mark.usefixtures("trusted_mail_server")


@pytest.fixture
def api(stage: Stage, client: httpx.Client) -> Api:  # noqa: F811
    return Api(client, key_of(stage.world, "read", "manage", "addresses"))


def code_for(stage: Stage, address: str = JOBS) -> str:
    """The code in the last email to the address."""
    last = [each for each in stage.left("smtp") if each.to == [address]][-1]
    found = re.search(r"this code: (\d{8})", last.body)
    assert found, last.body
    return found[1]


@pytest.fixture(autouse=True)
def default_address(stage: Stage) -> None:
    stage.emulator.control.add_mailboxes({"address": JOBS})
    stage.world.domain()
    with stage.world.database.transaction() as tx:
        senders.ensure_default(tx, stage.world.organization_id, "mail.example")


def put(api: Api) -> str:
    answer = api.post("/addresses", {"address": JOBS})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["items"][0]["mailbox_id"])


def server(stage: Stage, **values: object) -> dict[str, object]:
    fields = {
        "host": "localhost", "port": stage.emulator.smtp_port, "encryption": "starttls", "password": "demo-password",
    }  # fmt: skip
    return {**fields, **values}


@pytest.mark.row("P30", "P35")
def test_an_address_is_given_connected_used_and_taken_out_of_use(stage: Stage, api: Api) -> None:
    box = put(api)
    saved = api.post(f"/addresses/{box}/mail-server", server(stage)).json()
    assert (saved["outcome"], saved["title"]) == ("verified", "The settings work")
    assert "password" not in str(saved)
    assert api.get("/addresses").json()["items"][0]["sends_from"].endswith("@mail.example")
    assert api.post(f"/addresses/{box}/activate").json()["outcome"] == "needs_code"
    answer = api.post(f"/addresses/{box}/activate", {"code": code_for(stage)})
    assert answer.json()["outcome"] == "verified"
    assert api.get("/addresses").json()["items"][0]["sends_from"] == JOBS
    assert api.post(f"/addresses/{box}/mail-server", server(stage)).status_code == 409  # it is in use
    assert api.post(f"/mailboxes/{box}/test").json()["outcome"] == "sent"
    assert api.post(f"/addresses/{box}/disable").json()["complete"] is True
    assert api.get("/addresses").json()["items"][0]["sends_from"].endswith("@mail.example")


@pytest.mark.row("P35")
def test_a_wrong_password_activates_nothing(stage: Stage, api: Api) -> None:
    box = put(api)
    assert (
        api.post(f"/addresses/{box}/mail-server", server(stage, password="wrong")).json()["outcome"]
        == "not_verified"
    )
    api.post(f"/addresses/{box}/activate")
    answer = api.post(f"/addresses/{box}/activate", {"code": code_for(stage)})
    assert answer.json()["outcome"] == "not_verified"
    assert stage.only(Mailbox, address=JOBS).status == "never_connected"


@pytest.mark.parametrize(
    "values",
    [{"host": ""}, {"host": "127.0.0.1"}, {"port": 0}, {"encryption": "none"}, {"password": ""}, {"x": 1}],
)
def test_settings_that_cannot_be_right_are_refused(stage: Stage, api: Api, values: dict[str, object]) -> None:
    box = put(api)
    assert api.post(f"/addresses/{box}/mail-server", server(stage, **values)).status_code == 422
    assert stage.count(SmtpSettings) == 0


@pytest.mark.row("P12")
def test_the_senders_name_is_chosen(stage: Stage, api: Api) -> None:
    assert api.post("/sender-name", {"kind": "employee"}).json() == {"kind": "employee"}
    assert api.post("/sender-name", {"kind": "nobody"}).status_code == 422
    assert stage.only(Organization).sender_name == "employee"


def test_a_persons_mailbox_and_another_organizations_address_are_none(stage: Stage, api: Api) -> None:
    persons = stage.world.mailbox(stage.world.member("Hans Holder"))
    other = World(stage.world.database)
    other.domain()
    theirs = put(Api(api._client, key_of(other, "read", "manage", "addresses")))
    for box in (persons, theirs, uuid4()):
        assert api.post(f"/addresses/{box}/mail-server", server(stage)).status_code == 404
        assert api.post(f"/addresses/{box}/activate").status_code == 404
        assert api.post(f"/addresses/{box}/disable").status_code == 404
    # Another organization's entry cannot be seen here, and blocks nothing.
    assert api.post("/addresses", {"address": JOBS}).status_code == 200


@pytest.mark.parametrize("path", ["", "/{box}/mail-server", "/{box}/activate", "/{box}/remove"])
def test_a_key_that_manages_everything_else_does_not_change_what_emails_are_sent_from(
    stage: Stage,
    api: Api,
    path: str,
) -> None:
    box = put(api)
    manages = Api(api._client, key_of(stage.world, "read", "manage"))
    body = {"": {"address": "other@acme.example"}, "/{box}/mail-server": server(stage)}.get(path, {})
    assert manages.post(f"/addresses{path.format(box=box)}", body).status_code == 403
    assert manages.get("/addresses").json()["items"][0]["address"] == JOBS
    assert stage.count(SmtpSettings) == 0
    # Withdrawing and the display name stay with it.
    assert manages.post("/sender-name", {"kind": "employee"}).status_code == 200
    assert manages.post(f"/addresses/{box}/disable").status_code == 200


def test_disabling_still_goes_by_its_former_name_which_the_description_leaves_out(
    stage: Stage, api: Api
) -> None:
    box = put(api)
    assert api.post(f"/addresses/{box}/set-aside").json()["complete"] is True
    paths = api._client.get("/api/v1/openapi.json").json()["paths"]
    assert "/addresses/{mailbox}/disable" in paths
    assert [each for each in paths if each.endswith("/set-aside")] == []


def test_an_address_that_was_never_in_use_is_removed(stage: Stage, api: Api) -> None:
    box = put(api)
    api.post(f"/addresses/{box}/mail-server", server(stage))
    assert api.post(f"/addresses/{box}/remove").json()["items"][0]["address"] is None
    assert stage.count(SmtpSettings) == 0
    assert api.post(f"/addresses/{box}/remove").status_code == 404


@pytest.mark.row("P11")
def test_the_default_address_stays_whatever_is_asked(stage: Stage, api: Api) -> None:
    default = stage.only(Mailbox, provider="default").id
    assert api.post(f"/mailboxes/{default}/disconnect").status_code == 409
    assert api.post(f"/addresses/{default}/disable").status_code == 404
    assert stage.only(Mailbox, provider="default").status == "connected"


@pytest.mark.parametrize(
    "address",
    [
        "(" * 450,
        '"' * 20_000,
        "(x)" * 20_000,
        "a@" + "(" * 300,
        "ann@exa\u200dmple.org",
        "jürgen@acme.example",
    ],
)
def test_a_hostile_address_is_refused_in_words(stage: Stage, api: Api, address: str) -> None:
    answer = api.post("/addresses", {"address": address})
    assert 400 <= answer.status_code < 500
    assert len(answer.text) < 1000
