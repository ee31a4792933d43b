"""Time zones by the names Microsoft uses: Windows names by default, IANA names where an administrator set so."""

from tzlocal.windows_tz import win_tz

from domain.send_window import known_zone


def iana_zone(name: str) -> str:
    """The IANA name of a Windows or IANA zone. Raises ``InvalidInput``."""
    return known_zone(win_tz.get(name, name))
