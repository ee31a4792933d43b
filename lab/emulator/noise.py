"""Foreign mail that concerns nobody."""

import secrets
from typing import Any


def newsletters(count: int, values: dict[str, Any]) -> list[dict[str, Any]]:
    """Return so many newsletters, as values of ``Incoming.accept``. ``values``: more, for each of them."""
    return [{"raw": _newsletter(number), "kind": "newsletter", **values} for number in range(count)]


def _newsletter(number: int) -> str:
    # Written by hand, because Python's email package takes milliseconds for each.
    return (
        f"From: The Weekly <news{number % 7}@newsletter.example>\n"
        "To: undisclosed-recipients:;\n"
        f"Subject: Ten offers you must not miss ({number})\n"
        f"Message-ID: <{secrets.token_hex(12)}@newsletter.example>\n"
        "List-Unsubscribe: <https://newsletter.example/u>\n"
        "Precedence: bulk\n\n"
        f"Number {number}.\n"
    )
