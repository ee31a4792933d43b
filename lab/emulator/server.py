"""The emulator on sockets: HTTP by aiohttp, SMTP by aiosmtpd; optionally keeps its world on disk."""

import asyncio
import contextlib
import functools
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson
from aiohttp import web
from aiosmtpd.smtp import SMTP

from lab.emulator.app import Emulator
from lab.emulator.http import aiohttp_handler
from lab.emulator.records import Arrival, LedgerEntry
from lab.emulator.smtp import Submission, make_certificate
from lab.emulator.snapshot import restore, snapshot

_SAVE_EVERY = 2.0


class Server:
    """Start and stop it inside a running event loop. Port 0 = any free port."""

    def __init__(self, *, port: int = 0, smtp_port: int = 0, data: Path | None = None) -> None:
        self.emulator = Emulator()
        self.port, self.smtp_port = port, smtp_port
        self._data = data
        self._written = {"ledger": 0, "arrivals": 0}
        self._runner: web.ServerRunner | None = None
        self._smtp: asyncio.Server | None = None
        self._saver: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start listening on loopback."""
        if self._data is not None:
            self._data.mkdir(parents=True, exist_ok=True)
            self._load(self._data)
        self._runner = web.ServerRunner(web.Server(aiohttp_handler(self.emulator.handle), access_log=None))
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, backlog=1024)
        await site.start()
        self.port = self._runner.addresses[0][1]
        context, self.emulator.certificate = make_certificate()
        handler = Submission(self.emulator.world, self.emulator.faults)
        make = functools.partial(
            SMTP,
            handler,
            hostname="localhost",
            tls_context=context,
            authenticator=handler.authenticate,
            auth_require_tls=False,  # the demo's relay uses plain SMTP on loopback
            enable_SMTPUTF8=True,
        )
        self._smtp = await asyncio.get_running_loop().create_server(make, "127.0.0.1", self.smtp_port)
        self.smtp_port = self._smtp.sockets[0].getsockname()[1]
        if self._data is not None:
            self._saver = asyncio.create_task(self._save_regularly(self._data))

    async def stop(self) -> None:
        """Stop listening and save the world."""
        if self._saver is not None:
            self._saver.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._saver
        self.emulator.graph.subscriptions.stop()
        self.emulator.gmail.pubsub.stop()
        if self._smtp is not None:
            self._smtp.close()
        if self._runner is not None:
            await self._runner.cleanup()
        if self._data is not None:
            self._save(self._data)

    async def _save_regularly(self, folder: Path) -> None:
        while True:
            await asyncio.sleep(_SAVE_EVERY)
            if self.emulator.world.changed:
                self._save(folder)

    def _save(self, folder: Path) -> None:
        world = self.emulator.world
        world.settle_all()
        world.changed = False
        kept: dict[str, list[LedgerEntry] | list[Arrival]] = {
            "ledger": world.ledger,
            "arrivals": world.arrivals,
        }
        for name, entries in kept.items():
            with (folder / f"{name}.jsonl").open("ab") as file:
                for entry in entries[self._written[name] :]:
                    file.write(orjson.dumps(asdict(entry)) + b"\n")
            self._written[name] = len(entries)
        draft = folder / "world.json.new"
        draft.write_bytes(orjson.dumps(snapshot(world)))
        draft.replace(folder / "world.json")

    def _load(self, folder: Path) -> None:
        if not (folder / "world.json").exists():
            return
        ledger = [LedgerEntry(**each) for each in _lines(folder / "ledger.jsonl")]
        arrivals = [Arrival(**each) for each in _lines(folder / "arrivals.jsonl")]
        restore(self.emulator.world, orjson.loads((folder / "world.json").read_bytes()), ledger, arrivals)
        self._written = {"ledger": len(ledger), "arrivals": len(arrivals)}


def _lines(path: Path) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in path.read_bytes().splitlines()] if path.exists() else []
