"""Two committed companies with one object of every kind, told apart by canaries and by ids."""

import hashlib
from dataclasses import dataclass, field
from secrets import token_urlsafe
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.files.base import ContentFile
from django.db import models
from psycopg.sql import SQL, Identifier, Literal

from crm_core.fields.models import CustomField, SavedView, Star, Tag
from crm_core.fields.services import delete_records
from crm_core.notify import services as notify
from crm_core.registry import Kind, RecordType, record_types
from crm_core.sales.models import LostReason, Pipeline, Stage
from crm_platform.identity.models import ApiToken, Invitation, MailToken, Role, Team, User
from crm_platform.identity.roles import ABILITIES, VERBS
from crm_platform.kernel import snapshot, tenancy
from crm_platform.kernel.db.owner.base import owner_connection
from crm_platform.kernel.router import labels
from tenants import provisioning, queries
from tenants.models import Company, Domain
from tests import factories
from tests.isolation.blanks import LATER, NOON, blank_row, text_fields

SILENT = {"Attempt", "ConfigVersion", "SeatPool", "Star", "StageStay", "Session"}
"""Models in which no person's words stand, or whose row is one of ours without any."""


@dataclass
class Twin:
    """One of the two: `first_id` is the first id in each of its tables, `word` its canary."""

    scope: tenancy.Scope
    word: str
    first_id: int
    owner: User
    cookie: tuple[str, str]
    token: str
    secrets: dict[str, str] = field(default_factory=dict)

    @property
    def host(self) -> str:
        return self.scope.host

    @property
    def custom_field(self) -> str:
        return f"x_own_{self.first_id}"


def every_model() -> list[type[models.Model]]:
    """The models whose tables a company has."""
    wanted = labels(settings.TENANT_APPS)
    return [m for config in apps.get_app_configs() if config.label in wanted
            for m in config.get_models()]  # fmt: skip


def _count_from(schema: str, first_id: int) -> None:
    """Make every sequence of a schema begin at `first_id`."""
    connection = owner_connection()
    connection.ensure_connection()
    raw = connection.connection
    rows = raw.execute(
        "SELECT table_name, column_name FROM information_schema.columns"
        " WHERE table_schema = %s AND is_identity = 'YES'", [schema],
    ).fetchall()  # fmt: skip
    for table, column in rows:
        raw.execute(
            SQL("ALTER TABLE {}.{} ALTER COLUMN {} RESTART WITH {}").format(
                Identifier(schema), Identifier(table), Identifier(column), Literal(first_id)
            )
        )


def open_company(slug: str, *, first_id: int, **facts: Any) -> tenancy.Scope:
    """An active company whose ids begin at `first_id`, with roles and a pipeline, committed."""
    schema = provisioning.new_schema_name()
    provisioning.build_schema(schema)
    _count_from(schema, first_id)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        company = Company.objects.create(
            name=facts.pop("name", f"House {slug}"), slug=slug, schema_name=schema,
            state=Company.State.ACTIVE, created_at=NOON, time_zone="Asia/Taipei", **facts,
        )  # fmt: skip
        Domain.objects.create(company=company, host=f"{slug}.testserver")
        scope = queries.scope_of(company, f"{slug}.testserver")
    queries.forget_hosts()
    with tenancy.unit_of_work(scope):
        factories.seed_company()
    return scope


def make_twin(slug: str, word: str, *, first_id: int) -> Twin:
    """Build one of the two companies, with its owner signed in and holding an API token."""
    scope = open_company(slug, first_id=first_id)
    with tenancy.unit_of_work(scope):
        owner = factories.user(
            role="owner", name=f"{word} Owner", email=f"{word}.owner@example.com", title=f"{word} T"
        )
        secrets = _people(word, owner)
        _shape(word, owner)
        snapshot.bump()
    with tenancy.unit_of_work(scope):
        _records(word, owner)
        token = _token(word, owner)
    with tenancy.unit_of_work(scope):
        _files(word, owner)
    with tenancy.unit_of_work(scope):
        secrets["package"] = _package(word, owner)
    with tenancy.unit_of_work(scope):
        _rest(word)
        snapshot.bump()
    cookie = factories.session_cookie(scope, owner)
    return Twin(scope, word, first_id, owner, cookie, token, secrets)


def _people(word: str, owner: User) -> dict[str, str]:
    """A team, a role, a colleague, and one open link of each sort; returns the links' secrets."""
    rights = {"*": dict.fromkeys(VERBS, "all")}
    role = factories.custom_role(rights, abilities=ABILITIES)
    Role.objects.filter(pk=role.pk).update(name=f"{word} role")
    team = factories.team(f"{word} team")
    User.objects.filter(pk=owner.pk).update(team=team)
    colleague = factories.user(
        role="member", team=team, name=f"{word} Mate", email=f"{word}.mate@example.com"
    )
    secrets = {}
    for purpose in MailToken.Purpose.values:
        secrets[purpose] = token_urlsafe(32)
        MailToken.objects.create(
            purpose=purpose, user=colleague, token_hash=_hash(secrets[purpose]),
            new_email=f"{word}.new@example.com", created_at=NOON, expires_at=LATER,
        )  # fmt: skip
    secrets["invite"] = token_urlsafe(32)
    Invitation.objects.create(
        email=f"{word}.invited@example.com", role=role, team=team, invited_by=owner,
        token_hash=_hash(secrets["invite"]), created_at=NOON, expires_at=LATER,
    )  # fmt: skip
    return secrets


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _shape(word: str, owner: User) -> None:
    """The company's own configuration: pipeline, stages, reasons, tags, fields, shared views."""
    Pipeline.objects.update(name=f"{word} pipeline")
    for row in [*Stage.objects.all(), *LostReason.objects.all()]:
        row.name = f"{word} {row.name}"
        row.save()
    Tag.objects.create(name=f"{word} tag")
    for kind in record_types():
        CustomField.objects.create(
            record_type=kind.name, key=f"own_{owner.pk}", label=f"{word} own", kind="text",
            help_text=f"{word} hint",
        )  # fmt: skip
        SavedView.objects.create(
            record_type=kind.name, name=f"{word} view", owner=owner, is_shared=True, is_pinned=True
        )


