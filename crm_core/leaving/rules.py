"""Who may take everything along, and for how long a package is there."""

import datetime as dt

from django.utils.translation import gettext as _

from crm_platform.identity.models import User
from crm_platform.kernel.errors import NotAllowed

OWNER = "owner"
KEPT = dt.timedelta(days=7)
LEASE = dt.timedelta(minutes=2)
MOST_ATTEMPTS = 3
PURPOSE = "exit-package"
"""What the seal of a download link is for."""


def is_owner(user: object) -> bool:
    """Whether the person holds the owner's role itself, not merely one with many rights."""
    return isinstance(user, User) and user.role.key == OWNER


def demand_owner(user: User) -> None:
    """Refuse everybody else.

    Raises:
        NotAllowed: not an owner.
    """
    if not is_owner(user):
        raise NotAllowed(_("Only an owner of your company may take all of its data along."))
