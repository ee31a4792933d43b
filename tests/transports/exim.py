"""A real Exim on loopback, with its own folder: STARTTLS, SMTPS, SASL, and policies that refuse."""

import getpass
import grp
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lab.embedded import free_port

EXIM = shutil.which("exim4", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
ACCOUNT, PASSWORD = "hans@acme.example", "a real p@ssword"

_CONFIGURATION = """
exim_user = {user}
exim_group = {group}
spool_directory = {folder}/spool
log_file_path = {folder}/log-%s
pid_file_path = {folder}/pid
primary_hostname = localhost
local_interfaces = 127.0.0.1
daemon_smtp_ports = {starttls} : {smtps}
tls_on_connect_ports = {smtps}
tls_advertise_hosts = *
tls_certificate = {certificate}
tls_privatekey = {certificate}
auth_advertise_hosts = ${{if eq{{$tls_in_cipher}}{{}}{{}}{{*}}}}
queue_only = true
host_lookup =
rfc1413_query_timeout = 0s
keep_environment =
acl_smtp_mail = sender
acl_smtp_rcpt = recipient
acl_smtp_data = content

begin acl
sender:
  deny message = 5.7.1 sign in first
       !authenticated = *
  deny message = 5.7.60 SMTP; Client does not have permissions to send as this sender
       !senders = $authenticated_id
  accept
recipient:
  deny message = 5.1.1 nobody of that name
       local_parts = nobody
  defer message = 4.2.0 come back later
       local_parts = greylisted
  accept
content:
  deny message = 5.7.1 refused by policy
       condition = ${{if match{{$message_body}}{{forbidden}}}}
  accept

begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_condition = ${{if and{{{{eq{{$auth2}}{{{account}}}}}{{eq{{$auth3}}{{{password}}}}}}}}}
  server_set_id = $auth2
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = Username:: : Password::
  server_condition = ${{if and{{{{eq{{$auth1}}{{{account}}}}}{{eq{{$auth2}}{{{password}}}}}}}}}
  server_set_id = $auth1
"""


@dataclass(frozen=True)
class Exim:
    """A running Exim."""

    folder: Path
    starttls: int
    smtps: int

    def taken(self) -> list[str]:
        """The emails that it has accepted, envelope and headers first."""
        heads = sorted((self.folder / "spool" / "input").rglob("*-H"))
        return [head.read_text() + head.with_name(head.name[:-1] + "D").read_text() for head in heads]

    def log(self) -> str:
        """Its own log."""
        return "\n".join(each.read_text() for each in self.folder.glob("log-*"))


@contextmanager
def running_exim(folder: Path, certificate: Path) -> Iterator[Exim]:
    """Start one, and stop it at the end. ``certificate``: key and certificate as PEM."""
    if EXIM is None:
        raise RuntimeError("Exim is not installed")
    exim = Exim(folder, free_port(), free_port())
    (folder / "spool").mkdir()
    configuration = folder / "exim.conf"
    configuration.write_text(
        _CONFIGURATION.format(
            user=getpass.getuser(),
            group=grp.getgrgid(os.getgid()).gr_name,
            folder=folder,
            starttls=exim.starttls,
            smtps=exim.smtps,
            certificate=certificate,
            account=ACCOUNT,
            password=PASSWORD,
        )
    )
    process = subprocess.Popen(
        [EXIM, "-C", str(configuration), "-bdf"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    try:
        until = time.monotonic() + 15
        while not _listens(exim.smtps):
            if process.poll() is not None or time.monotonic() > until:
                process.kill()
                raise RuntimeError(f"Exim did not start: {process.communicate()[1]}\n{exim.log()}")
            time.sleep(0.05)
        yield exim
    finally:
        process.kill()
        process.communicate()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
