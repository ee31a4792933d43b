"""The pages for a custom mail server: what they ask, what they never show, and who may use them."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from lab.access_records import Mailbox, SmtpSettings
from lab.stage import Stage
from tests.transports.name_server import name_server
from tests.web.visitor import Visitor, email_of, known_account

PASSWORD = "demo-password"
MINE = "/settings/mail-server/mine"


pytestmark = pytest.mark.usefixtures("trusted_mail_server")


@pytest.fixture(autouse=True)
def no_policies(stage: Stage) -> Iterator[None]:
    """No domain has a DMARC policy, unless a test says so."""
    with name_server({}) as resolver:
        stage.runtime.__dict__["resolver"] = resolver
        yield


@pytest.fixture
def hans(stage: Stage) -> UUID:
    member = stage.world.member("Hans Holder")
    known_account(stage, email_of(stage, member))
    return member


@pytest.fixture
def visitor(stage: Stage, hans: UUID) -> Visitor:
    entered = Visitor(stage).sign_in(email_of(stage, hans))
    assert entered.get(MINE).status == 404  # opening the page creates nothing
    assert stage.count(Mailbox) == 0
    return entered.get("/settings/sequences").send("/settings/mail-server").follow()


def filled_in(stage: Stage, address: str, **values: str) -> dict[str, Any]:
    fields = {
        "host": "localhost", "port": str(stage.emulator.smtp_port), "encryption": "starttls", "account": address,
        "password": PASSWORD,
    }  # fmt: skip
    return {**fields, **values}


@pytest.mark.row("P5", "P6", "P7", "P34", "P35")
def test_custom_smtp_is_saved_tested_and_activated(stage: Stage, hans: UUID, visitor: Visitor) -> None:
    visitor.get(MINE)
    for word in ("IT team", "Google", "licensed mailbox", "direct send and SMTP relay are not supported"):
        assert word in visitor.text
    visitor.send(MINE, **filled_in(stage, email_of(stage, hans))).follow()
    assert "The settings work" in visitor.text
    visitor.get(MINE)
    assert "password kept encrypted" in visitor.text
    assert PASSWORD not in visitor.text
    visitor.send(f"{MINE}/activate").follow()
    assert "The settings work" in visitor.text
    assert "To change them, disable them first" in visitor.get(MINE).text
    visitor.get("/settings/sequences")
    visitor.send("/settings/sequences/test").follow()
    assert "Test email sent successfully" in visitor.text
    assert len(stage.left("smtp")) == 1


@pytest.mark.parametrize("field", ["host", "port", "encryption", "account", "password"])
@pytest.mark.row("H5", "P30")
def test_a_missing_field_is_named_and_nothing_saved(
    stage: Stage, hans: UUID, visitor: Visitor, field: str
) -> None:
    visitor.get(MINE)
    visitor.send(MINE, **filled_in(stage, email_of(stage, hans), **{field: ""}))
    assert visitor.status == 422
    assert field in visitor.text
    assert stage.count(SmtpSettings) == 0


@pytest.mark.parametrize("field", ["host", "port"])
@pytest.mark.row("H5")
def test_microsofts_way_asks_for_host_and_port_too(visitor: Visitor, field: str) -> None:
    visitor.get(MINE)
    fields: dict[str, Any] = {"host": "localhost", "port": "25", field: ""}
    visitor.send(f"{MINE}/microsoft", **fields)
    assert visitor.status == 422
    assert field in visitor.text


@pytest.mark.row("P21", "P25", "H19")
def test_microsofts_page_opens_and_takes_the_place_of_custom_smtp(
    stage: Stage, hans: UUID, visitor: Visitor
) -> None:
    address = email_of(stage, hans)
    visitor.get(MINE)
    visitor.send(MINE, **filled_in(stage, address))
    visitor.get(MINE)
    visitor.send(f"{MINE}/activate")
    visitor.get(MINE)
    visitor.send(f"{MINE}/microsoft", host="localhost", port=str(stage.emulator.smtp_port))
    assert visitor.url.startswith(stage.emulator.url)
    assert "SMTP.Send" in visitor.url
    assert "Mail.Send" not in visitor.url.replace("SMTP.Send", "")
    visitor.come_back(visitor.at_microsoft(address))
    assert "is connected" in visitor.text
    mailbox = stage.only(Mailbox)
    assert (mailbox.status, mailbox.provider) == ("connected", "microsoft_smtp")
    assert stage.only(SmtpSettings, provider="smtp").password is not None


def test_case_17_ones_own_account_connects_by_smtp_whatever_it_signs_in_as(
    stage: Stage, hans: UUID, visitor: Visitor
) -> None:
    stage.emulator.world.mailboxes[email_of(stage, hans)].user_principal_name = "h4711@corp.acme.example"
    visitor.get(MINE)
    visitor.send(f"{MINE}/microsoft", host="localhost", port=str(stage.emulator.smtp_port))
    visitor.come_back(visitor.at_microsoft("h4711@corp.acme.example"))
    account = stage.emulator.world.mailboxes[email_of(stage, hans)].user_id
    mailbox = stage.only(Mailbox)
    assert (mailbox.status, mailbox.address, mailbox.account_id) == (
        "connected",
        email_of(stage, hans),
        account,
    )


@pytest.mark.row("P22")
def test_another_account_is_refused_by_smtp_too(stage: Stage, hans: UUID, visitor: Visitor) -> None:
    known_account(stage, "mona@acme.example")
    visitor.get(MINE)
    visitor.send(f"{MINE}/microsoft", host="localhost", port=str(stage.emulator.smtp_port))
    visitor.come_back(visitor.at_microsoft("mona@acme.example"))
    assert "mona@acme.example" in visitor.text
    assert email_of(stage, hans) in visitor.text
    assert stage.only(Mailbox).status == "never_connected"


@pytest.mark.row("H20", "H21")
def test_a_strict_domain_is_told_before_anybody_goes_to_microsoft(stage: Stage, visitor: Visitor) -> None:
    with name_server({"_dmarc.acme.example": ["v=DMARC1; p=reject"]}) as resolver:
        stage.runtime.__dict__["resolver"] = resolver
        visitor.get(MINE)
        visitor.send(f"{MINE}/microsoft", host="localhost", port=str(stage.emulator.smtp_port))
    assert visitor.status == 422
    assert "configure your email settings to use a custom SMTP server" in visitor.text


@pytest.mark.row("P29")
def test_taking_it_out_of_use_shows_what_stops(stage: Stage, hans: UUID, visitor: Visitor) -> None:
    visitor.get(MINE)
    visitor.send(MINE, **filled_in(stage, email_of(stage, hans)))
    visitor.get(MINE)
    visitor.send(f"{MINE}/activate")
    box = stage.only(Mailbox).id
    sequence = stage.world.sequence(hans, box, ("P1D",))
    stage.world.enroll(sequence)
    visitor.get(f"{MINE}/disable")
    assert "1 sequence with 1 person" in visitor.text
    visitor.send(f"{MINE}/disable").follow()
    assert "Complete." in visitor.text
    assert "it was disabled" in visitor.get("/settings/sequences").text


def test_a_mail_server_inside_the_network_is_refused_outside_the_demo(
    stage: Stage, hans: UUID, visitor: Visitor
) -> None:

    stage.runtime.settings = replace(stage.runtime.settings, graph_url="https://graph.microsoft.com")
    visitor.get(MINE)
    visitor.send(MINE, **filled_in(stage, email_of(stage, hans))).follow()
    assert "private network" in visitor.text
    assert "127.0.0.1" not in visitor.text
    visitor.get(MINE)
    visitor.send(f"{MINE}/microsoft", host="localhost", port=str(stage.emulator.smtp_port))
    assert visitor.status == 422
    assert "not Microsoft" in visitor.text


def test_nobody_reaches_another_ones_mail_server(stage: Stage, visitor: Visitor) -> None:
    other = stage.world.mailbox(stage.world.member("Mona"))
    for which in (str(other), "none", str(UUID(int=0))):
        assert visitor.get(f"/settings/mail-server/{which}").status == 404
