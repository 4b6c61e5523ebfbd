"""A little DNS server on loopback, for proofs: TXT records, and silence on demand."""

import socketserver
import threading
from contextlib import contextmanager

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset


class NameServer(socketserver.ThreadingUDPServer):
    """`records` maps a name to its texts; `broken` answers everything with SERVFAIL."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answering)
        self.records: dict[str, list[str]] = {}
        self.broken = False
        self.asked = 0


class _Answering(socketserver.BaseRequestHandler):
    server: NameServer

    def handle(self) -> None:
        data, socket = self.request
        question = dns.message.from_wire(data)
        self.server.asked += 1
        answer = dns.message.make_response(question)
        answer.flags |= dns.flags.AA
        name = question.question[0].name
        texts = self.server.records.get(name.to_text(omit_final_dot=True))
        if self.server.broken:
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif texts is None:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        elif question.question[0].rdtype == dns.rdatatype.TXT:
            quoted = [f'"{text}"' for text in texts]
            answer.answer.append(dns.rrset.from_text(name, 60, "IN", "TXT", *quoted))
        socket.sendto(answer.to_wire(), self.client_address)


@contextmanager
def serving():
    """A server for the block."""
    with NameServer() as server:
        # The name server of a test: no code of ours runs in this thread.
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))  # noqa: TID251
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
