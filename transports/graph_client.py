"""The only access to Microsoft Graph: one SDK client per process, called from plain threads."""

import base64
import binascii
import re
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, cast

from msgraph.generated.organization.organization_request_builder import OrganizationRequestBuilder
from msgraph.generated.subscriptions.subscriptions_request_builder import SubscriptionsRequestBuilder
from msgraph.generated.users.item.user_item_request_builder import UserItemRequestBuilder
from msgraph.graph_request_adapter import GraphRequestAdapter
from msgraph.graph_service_client import GraphServiceClient

from transports.base import AccessToken, TokenSource
from transports.graph_adapter import BEARER, OnceAdapter
from transports.once import ANY_NEWER, Answer, UnansweredError, read_token, step_back


@dataclass(frozen=True, slots=True)
class Mailbox:
    """What requests are built on. ``me``: the mailbox's, whether it is the token's own (``/me``) or any of a tenant (``/users/{id}``)."""

    me: UserItemRequestBuilder
    path: str
    organization: OrganizationRequestBuilder
    subscriptions: SubscriptionsRequestBuilder


# One SDK call, such as ``lambda client: client.me.mailbox_settings.get()``. Its result is the adapter's raw answer.
Request = Callable[[Mailbox], Coroutine[Any, Any, object]]


class GraphClient:
    """Shared by a process's transports. ``graph_url``: ``https://graph.microsoft.com`` or an emulator's."""

    def __init__(self, graph_url: str) -> None:
        self.base_url = f"{graph_url.rstrip('/')}/v1.0"
        self._adapter = OnceAdapter(self.base_url)
        # The annotation names the SDK's own adapter, but any kiota adapter works.
        self._sdk = GraphServiceClient(request_adapter=cast("GraphRequestAdapter", self._adapter))
        self._own = self._mailbox(self._sdk.me, "me")

    def mailbox(self, user_id: str) -> Mailbox:
        """Return what requests for this mailbox are built on. Empty: the token's own."""
        if not user_id:
            return self._own
        return self._mailbox(self._sdk.users.by_user_id(user_id), f"users/{user_id}")

    def _mailbox(self, user: UserItemRequestBuilder, path: str) -> Mailbox:
        # Threads share this dictionary. Once it has both names, they only write the same values again.
        user.path_parameters["baseurl"] = self.base_url
        return Mailbox(user, path, self._sdk.organization, self._sdk.subscriptions)

    def call(
        self,
        tokens: TokenSource,
        request: Request,
        mailbox: Mailbox | None = None,
        *,
        leave_by: float | None = None,
    ) -> Answer:
        """Send one request, once, within ``CALL_CAP``. Raises ``UnansweredError``, and what ``tokens`` raises.

        ``mailbox``: None: the token's own. ``leave_by`` (monotonic): do not send at all if fetching the token took longer.

        A request answered with 401 was not executed. We send it again with a newer token, and once more with a token that has the
        claims which that answer asks for.
        """
        mailbox = mailbox or self._own
        answer = self._call(mailbox, request, read_token(tokens), leave_by)
        if answer.status == 401:
            answer = self._call(mailbox, request, read_token(tokens, _claims(answer) or ANY_NEWER), leave_by)
        if answer.status == 401 and (claims := _claims(answer)):
            answer = self._call(mailbox, request, read_token(tokens, claims), leave_by)
        return answer

    def _call(self, mailbox: Mailbox, request: Request, token: AccessToken, leave_by: float | None) -> Answer:
        step_back(leave_by)
        before = BEARER.set(token)
        try:
            request(mailbox).send(None)
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
