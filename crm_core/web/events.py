"""The bell that calls a worker to the rehearsal."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RehearsalWaits:
    """Something was asked of the rehearsal that only a worker can do."""

    rehearsal_id: int
