"""A real Postfix on loopback with a folder of its own, which delivers what it is given to one server.

Debian's package and that of Exim exclude each other, so it runs from a folder that the package was unpacked into: .postfix in
the checkout, as .ci/run makes it, or where POSTFIX_ROOT says.
"""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lab.embedded import free_port
from tests.inbox.delivering import Delivery, wait_until

_ROOT = Path(os.environ.get("POSTFIX_ROOT") or Path(__file__).parents[2] / ".postfix")
MISSING = (
    "needs root: Postfix changes users"
    if os.geteuid() != 0
    else f"Postfix is not unpacked in {_ROOT}: apt-get download postfix && dpkg -x postfix_*.deb {_ROOT}"
    if not (_ROOT / "usr/lib/postfix/sbin/master").exists()
    else ""
)
_MAIN = """
compatibility_level = 3.6
mail_owner = daemon
setgid_group = tty
default_privs = nobody
queue_directory = {folder}/queue
data_directory = {folder}/data
daemon_directory = {root}/usr/lib/postfix/sbin
command_directory = {root}/usr/sbin
shlib_directory = {root}/usr/lib/postfix
meta_directory = {root}/etc/postfix
import_environment = MAIL_CONFIG MAIL_LOGTAG LD_LIBRARY_PATH={root}/usr/lib/postfix
export_environment = MAIL_CONFIG MAIL_LOGTAG LD_LIBRARY_PATH={root}/usr/lib/postfix
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
myhostname = postfix.example.org
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
relayhost = [127.0.0.1]:{to}
smtp_dns_support_level = disabled
smtp_host_lookup = native
smtp_tls_security_level = {tls}
smtp_tls_loglevel = 1
alias_maps =
local_recipient_maps =
smtputf8_enable = yes
message_size_limit = 0
hopcount_limit = 200
minimal_backoff_time = 1s
queue_run_delay = 1s
maximal_backoff_time = 2s
"""
_MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 1 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


@dataclass(frozen=True)
class Postfix(Delivery):
    """A running one. ``port``: takes any email, to be delivered."""

    def log(self) -> str:
        """What it says of itself."""
        return (self.folder / "log").read_text(errors="replace")


@contextmanager
def running_postfix(to: int, *, tls: str = "may") -> Iterator[Postfix]:
    """Start one that delivers to port ``to``, stop it at the end. ``tls``: may, encrypt or none."""
    folder = Path(tempfile.mkdtemp(prefix="postfix-"))
    folder.chmod(0o755)
    (folder / "log").touch()
    for each in (folder, folder / "log"):
        shutil.chown(each, "daemon")
    postfix = Postfix(folder, free_port())
    conf = folder / "conf"
    conf.mkdir()
    (conf / "main.cf").write_text(_MAIN.format(folder=folder, root=_ROOT, to=to, tls=tls))
    (conf / "master.cf").write_text(_MASTER.format(port=postfix.port))
    (folder / "data").mkdir()
    shutil.chown(folder / "data", "daemon")
    queue = folder / "queue"
    queue.mkdir()
    for name in (
        "active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "maildrop", "pid", "private",
        "public", "saved", "trace",
    ):  # fmt: skip
        (queue / name).mkdir(mode=0o710)
        shutil.chown(queue / name, "root" if name == "pid" else "daemon", "tty")
    master = subprocess.Popen(
        [str(_ROOT / "usr/lib/postfix/sbin/master"), "-c", str(conf), "-d"],
        env={"LD_LIBRARY_PATH": str(_ROOT / "usr/lib/postfix"), "PATH": os.environ["PATH"]},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        wait_until(postfix.listens, lambda: f"Postfix did not start: {_said(master, postfix)}")
        yield postfix
    finally:
        master.terminate()
        try:
            master.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            master.kill()
            master.communicate()
        time.sleep(0)
        shutil.rmtree(folder, ignore_errors=True)


def _said(master: subprocess.Popen[str], postfix: Postfix) -> str:
    ended = master.poll() is not None
    return f"{master.communicate()[1] if ended else ''}\n{postfix.log()}"
