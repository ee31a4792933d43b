"""The web process's application (``python -m web``). It uses the same actions as the command line."""

import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from pathlib import Path
from urllib.parse import urlsplit

import anyio.to_thread
import structlog
from fastapi import Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import PlainTextResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

import counters
from app import outside, telemetry  # noqa: F401 - outside: now, and not while a page waits
from app.health import served
from app.heartbeat import Heartbeat
from app.readiness import Readiness, check_at_start
from app.redis_url import connect
from app.runtime import Runtime
from config import PUBLIC_GOOGLE_URL, Settings
from db.core.session import FOR_VISITORS, DatabaseUnavailable
from db.views import my_settings
from domain.errors import (
    InvalidInput,
    NotFound,
    NotPermitted,
    OnbehalfError,
    OperatorMisconfigured,
    TooMany,
    WorkersSilent,
)
from observability import configure_logging, log_whatever_ends_a_process
from web import for_machines, health, hooks, opt_out, people_import, sign_in, suppressions_file
from web.access_log import AccessLog
from web.api import make_api
from web.api_call import API, SCIM, refused
from web.api_scim import make_scim
from web.intake import Intake
from web.pages import message
from web.place import Below, path_of
from web.protection import (
    AnotherMemberError,
    Headers,
    Hosts,
    SignInFirstError,
    same_origin,
    session_of,
    transaction_of,
    whose_form,
)
from web.return_to import SignInAgainError, page_before, sign_in_again, sign_in_first
from web.routers import PAGES
from web.scim_call import scim_refused

log = structlog.get_logger()

# Without a session: asked by programs, and by recipients of our emails.
_OTHERS = (hooks.router, for_machines.router, health.router, opt_out.router)
# What pages are called first. A path of ``PUBLIC_URL`` that begins so would be mistaken for one of them.
_OURS = frozenset(
    [
        "api",
        "approve",
        "attention",
        "handovers",
        "health",
        "hooks",
        "live",
        "messages",
        "notifications",
        "numbers",
        "o",
        "operations",
        "outbox",
        "people",
        "results",
        "scim",
        "search",
        "sequences",
        "settings",
        "sign-in",
        "sign-out",
        "static",
        "system",
        "why",
        "withdrawals",
    ]
)
# What answers pages computes, and takes turns at it: of many threads that do, each waits for all others, and so does whoever
# waits for nothing (health, Microsoft's notifications). What waits for others has threads of its own (web/rooms.py).
_THREADS = 12
_TURN = 0.001  # seconds
_CONNECTIONS = 8
_STATUS: dict[type[OnbehalfError], tuple[int, str]] = {
    NotFound: (404, "Not found"),
    AnotherMemberError: (403, "Somebody else is signed in"),
    NotPermitted: (403, "Not allowed"),
    InvalidInput: (422, "Check what you entered"),
    DatabaseUnavailable: (503, "Try again in a moment"),
    WorkersSilent: (503, "Try again in a moment"),
}


def make_app() -> FastAPI:
    """Return the application, with settings from the environment."""
    try:
        settings = Settings.from_environment(for_web=True)
        configure_logging(settings.log_format, settings.log_level, process="web", counted=counters.logged)
        log_whatever_ends_a_process()
        unwatch = telemetry.start("web")
        runtime = Runtime.open(settings, application="onbehalf-web", pool_size=_CONNECTIONS)
        check_at_start(runtime.database)  # pages and withdrawals work without Redis
        return application(runtime, life(runtime, unwatch))
    except OperatorMisconfigured as error:
        sys.exit(f"onbehalf: {error}")


