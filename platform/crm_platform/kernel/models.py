"""What every table of a company shares, and the one way to change a row."""

import datetime as dt
from typing import Any, TypeVar

from django.db import models
from django.db.models import sql

from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import Conflict, CrossedCompanies

M = TypeVar("M", bound=models.Model)


class ScopedQuery(sql.Query):
    """A query that remembers the company it was built in and runs in no other."""

    scope_id: Any = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        scope = tenancy.current_or_none()
        self.scope_id = scope.id if scope else None

    def get_compiler(self, *args: Any, **kwargs: Any) -> Any:
        """Django's door to execution.

        Raises:
            CrossedCompanies: built in one company, about to run in another.
        """
        self.demand_own_company()
        return super().get_compiler(*args, **kwargs)

    def chain(self, klass: Any = None) -> Any:
        """Django's door to updates and other classes of query, which do not remember a company.

        Raises:
            CrossedCompanies: built in one company, about to run in another.
        """
        if klass is not None:
            self.demand_own_company()
        return super().chain(klass)

    def demand_own_company(self) -> None:
        """Refuse to be used in another company.

        Raises:
            CrossedCompanies: it is another one's.
        """
        scope = tenancy.current_or_none()
        if self.scope_id is not None and scope is not None and scope.id != self.scope_id:
            raise CrossedCompanies("A query built for one company was about to run in another.")


class ScopedQuerySet(models.QuerySet[M]):
    """Django's queryset over a `ScopedQuery`."""

    def __init__(
        self, model: Any = None, query: Any = None, using: Any = None, hints: Any = None
    ) -> None:
        if query is None and model is not None:
            query = ScopedQuery(model)
        super().__init__(model, query, using, hints)

    def _raw_delete(self, using: Any) -> Any:
        """Django's short way to delete rows unread: it makes a query of another class."""
        if isinstance(self.query, ScopedQuery):
            self.query.demand_own_company()
        return super()._raw_delete(using)


class ScopedModel(models.Model):
    """A table that exists once in every company."""

    objects = ScopedQuerySet.as_manager()

    class Meta:
        abstract = True


def differences(instance: models.Model, values: dict[str, Any]) -> dict[str, list[Any]]:
    """`{field: [old, new]}` of what `values` would change, as plain values."""
    found: dict[str, list[Any]] = {}
    for name, new in values.items():
        field = instance._meta.get_field(name)
        attname = getattr(field, "attname", name)
        old = getattr(instance, attname)
        plain = new.pk if isinstance(new, models.Model) else new
        if old != plain:
            found[name] = [plain_value(old), plain_value(plain)]
    return found


def plain_value(value: Any) -> Any:
    """`value` as JSON keeps it."""
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    if value is None or isinstance(value, bool | int | float | str | list | dict):
        return value
    return str(value)


def apply_changes(
    instance: models.Model,
    values: dict[str, Any],
    *,
    at: dt.datetime | None = None,
    actor: Any = None,
) -> dict[str, list[Any]]:
    """Save what differs and return `{field: [old, new]}`; an empty result saved nothing.

    Rows with a `version` get the next one, rows with `updated_at`/`updated_by` the moment
    and actor given.
    """
    diff = differences(instance, values)
    if not diff:
        return diff
    for name in diff:
        setattr(instance, name, values[name])
    names = list(diff)
    extra: dict[str, Any] = {"updated_at": at, "updated_by": actor}
    if hasattr(instance, "version"):
        extra["version"] = instance.version + 1
    for name, value in extra.items():
        if value is not None and hasattr(instance, name):
            setattr(instance, name, value)
            names.append(name)
    instance.save(update_fields=names)
    return diff


def expect_version(instance: Any, version: int | None) -> None:
    """Refuse to overwrite what somebody else wrote meanwhile; `None` does not ask.

    Raises:
        Conflict: the row has moved on from `version`.
    """
    if version is not None and instance.version != version:
        raise Conflict("Somebody else changed this meanwhile. Reload to see the current state.")
