"""Paths that are no files, files without an end or a beginning, and files with a wrong size."""

import os
import sys
import threading
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest

from domain.errors import InvalidInput
from importing.files import STDIN, read_file


def test_a_file_is_read_whole_and_up_to_its_limit(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(b"x" * 3_000_000)
    assert len(read_file(path, max_bytes=3_000_000)) == 3_000_000
    with pytest.raises(InvalidInput, match="larger than 2 MiB"):
        read_file(path, max_bytes=2 * 1024 * 1024)


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/urandom"])
def test_a_device_without_an_end_is_refused(device: str) -> None:
    with pytest.raises(InvalidInput, match="larger than 1 MiB"):
        read_file(Path(device), max_bytes=1024 * 1024)


def test_a_pipe_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=lambda: path.write_bytes(b"email\n" * 50_000), daemon=True)
    writer.start()
    assert read_file(path, max_bytes=1024 * 1024) == b"email\n" * 50_000
    writer.join(10)


def test_a_pipe_that_nobody_writes_to_is_refused_after_a_while(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with pytest.raises(InvalidInput, match="nothing came"):
        read_file(path, max_bytes=1024, wait=0.1)


def test_a_file_that_grows_beyond_what_its_size_said_is_bounded() -> None:
    # The kernel says that each of these has 0 bytes.
    assert read_file(Path("/proc/self/status"), max_bytes=1024 * 1024)


def test_standard_input_is_bounded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(b"email\n")))
    assert read_file(STDIN, max_bytes=100) == b"email\n"
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(b"x" * 101)))
    with pytest.raises(InvalidInput, match="standard input"):
        read_file(STDIN, max_bytes=100)


@pytest.mark.parametrize("name", ["missing.csv", "", "a\0b", "x" * 300, "loop"])
def test_what_cannot_be_opened_is_a_clear_error(tmp_path: Path, name: str) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(InvalidInput):
        read_file(tmp_path / name, max_bytes=100)
