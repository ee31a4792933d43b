"""Resolve host names that somebody typed: once, and only to the open internet (no request forgery into our network)."""

import ipaddress
import socket

from domain.errors import ProviderUnavailable, ServerUnsafe

# IPv6 ranges that embed an IPv4 address (RFC 6052, and "IPv4-compatible" of RFC 4291).
_WRAPPED = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("::/96"))
# From the IANA special-purpose registries (2026): ranges that some supported Python's standard library takes for global.
_SPECIAL = tuple(
    ipaddress.ip_network(each)
    for each in (
        "0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15", "240.0.0.0/4",
        "64:ff9b:1::/48", "100::/64", "100:0:0:1::/64", "2001::/23", "2001:db8::/32", "3fff::/20", "5f00::/16",
        "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
    )
)  # fmt: skip
_GLOBAL_V6 = ipaddress.ip_network("2000::/3")  # everything that is allocated (RFC 4291)


def resolve(host: str, port: int, *, anywhere: bool) -> list[str]:
    """Resolve once and return the addresses to connect to, best first.

    ``anywhere``: allow private and loopback addresses (a demo, the operator's own relay). Raises ``ServerUnsafe`` for a name
    that leads into a private network, ``ProviderUnavailable`` if it does not resolve.
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
    """Connect to the first address that accepts: a name may have an IPv6 address where only IPv4 answers.

    ``within``: seconds for all of them together, because the caller holds a lease. Raises ``OSError``.
    """
    each = within / len(addresses)
    *others, last = addresses
    for address in others:
        try:
            return socket.create_connection((address, port), each)
        except OSError:
            continue  # the last address raises its own error
    return socket.create_connection((last, port), each)


def public(address: str) -> bool:
    """Is it a public address?"""
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
