"""Where a name that somebody typed leads: asked for once, and only to the open internet (no request forgery into our network)."""

import ipaddress
import socket

from domain.errors import ProviderUnavailable, ServerUnsafe

# Addresses that lead into another address: IPv4 in IPv6's clothes.
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


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
            f"{host} leads into a private network, where nothing for everyone can be.",
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
            continue  # the last one's error is told
    return socket.create_connection((last, port), each)


def public(address: str) -> bool:
    """Is it an address of the open internet?"""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is None and ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return public(str(inner))
    return ip.is_global and not (ip.is_multicast or ip.is_reserved)
