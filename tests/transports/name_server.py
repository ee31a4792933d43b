"""A DNS server on loopback that knows the given TXT records and nothing else."""

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import dns.flags
import dns.message
import dns.rcode
import dns.resolver
import dns.rrset


@contextmanager
def name_server(records: Mapping[str, list[str]]) -> Iterator[dns.resolver.Resolver]:
    """A resolver that uses it. A name without records does not exist; one with an empty list fails."""
    wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    wire.bind(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                question, asker = wire.recvfrom(4096)
            except OSError:
                return
            if not question:
                return
            answer = dns.message.make_response(dns.message.from_wire(question))
            name = answer.question[0].name
            texts = records.get(name.to_text(omit_final_dot=True).lower())
            if texts is None:
                answer.set_rcode(dns.rcode.NXDOMAIN)
            elif not texts:
                answer.set_rcode(dns.rcode.SERVFAIL)
            else:
                answer.answer.append(
                    dns.rrset.from_text(name, 60, "IN", "TXT", *(f'"{text}"' for text in texts))
                )
            wire.sendto(answer.to_wire(), asker)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = ["127.0.0.1"], wire.getsockname()[1]
    try:
        yield resolver
    finally:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", wire.getsockname())
        thread.join(5)
        wire.close()
