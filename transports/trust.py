"""The authorities whose certificates we believe, read once and not for each connection: a system's bundle takes 15 to 50 ms of CPU."""

import os
import ssl
from functools import lru_cache
from pathlib import Path


def context() -> ssl.SSLContext:
    """Return the settings for a connection to a server: its certificate is checked against the system's authorities.

    Also those of ``SSL_CERT_FILE`` and ``SSL_CERT_DIR``, as OpenSSL has it. A bundle that was replaced is read again, so an operator need
    restart nothing.
    """
    return _read(*((place, _changed(place)) for place in _places()))


def _places() -> list[str]:
    paths = ssl.get_default_verify_paths()
    return [
        os.environ.get(paths.openssl_cafile_env, paths.openssl_cafile),
        os.environ.get(paths.openssl_capath_env, paths.openssl_capath),
    ]


def _changed(place: str) -> int:
    """When it changed, in nanoseconds; 0 if it is not there."""
    try:
        return Path(place).stat().st_mtime_ns
    except OSError:
        return 0


@lru_cache(maxsize=1)
def _read(*_: tuple[str, int]) -> ssl.SSLContext:
    return ssl.create_default_context()
