"""The only access to Microsoft Graph: one SDK client per process, called from plain threads."""

import base64
import binascii
import re
import time
from collections.abc import Callable, Coroutine
from typing import Any, cast

from msgraph.graph_request_adapter import GraphRequestAdapter
from msgraph.graph_service_client import GraphServiceClient

from domain.errors import OperatorMisconfigured, ProviderError, ProviderUnavailable
from transports.base import AccessToken, TokenSource
from transports.graph_adapter import BEARER, Answer, OnceAdapter, UnansweredError

# Asks for any token newer than the refused one, after a 401 without claims.
_ANY_NEWER = "{}"

# One SDK call, such as ``lambda client: client.me.mailbox_settings.get()``. Its result is the adapter's raw answer.
Request = Callable[[GraphServiceClient], Coroutine[Any, Any, object]]


class GraphClient:
    """Shared by a process's transports. ``graph_url``: ``https://graph.microsoft.com`` or an emulator's."""

    def __init__(self, graph_url: str) -> None:
        self.base_url = f"{graph_url.rstrip('/')}/v1.0"
        self._adapter = OnceAdapter(self.base_url)
        # The annotation names the SDK's own adapter, but any kiota adapter works.
        self._sdk = GraphServiceClient(request_adapter=cast("GraphRequestAdapter", self._adapter))
        # Threads share this dictionary. Once it has both names, they only write the same values again.
        self._sdk.me.path_parameters["baseurl"] = self.base_url

    def call(self, tokens: TokenSource, request: Request, *, leave_by: float | None = None) -> Answer:
        """Send one request, once, within ``CALL_CAP``. Raises ``UnansweredError``, and what ``tokens`` raises.

        ``leave_by`` (monotonic): do not send at all if fetching the token took longer.

        A request answered with 401 was not executed. We send it again with a newer token, and once more with a token that has the
        claims which that answer asks for.
        """
        answer = self._call(request, read_token(tokens), leave_by)
        if answer.status == 401:
            answer = self._call(request, read_token(tokens, _claims(answer) or _ANY_NEWER), leave_by)
        if answer.status == 401 and (claims := _claims(answer)):
            answer = self._call(request, read_token(tokens, claims), leave_by)
        return answer

    def _call(self, request: Request, token: AccessToken, leave_by: float | None) -> Answer:
        if leave_by is not None and time.monotonic() > leave_by:
            raise ProviderUnavailable(
                "Renewing the token took so long that the permission to send grew stale.", code="stepped_back"
            )
        before = BEARER.set(token)
        try:
            request(self._sdk).send(None)
        except StopIteration as ended:  # how a coroutine ends if its adapter never suspends
            answer = ended.value
        except UnansweredError:
            raise
        except Exception as error:  # the adapter reports everything in transit, so this happened before
            raise UnansweredError(error, left=False) from error
        finally:
            BEARER.reset(before)
        assert isinstance(answer, Answer)
        return answer

    def close(self) -> None:
        """Close connections; a later call opens them again."""
        self._adapter.close()


def _claims(answer: Answer) -> str:
    """Return the claims that a 401 asks for (Entra, "Claims challenges and claims requests"), or an empty string."""
    named = re.search(r'\bclaims="([^"]+)"', ", ".join(answer.headers.getall("WWW-Authenticate", [])))
    try:
        return "" if named is None else base64.b64decode(f"{named[1]}==", altchars="-_").decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""


def read_token(tokens: TokenSource, claims: str | None = None) -> AccessToken:
    """Return the source's token. Whatever fails here, no request has left with it."""
    try:
        return tokens.token(claims)
    except (ProviderError, OperatorMisconfigured):
        raise
    except Exception as error:
        raise ProviderUnavailable(
            f"The mailbox's token could not be read ({type(error).__name__}).", code="token_unreadable"
        ) from error
