"""Setting a company up: its industry, its own fields and tags, its settings."""

import datetime as dt
import re
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils import translation
from django.utils.translation import gettext as _

from crm_core.audit import services as audit
from crm_core.fields.models import CustomField, Tag
from crm_core.fields.queries import fields_in_use
from crm_core.registry import Kind, record_types
from crm_core.sales.models import Deal, LostReason, Pipeline, Stage
from crm_core.web import usage
from crm_core.web.templates_of_industry import Industry, get_industry
from crm_platform.identity import rules
from crm_platform.identity.models import User
from crm_platform.kernel import snapshot, tenancy
from crm_platform.kernel.errors import Invalid
from crm_platform.kernel.limits import Limit, demand_room
from crm_platform.kernel.models import apply_changes

FIELD_KINDS = (
    Kind.TEXT,
    Kind.LONG_TEXT,
    Kind.INTEGER,
    Kind.DECIMAL,
    Kind.DATE,
    Kind.BOOLEAN,
    Kind.CHOICE,
    Kind.MULTI_CHOICE,
    Kind.EMAIL,
    Kind.PHONE,
    Kind.URL,
)
MOST_FIELDS = 100


def seed_company(*, language: str = "en", **_facts: Any) -> None:
    """What every company has before anybody chose anything: the first industry's pipeline.

    Runs in the new company's unit of work; safe to run twice.
    """
    if not Pipeline.objects.exists():
        _write_pipeline(get_industry("b2b"), language)
        snapshot.bump()


def _write_pipeline(industry: Industry | None, language: str) -> Pipeline:
    assert industry is not None
    with translation.override(language):
        pipeline = Pipeline.objects.create(
            name=str(industry.pipeline), is_default=True, stale_days=industry.stale_days
        )
        Stage.objects.bulk_create(
            Stage(
                pipeline=pipeline,
                name=str(spec.name),
                kind=spec.kind,
                hue=spec.hue,
                probability=spec.probability,
                position=position,
            )
            for position, spec in enumerate(industry.stages)
        )
        for position, name in enumerate(industry.lost_reasons):
            LostReason.objects.get_or_create(name=str(name), defaults={"position": position})
    return pipeline


@transaction.atomic
def apply_template(*, key: str, actor: User, at: dt.datetime) -> Industry:
    """Give the company the pipeline, reasons, fields and tags of an industry.

    An unused first pipeline is replaced; one with deals in it stays beside the new one.

    Raises:
        Invalid: there is no such industry.
        PlanLimitReached: the plan holds no more of what it would add.
    """
    rules.demand_ability(actor, "company.settings")
    before = usage.configured()
    industry = get_industry(key)
    if industry is None:
        raise Invalid(_("Choose one of the starting points."))
    language = tenancy.current().language
    unused = Pipeline.objects.exclude(pk__in=Deal.objects.values("pipeline"))
    if not Deal.objects.exists():
        LostReason.objects.all().delete()
    unused.delete()
    Pipeline.objects.update(is_default=False)
    pipeline = _write_pipeline(industry, language)
    with translation.override(language):
        _write_fields(industry)
        for name, hue in industry.tags:
            Tag.objects.get_or_create(name=str(name), defaults={"hue": hue})
    usage.demand_no_more(before)
    audit.record(
        actor=actor, verb="company.template", on=pipeline, at=at, changes={"template": [None, key]}
    )
    snapshot.bump()
    return industry


def _write_fields(industry: Industry) -> None:
    for position, spec in enumerate(industry.fields):
        CustomField.objects.get_or_create(
            record_type=spec.record_type,
            key=spec.key,
            defaults={
                "label": str(spec.label),
                "kind": spec.kind,
                "position": position,
                "options": [str(option) for option in spec.options],
            },
        )


