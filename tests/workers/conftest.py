"""The web process's own server, for Microsoft's callbacks."""

from tests.web.conftest import site  # noqa: F401 - a fixture
