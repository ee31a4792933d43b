"""JSON in parameters and rows of statements."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import orjson

Json: TypeAlias = Mapping[str, Any]  # an object in a JSONB column, as psycopg reads it


def dump_json(value: Mapping[str, object] | Sequence[object]) -> str:
    """Return ``value`` as JSON text; UUIDs and times become strings."""
    return orjson.dumps(value, default=str).decode()
