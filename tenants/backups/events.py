"""What restoring tells the layers above."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class PlacesExchanged:
    """A company took the place of another that was restored, or back; in the platform's unit.

    What belongs to the customer and not to the tables goes from `leaving` to `coming`.
    """

    leaving: UUID
    coming: UUID
    at: dt.datetime
