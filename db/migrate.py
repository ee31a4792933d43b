"""Bring a database to the newest schema. Safe to run from several places at once: an advisory lock orders them."""

from pathlib import Path

from alembic import command
from alembic.config import Config

from db.session import without_pooler


def alembic_config(url: str) -> Config:
    """Alembic's configuration for ``url``, without a file."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("sqlalchemy.url", without_pooler(url)[0].replace("%", "%%"))
    config.set_main_option("file_template", "%%(year)d-%%(month).2d-%%(day).2d_%%(slug)s")
    return config


def upgrade(url: str, revision: str = "head", *, secret_keys: tuple[bytes, ...] = ()) -> None:
    """Apply all migrations up to ``revision``. ``secret_keys``: for those that seal what is there already.

    Raises ``OperatorMisconfigured`` where one needs them and has none.
    """
    config = alembic_config(url)
    config.attributes["secret_keys"] = secret_keys
    command.upgrade(config, revision)


def downgrade(url: str, revision: str) -> None:
    """Undo migrations down to ``revision`` (``base`` = an empty database)."""
    command.downgrade(alembic_config(url), revision)


def check(url: str) -> None:
    """Raise alembic's error when tables and migrations say different things."""
    command.check(alembic_config(url))
