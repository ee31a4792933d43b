"""How the SDK's requests reach Microsoft Graph: one kiota ``RequestAdapter``, which ``transports/once.py`` carries, each request once.

Nothing here parses answers: the SDK's entities import 1,250 names for each answer they read. So every builder method returns
the raw answer, whatever its annotation says (docs/decisions/0016).
"""

import re
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from kiota_abstractions.request_adapter import RequestAdapter
from kiota_abstractions.request_information import RequestInformation
from kiota_abstractions.request_option import RequestOption
from kiota_abstractions.serialization import SerializationWriterFactory
from kiota_abstractions.store import BackingStoreFactory
from kiota_serialization_json.json_serialization_writer_factory import JsonSerializationWriterFactory

from transports.base import AccessToken
from transports.once import MAX_ANSWER, Once

# The placeholder for the token's owner in the SDK's paths. The SDK's own middleware replaces it the same way.
_OWNER, _ME = "/users/me-token-to-replace", "/me"
_NAME = re.compile(r"{([^}]+)}")
# Ids that stay the same when an item moves between folders (Graph, "Obtain immutable identifiers").
IMMUTABLE_IDS = 'IdType="ImmutableId"'

# The token of the current request, because one client serves all mailboxes.
BEARER: ContextVar[AccessToken] = ContextVar("bearer")


@dataclass(frozen=True, slots=True)
class FirstBytes(RequestOption):
    """Read no more than this of the answer."""

    count: int

    @staticmethod
    def get_key() -> str:
        """Return the key in a request's options."""
        return "first_bytes"


class OnceAdapter(RequestAdapter[RequestInformation]):
    """Sends each request with the token of ``BEARER``. ``base_url``: Graph's, with its version.

    Called from plain threads: its coroutines wait for the loop thread without suspending, and finish in one step.
    """

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self._once = Once("graph", base_url, headers={"Prefer": IMMUTABLE_IDS})
        self._writers = JsonSerializationWriterFactory()

    async def send_async(self, request_info: RequestInformation, *_: object, **__: object) -> Any:
        """Return the raw answer. Raises ``UnansweredError``, and other errors only before anything has left."""
        method = request_info.http_method
        assert method is not None
        request_info.path_parameters["baseurl"] = self.base_url
        option = request_info.request_options.get(FirstBytes.get_key())
        return self._once.carry(
            _name(method.value, request_info),
            method.value,
            expanded(request_info).replace(_OWNER, _ME, 1),
            BEARER.get(),
            headers=request_info.request_headers or {},
            body=request_info.content,
            most=option.count if isinstance(option, FirstBytes) else MAX_ANSWER,
        )

    send_collection_async = send_async
    send_collection_of_primitive_async = send_async
    send_primitive_async = send_async
    send_no_response_content_async = send_async

    def close(self) -> None:
        """Close connections and the thread; a later request opens them again."""
        self._once.close()

    def get_serialization_writer_factory(self) -> SerializationWriterFactory:
        """Return the only format that models are written in: JSON."""
        return self._writers

    def enable_backing_store(self, backing_store_factory: BackingStoreFactory | None) -> None:
        """Do nothing: models are written whole, so we need not track changes."""

    async def convert_to_native_async(self, request_info: RequestInformation) -> RequestInformation:
        """Return the request unchanged."""
        return request_info


def _name(method: str, request: RequestInformation) -> str:
    """Return a request's name without ids, such as ``POST messages/*/send``. There are as many as builders that we use."""
    if request.RAW_URL_KEY in request.path_parameters:
        return f"{method} by URL"
    return _name_of(method, request.url_template or "")


@lru_cache(maxsize=256)
def _name_of(method: str, template: str) -> str:
    path = template.partition("{?")[0].removeprefix("{+baseurl}/users/{user%2Did}").removeprefix("{+baseurl}")
    return f"{method} {_NAME.sub('*', path).strip('/') or 'me'}"


def expanded(request: RequestInformation) -> str:
    """Return ``request.url``, five times as fast if only ids vary: kiota scans template and ids character by character."""
    values, template = request.path_parameters, request.url_template
    if request.query_parameters or request.RAW_URL_KEY in values or template is None:
        return request.url
    path = template.partition("{?")[0].removeprefix("{+baseurl}")
    base: str = values["baseurl"]
    return base + _NAME.sub(lambda found: quote(str(values[found[1]]), safe=""), path)
