"""The only code that writes accounts and contacts."""

import datetime as dt
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from crm_core.fields import services as fields
from crm_core.records.models import Account, Contact
from crm_core.registry import record_type
from crm_platform.identity.models import User
from crm_platform.kernel.errors import Invalid

Values = dict[str, Any]


@transaction.atomic
def create_account(*, values: Values, actor: User, at: dt.datetime) -> Account:
    """Make an account; see `fields.services.create_record` for rights and refusals."""
    made: Account = fields.create_record(
        kind=record_type("account"), values=values, actor=actor, at=at
    )
    return made


@transaction.atomic
def edit_account(
    *,
    record: Account,
    values: Values,
    actor: User,
    at: dt.datetime,
    version: int | None = None,
    batch: UUID | None = None,
) -> Account:
    """Change facts of an account.

    Raises:
        Invalid: it would become its own parent, however far up.
    """
    edited: Account = fields.edit_record(
        kind=record_type("account"),
        record=record,
        values=values,
        actor=actor,
        at=at,
        version=version,
        batch=batch,
    )
    if values.get("parent"):
        _refuse_circle(edited)
    return edited


def _refuse_circle(account: Account) -> None:
    seen = {account.pk}
    above = account.parent_id
    while above is not None:
        if above in seen:
            raise Invalid(
                _("An account cannot belong to itself or to one of its own subsidiaries."),
                field="parent",
            )
        seen.add(above)
        above = Account.objects.filter(pk=above).values_list("parent_id", flat=True).first()


@transaction.atomic
def create_contact(*, values: Values, actor: User, at: dt.datetime) -> Contact:
    """Make a contact; the name may come whole or as first and last name.

    Raises:
        Invalid: there is no name at all; else see `fields.services.create_record`.
    """
    made: Contact = fields.create_record(
        kind=record_type("contact"), values=with_full_name(values), actor=actor, at=at
    )
    return made


@transaction.atomic
def edit_contact(
    *,
    record: Contact,
    values: Values,
    actor: User,
    at: dt.datetime,
    version: int | None = None,
    batch: UUID | None = None,
) -> Contact:
    """Change facts of a contact."""
    edited: Contact = fields.edit_record(
        kind=record_type("contact"),
        record=record,
        values=values,
        actor=actor,
        at=at,
        version=version,
        batch=batch,
    )
    return edited


def with_full_name(values: Values) -> Values:
    """`values` with `name` made of first and last name where it lacks one."""
    if str(values.get("name") or "").strip():
        return values
    first = str(values.get("first_name") or "").strip()
    last = str(values.get("last_name") or "").strip()
    if not first and not last:
        return values
    return {**values, "name": joined_name(first, last)}


def joined_name(first: str, last: str) -> str:
    """A person's full name: Chinese writes the family name first and no space."""
    if any("\u3400" <= letter <= "\u9fff" for letter in first + last):
        return f"{last}{first}"
    return f"{first} {last}".strip()
