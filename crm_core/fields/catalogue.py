"""Every fact of every kind of record, as one company has shaped it; from the process's snapshot."""

from copy import copy
from dataclasses import dataclass
from typing import Any

from crm_core.fields.models import CustomField, Tag
from crm_core.registry import RecordType
from crm_core.registry.types import Choice, Field, Kind
from crm_platform.identity.models import Team, User
from crm_platform.kernel.errors import Invalid
from crm_platform.kernel.snapshot import snapshot


@dataclass(frozen=True, slots=True)
class Person:
    """A colleague as lists show them."""

    id: int
    name: str
    hue: int
    is_active: bool
    team_id: int | None
    email: str


@snapshot
def people() -> dict[int, Person]:
    """Every user of the company by id, by name; deactivated ones too."""
    rows = User.objects.order_by("name", "pk").values_list(
        "pk", "name", "is_active", "is_support", "team_id", "email"
    )
    return {
        # A support visitor is nobody's colleague: named in the history, never offered as owner.
        pk: Person(pk, name, pk % 8 + 1, on and not is_support, team, mail)
        for pk, name, on, is_support, team, mail in rows
    }


@snapshot
def teams() -> dict[int, str]:
    """Team names by id, in tree order."""
    return dict(Team.objects.order_by("path", "pk").values_list("pk", "name"))


@snapshot
def tags() -> dict[int, Choice]:
    """Tags by id, by name."""
    rows = Tag.objects.order_by("name", "pk").values_list("pk", "name", "hue")
    return {pk: Choice(str(pk), name, hue) for pk, name, hue in rows}


@snapshot
def _custom_fields() -> dict[str, tuple[Field, ...]]:
    found: dict[str, list[Field]] = {}
    for row in CustomField.objects.filter(archived_at=None):
        found.setdefault(row.record_type, []).append(_as_field(row))
    return {name: tuple(fields) for name, fields in found.items()}


def _as_field(row: CustomField) -> Field:
    options = [Choice(option, option) for option in row.options]
    kind = Kind(row.kind)
    return Field(
        name=f"x_{row.key}",
        label=row.label,
        kind=kind,
        path=f"custom__{row.key}",
        custom_key=row.key,
        required=row.is_required,
        choices=(lambda: options) if kind in (Kind.CHOICE, Kind.MULTI_CHOICE) else None,
        help_text=row.help_text,
        sortable=kind not in (Kind.MULTI_CHOICE, Kind.LONG_TEXT),
        section="custom",
        header_words=(row.label.lower(), row.key.lower()),
    )


def fields_of(kind: RecordType) -> tuple[Field, ...]:
    """The built-in fields of `kind`, then the company's own."""
    return kind.fields + _custom_fields().get(kind.name, ())


def fields_for(user: User, kind: RecordType) -> list[Field]:
    """The fields `user` may see."""
    limits = user.role.field_limits.get(kind.name) or {}
    return [field for field in fields_of(kind) if limits.get(field.name) != "hidden"]


def hides(user: User, kind_name: str, *names: str) -> bool:
    """Whether the person's role hides one of these facts; without names, any of that kind."""
    limits = user.role.field_limits.get(kind_name) or {}
    hidden = {name for name, limit in limits.items() if limit == "hidden"}
    return bool(hidden & set(names)) if names else bool(hidden)


def as_seen_by(user: User, kind: RecordType, record: Any) -> Any:
    """The record for a page: a copy in which what the person may not see is empty. Never saved."""
    if not hides(user, kind.name):
        return record
    shown = copy(record)
    for field in kind.fields:
        if field.column and field.name != kind.title_field and hides(user, kind.name, field.name):
            setattr(shown, field.column, shown._meta.get_field(field.column).get_default())
    return shown


def may_write(user: User, kind: RecordType, field: Field) -> bool:
    """Whether the person's role may change this fact (of records it may edit)."""
    limits = user.role.field_limits.get(kind.name) or {}
    return field.is_editable and field.name not in limits


def get_field(user: User, kind: RecordType, name: str) -> Field:
    """One field by name.

    Raises:
        Invalid: there is none, or it is hidden from the person.
    """
    for field in fields_for(user, kind):
        if field.name == name:
            return field
    raise Invalid(f"There is no field “{name}” here.", field=name)


def choices_of(field: Field) -> list[Choice]:
    """What may be chosen for `field` now: choices, people, teams or tags."""
    if field.kind == Kind.USER:
        return [Choice(str(p.id), p.name, p.hue) for p in people().values() if p.is_active]
    if field.kind == Kind.TEAM:
        return [Choice(str(pk), name) for pk, name in teams().items()]
    if field.kind == Kind.TAGS:
        return list(tags().values())
    return field.choices() if field.choices else []
