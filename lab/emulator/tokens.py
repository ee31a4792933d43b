"""Tokens in Entra's form. Nobody checks their signatures."""

import base64
import secrets
from typing import Any

import orjson


def make_jwt(claims: dict[str, Any]) -> str:
    """A JSON web token that says so."""

    def part(value: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(orjson.dumps(value)).rstrip(b"=").decode()

    return f"{part({'typ': 'JWT', 'alg': 'RS256'})}.{part(claims)}.{secrets.token_urlsafe(16)}"
