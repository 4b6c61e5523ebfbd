"""Whether somebody more may come is decided above us: `settings.SEAT_KEEPER` names who is asked.

People know of no bills; they only wait until a seat is free.
"""

import datetime as dt
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from crm_platform.identity.models import Role
from crm_platform.kernel import tenancy


def _ask(question: str, **facts: Any) -> None:
    dotted = getattr(settings, "SEAT_KEEPER", "")
    if dotted and not tenancy.current().is_platform:
        import_string(f"{dotted}.{question}")(**facts)


def demand_seat(*, role: Role, at: dt.datetime, instead_of: Role | None = None) -> None:
    """Refuse somebody more in `role` where no seat is free; `instead_of` is the role they leave.

    Before they are made, in the same transaction.

    Raises:
        Conflict: every seat is taken.
    """
    _ask("demand_seat", role=role, at=at, instead_of=instead_of)


def demand_not_more(*, was: Role, role: Role, at: dt.datetime) -> None:
    """Refuse a change of a role that makes its people take seats which are not free.

    Raises:
        Conflict: there are fewer seats than that would need.
    """
    _ask("demand_not_more", was=was, role=role, at=at)
