"""``python -m lab.emulator --port 8025 --smtp-port 2525 [--data FOLDER]``: run until SIGTERM or SIGINT."""

import argparse
import asyncio
import signal
from pathlib import Path

from lab.emulator.server import Server


async def run(port: int, smtp_port: int, data: Path | None) -> None:
    """Serve until a signal ends it."""
    server = Server(port=port, smtp_port=smtp_port, data=data)
    await server.start()
    print(f"emulator ready: http://127.0.0.1:{server.port} smtp 127.0.0.1:{server.smtp_port}", flush=True)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()
    await server.stop()


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m lab.emulator", description=__doc__)
    parser.add_argument("--port", type=int, default=8025, help="HTTP port on loopback (0 = any free one)")
    parser.add_argument(
        "--smtp-port", type=int, default=2525, help="SMTP port on loopback (0 = any free one)"
    )
    parser.add_argument("--data", type=Path, help="folder in which the world is kept between runs")
    options = parser.parse_args()
    asyncio.run(run(options.port, options.smtp_port, options.data))


if __name__ == "__main__":
    main()
