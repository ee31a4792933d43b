"""Everything locked is checked, and what could not be checked never counts as good."""

import json
import subprocess
from pathlib import Path

import pytest

from deploy import audit
from lab.embedded import free_port


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "requirements.lock"
    path.write_text("structlog==26.1.0\ntyper==0.29.2 \\\n    --hash=sha256:" + "0" * 64 + "\n")
    return path


def answers(monkeypatch: pytest.MonkeyPatch, said: str, errors: str = "") -> None:
    """Replace pip-audit's answer; the bill of materials is made as usual."""
    really = subprocess.run

    def run(command: list[str], **how: object) -> object:
        if "pip_audit" in command:
            return subprocess.CompletedProcess(command, 1, said, errors)
        return really(command, **how)  # type: ignore[call-overload]  # as it was called

    monkeypatch.setattr(subprocess, "run", run)


def dependency(name: str, **more: object) -> dict[str, object]:
    return {"name": name, "version": "1", "vulns": [], **more}


@pytest.mark.parametrize(
    ("dependencies", "code", "said"),
    [
        ([dependency("structlog"), dependency("typer")], 0, "No vulnerability of these 2 packages is known."),
        ([dependency("structlog")], 3, "NOT CHECKED: the service was asked about 1 of 2"),
        (
            [dependency("structlog"), {"name": "typer", "skip_reason": "not found"}],
            3,
            "NOT CHECKED: the service did not answer about 1 of 2",
        ),
        (
            [
                dependency("structlog", vulns=[{"id": "PYSEC-1", "fix_versions": ["2"]}]),
                {"name": "typer", "skip_reason": "x"},
            ],
            1,
            "structlog 1: PYSEC-1, fixed in 2",
        ),
    ],
)
def test_only_a_whole_answer_is_a_good_one(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    lock: Path,
    dependencies: list[object],
    code: int,
    said: str,
) -> None:
    answers(monkeypatch, json.dumps({"dependencies": dependencies, "fixes": []}))
    assert audit.main(lock.with_name("sbom.json"), lock) == code
    assert said in capsys.readouterr().out


def test_without_a_network_it_says_so_and_the_bill_of_materials_is_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], lock: Path
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(lock.parent))
    assert audit.main(lock.with_name("sbom.json"), lock) == audit.NOT_KNOWN
    assert "NOT CHECKED" in capsys.readouterr().out
    bill = json.loads(lock.with_name("sbom.json").read_text())
    assert bill["bomFormat"] == "CycloneDX"
    assert {(each["name"], each["version"]) for each in bill["components"]} == {
        ("structlog", "26.1.0"),
        ("typer", "0.29.2"),
    }


def test_the_bill_of_a_release_lists_what_the_image_installs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    answers(monkeypatch, "")
    assert audit.main(tmp_path / "sbom.json") == audit.NOT_KNOWN
    names = {each["name"] for each in json.loads((tmp_path / "sbom.json").read_text())["components"]}
    assert {"dramatiq", "sqlalchemy", "cryptography"} <= names
    assert len(names) > 50
