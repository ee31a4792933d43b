"""systemd units are made from the Procfile, whole and valid."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from honcho.environ import parse_procfile

from deploy import systemd

ROOT = Path(__file__).parents[2]
PROCFILE = parse_procfile((ROOT / "Procfile").read_text()).processes


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The units for a checkout whose path has a space, with three senders."""
    home = tmp_path / "on behalf 100%"
    programs = home / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name in ("python", "dramatiq", "onbehalf"):
        (programs / name).write_text("#!/bin/sh\n")
        (programs / name).chmod(0o755)
    made = tmp_path / "units"
    systemd.main([str(made), "--home", str(home), "--user", "root", "-c", "worker-send=3,scheduler=2"])
    return made


def values(folder: Path, unit: str, key: str) -> list[str]:
    return re.findall(rf"^{key}=(.*)$", (folder / unit).read_text(), re.MULTILINE)


def test_every_process_is_a_unit_with_its_command_and_its_own_variables(folder: Path) -> None:
    assert len(list(folder.iterdir())) == len(PROCFILE) + 1
    for name, command in PROCFILE.items():
        unit = f"onbehalf-{name}.service" if name == "release" else f"onbehalf-{name}@.service"
        (line,) = values(folder, unit, "ExecStart")
        program, *arguments = shlex.split(line.replace("%%", "%"))
        assert program.endswith("/on behalf 100%/.venv/bin/" + shlex.split(command)[0])
        assert arguments == shlex.split(command)[1:]
        assert not set("|&;<>$`") & set(command)  # systemd has no shell
        own = f"/etc/onbehalf/{name.partition('-')[0]}.env"
        assert values(folder, unit, "EnvironmentFile") == ["-/etc/onbehalf/common.env", own]


def test_the_target_starts_each_and_several_of_some(folder: Path) -> None:
    (wanted,) = values(folder, "onbehalf.target", "Wants")
    started = wanted.split()
    assert [each for each in started if "worker-send" in each] == [
        f"onbehalf-worker-send@{n}.service" for n in (1, 2, 3)
    ]
    assert {re.sub(r"@\d+", "", each) for each in started} == {
        f"onbehalf-{name}.service" for name in PROCFILE
    }
    assert len(started) == len(PROCFILE) + 3


def test_the_release_ends_and_the_others_come_back(folder: Path) -> None:
    assert values(folder, "onbehalf-release.service", "Type") == ["oneshot"]
    assert values(folder, "onbehalf-release.service", "Restart") == []
    for name in PROCFILE.keys() - {"release"}:
        unit = f"onbehalf-{name}@.service"
        assert values(folder, unit, "Restart") == ["always"]
        assert "onbehalf-release.service" in values(folder, unit, "After")[0]


def test_limits_are_those_of_compose(folder: Path) -> None:
    services = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text())["services"]
    for path in folder.glob("*.service"):
        service = services[path.name.removeprefix("onbehalf-").removesuffix(".service").rstrip("@")]
        assert values(folder, path.name, "MemoryMax") == [service["mem_limit"].upper()]
        assert values(folder, path.name, "TasksMax") == [str(service["pids_limit"])]
        assert f"{values(folder, path.name, 'TimeoutStopSec')[0]}s" == service["stop_grace_period"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not here")
def test_systemd_finds_nothing_wrong_with_them(folder: Path) -> None:
    for template in folder.glob("*@.service"):
        template.rename(folder / template.name.replace("@", "@1"))  # it reads instances
    units = sorted(map(str, folder.iterdir()))
    checked = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *units],
        env={"SYSTEMD_UNIT_PATH": f"{folder}:", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    ours = [line for line in checked.stderr.splitlines() if "onbehalf" in line]
    assert (checked.returncode, ours) == (0, [])
