"""The emulator as one request handler, and as an ASGI application."""

from collections.abc import Awaitable, Callable

from lab.emulator.control import Control
from lab.emulator.entra import Entra
from lab.emulator.faults import Faults
from lab.emulator.gmail import Gmail
from lab.emulator.google import Google
from lab.emulator.graph import Graph
from lab.emulator.http import Request, Response, asgi_app
from lab.emulator.incoming import Incoming
from lab.emulator.world import World


class Emulator:
    """A world and its routes."""

    def __init__(self, world: World | None = None) -> None:
        self.world = world or World()
        self.incoming = Incoming(self.world)
        self.faults = Faults()
        self.entra = Entra(self.world, self.faults)
        self.graph = Graph(self.world, self.faults)
        self.google = Google(self.world, self.faults)
        self.gmail = Gmail(self.world, self.faults)
        self.control = Control(
            self.world, self.faults, self.entra, self.graph, self.incoming, self.google, self.gmail
        )
        self.certificate = ""

    async def handle(self, request: Request) -> Response:
        """Route a request by the first part of its path."""
        first = request.path.split("/", 2)[1]
        if first == "v1.0":
            return await self.graph.handle(request)
        if first == "_control":
            if request.path == "/_control/certificate":
                return Response(200, {"pem": self.certificate})
            return self.control.handle(request)
        if first == "gmail":
            return await self.gmail.handle(request)
        if request.path == "/oauth2/v1/certs":
            return self.gmail.pubsub.certificates()
        answer = await self.google.handle(request) or await self.entra.handle(request)
        if answer is None:
            return Response(404, {"error": {"code": "BadRequest", "message": f"No route {request.path}."}})
        return answer


def create_app(world: World | None = None) -> Callable[..., Awaitable[None]]:
    """Return the emulator as an ASGI application (``httpx.ASGITransport``)."""
    return asgi_app(Emulator(world).handle)