@transaction.atomic
def add_field(
    *,
    record_type: str,
    label: str,
    kind: str,
    options: list[str],
    is_required: bool,
    help_text: str,
    actor: User,
    at: dt.datetime,
) -> CustomField:
    """Add a field of the company's own.

    Raises:
        Invalid: the label is taken, a choice has no options, or there are too many fields.
        PlanLimitReached: the plan holds no more of them.
    """
    rules.demand_ability(actor, "fields.manage")
    demand_room(Limit.CUSTOM_FIELDS, fields_in_use)
    if record_type not in {t.name for t in record_types()} or kind not in FIELD_KINDS:
        raise Invalid(_("This kind of field cannot be added here."))
    rows = CustomField.objects.filter(record_type=record_type)
    if rows.count() >= MOST_FIELDS:
        raise Invalid(_("At most %(count)d fields of your own.") % {"count": MOST_FIELDS})
    if rows.filter(label__iexact=label, archived_at=None).exists():
        raise Invalid(_("There is a field of this name already."), field="label")
    _demand_options(kind, options)
    last = rows.aggregate(last=Max("position"))["last"]
    made = CustomField.objects.create(
        record_type=record_type,
        key=_new_key(label, set(rows.values_list("key", flat=True))),
        label=label,
        kind=kind,
        options=options,
        is_required=is_required,
        help_text=help_text,
        position=(last or 0) + 1,
    )
    audit.record(
        actor=actor,
        verb="field.added",
        on=made,
        on_type="field",
        at=at,
        changes={"label": [None, label]},
    )
    snapshot.bump()
    return made


def _demand_options(kind: str, options: list[str]) -> None:
    if kind in (Kind.CHOICE, Kind.MULTI_CHOICE) and len(options) < 2:
        raise Invalid(_("A choice needs at least two options, one a line."), field="options")


def _new_key(label: str, taken: set[str]) -> str:
    """A short stable name: the label's Latin letters, or a number where it has none."""
    base = re.sub(r"[^a-z0-9]+", "_", label.lower()).strip("_")[:30] or "field"
    if base[0].isdigit():
        base = f"f_{base}"
    key, number = base, 2
    while key in taken:
        key, number = f"{base}_{number}", number + 1
    return key


@transaction.atomic
def change_field(
    *,
    field: CustomField,
    label: str,
    options: list[str],
    is_required: bool,
    help_text: str,
    actor: User,
    at: dt.datetime,
) -> CustomField:
    """Change a field's words and options; its kind stays, so that old values stay readable."""
    rules.demand_ability(actor, "fields.manage")
    _demand_options(field.kind, options)
    row = CustomField.objects.select_for_update().get(pk=field.pk)
    diff = apply_changes(
        row,
        {"label": label, "options": options, "is_required": is_required, "help_text": help_text},
    )
    if diff:
        audit.record(
            actor=actor, verb="field.changed", on=row, on_type="field", at=at, changes=diff
        )
    snapshot.bump()
    return row


@transaction.atomic
def archive_field(*, field: CustomField, actor: User, at: dt.datetime) -> None:
    """Take a field out of use; the values it holds are kept and come back with it."""
    rules.demand_ability(actor, "fields.manage")
    CustomField.objects.filter(pk=field.pk).update(archived_at=at)
    audit.record(
        actor=actor,
        verb="field.archived",
        on=field,
        on_type="field",
        at=at,
        changes={"label": [field.label, None]},
    )
    snapshot.bump()


@transaction.atomic
def save_tag(*, name: str, hue: int, actor: User, at: dt.datetime, tag: Tag | None = None) -> Tag:
    """Make a tag, or rename and recolour one.

    Raises:
        Invalid: the name is taken.
    """
    rules.demand_ability(actor, "tags.manage")
    same = Tag.objects.filter(name__iexact=name)
    if (same.exclude(pk=tag.pk) if tag else same).exists():
        raise Invalid(_("There is a tag of this name already."), field="name")
    row = tag or Tag(name=name)
    row.name, row.hue = name, hue
    row.save()
    audit.record(actor=actor, verb="tag.saved", on=row, at=at)
    snapshot.bump()
    return row


@transaction.atomic
def remove_tag(*, tag: Tag, actor: User, at: dt.datetime) -> None:
    """Remove a tag and take it off every record."""
    rules.demand_ability(actor, "tags.manage")
    for kind in record_types():
        rows: Any = kind.model._default_manager.filter(tag_ids__contains=[tag.pk])
        for row in rows:
            row.tag_ids = [pk for pk in row.tag_ids if pk != tag.pk]
            row.save(update_fields=["tag_ids"])
    audit.record(actor=actor, verb="tag.removed", on=tag, at=at)
    tag.delete()
    snapshot.bump()


@transaction.atomic
def dismiss_setup(*, actor: User) -> None:
    """Put the first-steps list away."""
    row = User.objects.select_for_update().get(pk=actor.pk)
    row.preferences = {**row.preferences, "setup_done": True}
    row.save(update_fields=["preferences"])
