"""Where a request comes from, for logs and limits."""

from ipaddress import IPv6Address, ip_address, ip_network

from starlette.types import Scope


def source_of(scope: Scope) -> str:
    """Return the client's address; for IPv6 its /64, which one subscriber has. uvicorn's FORWARDED_ALLOW_IPS names trusted proxies."""
    client = scope.get("client")
    try:
        address = ip_address(str(client[0]).partition("%")[0]) if client else None
    except ValueError:
        return "unknown"
    if address is None:
        return "unknown"
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ip_network((address, 64), strict=False))
    return str(address)
