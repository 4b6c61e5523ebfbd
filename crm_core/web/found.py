"""One record with what its page needs beside it, by a query compiled once a process and kind."""

import functools
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _

from crm_core.fields.models import Star
from crm_core.registry import RecordType, record_type
from crm_core.registry.queries import live
from crm_platform.kernel.errors import NotFound
from crm_platform.kernel.prepared import Prepared, columns_of, instance_of


@functools.cache
def _finder(kind_name: str) -> Prepared:
    kind = record_type(kind_name)
    columns = columns_of(kind.model)
    for name in kind.related:
        columns += columns_of(_related_model(kind, name), name)

    def build(*, user_id: int, record_id: int) -> QuerySet[Any, Any]:
        star = Star.objects.filter(user_id=user_id, record_type=kind.name, record_id=OuterRef("pk"))
        rows: QuerySet[Any, Any] = live(kind).filter(pk=record_id).annotate(star=Exists(star))
        return rows.values_list(*columns, "star")

    return Prepared(build, user_id=int, record_id=int)


def _related_model(kind: RecordType, name: str) -> Any:
    return kind.model._meta.get_field(name).related_model


def get_record(kind: RecordType, user_id: int, record_id: int) -> Any:
    """A record for somebody who may see all of its kind, with its related rows and `is_starred`.

    Raises:
        NotFound: absent or in the trash.
    """
    rows = _finder(kind.name)(user_id=user_id, record_id=record_id)
    if not rows:
        raise NotFound(_("This record does not exist, or is not open to you."))
    values = list(rows[0])
    record: Any = instance_of(kind.model, values[: len(columns_of(kind.model))])
    record.is_starred = values[-1]
    start = len(columns_of(kind.model))
    for name in kind.related:
        model = _related_model(kind, name)
        size = len(columns_of(model))
        part = values[start : start + size]
        setattr(record, name, instance_of(model, part) if part[0] is not None else None)
        start += size
    return record
