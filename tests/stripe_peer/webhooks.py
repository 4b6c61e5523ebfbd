"""Events on their way to the registered endpoints: signed, sent, sent again, or held back."""

import hashlib
import hmac
import http.client
import json
import random
import threading
import time
from collections import deque
from urllib.parse import urlsplit

RETRIES = (3_600, 2 * 3_600, 4 * 3_600, 8 * 3_600, 16 * 3_600, 86_400)
"""Seconds of the peer's clock between tries."""
AT_ONCE = 3
"""Tries when told to try again at once."""


def signature(secret: str, body: bytes, at: int) -> str:
    """The Stripe-Signature header. Source: Stripe, "Verify webhook signatures manually"."""
    signed = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={signed}"


class Webhooks:
    """One queue, one thread; nothing is sent while the queue is held."""

    def __init__(self, now) -> None:
        self.now = now
        self.idle = threading.Condition()
        self.busy = self.round = 0
        self.clear()
        threading.Thread(  # noqa: TID251  the peer is a process of its own and has no companies
            target=self._work, daemon=True
        ).start()

    def clear(self) -> None:
        with self.idle:
            self.round += 1  # what is on its way now is not tried again
            self.queue: deque[dict] = deque()
            self.later: list[tuple[int, dict]] = []
            self.sent: list[dict] = []
            self.held = False
            self.at_once = False
            self.duplicate = self.drop = 0.0
            self.delay = 0
            self.shuffle = self.peer_time = False
            self.chance = random.Random(0)  # noqa: S311  chosen by the test, to repeat it

    def set_mode(self, facts: dict) -> None:
        """held, at_once, shuffle, peer_time (bool); duplicate, drop (0 … 1); delay (peer seconds);
        seed. With peer_time events are signed with the peer's clock, as if Stripe lived in it.
        """
        with self.idle:
            for name in ("held", "at_once", "shuffle", "peer_time", "duplicate", "drop", "delay"):
                if name in facts:
                    setattr(self, name, facts[name])
            if "seed" in facts:
                self.chance = random.Random(facts["seed"])  # noqa: S311
            self.idle.notify_all()

    def add(self, event: dict, endpoint: dict, secret: str) -> None:
        delivery = {
            "event": event["id"], "type": event["type"], "url": endpoint["url"],
            "secret": secret, "body": json.dumps(event, ensure_ascii=False), "tries": 0,
            "round": self.round,
        }  # fmt: skip
        with self.idle:
            if self.chance.random() < self.drop:
                return
            copies = 2 if self.chance.random() < self.duplicate else 1
            for _ in range(copies):
                if self.delay:
                    self.later.append((self.now() + self.delay, dict(delivery)))
                else:
                    self.queue.append(dict(delivery))
            self.idle.notify_all()

    def time_passed(self) -> None:
        """Queue what waited for a time that has come."""
        with self.idle:
            now = self.now()
            come = [each for due, each in self.later if due <= now]
            if come:
                self.queue.extend(come)
                self.later = [(due, each) for due, each in self.later if due > now]
                self.idle.notify_all()

    # -- by hand --------------------------------------------------------------------------------

    def take(self) -> list[dict]:
        """What is queued, taken off the queue, as requests to be made: url, body, signature."""
        return [
            {"event": each["event"], "type": each["type"], "url": each["url"],
             "body": each["body"], "signature": self._signed(each)}
            for each in self._taken()
        ]  # fmt: skip

    def flush(self) -> list[dict]:
        """Send what is queued now, whatever holds it: event, type, status (0: no answer)."""
        for each in self._taken():
            self._send(each)
        with self.idle:
            sent, self.sent = self.sent, []
            return sent

    def settled(self, timeout: float) -> bool:
        """Wait until nothing is queued or on its way."""
        with self.idle:
            return self.idle.wait_for(
                lambda: not self.busy and (self.held or not self.queue), timeout
            )

    def _taken(self) -> list[dict]:
        with self.idle:
            taken = list(self.queue)
            self.queue.clear()
            if self.shuffle:
                self.chance.shuffle(taken)
            return taken

    def _signed(self, delivery: dict) -> str:
        # Stripe signs with the real time, also for events of a test clock.
        at = self.now() if self.peer_time else int(time.time())
        return signature(delivery["secret"], delivery["body"].encode(), at)

    # -- the thread -----------------------------------------------------------------------------

    def _work(self) -> None:
        while True:
            with self.idle:
                self.idle.wait_for(lambda: self.queue and not self.held)
                if self.shuffle:
                    self.queue.rotate(self.chance.randrange(len(self.queue)))
                delivery = self.queue.popleft()
                self.busy += 1
            try:
                self._send(delivery)
            finally:
                with self.idle:
                    self.busy -= 1
                    self.idle.notify_all()

    def _send(self, delivery: dict) -> None:
        delivery["tries"] += 1
        status = _post(delivery, self._signed(delivery))
        with self.idle:
            if delivery["round"] != self.round:
                return
            self.sent.append({"event": delivery["event"], "type": delivery["type"],
                              "url": delivery["url"], "status": status})  # fmt: skip
            if 200 <= status < 300:
                return
            tries = delivery["tries"]
            if self.at_once and tries < AT_ONCE:
                self.queue.append(delivery)
            elif not self.at_once and tries <= len(RETRIES):
                self.later.append((self.now() + RETRIES[tries - 1], delivery))


def _post(delivery: dict, signed: str) -> int:
    """The status of the answer, 0 without one. Whatever the host's name, it is on this machine."""
    address = urlsplit(delivery["url"])
    connection = http.client.HTTPConnection("127.0.0.1", address.port or 80, timeout=10)
    try:
        connection.request(
            "POST", address.path or "/", delivery["body"].encode(),
            {"Content-Type": "application/json; charset=utf-8",
             "Stripe-Signature": signed, "Host": address.netloc},
        )  # fmt: skip
        answer = connection.getresponse()
        answer.read()
    except (OSError, http.client.HTTPException):
        return 0
    else:
        return answer.status
    finally:
        connection.close()