def life(
    runtime: Runtime, at_end: Callable[[], None] = lambda: None
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """Return what a web process does at its start and end. ``at_end``: called last."""

    @asynccontextmanager
    async def live(_app: FastAPI) -> AsyncIterator[None]:
        sys.setswitchinterval(_TURN)
        anyio.to_thread.current_default_thread_limiter().total_tokens = _THREADS
        log.info("web_started")
        with closing(
            connect(runtime.settings.redis_url, socket_timeout=2, socket_connect_timeout=2)
        ) as client:
            heartbeat = Heartbeat(
                runtime.database,
                "web",
                Readiness(runtime.database, broker=client),
                key_ids=[runtime.settings.sealing_public_key[:8]],
            )
            heartbeat.start()
            # Its health is where its pages are, for everybody; what it has counted only here.
            with served(runtime.settings, Readiness(runtime.database).troubles):
                yield
            await anyio.to_thread.run_sync(heartbeat.close)
        runtime.close()
        await anyio.to_thread.run_sync(at_end)

    return live


def application(
    runtime: Runtime, lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]] | None = None
) -> FastAPI:
    """Return the application on an open runtime. Raises ``OperatorMisconfigured`` if the path of ``PUBLIC_URL`` is a page's."""
    settings = runtime.settings
    app = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.runtime, app.state.health = runtime, health.Health(runtime)
    host = urlsplit(settings.public_url).hostname or "localhost"
    path = path_of(settings.public_url)
    # The last one is the outermost.
    app.add_middleware(Intake)
    app.add_middleware(Hosts, allowed_hosts=[host, "localhost", "127.0.0.1"])
    app.add_middleware(Headers, public_url=settings.public_url, sign_in_urls=_sign_in_urls(settings))
    app.add_middleware(AccessLog)
    if path:
        if path.split("/")[1] in _OURS:
            raise OperatorMisconfigured(
                f"PUBLIC_URL: the path {path} is what a page is called. Choose another, for example /onbehalf."
            )
        app.add_middleware(Below, path=path)
    app.mount("/static", StaticFiles(directory=Path(__file__).with_name("static")))
    app.mount("/api/v1", make_api(runtime))
    app.mount(SCIM, make_scim(runtime))
    for router in PAGES:
        app.include_router(router, dependencies=[Depends(same_origin), Depends(whose_form)])
    for router in (people_import.uploads, suppressions_file.uploads):
        app.include_router(router, dependencies=[Depends(same_origin)])
    for router in _OTHERS:
        app.include_router(router)
    app.add_api_route("/", _home, methods=["GET"])
    app.add_exception_handler(OnbehalfError, _refused)
    app.add_exception_handler(SignInFirstError, sign_in_first)
    app.add_exception_handler(SignInAgainError, sign_in_again)
    app.add_exception_handler(TooMany, _too_often)
    app.add_exception_handler(opt_out.CutOffError, opt_out.cut_off)
    app.add_exception_handler(RequestValidationError, _unknown)
    app.add_exception_handler(HTTPException, _unknown)
    return app


def _sign_in_urls(settings: Settings) -> list[str]:
    google = [settings.google_url or PUBLIC_GOOGLE_URL] if settings.google_client_id else []
    return [settings.entra_url, *google]


def _home(request: Request) -> Response:
    """Redirect to the first page: of those who only lend their mailbox, who may send from it."""
    if session_of(request) is None:
        return RedirectResponse("/sign-in", status_code=303)
    with transaction_of(request) as (tx, session):
        lends = my_settings.only_lends(tx, session.member.id)
    return RedirectResponse("/settings/sequences" if lends else "/sequences", status_code=303)


def _refused(request: Request, error: Exception) -> Response:
    status, title = next(
        (found for kind, found in _STATUS.items() if isinstance(error, kind)), (503, "Something went wrong")
    )
    log.info("request_refused", error=type(error).__name__, status=status)
    if isinstance(error, DatabaseUnavailable):
        log.warning("database_unavailable", error=str(error))
        return PlainTextResponse(f"{title}. {FOR_VISITORS}", status_code=status)
    said = sign_in.advice(error)
    written = error.written if isinstance(error, AnotherMemberError) else ()
    back = page_before(request).partition("?")[0] or "/"
    return message(request, title, said, status=status, back=back, written=written)


def _too_often(request: Request, error: Exception) -> Response:
    log.warning("rate_limited")
    response = message(request, "Too many requests", str(error), status=429)
    response.headers["Retry-After"] = str(error.retry_after if isinstance(error, TooMany) else 60)
    return response


def _unknown(request: Request, error: Exception) -> Response:
    # A path that a mounted application does not get, with a line break in it.
    for prefix, answer in ((API, refused), (SCIM, scim_refused)):
        if request.url.path.startswith(prefix):
            return answer(request, error)
    status = error.status_code if isinstance(error, HTTPException) else 404
    title = "Not found" if status == 404 else "Not possible here"
    return message(request, title, "Check the address, or start from the first page.", status=status)
