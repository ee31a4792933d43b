"""How files are opened and parsed: size by reading, nothing that is not a file, large ones in seconds."""

import os
import time
from pathlib import Path

import pytest

from db.core.session import Database
from domain.errors import InvalidInput
from importing.load import import_file
from importing.organization_file import read_organization_file
from importing.problems import ImportRejected
from importing.tree import MAX_PROBLEMS, MAX_SIZE, parse_yaml

HEAD = "organizations:\n  - name: Zoë\n    time_zone: UTC\n    members:\n"


def test_five_mebibytes_are_read_in_seconds() -> None:
    line = "      - {{name: Zoë, email: zoe{}@acme.example}}\n"
    text = HEAD + "".join(line.format(n) for n in range(100_000))
    text = text.encode()[: MAX_SIZE - 100].decode(errors="ignore").rpartition("\n")[0]
    started = time.process_time()
    parse_yaml("big.yaml", text)
    assert time.process_time() - started < 20  # 90 s and more with Python's parser; a few on an idle machine


def test_a_pipe_that_nobody_writes_to_is_refused_and_not_awaited_for_ever(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importing.files._WAIT", 0.05)
    pipe = tmp_path / "pipe.yaml"
    os.mkfifo(pipe)
    with pytest.raises(InvalidInput, match="nothing came"):
        import_file(database, pipe, actor="test")


@pytest.mark.parametrize("name", ["zeros.yaml", "zeros.csv"])
def test_a_device_without_an_end_is_refused(database: Database, tmp_path: Path, name: str) -> None:
    (tmp_path / name).symlink_to("/dev/zero")
    with pytest.raises(InvalidInput, match="larger than 5 MiB"):
        import_file(database, tmp_path / name, actor="test")


def test_the_size_is_counted_while_reading(database: Database, tmp_path: Path) -> None:
    large = tmp_path / "large.yaml"
    with large.open("wb") as file:
        file.truncate(MAX_SIZE + 1)
    with pytest.raises(InvalidInput, match="larger than 5 MiB"):
        import_file(database, large, actor="test")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("organizations:\n  - name: Zoë\x01", "2:14"),
        ("organizations:\n  - {name: a\n", "3:1"),
        ("organizations: [{name: !!str x}]", "1:24"),
        ("organizations: 1\n---\norganizations: 2", "2:1"),
        ("ö: &x [1]", "1:4"),
        ("organizations:\n  ö: " + "[" * 21, "2:"),
        ("organizations: \ud800", "1:16"),
    ],
)
def test_what_is_not_plain_yaml_is_named_by_line_and_column(text: str, place: str) -> None:
    with pytest.raises(ImportRejected, match=f"x.yaml:{place}"):
        parse_yaml("x.yaml", text)


def test_a_placeholder_after_letters_beyond_ascii_is_named_where_it_stands() -> None:
    text = (
        HEAD.replace("    members:\n", "    sequences:\n")
        + "      - name: Ö\n        owner: a@b.example\n        send_from: a@b.example\n        steps:\n"
        + '          - {delay: PT0S, subject: "é {{nope}}", body: b}\n'
    )
    with pytest.raises(ImportRejected, match=r"x.yaml:9:39: \{\{nope\}\} is not a known field"):
        read_organization_file("x.yaml", text)


def test_a_file_of_nothing_but_mistakes_is_not_read_to_its_end() -> None:
    with pytest.raises(ImportRejected) as caught:
        read_organization_file("x.yaml", HEAD + "      - {nam: x}\n" * 50_000)
    assert len(caught.value.problems) == MAX_PROBLEMS
