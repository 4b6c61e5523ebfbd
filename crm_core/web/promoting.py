"""Bringing chosen changes of a rehearsal into the live company, and taking them back as a whole.

Each row changed has one entry of history each way; the entries of one act share a batch, and what
they say is all that taking back needs. Nothing is removed from the live company: what is only there
stays. Runs in the live company's unit of work.
"""

import datetime as dt
from collections.abc import Iterable
from typing import Any
from uuid import UUID, uuid4

from django.db import IntegrityError, models, transaction
from django.db.models import ProtectedError
from django.utils.translation import gettext as _

from crm_core.audit import services as audit
from crm_core.audit.models import Entry
from crm_core.leaving.parts import configuration_models
from crm_core.web import usage
from crm_platform.identity.models import User
from crm_platform.identity.rules import demand_ability
from crm_platform.kernel import snapshot
from crm_platform.kernel.errors import Conflict, Invalid, NotFound
from crm_platform.kernel.models import plain_value
from tenants.rehearsal import Difference

PROMOTED, TAKEN_BACK = "configuration.promoted", "configuration.unpromoted"
ADDED = "*"
"""In a history entry's changes: the row was not there before."""


@transaction.atomic
def promote(*, chosen: Iterable[Difference], actor: User, at: dt.datetime) -> UUID:
    """Make the live company's configuration as the rehearsal's in what was chosen.

    Returns the batch, by which it is taken back.

    Raises:
        NotAllowed: the role does not change the company's settings.
        Conflict: somebody changed one of them in the live company since the comparison.
        Invalid: nothing was chosen, or something that is only in the live company.
        PlanLimitReached: the plan holds no more of what it would add.
    """
    demand_ability(actor, "company.settings")
    by_row: dict[tuple[str, int], list[Difference]] = {}
    for each in chosen:
        by_row.setdefault((each.table, each.row_id), []).append(each)
    if not by_row:
        raise Invalid(_("Choose at least one difference."))
    before = usage.configured()
    batch, order = uuid4(), [model._meta.db_table for model in configuration_models()]
    for (table, pk), found in sorted(by_row.items(), key=lambda item: order.index(item[0][0])):
        model = _model(table)
        row, changes = _promoted(model, pk, found)
        audit.record(
            actor=actor, verb=PROMOTED, at=at, on=row, on_type=model._meta.label_lower,
            changes=changes, batch=batch,
        )  # fmt: skip
    usage.demand_no_more(before)
    snapshot.bump()
    return batch


def _promoted(
    model: type[models.Model], pk: int, found: list[Difference]
) -> tuple[models.Model, dict[str, Any]]:
    """The row as it now stands in the live company, and what history keeps of it."""
    if any(not each.field and each.rehearsal is None for each in found):
        raise Invalid(
            _("“%(name)s” was removed in the rehearsal. Remove it in your company by hand.")
            % {"name": found[0].row}
        )
    row = model._default_manager.select_for_update().filter(pk=pk).first()
    if not found[0].field:
        if row is not None:
            raise _moved(found[0].row)
        return _added(model, found[0].row, found[0].rehearsal), {ADDED: [None, found[0].rehearsal]}
    if row is None:
        raise _moved(found[0].row)
    for each in found:
        if _now(row, each.field) != _plain(model, each.field, each.live):
            raise _moved(each.row)
        _set(row, each.field, each.rehearsal)
    _save(row, found[0].row, [_field(model, each.field).attname for each in found])
    return row, {each.field: [each.live, each.rehearsal] for each in found}


def _added(model: type[models.Model], name: str, values: dict[str, Any]) -> models.Model:
    row = model()
    for field, value in values.items():
        _set(row, field, value)
    _save(row, name, None)
    return row


def _save(row: models.Model, name: str, fields: list[str] | None) -> None:
    try:
        with transaction.atomic():
            if fields is None:
                row.save(force_insert=True)
            else:
                row.save(update_fields=fields)
    except IntegrityError as error:
        raise Conflict(
            _("“%(name)s” does not fit your company now: promote what it belongs to with it.")
            % {"name": name}
        ) from error


def _model(table: str) -> type[models.Model]:
    return next(model for model in configuration_models() if model._meta.db_table == table)


def _field(model: type[models.Model], column: str) -> Any:
    return next(f for f in model._meta.concrete_fields if f.column == column)


def _set(row: models.Model, column: str, value: Any) -> None:
    field = _field(type(row), column)
    is_link = isinstance(field, models.ForeignKey)
    setattr(row, field.attname, value if is_link or value is None else field.to_python(value))


def _now(row: models.Model, column: str) -> Any:
    return plain_value(getattr(row, _field(type(row), column).attname))


def _plain(model: type[models.Model], column: str, value: Any) -> Any:
    """A value of the comparison as the row would give it."""
    field = _field(model, column)
    is_link = isinstance(field, models.ForeignKey)
    return plain_value(value if is_link or value is None else field.to_python(value))


def _moved(name: str) -> Conflict:
    return Conflict(
        _("“%(name)s” was changed in your company meanwhile. Compare again.") % {"name": name}
    )


@transaction.atomic
def take_back(*, batch: UUID, actor: User, at: dt.datetime) -> int:
    """Undo one act of promoting, as a whole; returns how many rows are as they were before.

    Raises:
        NotAllowed: the role does not change the company's settings.
        NotFound: there was no such act.
        Conflict: it was taken back, one of its rows was changed since, or something uses a row it
            added.
    """
    demand_ability(actor, "company.settings")
    entries = list(Entry.objects.filter(batch=batch, verb=PROMOTED).order_by("-pk"))
    if not entries:
        raise NotFound(_("Nothing was brought over under this number."))
    if Entry.objects.filter(batch=batch, verb=TAKEN_BACK).exists():
        raise Conflict(_("This was taken back already."))
    models_by_label = {model._meta.label_lower: model for model in configuration_models()}
    for entry in entries:
        row = models_by_label[entry.record_type]._default_manager.select_for_update()
        _restore(row.filter(pk=entry.record_id or 0).first(), entry)
        audit.record(
            actor=actor, verb=TAKEN_BACK, at=at, on_type=entry.record_type, batch=batch,
            changes={name: [new, old] for name, (old, new) in entry.changes.items()},
        )  # fmt: skip
    snapshot.bump()
    return len(entries)


def _restore(row: models.Model | None, entry: Entry) -> None:
    if row is None:
        raise _moved(entry.title)
    if ADDED in entry.changes:
        try:
            with transaction.atomic():
                row.delete()
        except (ProtectedError, IntegrityError) as error:
            raise Conflict(
                _("“%(name)s” is in use now and stays. Nothing was taken back.")
                % {"name": entry.title}
            ) from error
        return
    for name, (old, new) in entry.changes.items():
        if _now(row, name) != _plain(type(row), name, new):
            raise _moved(entry.title)
        _set(row, name, old)
    _save(row, entry.title, [_field(type(row), name).attname for name in entry.changes])
