"""The rules for SMTP settings: a refusal names the field and the fix, a risk is accepted with a warning."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.connection import STARTTLS, TLS, Checked, SmtpServer, check_custom, check_microsoft
from domain.errors import InvalidInput

ADDRESS = "hans@acme.example"
GOOD = {
    "host": "smtp.acme.example",
    "port": "587",
    "encryption": "starttls",
    "account": ADDRESS,
    "password": "s3cret",
}


def custom(**values: str) -> Checked:
    return where_google_is_offered(offers_google=False, **values)


def where_google_is_offered(*, offers_google: bool = True, **values: str) -> Checked:
    given = {**GOOD, **values}
    return check_custom(
        ADDRESS,
        host=given["host"],
        port=given["port"],
        encryption=given["encryption"],
        account=given["account"],
        password=given["password"],
        offers_google=offers_google,
    )


@pytest.mark.row("P30")
def test_good_settings_are_taken_without_a_warning() -> None:
    assert custom() == Checked(SmtpServer("smtp.acme.example", 587, STARTTLS))
    assert custom(port="465", encryption="TLS").server == SmtpServer("smtp.acme.example", 465, TLS)
    assert custom(host=" SMTP.Acme.Example. ", account="Hans@ACME.example").server.host == "smtp.acme.example"


@pytest.mark.parametrize("field", sorted(GOOD))
@pytest.mark.parametrize("nothing", ["", "   "])
@pytest.mark.row("H5", "P5", "P30")
def test_each_field_is_required_and_the_it_team_named(field: str, nothing: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        custom(**{field: nothing})
    assert raised.value.where == field
    assert "IT team" in raised.value.fix


@pytest.mark.parametrize("field", ["host", "port"])
@pytest.mark.row("H5")
def test_microsofts_way_asks_for_host_and_port_too(field: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        check_microsoft(**{"host": "smtp.office365.com", "port": "587", "anywhere": False, field: ""})  # type: ignore[arg-type]
    assert raised.value.where == field


@pytest.mark.parametrize(
    ("port", "encryption", "warned"),
    [
        ("587", "starttls", False),
        ("465", "tls", False),
        ("25", "starttls", True),
        ("2525", "starttls", True),
        ("2526", "starttls", True),
        ("465", "starttls", True),
        ("587", "tls", True),
    ],
)
@pytest.mark.row("P31")
def test_unusual_ports_are_warned_of(port: str, encryption: str, warned: bool) -> None:
    assert bool(custom(port=port, encryption=encryption).warnings) is warned


@pytest.mark.parametrize("port", ["0", "65536", "-1", "x", "5 87", "587.0", "٥٨٧", "9" * 40])
@pytest.mark.row("P30")
def test_a_port_that_is_none_is_refused(port: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        custom(port=port)
    assert raised.value.where == "port"


@pytest.mark.parametrize("encryption", ["none", "ssl", "plain", "starttls;"])
@pytest.mark.row("P32")
def test_nothing_is_sent_unencrypted(encryption: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        custom(encryption=encryption)
    assert raised.value.where == "encryption"


@pytest.mark.parametrize("account", ["hans", "mona@acme.example", "hans@acme.example.evil"])
@pytest.mark.row("P33")
def test_the_account_is_the_address(account: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        custom(account=account)
    assert raised.value.where == "account"
    assert ADDRESS in str(raised.value)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "2130706433", "0x7f.1", "0x7f000001", "127.1", "[::1]", "::1", "localhost:25", "a b", "ho st.example",
        "-x.example", "x..example", "http://smtp.acme.example", "smtp.acme.example/x", "ünï.example", "x" * 64 + ".example",
        "a\r\nb", "user@host.example",
    ],
)  # fmt: skip
def test_a_host_that_is_no_name_is_refused(host: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        custom(host=host)
    assert raised.value.where == "host"


@pytest.mark.parametrize(
    "name", ["de", "be", "ae", "cc", "fr", "ee", "ba", "ad", "cafe", "xn--fiqs8s", "com"]
)
def test_a_host_whose_last_label_could_be_hexadecimal_is_a_name(name: str) -> None:
    assert custom(host=f"smtp.firma.{name}").server.host == f"smtp.firma.{name}"


@pytest.mark.row("P6")
def test_google_is_warned_of() -> None:
    for host in ("smtp.gmail.com", "smtp-relay.gmail.com", "smtp.google.com"):
        assert "Google" in custom(host=host).warnings[0]
        assert (
            "Connecting with Google is strongly recommended" in where_google_is_offered(host=host).warnings[0]
        )
    assert custom(host="smtp.notgoogle.com").warnings == ()


@pytest.mark.row("P7", "P39")
def test_microsoft_by_smtp_is_taken_with_a_warning() -> None:
    checked = custom(host="smtp.office365.com")
    assert "strongly recommended" in checked.warnings[0]
    assert "ending password sign-in" in checked.warnings[0]


@pytest.mark.parametrize(("port", "good"), [("587", True), ("25", True), ("465", False), ("2525", False)])
@pytest.mark.row("P38")
def test_office_365_takes_two_ports(port: str, good: bool) -> None:
    if good:
        assert custom(host="smtp.office365.com", port=port).server.port == int(port)
        return
    with pytest.raises(InvalidInput) as raised:
        custom(host="smtp.office365.com", port=port)
    assert raised.value.where == "port"


@pytest.mark.parametrize("host", ["outlook.office365.com", "smtp-mail.outlook.com"])
@pytest.mark.row("P39")
def test_office_365_has_one_submission_host(host: str) -> None:
    with pytest.raises(InvalidInput, match=r"smtp\.office365\.com"):
        custom(host=host)


@pytest.mark.parametrize(
    "host", ["acme-example.mail.protection.outlook.com", "acme-example.a-v1.mx.microsoft"]
)
@pytest.mark.row("P40")
def test_direct_send_and_relay_are_refused(host: str) -> None:
    with pytest.raises(InvalidInput, match="not supported"):
        custom(host=host, port="25")


def test_microsofts_token_goes_to_microsoft_only() -> None:
    with pytest.raises(InvalidInput, match="not Microsoft's"):
        check_microsoft(host="smtp.office365.com.evil.example", port="587", anywhere=False)
    assert (
        check_microsoft(host="smtp.office365.com", port="587", anywhere=False).server.encryption == STARTTLS
    )


@given(st.dictionaries(st.sampled_from(sorted(GOOD)), st.text(max_size=60)))
def test_whatever_is_filled_in_is_taken_or_refused_by_name(values: dict[str, str]) -> None:
    try:
        checked = custom(**values)
    except InvalidInput as error:
        assert error.where in GOOD
        return
    assert checked.server.host.isascii()
    assert 1 <= checked.server.port <= 65535
