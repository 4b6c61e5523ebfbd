"""The bell that calls a worker."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PackageWaits:
    """A package is to be made, or taken over from a worker that died."""

    package_id: int
