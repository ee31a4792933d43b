"""The thread that a follow-up goes on with, as a header."""

import pytest

from domain.address import Address
from transports.base import MAX_REFERENCES, Thread
from transports.smtp_message import build_email


def ids(count: int) -> tuple[str, ...]:
    return tuple(f"<{number:032x}@acme.example>" for number in range(count))


@pytest.mark.parametrize("count", [1, 2, 3, MAX_REFERENCES])
def test_references_name_the_whole_thread_and_end_with_the_parent(count: int) -> None:
    known = ids(count)
    assert Thread("m", "An offer", "", known[-1], known).chain.split() == list(known)
    assert Thread("m", "An offer", "", known[-1], known[:-1]).chain.split() == list(known)


def test_a_long_thread_keeps_its_first_and_its_last_emails() -> None:
    known = ids(60)
    assert Thread("m", "An offer", "", known[-1], known).chain.split() == [known[0], *known[-19:]]


def test_what_is_known_of_nothing_but_the_parent_names_the_parent() -> None:
    assert Thread("m", "An offer", "", "<a@b.example>").chain == "<a@b.example>"


def test_the_longest_chain_is_folded_between_ids() -> None:
    known = ids(60)
    chain = Thread("m", "An offer", "", known[-1], known).chain
    address = Address("a@acme.example", "")
    wire = build_email(
        address, address, "S", "text", None, message_id="<x@y.example>", headers={"References": chain}
    ).as_bytes()
    folded = wire.split(b"References:", 1)[1].split(b"\r\nMIME", 1)[0].split(b"\r\nContent", 1)[0]
    assert folded.split() == chain.encode().split()
    assert max(len(line) for line in wire.split(b"\r\n")) <= 78
