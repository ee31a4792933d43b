"""A change finds what it means in whatever way it is written, and says so when it does not."""

from pathlib import Path

import pytest

from lab.exam.planting import (
    Change,
    Edit,
    NotPlanted,
    before,
    condition,
    drop,
    instead,
    move,
    planted,
    sql,
    swap,
)

GATE = '''
LIMIT = 30
QUERY = text(f"SELECT a, {B} FROM t" f" WHERE id = :id AND {NOT_OURS.where()} FOR UPDATE")

class Door:
    def enter(self, box):
        """Ask, then go."""
        lane = lock(box)
        facts = read(box.id)
        if facts.active and lane:
            log.info("entered", box=box)
        try:
            return Wait(facts.until, "pace") if facts.slow else Clear()
        except Closed:
            return Wait(None, "closed")
        except Away:
            return Wait(None, "away")
'''
RENAMED = '''
LIMIT: float = 30


def unrelated(): ...


QUERY = text(
    f"SELECT a, {Z} FROM t"
    f" WHERE id = :id   AND {Q}"
    " FOR UPDATE"
)
class Door:
    def enter(self, mailbox):
        """Other words."""
        locked = lock(mailbox)
        # A comment.
        known = read(
            mailbox.id,
        )
        if known.active and locked:
            log.info("entered", box=mailbox)
        try:
            return Wait(known.until, "pace") if known.slow else Clear()
        except Closed:
            return Wait(None, "closed")
        except (Away, Gone):
            return Wait(None, "away")
'''


def result(source: str, folder: Path, target: str, edit: Edit) -> str:
    (folder / "gate.py").write_text(source)
    return planted([Change(f"gate:{target}", edit)], folder)["gate.py"]


@pytest.mark.parametrize("source", [GATE, RENAMED], ids=["as written", "renamed"])
@pytest.mark.parametrize(
    ("target", "edit", "there", "gone"),
    [
        ("Door.enter", drop("info"), "pass", "log.info"),
        ("Door.enter", before("info", "early()"), "early()\n            log.info", "\n\n\n"),
        ("Door.enter", condition("active", becomes=True), "if True:", ".active"),
        ("Door.enter", swap("Wait($facts.until, $why)", "Wait(NOW, $why)"), "Wait(NOW, 'pace')", ".until"),
        ("Door.enter", swap("log.info($event, ...)", "print($event, ...)"), "print('entered', box=", "log"),
        ("Door.enter/Away", swap("Wait(None, $why)", "Wait(1, $why)"), "Wait(1, 'away')", "Wait(None, 'away')"),
        ("Door.enter", instead("return None"), "return None", "Wait"),
        ("LIMIT", instead("60"), "= 60", "30"),
        ("QUERY", sql("FOR UPDATE"), "SELECT a, {", "FOR UPDATE"),
        ("QUERY", sql("WHERE id = :id AND {}", "WHERE true"), "WHERE true", ":id"),
    ],
)  # fmt: skip
def test_a_change_finds_its_place(
    source: str, target: str, edit: Edit, there: str, gone: str, tmp_path: Path
) -> None:
    changed = result(source, tmp_path, target, edit)
    compile(changed, "gate.py", "exec")
    assert there in changed
    assert gone not in changed


def test_a_change_finds_a_part_of_a_sql_file(tmp_path: Path) -> None:
    text = "-- name: one\nSELECT 1\n\n-- name: two\n-- Ask.\nSELECT 2 WHERE {open}\n  FOR UPDATE\n"
    (tmp_path / "lane.sql").write_text(text)
    changed = planted([Change("lane.sql:two", sql("{open} FOR UPDATE", "{open}"))], tmp_path)
    assert changed == {"lane.sql": text.replace("\n  FOR UPDATE", "")}


def test_a_statement_moves_before_another_one(tmp_path: Path) -> None:
    changed = result(RENAMED, tmp_path, "Door.enter", move("read", before="lock"))
    assert changed.index("read(mailbox") < changed.index("lock(mailbox")


@pytest.mark.parametrize(
    ("target", "edit", "words"),
    [
        ("Door.leave", drop("info"), "leave is there 0 times"),
        ("Door.enter", drop("warning"), "a call of warning is there 0 times"),
        ("Door.enter", drop("Wait"), "a call of Wait is there 3 times"),
        ("Door.enter", move("lock", before="read"), "lock does not follow read"),
        ("Door.enter", condition("epoch", becomes=False), "no condition mentions epoch"),
        ("Door.enter", swap("Wait(None, $why)", "Clear()"), "is there 2 times"),
        ("Door.enter", swap("Wait($why, $why)", "Clear()"), "is there 0 times"),
        ("Door.enter/Lost", drop("Wait"), "Lost is there 0 times"),
        ("LIMIT", instead("30"), "nothing changes"),
        ("QUERY", sql("FOR SHARE"), "“FOR SHARE” is there 0 times"),
        ("Door", instead("pass"), "neither a function nor a constant"),
    ],
)
def test_what_is_not_found_fails_by_name(target: str, edit: Edit, words: str, tmp_path: Path) -> None:
    with pytest.raises(NotPlanted, match=rf"^gate:{target}: .*{words}"):
        result(RENAMED, tmp_path, target, edit)


def test_a_module_that_is_gone_fails_by_name(tmp_path: Path) -> None:
    with pytest.raises(NotPlanted, match=r"gone\.py is not there"):
        planted([Change("gone:send", drop("send"))], tmp_path)
