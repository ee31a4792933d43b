"""The attackers of ``lab/attacks`` do what they are there for."""

import socket

from lab.attacks.attackers import endless, listen

_MUCH = 4 * 2**20  # bytes


def test_the_members_mail_server_answers_ehlo_without_end() -> None:
    with socket.create_connection(("127.0.0.1", listen(endless)), 30) as connection:
        answers = connection.makefile("rb")
        assert answers.readline().startswith(b"220 ")
        connection.sendall(b"EHLO localhost\r\n")
        received = 0
        while received < _MUCH:
            line = answers.readline()
            assert line.startswith(b"250-")
            received += len(line)
