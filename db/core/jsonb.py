"""JSON for JSONB parameters of hand-written statements."""

from collections.abc import Mapping, Sequence

import orjson


def dump_json(value: Mapping[str, object] | Sequence[object]) -> str:
    """``value`` as JSON text; UUIDs and times become strings."""
    return orjson.dumps(value, default=str).decode()
