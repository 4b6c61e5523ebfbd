"""Faults that a test asks for: the next ones on an address, or some of all at random."""

import random
from dataclasses import dataclass

DROP_BEFORE, DROP_AFTER, HANG = "drop_before", "drop_after", "hang"
SAVED_500, APPLIED_500, UNSAVED_500 = "saved_500", "applied_500", "unsaved_500"
TOO_MANY, LOCKED = "429", "409"
KINDS = {DROP_BEFORE, DROP_AFTER, HANG, SAVED_500, APPLIED_500, UNSAVED_500, TOO_MANY, LOCKED}
"""Where the connection is dropped, or the answer is 500, before or after the request took effect;
`saved` and `applied` ones are answered again to the same key."""


@dataclass
class Fault:
    kind: str
    prefix: str = "/v1/"
    method: str = ""
    count: int = 1
    seconds: float = 0

    def meets(self, method: str, path: str) -> bool:
        return self.count > 0 and path.startswith(self.prefix) and self.method in {"", method}


class Faults:
    def __init__(self) -> None:
        self.next: list[Fault] = []
        self.rate = 0.0
        self.kinds: list[str] = []
        self.prefix = self.method = ""
        self.seconds = 0.0
        self.chance = random.Random(0)  # noqa: S311  chosen by the test, to repeat it
        self.made: dict[str, int] = {}

    def add(self, facts: dict) -> None:
        fault = Fault(**facts)
        if fault.kind not in KINDS:
            raise ValueError(f"{fault.kind}: {', '.join(sorted(KINDS))}")
        self.next.append(fault)

    def set_rate(self, facts: dict) -> None:
        """rate (0 … 1), kinds, seed, prefix, method, seconds of a hang."""
        self.rate, self.kinds = facts["rate"], facts.get("kinds", sorted(KINDS - {HANG}))
        self.prefix, self.method = facts.get("prefix", "/v1/"), facts.get("method", "")
        self.seconds = facts.get("seconds", 0)
        self.chance = random.Random(facts.get("seed", 0))  # noqa: S311

    def of(self, method: str, path: str) -> Fault | None:
        """The fault that this request meets."""
        found = next((each for each in self.next if each.meets(method, path)), None)
        if found is not None:
            found.count -= 1
        elif self._meets_rate(method, path):
            found = Fault(self.chance.choice(self.kinds), seconds=self.seconds)
        if found is not None:
            self.made[found.kind] = self.made.get(found.kind, 0) + 1
        return found

    def _meets_rate(self, method: str, path: str) -> bool:
        meant = path.startswith(self.prefix) and self.method in {"", method}
        return bool(self.rate) and meant and self.chance.random() < self.rate
