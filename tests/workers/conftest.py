"""The web process's own server, for what Microsoft calls back."""

from tests.web.conftest import site  # noqa: F401 - a fixture
