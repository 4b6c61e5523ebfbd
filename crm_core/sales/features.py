"""What is new in sales and still optional."""

import datetime as dt

from django.utils.translation import gettext_lazy as _

from crm_platform.kernel.features import Feature, register

LATE_ON_BOARD = Feature(
    key="late_on_board",
    title=_("Late deals stand out on the board"),
    description=_(
        "A card whose closing date has passed says by how many days, in red, so that nobody"
        " forgets to close the deal or to agree on another day."
    ),
    opens=dt.date(2026, 11, 22),
    becomes_default=dt.date(2027, 2, 1),
)


def register_features() -> None:
    register(LATE_ON_BOARD)
