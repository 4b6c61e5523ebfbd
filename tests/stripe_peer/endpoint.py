"""An endpoint of a test's own, to which the peer sends its webhooks."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Endpoint(ThreadingHTTPServer):
    """Keeps what it is sent in `got`; answers with `status`, an event's first time with `first`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answering)
        self.status, self.first = 200, None
        self.got: list[tuple[bytes, str]] = []
        self.url = f"http://127.0.0.1:{self.server_port}/hook"
        self.thread = threading.Thread(  # noqa: TID251  only receives
            target=self.serve_forever, args=(0.05,)
        )
        self.thread.start()

    def stop(self) -> None:
        self.shutdown()
        self.server_close()
        self.thread.join()


class _Answering(BaseHTTPRequestHandler):
    server: Endpoint

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        again = any(each == body for each, _ in self.server.got)
        self.server.got.append((body, self.headers["Stripe-Signature"]))
        first = None if again else self.server.first
        self.send_response(first or self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *words) -> None:
        pass
