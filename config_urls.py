"""What the addresses among the settings must look like. Raises ``OperatorMisconfigured``, whose one line names the variable."""

import re
from urllib.parse import urlsplit

import idna

from domain.errors import OperatorMisconfigured

_PATH = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*")
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


def check_scheme(name: str, url: str, schemes: set[str]) -> None:
    """Accept a URL of one of these schemes, whatever follows."""
    scheme = url.partition("://")[0]
    if "://" not in url or scheme not in schemes:
        raise OperatorMisconfigured(
            f"{name} must be a URL that starts with one of: {', '.join(sorted(schemes))}."
        )


def web_url(name: str, url: str) -> str:
    """Return an https URL without a trailing slash; http on loopback alone."""
    try:
        parts = urlsplit(url.strip())
        usable = parts.hostname and parts.scheme in {"http", "https"} and "@" not in parts.netloc
        usable = usable and parts.port != 0  # checked here, because an invalid port raises
        loopback = parts.hostname in _LOOPBACK
    except ValueError:
        usable = loopback = False
    if not usable:
        raise OperatorMisconfigured(f"{name} must be an https URL without a name or password in it.")
    if parts.scheme == "http" and not loopback:
        raise OperatorMisconfigured(
            f"{name} must be https; plain http is allowed for loopback addresses only."
        )
    return url.strip().rstrip("/")


def emulator_url(name: str, url: str) -> str:
    """Return an emulator's URL on loopback, or nothing."""
    if url.strip().startswith("https://"):
        raise OperatorMisconfigured(f"{name} is for an emulator on loopback only. Leave it out.")
    return web_url(name, url) if url.strip() else ""


def public_url(url: str) -> str:
    """Normalize the URL as browsers do in ``Origin``: lower case, no default port; a path has no trailing slash."""
    checked = web_url("PUBLIC_URL", url)
    parts = urlsplit(checked)
    if parts.query or parts.fragment or "?" in checked or "#" in checked:
        raise OperatorMisconfigured("PUBLIC_URL must end with its path: leave out ? and # and what follows.")
    if not _PATH.fullmatch(parts.path):
        raise OperatorMisconfigured(
            f"PUBLIC_URL: the path {parts.path} is not one. Write it like /onbehalf, with letters, digits, - and _ between slashes."
        )
    host = parts.hostname or ""
    if ":" in host:
        host = f"[{host}]"
    elif not host.isascii():
        host = _ascii(host)
    usual = {"https": 443, "http": 80}[parts.scheme]
    port = "" if parts.port in (None, usual) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}{parts.path}"


def _ascii(host: str) -> str:
    try:
        return idna.encode(host, uts46=True).decode()
    except idna.IDNAError:
        raise OperatorMisconfigured(f"PUBLIC_URL: {host} is not a host's name.") from None
