"""Company addresses by the JSON API: the same verbs as the pages, for the organization's own addresses only."""

from uuid import UUID, uuid4

import pytest

from db import companies
from tests.factories import World
from tests.stage import Stage
from tests.web.test_api import Api, api, client, key_of  # noqa: F401 - fixtures

JOBS = "jobs@acme.example"


pytestmark = pytest.mark.usefixtures("trusted_mail_server")


@pytest.fixture(autouse=True)
def default_address(stage: Stage) -> None:
    stage.emulator.control.add_mailboxes({"address": JOBS})
    with stage.world.database.transaction() as tx:
        companies.ensure_default(tx, stage.world.organization_id, "mail.example")


def put(api: Api) -> str:  # noqa: F811
    answer = api.post("/addresses", {"address": JOBS})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["items"][0]["mailbox_id"])


def server(stage: Stage, **values: object) -> dict[str, object]:
    fields = {
        "host": "localhost", "port": stage.emulator.smtp_port, "encryption": "starttls", "password": "demo-password",
    }  # fmt: skip
    return {**fields, **values}


def test_p30_p35_an_address_is_given_connected_used_and_taken_out_of_use(stage: Stage, api: Api) -> None:  # noqa: F811
    box = put(api)
    saved = api.post(f"/addresses/{box}/mail-server", server(stage)).json()
    assert (saved["outcome"], saved["title"]) == ("verified", "The settings work")
    assert "password" not in str(saved)
    assert api.get("/addresses").json()["items"][0]["sends_from"].endswith("@mail.example")
    assert api.post(f"/addresses/{box}/activate").json()["outcome"] == "verified"
    assert api.get("/addresses").json()["items"][0]["sends_from"] == JOBS
    assert api.post(f"/addresses/{box}/mail-server", server(stage)).status_code == 409  # it is in use
    assert api.post(f"/mailboxes/{box}/test").json()["outcome"] == "sent"
    assert api.post(f"/addresses/{box}/set-aside").json()["complete"] is True
    assert api.get("/addresses").json()["items"][0]["sends_from"].endswith("@mail.example")


def test_p35_a_wrong_password_activates_nothing(stage: Stage, api: Api) -> None:  # noqa: F811
    box = put(api)
    assert (
        api.post(f"/addresses/{box}/mail-server", server(stage, password="wrong")).json()["outcome"]
        == "not_verified"
    )
    assert api.post(f"/addresses/{box}/activate").json()["outcome"] == "not_verified"
    assert stage.world.one("SELECT status FROM mailboxes WHERE address = :a", a=JOBS) == "never_connected"


@pytest.mark.parametrize(
    "values",
    [{"host": ""}, {"host": "127.0.0.1"}, {"port": 0}, {"encryption": "none"}, {"password": ""}, {"x": 1}],
)
def test_settings_that_cannot_be_right_are_refused(stage: Stage, api: Api, values: dict[str, object]) -> None:  # noqa: F811
    box = put(api)
    assert api.post(f"/addresses/{box}/mail-server", server(stage, **values)).status_code == 422
    assert stage.world.rows("SELECT * FROM smtp_settings") == []


def test_p12_the_senders_name_is_chosen(stage: Stage, api: Api) -> None:  # noqa: F811
    assert api.post("/sender-name", {"kind": "employee"}).json() == {"kind": "employee"}
    assert api.post("/sender-name", {"kind": "nobody"}).status_code == 422
    assert stage.world.one("SELECT sender_name FROM organizations") == "employee"


def test_a_persons_mailbox_and_another_organizations_address_are_none(stage: Stage, api: Api) -> None:  # noqa: F811
    persons = stage.world.mailbox(stage.world.member("Hans Holder"))
    other = World(stage.world.database)
    theirs = put(Api(api._client, key_of(other, "read", "manage")))
    for box in (persons, theirs, uuid4()):
        assert api.post(f"/addresses/{box}/mail-server", server(stage)).status_code == 404
        assert api.post(f"/addresses/{box}/activate").status_code == 404
        assert api.post(f"/addresses/{box}/set-aside").status_code == 404
    assert (
        api.post("/addresses", {"address": JOBS}).status_code == 409
    )  # it is listed there; where is not said


def test_p11_the_default_address_stays_whatever_is_asked(stage: Stage, api: Api) -> None:  # noqa: F811
    default = UUID(str(stage.world.one("SELECT id FROM mailboxes WHERE provider = 'default'")))
    assert api.post(f"/mailboxes/{default}/disconnect").status_code == 409
    assert api.post(f"/addresses/{default}/set-aside").status_code == 404
    assert stage.world.one("SELECT status FROM mailboxes WHERE provider = 'default'") == "connected"


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
def test_a_hostile_address_is_refused_in_words(stage: Stage, api: Api, address: str) -> None:  # noqa: F811
    answer = api.post("/addresses", {"address": address})
    assert 400 <= answer.status_code < 500
    assert len(answer.text) < 1000
