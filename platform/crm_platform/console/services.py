"""Who operates the service."""

import datetime as dt

from django.contrib.auth.hashers import make_password
from django.db import transaction

from crm_platform.identity.models import User
from crm_platform.identity.roles import OPERATOR
from crm_platform.identity.services import people, roles, sessions


@transaction.atomic
def make_operator(*, email: str, password: str, reset: bool, at: dt.datetime) -> bool:
    """Make an operator, or set a known one's password if `reset`; says whether `password` is set.

    Idempotent. Runs in the platform's unit of work.
    """
    roles.seed_roles((OPERATOR,))
    user = User.objects.filter(email__iexact=email).first()
    if user is None:
        people.make_owner(
            name="Operator", email=email, password_hash=make_password(password), language="en",
            role_key=OPERATOR.key, at=at,
        )  # fmt: skip
        return True
    if not reset:
        return False
    user.password, user.is_active = make_password(password), True
    user.save(update_fields=["password", "is_active"])
    sessions.end_others(user=user, keep=None)
    return True
