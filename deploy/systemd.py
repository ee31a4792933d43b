"""``python -m deploy.systemd FOLDER``: systemd units for every process of the Procfile, with compose's limits.

Each process is a template, so that there may be several: ``onbehalf-worker-send@1.service``. ``onbehalf.target`` starts them all.
"""

import argparse
import re
import shlex
from collections.abc import Mapping
from pathlib import Path

PROCFILE = Path(__file__).parents[1] / "Procfile"
_MEMORY = {"worker-send": "768M", "worker-imports": "1G"}
_TASKS = {"worker-send": 500}  # its threads

_TARGET = """\
[Unit]
Description=Onbehalf
Wants={units}

[Install]
WantedBy=multi-user.target
"""
_SERVICE = """\
[Unit]
Description=Onbehalf: {name}
PartOf=onbehalf.target
Wants=network-online.target{release}
After=network-online.target{release}

[Service]
{kind}
User={user}
WorkingDirectory={home}
EnvironmentFile=-{environment}/common.env
EnvironmentFile={environment}/{own}.env
ExecStart={command}
# Longer than a lease (45 s): what is in flight ends in good order.
TimeoutStopSec=60
KillMode=mixed
MemoryMax={memory}
TasksMax={tasks}
NoNewPrivileges=yes
CapabilityBoundingSet=
PrivateDevices=yes
PrivateTmp=yes
ProtectHome=read-only
ProtectSystem=strict
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
"""
_ONCE = "Type=oneshot\nRemainAfterExit=yes"
_ALWAYS = "Restart=always\nRestartSec=2"


def units(
    procfile: str, *, home: Path, user: str, environment: Path, counts: Mapping[str, int]
) -> dict[str, str]:
    """Return the text of each unit by file name. ``counts``: how many of a process the target starts; 1 if not given."""
    found = re.findall(r"^([A-Za-z0-9_-]+):\s*(.+)$", procfile, re.MULTILINE)
    files = {}
    started = []
    for name, command in found:
        once = name == "release"
        files[f"onbehalf-{name}.service" if once else f"onbehalf-{name}@.service"] = _SERVICE.format(
            name=name if once else f"{name} %i",
            release="" if once else " onbehalf-release.service",
            kind=_ONCE if once else _ALWAYS,
            user=user,
            home=str(home).replace("%", "%%"),
            environment=str(environment).replace("%", "%%"),
            own=name.partition("-")[0],
            command=_command(home, command),
            memory=_MEMORY.get(name, "512M"),
            tasks=_TASKS.get(name, 200),
        )
        if not once:
            started += [f"onbehalf-{name}@{n}.service" for n in range(1, counts.get(name, 1) + 1)]
    files["onbehalf.target"] = _TARGET.format(units=" ".join(["onbehalf-release.service", *started]))
    return files


def _command(home: Path, command: str) -> str:
    """Return a command as systemd reads it: the program by its path, no shell."""
    program, *arguments = shlex.split(command)
    words = [str(home / ".venv" / "bin" / program), *arguments]
    return " ".join(f'"{each}"' if re.search(r"\s", each) else each for each in words).replace("%", "%%")


def main(arguments: list[str] | None = None) -> None:
    """Write the units into a folder."""
    parser = argparse.ArgumentParser(
        prog="python -m deploy.systemd", description="systemd units from the Procfile"
    )
    parser.add_argument("folder", type=Path, help="where to write them, such as /etc/systemd/system")
    parser.add_argument("--home", type=Path, default=PROCFILE.parent, help="the checkout, with its .venv")
    parser.add_argument("--user", default="onbehalf", help="who runs the processes")
    parser.add_argument(
        "--environment",
        type=Path,
        default=Path("/etc/onbehalf"),
        help="holds common.env (of all) and web.env, inbox.env, scheduler.env, worker.env, release.env",
    )
    parser.add_argument("-c", "--concurrency", default="", help="how many: worker-send=3,scheduler=2")
    given = parser.parse_args(arguments)
    counts = {name: int(count) for name, count in re.findall(r"([^=,\s]+)=(\d+)", given.concurrency)}
    made = units(
        PROCFILE.read_text(),
        home=given.home.resolve(),
        user=given.user,
        environment=given.environment,
        counts=counts,
    )
    given.folder.mkdir(parents=True, exist_ok=True)
    for name, text in made.items():
        (given.folder / name).write_text(text)
    print(
        f"{len(made)} units are in {given.folder}. Next: systemctl daemon-reload && systemctl enable --now onbehalf.target"
    )


if __name__ == "__main__":
    main()
