"""Requests to Microsoft Graph about one mailbox, and what their answers mean."""

import time
from collections.abc import Callable, Sequence

from domain.delivery import STEP_BACK_AFTER
from domain.errors import DeliveryInDoubt, ProviderUnavailable
from transports import graph_requests as requests
from transports.base import Found, TokenSource, User
from transports.graph_client import GraphClient, Request
from transports.graph_errors import Purpose, failure, refuse_outside_scope
from transports.graph_reading import found_of, items_of, unreadable
from transports.lenient_json import read_json
from transports.once import Answer, UnansweredError

# A search by property may return empty pages with a link to the next one. We give up after this many.
_MAX_PAGES = 20


class GraphCalls:
    """What a transport asks with."""

    def __init__(
        self, client: GraphClient, tokens: TokenSource, of_tenant: Callable[[], User] | None = None
    ) -> None:
        """``of_tenant``: whose mailbox it is, where the token is the application's; asked when a request is made."""
        self._client = client
        self._tokens = tokens
        self._of_tenant = of_tenant

    def _pages(self, page: Request) -> Sequence[Found]:
        found: list[Found] = []
        for _ in range(_MAX_PAGES):
            answer = self._ask(page, Purpose.READ)
            found.extend(found_of(item) for item in items_of(answer))
            link = answer.get("@odata.nextLink")
            if not link:
                return found
            if not isinstance(link, str) or not link.startswith(f"{self._client.base_url}/"):
                raise ProviderUnavailable("Microsoft's next page is somewhere else.", code="foreign_link")
            page = requests.next_page(link)
        raise ProviderUnavailable("Microsoft's search does not end.", code="endless_pages")

    def _read(self, request: Request) -> dict[str, object]:
        return self._ask(request, Purpose.READ)

    def _ask(self, request: Request, purpose: Purpose) -> dict[str, object]:
        return decoded(self._answer(request, purpose), purpose)

    def _answer(self, request: Request, purpose: Purpose) -> Answer:
        """Return the answer, whatever its status."""
        leave_by = None
        if purpose is Purpose.SEND:
            leave_by = time.monotonic() + STEP_BACK_AFTER.total_seconds()
        try:
            user_id = "" if self._of_tenant is None else self._of_tenant().account_id
            mailbox = self._client.mailbox(user_id)
            answer = self._client.call(self._tokens, request, mailbox, leave_by=leave_by)
        except UnansweredError as error:
            text = "Microsoft did not answer."
            if purpose is Purpose.SEND and error.left:
                raise DeliveryInDoubt(f"{text} The email may have left anyway.", code=str(error)) from error
            raise ProviderUnavailable(text, code=str(error)) from error
        if self._of_tenant is not None and answer.status == 403:
            refuse_outside_scope(answer.body, purpose)
        return answer


def decoded(answer: Answer, purpose: Purpose) -> dict[str, object]:
    """Return what an answer says. Raises its failure, and ``ProviderUnavailable`` if it cannot be read."""
    if not 200 <= answer.status < 300:
        raise failure(answer.status, answer.headers, answer.body, purpose)
    try:
        value = read_json(answer.body)
    except ValueError as error:
        raise unreadable() from error
    if not isinstance(value, dict):
        raise unreadable()
    return value
