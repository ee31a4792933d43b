"""JSON whose texts people elsewhere wrote."""

import json

import orjson


def read_json(body: bytes) -> object:
    """Decode it. Raises ``ValueError``.

    What no text in Postgres can hold becomes U+FFFD: NUL, and halves of surrogate pairs, which orjson refuses.
    """
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return _storable(json.loads(body))
    return _storable(value) if b"\\u0000" in body else value


def _storable(value: object) -> object:
    match value:
        case str():
            return (
                value.replace("\x00", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
            )
        case list():
            return [_storable(each) for each in value]
        case dict():
            return {name: _storable(each) for name, each in value.items()}
    return value
