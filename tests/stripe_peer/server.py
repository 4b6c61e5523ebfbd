"""The process: HTTP on the loopback, one thread a connection."""

import argparse
import json
import os
import sys
import threading
import time
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from tests.stripe_peer import app, errors, pages
from tests.stripe_peer.clock import START
from tests.stripe_peer.contract import Contract
from tests.stripe_peer.control import control
from tests.stripe_peer.world import World

MOST_BYTES = 2**20


class Handler(BaseHTTPRequestHandler):
    """Takes a request apart and writes the answer; a cut off request is not acted on."""

    protocol_version = "HTTP/1.1"
    timeout = 120
    wbufsize = -1
    disable_nagle_algorithm = True
    world: World

    def do_GET(self) -> None:
        self._answer("GET")

    def do_POST(self) -> None:
        self._answer("POST")

    def do_DELETE(self) -> None:
        self._answer("DELETE")

    def log_message(self, *words) -> None:
        """Say nothing: `_peer/counts` knows."""

    def _answer(self, method: str) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        raw = self.rfile.read(min(length, MOST_BYTES))
        if len(raw) < length:
            self.close_connection = True
            return
        address = urlsplit(self.path)
        body = raw.decode("utf-8", "replace")
        if address.path.startswith("/_peer/"):
            self._control(address.path.removeprefix("/_peer/"), body)
        elif address.path.startswith("/v"):
            self._api(app.Request(
                method, address.path, address.query, body,
                {name.lower(): value for name, value in self.headers.items()},
            ))  # fmt: skip
        else:
            self._page(method, address.path, body)

    def _api(self, request: app.Request) -> None:
        made = app.answer(self.world, request)
        if made.wait:
            time.sleep(made.wait)
        if made.drop:
            self.close_connection = True
            return
        self._send(made.status, json.dumps(made.body, default=str).encode(), made.headers)

    def _control(self, path: str, body: str) -> None:
        try:
            made, status = control(self.world, path, json.loads(body or "{}")), 200
        except (KeyError, TypeError, ValueError, errors.Refused) as error:
            made, status = {"error": f"{type(error).__name__}: {error}"}, 400
        except Exception as error:  # noqa: BLE001  recorded, and fails the test
            self.world.note("bug", f"_peer/{path}", traceback.format_exc())
            made, status = {"error": f"{type(error).__name__}: {error}"}, 500
        self._send(status, json.dumps(made).encode(), {})

    def _page(self, method: str, path: str, body: str) -> None:
        with self.world.lock:
            self.world.settle()
            try:
                page = pages.answer(self.world, method, path, body)
            except Exception:  # noqa: BLE001  recorded, and fails the test
                self.world.note("bug", f"{method} {path}", traceback.format_exc())
                page = pages.Page("Something went wrong", "", status=500)
        if page is None:
            page = pages.Page("Not found", "<p>There is no such page.</p>", status=404)
        headers = {"Content-Type": page.kind}
        if page.location:
            headers["Location"] = page.location
        self._send(page.status, page.content, headers)

    def _send(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        try:
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            self.wfile.flush()
        except OSError:  # whoever asked is gone
            self.close_connection = True


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256


def main() -> None:
    """Serve until stopped; the first line of output is the address."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0: one that is free")
    parser.add_argument("--ticking", action="store_true", help="follow the real time")
    parser.add_argument("--with-parent", action="store_true", help="stop when stdin is closed")
    chosen = parser.parse_args()
    world = World(Contract.installed())
    world.reset(at=None if chosen.ticking else START)
    server = Server(("127.0.0.1", chosen.port), type("Bound", (Handler,), {"world": world}))
    world.url = f"http://127.0.0.1:{server.server_port}"
    print(world.url, flush=True)  # noqa: T201  this is how the caller learns it
    if chosen.ticking:
        threading.Thread(target=_tick, args=(world,), daemon=True).start()  # noqa: TID251
    if chosen.with_parent:
        threading.Thread(target=_end_with_parent, daemon=True).start()  # noqa: TID251
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


def _tick(world: World) -> None:
    while True:
        time.sleep(1)
        with world.lock:
            try:
                world.settle()
            except Exception:  # noqa: BLE001  recorded; the clock goes on
                world.note("bug", "clock", traceback.format_exc())


def _end_with_parent() -> None:
    sys.stdin.read()
    os._exit(0)
