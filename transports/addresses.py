"""Where a name that somebody typed leads: asked for once, and only to the open internet (no request forgery into our network)."""

import ipaddress
import socket

from domain.errors import ProviderUnavailable, ServerUnsafe

# Addresses that lead into another address: IPv4 in IPv6's clothes (RFC 6052, and "IPv4-compatible" of RFC 4291).
_WRAPPED = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("::/96"))
# Of the IANA special-purpose registries (2026), what the standard library of some Python we run on takes for global.
_SPECIAL = tuple(
    ipaddress.ip_network(each)
    for each in (
        "0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15", "240.0.0.0/4",
        "64:ff9b:1::/48", "100::/64", "100:0:0:1::/64", "2001::/23", "2001:db8::/32", "3fff::/20", "5f00::/16",
        "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
    )
)  # fmt: skip
_GLOBAL_V6 = ipaddress.ip_network("2000::/3")  # all that is handed out to anybody (RFC 4291)


def resolve(host: str, port: int, *, anywhere: bool) -> list[str]:
    """The addresses to connect to, best first, asked for once. ``anywhere``: private and loopback ones too (a demo, the operator's own relay).

    Raises ``ServerUnsafe`` for a name that leads into a private network, ``ProviderUnavailable`` when it leads nowhere.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise ProviderUnavailable(f"{host} cannot be found.", code="no_such_host") from error
    addresses = [str(each[4][0]) for each in found]
    if not anywhere and not all(public(address) for address in addresses):
        raise ServerUnsafe(
            f"{host} leads into a private network.",
            code="private_address",
        )
    return list(dict.fromkeys(addresses))


def connect(addresses: list[str], port: int, within: float) -> socket.socket:
    """A connection to the first address that takes one: a name may lead by IPv6 where only IPv4 answers.

    ``within``: seconds for all of them together, as whoever waits holds a lease. Raises ``OSError``.
    """
    each = within / len(addresses)
    *others, last = addresses
    for address in others:
        try:
            return socket.create_connection((address, port), each)
        except OSError:
            continue  # the last one's error is raised
    return socket.create_connection((last, port), each)


def public(address: str) -> bool:
    """Is it an address of the open internet?"""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is None and any(ip in each for each in _WRAPPED):
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return public(str(inner))
        if ip not in _GLOBAL_V6:
            return False
    special = any(ip.version == each.version and ip in each for each in _SPECIAL)
    return ip.is_global and not (special or ip.is_multicast or ip.is_reserved)
