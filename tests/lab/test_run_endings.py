"""``onbehalf run`` however it ends: nothing goes on behind one's back."""

import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

from lab.folder import left_behind
from tests.lab.running import environment, read_until, start, stop

# A session leader's first terminal becomes the one that hangs up on it. Under nohup, these tests would inherit that it is ignored.
_IN_TERMINAL = """
import os, signal, sys
signal.signal(signal.SIGHUP, signal.SIG_DFL)
terminal = os.open(sys.argv[1], os.O_RDWR)
for number in range(3):
    os.dup2(terminal, number)
os.execv(sys.executable, [sys.executable, "-m", "cli", "run", "--no-demo"])
"""


def in_terminal(folder: Path) -> tuple[subprocess.Popen[bytes], int]:
    """Start it in a terminal of its own; returns it and the terminal's other side, once the live view is on it."""
    ours, its = os.openpty()
    running = subprocess.Popen(
        [sys.executable, "-c", _IN_TERMINAL, os.ttyname(its)],
        cwd=folder,
        env=environment(TERM="xterm"),
        start_new_session=True,
    )
    said = b""
    while b"Mailboxes" not in said:
        assert running.poll() is None, said
        said += os.read(ours, 4096)
    os.close(its)
    return running, ours


def servers_in(folder: Path) -> str:
    return subprocess.run(["pgrep", "-f", str(folder)], capture_output=True, text=True, check=False).stdout


def test_a_closed_terminal_stops_everything(tmp_path: Path) -> None:
    running, terminal = in_terminal(tmp_path)
    assert left_behind(tmp_path / ".onbehalf")
    os.close(terminal)
    assert running.wait(300) == 0
    assert left_behind(tmp_path / ".onbehalf") == set()
    assert servers_in(tmp_path) == ""


def test_what_a_killed_run_left_behind_is_ended_by_the_next_one_which_says_so(tmp_path: Path) -> None:
    first = start(tmp_path, "--no-demo")
    read_until(first, "Running.")
    with first:  # closes its end of the pipe
        first.kill()
    left = left_behind(tmp_path / ".onbehalf")
    assert len(left) > 10

    second = start(tmp_path, "--no-demo")
    said = read_until(second, "Running.")
    # How many servers' helpers there are changes by the second.
    assert re.search(r"an earlier run was killed and left \d\d processes behind", said)
    assert not left & left_behind(tmp_path / ".onbehalf")
    stop(second)
    assert left_behind(tmp_path / ".onbehalf") == set()
    assert servers_in(tmp_path) == ""


def test_a_fresh_run_forgets_the_earlier_one_and_a_given_port_is_used_or_refused(tmp_path: Path) -> None:
    home = tmp_path / ".onbehalf"
    stop(started(tmp_path))
    first_keys = (home / "secret-keys").read_text()
    stop(started(tmp_path))
    assert (home / "secret-keys").read_text() == first_keys
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        refused = start(tmp_path, "--no-demo", PORT=port)
        said, _ = refused.communicate(timeout=120)
        assert refused.returncode == 3, said
        assert f"PORT: something else listens on port {port}" in said
    fresh = start(tmp_path, "--no-demo", "--fresh", PORT=port)
    assert f"Pages are at http://localhost:{port}" in read_until(fresh, "Running.")
    until = time.monotonic() + 60
    with socket.socket() as asking:
        while asking.connect_ex(("127.0.0.1", int(port))) != 0:
            assert time.monotonic() < until
            time.sleep(0.2)
    stop(fresh)
    assert (home / "secret-keys").read_text() != first_keys


def started(folder: Path) -> subprocess.Popen[str]:
    running = start(folder, "--no-demo")
    read_until(running, "Running.")
    return running


def test_a_fresh_run_deletes_nothing_of_yours(tmp_path: Path) -> None:
    (tmp_path / ".onbehalf").mkdir()
    (tmp_path / ".onbehalf" / "secret-keys").write_text("kept")
    refused = start(tmp_path, "--fresh", DATABASE_URL="postgresql://127.0.0.1:9/mine")
    said, _ = refused.communicate(timeout=60)
    assert refused.returncode == 3, said
    assert "--fresh deletes only data of its own" in said
    assert (tmp_path / ".onbehalf" / "secret-keys").read_text() == "kept"
