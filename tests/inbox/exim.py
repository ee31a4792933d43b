"""A real Exim on loopback with a folder of its own, which delivers what it is given to one server."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lab.embedded import free_port
from tests.inbox.delivering import Delivery, wait_until

_EXIM = shutil.which("exim4", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
_USER = "Debian-exim"  # Exim delivers nothing as root


def _missing() -> str:
    if _EXIM is None:
        return "Exim is not installed"
    if os.geteuid() != 0:
        return "needs root: Exim changes users"
    try:
        pwd.getpwnam(_USER)
    except KeyError:
        return f"Exim's own user {_USER} is missing"
    return ""


MISSING = _missing()
_CONFIGURATION = """
exim_user = {user}
exim_group = {user}
spool_directory = {folder}/spool
log_file_path = {folder}/log-%s
log_selector = +smtp_confirmation +tls_cipher +8bitmime
pid_file_path = {folder}/pid
primary_hostname = exim.example.org
local_interfaces = 127.0.0.1
daemon_smtp_ports = {port}
host_lookup =
rfc1413_query_timeout = 0s
keep_environment =
smtputf8_advertise_hosts = *
acl_smtp_rcpt = accept
acl_smtp_data = accept
message_size_limit = 100M
received_headers_max = 200

begin routers
all:
  driver = manualroute
  route_list = * 127.0.0.1
  transport = out
  self = send
  host_find_failed = defer

begin transports
out:
  driver = smtp
  port = {to}
  allow_localhost
  hosts_require_tls = {tls}
  message_linelength_limit = 100000

begin retry
* * F,1h,1s
"""


@dataclass(frozen=True)
class Exim(Delivery):
    """A running one."""

    def log(self) -> str:
        """What it says of itself."""
        return "\n".join(each.read_text(errors="replace") for each in sorted(self.folder.glob("log-*")))


@contextmanager
def running_exim(to: int, *, tls: str = "may") -> Iterator[Exim]:
    """Start one that delivers to port ``to``, stop it at the end. ``tls``: may or encrypt."""
    assert _EXIM is not None
    folder = Path(tempfile.mkdtemp(prefix="exim-"))
    folder.chmod(0o755)
    (folder / "spool").mkdir()
    for each in (folder, folder / "spool"):
        shutil.chown(each, _USER, _USER)
    exim = Exim(folder, free_port())
    configuration = folder / "exim.conf"
    required = "*" if tls == "encrypt" else ":"
    configuration.write_text(
        _CONFIGURATION.format(user=_USER, folder=folder, port=exim.port, to=to, tls=required)
    )
    shutil.chown(configuration, "root", "root")
    process = subprocess.Popen(
        [_EXIM, "-C", str(configuration), "-bdf", "-q1s"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        wait_until(exim.listens, lambda: f"Exim did not start: {process.poll()}\n{exim.log()}")
        yield exim
    finally:
        process.terminate()
        process.communicate()
        shutil.rmtree(folder, ignore_errors=True)
