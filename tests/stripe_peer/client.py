"""Steers a running peer from a test."""

import http.client
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import stripe

ROOT = Path(__file__).resolve().parents[2]
KEY = "sk_test_peer"


@dataclass(frozen=True)
class Delivery:
    """A webhook to be posted by the test itself."""

    event: str
    type: str
    url: str
    body: str
    signature: str


class Peer:
    """The control routes of the peer at an address; see `control`."""

    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, path: str, **facts):
        """One control route's answer."""
        address = urlsplit(self.url)
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=60)
        try:
            connection.request("POST", f"/_peer/{path}", json.dumps(facts))
            answer = connection.getresponse()
            said = json.loads(answer.read())
        finally:
            connection.close()
        if answer.status != 200:
            raise ValueError(said["error"])
        return said

    def stripe(self, key: str = KEY, **options) -> stripe.StripeClient:
        """The real SDK, led here; it does not try again by itself."""
        return stripe.StripeClient(
            key, base_addresses={"api": self.url}, **{"max_network_retries": 0, **options}
        )

    # -- time -----------------------------------------------------------------------------------

    def reset(self, **facts) -> None:
        """Forget everything; at=…: where the clock stands then, Unix seconds."""
        self.ask("reset", **facts)

    def now(self) -> int:
        return self.ask("clock")["now"]

    def advance(self, *, to: int | None = None, days: float = 0, seconds: int = 0) -> int:
        """Let time pass, and what it brings happen; the new time."""
        if to is not None:
            return self.ask("clock", to=to)["now"]
        return self.ask("clock", by=int(days * 86_400) + seconds)["now"]

    # -- what goes wrong ------------------------------------------------------------------------

    def settings(self, **facts) -> dict:
        """See `world.Settings`."""
        return self.ask("settings", **facts)

    def fault(self, kind: str, **facts) -> None:
        """The next request (count=…) at prefix=…, method=… meets it; seconds=… of a hang."""
        self.ask("fault", kind=kind, **facts)

    def fault_rate(self, rate: float, **facts) -> None:
        """Requests meet faults at random: kinds=[…], seed=…, prefix=…, method=…."""
        self.ask("fault_rate", rate=rate, **facts)

    def no_faults(self) -> dict[str, int]:
        return self.ask("no_faults")

    def decline(self, customer: str, code: str | None = "generic_decline") -> None:
        """Decline all charges of a customer; with None no more."""
        self.ask("decline", customer=customer, code=code)

    def fail_finalization(self, customer: str, *, on: bool = True) -> None:
        """Let no invoice of the customer become final."""
        self.ask("fail_finalization", customer=customer, on=on)

    def verify_tax_id(self, ident: str, status: str) -> None:
        self.ask("verify_tax_id", id=ident, status=status)

    def dispute(self, charge: str) -> dict:
        return self.ask("dispute", charge=charge)

    # -- webhooks -------------------------------------------------------------------------------

    def webhooks(self, **facts) -> None:
        """held, at_once, shuffle, peer_time, duplicate, drop, delay, seed: `webhooks.set_mode`."""
        self.ask("webhooks", **facts)

    def take(self) -> list[Delivery]:
        """The queued webhooks, for the test to post; call `webhooks(held=True)` before."""
        return [Delivery(**each) for each in self.ask("webhooks/take")]

    def flush(self) -> list[dict]:
        """Send what is queued; each sent event with the status it met."""
        return self.ask("webhooks/flush")

    def wait(self, timeout: float = 10) -> bool:
        """Wait until nothing is on its way to an endpoint."""
        return self.ask("webhooks/wait", timeout=timeout)["settled"]

    # -- the truth ------------------------------------------------------------------------------

    def object(self, ident: str, expand: list[str] | None = None) -> dict:
        return self.ask("object", id=ident, expand=expand)

    def set(self, ident: str, **fields) -> dict:
        """Write fields of an object, as a later Stripe might; its replies are then violations."""
        return self.ask("set", id=ident, fields=fields)

    def objects(self, kind: str) -> list[dict]:
        """All of a kind, oldest first."""
        return self.ask("objects", kind=kind)

    def counts(self) -> dict:
        """requests, objects, faults, duplicates (by metadata.command_id)."""
        return self.ask("counts")

    def violations(self, *, forget: bool = False) -> list[dict]:
        """What went against the contract; a test that meant it forgets it."""
        return self.ask("violations", forget=forget)


class PeerProcess:
    """A peer in a process of its own, which ends with this one."""

    def __init__(self, *options: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.stripe_peer", "--with-parent", *options], cwd=ROOT,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        url = self.process.stdout.readline().strip()
        if not url:
            raise RuntimeError(f"The Stripe peer did not start: {self.process.wait()}")
        self.peer = Peer(url)

    def stop(self) -> None:
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()
