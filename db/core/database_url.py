"""``DATABASE_URL`` as libpq takes it: one host or several, ``target_session_attrs``, sockets, TLS; and what of it is ours."""

from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, urlencode

import psycopg
from psycopg.conninfo import conninfo_to_dict

from domain.errors import OperatorMisconfigured

_SCHEMES = ("postgresql+psycopg", "postgresql", "postgres")
_FORM = (
    "Write it like postgresql://user:password@host:5432/onbehalf, several hosts as host1:5432,host2:5432, and characters"
    " such as @ : / # % of a password as %40 %3A %2F %23 %25."
)


@dataclass(frozen=True, slots=True)
class DatabaseUrl:
    """``parameters``: libpq's, by name. ``pooled``: a pooler in transaction mode stands between (``?pooler=transaction``).

    ``by_entra``: instead of a password a token of Microsoft Entra (``?auth=entra``, ``db/core/entra_login.py``).
    """

    parameters: dict[str, str] = field(repr=False)
    pooled: bool
    by_entra: bool


def read(url: str) -> DatabaseUrl:
    """Take a URL apart. Raises ``OperatorMisconfigured``, which names the variable and never quotes the URL."""
    scheme, _, rest = url.partition("://")
    address, _, query = rest.partition("?")
    pairs = parse_qsl(query, keep_blank_values=True)
    poolers = [value for name, value in pairs if name == "pooler"]
    logins = [value for name, value in pairs if name == "auth"]
    pairs = _joined_hosts([(name, value) for name, value in pairs if name not in ("pooler", "auth")])
    if scheme not in _SCHEMES or poolers not in ([], ["transaction"]) or logins not in ([], ["entra"]):
        raise OperatorMisconfigured(f"DATABASE_URL cannot be read. {_FORM}")
    uri = f"postgresql://{address}" + (f"?{urlencode(pairs, quote_via=quote)}" if pairs else "")
    try:
        found = conninfo_to_dict(uri)
    except psycopg.ProgrammingError as error:
        # libpq's own words may quote a part of the password.
        raise OperatorMisconfigured(f"DATABASE_URL cannot be read. {_FORM}") from error
    ports = str(found.get("port") or "").split(",")
    if "@" in str(found.get("host") or "") or not all(port == "" or port.isdigit() for port in ports):
        raise OperatorMisconfigured(
            f"DATABASE_URL cannot be read: the host or its port is malformed. {_FORM}"
        )
    parameters = {name: str(value) for name, value in found.items()}
    if logins:
        _check_login(parameters)
    return DatabaseUrl(parameters, bool(poolers), bool(logins))


def _check_login(parameters: dict[str, str]) -> None:
    """A token is as good as a password for an hour: it goes to a server over TLS, or stays on this machine."""
    if "user" not in parameters or "password" in parameters:
        raise OperatorMisconfigured(
            "DATABASE_URL: with ?auth=entra name the role and leave out the password, as in"
            " postgresql://ROLE@NAME.postgres.database.azure.com/onbehalf?auth=entra."
        )
    here = all(
        host.startswith("/") or host in ("", "localhost", "127.0.0.1", "::1")
        for host in parameters.get("host", "").split(",")
    )
    if not here and parameters.setdefault("sslmode", "require") not in (
        "require",
        "verify-ca",
        "verify-full",
    ):
        raise OperatorMisconfigured(
            "DATABASE_URL: with ?auth=entra the connection must be encrypted. Set sslmode=verify-full."
        )


def _joined_hosts(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """SQLAlchemy's way to name several hosts (``?host=h1:5432&host=h2:5432``) in libpq's words."""
    hosts = [value for name, value in pairs if name == "host"]
    if len(hosts) < 2:
        return pairs
    split = [host.rpartition(":") if not host.startswith("/") else (host, "", "") for host in hosts]
    names = ",".join(name or port for name, _, port in split)
    ports = ",".join(port if name else "5432" for name, _, port in split)
    return [pair for pair in pairs if pair[0] not in ("host", "port")] + [("host", names), ("port", ports)]