def _records(word: str, owner: User) -> None:
    """Of each registered kind one live record, linked to the others, and one in the trash."""
    made: dict[str, Any] = {}
    for kind in sorted(record_types(), key=lambda k: -k.order if k.name != "account" else -999):
        values = _values(kind, word, owner, made)
        record = kind.create(values=values, actor=owner, at=NOON)
        made[kind.name] = record
        gone = kind.create(values={**values, "name": f"{word} gone"}, actor=owner, at=NOON)
        delete_records(kind=kind, ids=[gone.pk], actor=owner, at=NOON)
        Star.objects.create(user=owner, record_type=kind.name, record_id=record.pk)
        if kind.name != "activity":
            note = {"kind": "task", "name": f"{word} task on {kind.name}", "body": f"{word} body"}
            factories.activity(owner, about=(kind.name, record.pk), **note)
        notify.tell(
            user_id=owner.pk, kind="task.assigned", actor=owner, at=NOON, record_type=kind.name,
            record_id=record.pk, facts={"title": f"{word} told"},
        )  # fmt: skip


def _values(kind: RecordType, word: str, owner: User, made: dict[str, Any]) -> dict[str, Any]:
    """Every text of the kind holds the word; links go to what stands already."""
    values: dict[str, Any] = {f"x_own_{owner.pk}": f"{word} own value"}
    values["tags"] = [tag.pk for tag in Tag.objects.all()]
    for each in kind.fields:
        if not each.is_editable:
            continue
        if each.kind in (Kind.TEXT, Kind.LONG_TEXT) and each.name != "currency":
            values[each.name] = f"{word} {each.name}"[: each.max_length]
        elif each.kind == Kind.EMAIL:
            values[each.name] = f"{word}.{kind.name}@example.com"
        elif each.kind == Kind.URL:
            values[each.name] = f"https://{word}.example.com/"
        elif each.kind == Kind.LINK and each.target in made:
            values[each.name] = made[each.target].pk
    if kind.name == "activity":
        values["kind"] = "task"
    return values


def _token(word: str, owner: User) -> str:
    from crm_platform.identity.services import tokens

    _row, key = tokens.make_token(
        user=owner, name=f"{word} key", scope="write", days=300, at=_now()
    )
    assert ApiToken.objects.exists()
    return key


def _now() -> Any:
    from django.utils import timezone

    return timezone.now()


def _files(word: str, owner: User) -> None:
    """An import with its file, through the service, so that its pages have something to show."""
    from crm_core.exchange import services as exchange

    for kind in record_types():
        upload = ContentFile(f"name\n{word} from a file\n".encode(), name="canary.csv")
        exchange.start_import(
            kind_name=kind.name, upload=upload, file_name=f"{word}-{kind.name}.csv", actor=owner,
            at=NOON,
        )  # fmt: skip


def _package(word: str, owner: User) -> str:
    """A package that is ready, and the secret of its link."""
    from crm_core.leaving import services as leaving
    from crm_core.leaving.models import ExitPackage

    package = ExitPackage(actor=owner, state="done", created_at=NOON, expires_at=LATER)
    package.file.save("package.zip", ContentFile(f"{word} in a package".encode()), save=False)
    package.save()
    ExitPackage.objects.create(actor=owner, state="failed", created_at=NOON, error=f"{word} said")
    return leaving.link_of(package)


def _rest(word: str) -> None:
    """A row with the word in every table that has none yet."""
    for model in every_model():
        if model.__name__ in SILENT and model._default_manager.exists():
            continue
        if not holds_word(model, word):
            blank_row(model, word)


def holds_word(model: type[models.Model], word: str) -> bool:
    """Whether some text of the table's rows holds the word; without texts, whether it has rows."""
    fields = text_fields(model)
    if not fields:
        return bool(model._default_manager.exists())
    found = models.Q()
    for each in fields:
        found |= models.Q(**{f"{each.name}__icontains": word})
    return bool(model._default_manager.filter(found).exists())


def remove_twin(scope: tenancy.Scope) -> None:
    """Take a company away again, schema and all."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        Domain.objects.filter(company_id=scope.id).delete()
        Company.objects.filter(pk=scope.id).delete()
    queries.forget_hosts()
    provisioning.remove_schema(scope.schema)


def texts_of(scope: tenancy.Scope, word: str) -> dict[str, bool]:
    """Model name → whether its table holds the word (or, without texts, a row)."""
    with tenancy.unit_of_work(scope):
        return {m.__name__: holds_word(m, word) for m in every_model() if m.__name__ not in SILENT}


__all__ = ["Team", "Twin", "every_model", "make_twin", "open_company", "remove_twin", "texts_of"]
