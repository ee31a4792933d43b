"""A real PgBouncer in transaction mode in front of a database here, for tests and benchmarks."""

import os
import pwd
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from sqlalchemy.engine import make_url

from lab.embedded import ServerError, free_port

PROGRAM = "pgbouncer"  # Debian's; it is in no package of PyPI


@contextmanager
def pooler(database_url: str, folder: Path, *, sessions: int) -> Iterator[str]:
    """Yield the database's URL through a PgBouncer with this many server sessions. Raises ``ServerError`` if it does not start."""
    direct, port = make_url(database_url), free_port()
    folder.mkdir(exist_ok=True)
    (folder / "users.txt").write_text(f'"{direct.username}" "{direct.password}"\n')
    (folder / "pgbouncer.ini").write_text(
        f"[databases]\n* = host=127.0.0.1 port={direct.port}\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\npool_mode = transaction\n"
        f"auth_type = plain\nauth_file = {folder / 'users.txt'}\ndefault_pool_size = {sessions}\nmax_client_conn = 200\n"
        "logfile =\npidfile =\n"
    )
    process = subprocess.Popen(_as_nobody(folder), stderr=subprocess.PIPE)
    url = str(direct.set(port=port).render_as_string(hide_password=False))
    until = time.monotonic() + 10
    while True:
        try:
            psycopg.connect(url.replace("+psycopg", ""), connect_timeout=2).close()
            break
        except psycopg.OperationalError:
            if time.monotonic() > until or process.poll() is not None:
                process.kill()
                raise ServerError(
                    f"PgBouncer did not start: {process.communicate()[1].decode()[-600:]}"
                ) from None
            time.sleep(0.05)
    try:
        yield f"{url}?pooler=transaction"
    finally:
        process.terminate()
        process.communicate(timeout=10)


def _as_nobody(folder: Path) -> list[str]:
    """The command. PgBouncer refuses to run as root."""
    command = [PROGRAM, "-q", str(folder / "pgbouncer.ini")]
    if os.geteuid() != 0:
        return command
    nobody = pwd.getpwnam("nobody")
    above = folder
    while above != above.parent and above.is_relative_to("/tmp"):
        above.chmod(above.stat().st_mode | 0o011)
        above = above.parent
    for path in (folder, *folder.iterdir()):
        os.chown(path, nobody.pw_uid, nobody.pw_gid)
    return ["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups", *command]
