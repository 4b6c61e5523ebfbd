"""What happened to imports; the bells that call a worker."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ImportWaits:
    """A job may be run, or taken over from a worker that died."""

    job_id: int


@dataclass(frozen=True, slots=True)
class UndoWaits:
    """A finished job is to be taken back."""

    job_id: int
