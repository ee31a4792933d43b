"""An emulator by others (npm's ``emulate``), started for tests. It does not share our own emulator's mistakes, and has some of its own."""

import html
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx
import playwright
import pytest

from lab.embedded import free_port

_PROGRAM = Path(__file__).parents[1] / "node" / "node_modules" / "emulate" / "dist" / "index.js"
_NODE = Path(playwright.__file__).with_name("driver") / "node"  # one that is new enough, wherever we are
# `make test` installs it where there is npm, and CI has npm.
installed = pytest.mark.skipif(
    not _PROGRAM.exists(), reason="emulate is not installed (npm ci, in tests/node)"
)


@contextmanager
def emulate(folder: Path, service: str, world: str, *, believes: str) -> Iterator[str]:
    """Run one service on a world in YAML; yields its address. ``believes``: the address that it takes for its own."""
    (folder / "world.yaml").write_text(world)
    port = free_port()
    process = subprocess.Popen(
        [str(_NODE), str(_PROGRAM), "start", "--service", service, "--port", str(port), "--seed", "world.yaml",
         "--base-url", believes],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    url, until = f"http://127.0.0.1:{port}", time.monotonic() + 60
    try:
        while True:
            try:
                httpx.get(url, trust_env=False)
                break
            except httpx.HTTPError:
                if process.poll() is not None or time.monotonic() > until:
                    process.kill()
                    pytest.fail(f"emulate did not start: {process.communicate()[0]}")
                time.sleep(0.1)
        yield url
    finally:
        process.kill()
        process.communicate()


def signed_in(page_url: str, address: str, back: str) -> dict[str, str]:
    """Choose an account on its page. Returns the callback's query."""
    page = httpx.get(page_url, trust_env=False)
    for form in re.findall(r"<form.*?</form>", page.text, re.DOTALL):
        if address in form:
            fields = {
                html.unescape(name): html.unescape(value)
                for name, value in re.findall(r'name="([^"]*)" value="([^"]*)"', form)
            }
            action = re.search(r'action="([^"]*)"', form)
            assert action is not None
            answer = httpx.post(urljoin(page_url, html.unescape(action[1])), data=fields, trust_env=False)
            assert answer.status_code in (302, 303), answer.text[:300]
            assert answer.headers["location"].startswith(back)
            return dict(parse_qsl(urlsplit(answer.headers["location"]).query))
    raise AssertionError(f"{address} is not on the page")
