"""An inbox that takes mail for one organization's default address, as a role that may do no more."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from db.core.session import Database
from db.mailboxes import senders
from lab.factories import World
from tests.inbox.serving import Inbox, running_inbox
from tests.transports.mailer import make_certificate


@pytest.fixture
def inbox_database(url_as: Callable[[str], str]) -> Iterator[Database]:
    """The database as the inbox process sees it."""
    opened = Database(url_as("onbehalf_inbox"), pool_size=4)
    yield opened
    opened.close()


@pytest.fixture
def address(world: World) -> str:
    """The organization's default address."""
    with world.database.transaction() as tx:
        senders.ensure_default(tx, world.organization_id, "onbehalf.example")
        found = senders.default_address_of(tx, world.organization_id)
    assert found is not None
    return found


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def inbox(inbox_database: Database, world: World, address: str, certificate: Path) -> Iterator[Inbox]:
    with running_inbox(inbox_database, world, certificate=certificate) as running:
        yield running
