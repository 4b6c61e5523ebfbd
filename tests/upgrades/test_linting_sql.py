"""Each rule of the linter on real collected SQL: what it refuses, and the way it names instead."""

import uuid

import pytest
from django.db import migrations, models
from django.db.models import Q
from django.db.models.functions import Now

from tenants import provisioning
from tenants.upgrades import linting_sql, rendering
from tenants.upgrades.linting_state import is_widening

KEY = models.ForeignKey("identity.user", models.SET_NULL, null=True, related_name="+")


@pytest.fixture(scope="module")
def state(database):
    """The models as the migrations of this code leave them."""
    from django.db.migrations.state import ProjectState

    loader = provisioning.company_loader()
    found = ProjectState(real_apps=loader.unmigrated_apps)
    for migration in provisioning.company_plan(loader):
        found = migration.mutate_state(found, preserve=False)
    return found


def migration_of(*operations, **marks):
    made = migrations.Migration("0900_bad", "records")
    made.operations = list(operations)
    for name, value in marks.items():
        setattr(made, name, value)
    return made


def broken(state, *operations, **marks):
    found, _after = rendering.rendered(migration_of(*operations, **marks), state)
    return {rule for rule, _statement in linting_sql.rules_broken(found)}


def sql(text):
    return migrations.RunSQL(text, migrations.RunSQL.noop)


def add(name, field, model="account"):
    return migrations.AddField(model, name, field)


def alter(name, field, model="account"):
    return migrations.AlterField(model, name, field)


T = "ALTER TABLE records_account"
BAD = [
    ("not-null", add("code", models.CharField(max_length=9, default="x"))),
    ("not-null", sql(f"{T} ADD COLUMN code text NOT NULL")),
    ("not-null", sql(f"{T} ADD a int DEFAULT 1 NOT NULL, ADD b int NOT NULL")),
    ("not-null", sql(f"{T} ALTER industry DROP DEFAULT")),
    ("removes", migrations.RemoveField("contact", "title")),
    ("removes", sql(f'{T} DROP "industry"')),
    ("removes", sql("DROP TABLE records_account")),
    ("renames", migrations.RenameField("account", "industry", "branch")),
    ("renames", sql(f"{T} RENAME TO firm")),
    ("rewrites", add("key", models.UUIDField(db_default=models.Func(function="gen_random_uuid")))),
    ("rewrites", sql(f"{T} ADD COLUMN number bigserial")),
    ("type", alter("industry", models.CharField(max_length=3))),
    ("type", alter("industry", models.IntegerField(null=True))),
    ("null-scan", sql(f"{T} ALTER COLUMN industry SET NOT NULL")),
    ("unproven", add("size", models.PositiveIntegerField(null=True))),
    ("unproven", sql(f"{T} ADD COLUMN boss bigint REFERENCES identity_user")),
    ("unproven", sql(f"{T} ADD CHECK (industry <> '')")),
    ("unproven", sql(f"{T} ADD CONSTRAINT x CHECK (industry <> ''); SELECT 1")),
    ("unique", add("code", models.CharField(max_length=9, null=True, unique=True))),
    ("unique", migrations.AddConstraint(
        "account", models.UniqueConstraint(fields=["industry"], name="one_each"))),
    ("unique", migrations.AddConstraint("account", models.UniqueConstraint(
        fields=["industry"], condition=Q(deleted_at=None), name="one_living"))),
    ("index", sql("CREATE INDEX some ON records_account (industry)")),
    ("index", sql("CREATE INDEX CONCURRENTLY some ON records_account (industry)")),
    ("rows", sql("UPDATE records_account SET industry = 'a;b'")),
    ("rows", sql("/* all */ DELETE FROM ONLY records_account")),
    ("rows", sql("TRUNCATE records_account")),
    ("lock", sql("LOCK TABLE records_account")),
    ("rebuild", sql("VACUUM FULL records_account")),
    ("rebuild", sql("CLUSTER records_account USING records_account_pkey")),
    ("rebuild", sql(f"{T} SET UNLOGGED")),
    ("transaction", sql("SELECT 1; COMMIT")),
    ("place", sql("SET search_path TO public")),
    ("hidden", sql("DO $$ BEGIN DELETE FROM records_account; END $$")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "operation"), BAD, ids=[f"{r}-{n}" for n, (r, _o) in enumerate(BAD)]
)
def test_bad_statement_is_refused_by_its_rule(state, rule, operation):
    assert broken(state, operation) == {rule}
    found, _after = rendering.rendered(migration_of(operation), state)
    (sentence, *_more) = linting_sql.faults_in([found])
    assert sentence.startswith(f"records.0900_bad {linting_sql.RULES[rule]} (")
    marked = migration_of(operation, accepts={rule: "the table has ten rows"})
    assert linting_sql.faults_in([rendering.rendered(marked, state)[0]]) == []
    unexplained = migration_of(operation, accepts={rule: ""})
    assert linting_sql.faults_in([rendering.rendered(unexplained, state)[0]]) != []


def test_every_rule_has_a_bad_example():
    assert {rule for rule, _operation in BAD} | {"keys"} == set(linting_sql.RULES)


def test_second_key_on_tables_in_use_waits_for_the_next_release(state):
    assert broken(state, add("helper", KEY)) == set()
    assert broken(state, add("helper", KEY), add("second", KEY.clone())) == {"keys"}


def test_code_beside_a_constraint_keeps_the_engine_from_proving_it_later(state):
    check = migrations.AddConstraint(
        "account", models.CheckConstraint(condition=~Q(name=""), name="named")
    )
    code = migrations.RunPython(migrations.RunPython.noop, migrations.RunPython.noop)

    assert broken(state, check) == set()
    assert broken(state, check, code) == {"unproven"}


GOOD = [
    add("district", models.CharField(max_length=40, default="", db_default="")),
    add("seen_at", models.DateTimeField(db_default=Now())),
    add("note", models.CharField(max_length=40, null=True)),
    alter("industry", models.CharField(max_length=2000, default="", blank=True)),
    alter("industry", models.TextField(default="", blank=True)),
    migrations.AddIndex("account", models.Index(fields=["industry"], name="by_industry")),
    migrations.RemoveIndex("account", "account_by_name"),
    migrations.CreateModel("Ward", [
        ("id", models.UUIDField(primary_key=True, default=uuid.uuid4)),
        ("rank", models.PositiveIntegerField(unique=True)),
        ("account", models.ForeignKey("records.account", models.CASCADE)),
        ("user", models.ForeignKey("identity.user", models.CASCADE)),
    ]),
    sql("CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN DELETE FROM records_account; RETURN NEW; END $$"),
    sql("COMMENT ON TABLE records_account IS 'DROP TABLE; LOCK TABLE x'"),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(GOOD)))
def test_what_disturbs_nobody_is_let_through(state, number):
    if isinstance(GOOD[number], migrations.RemoveIndex):
        model = state.models["records", "account"]
        GOOD[number].name = model.options["indexes"][0].name

    assert broken(state, GOOD[number]) == set()


def test_removal_is_let_through_as_the_contract_of_a_release(state):
    found, _after = rendering.rendered(
        migration_of(migrations.RemoveField("contact", "title"), contract_of="2026.10.01"), state
    )
    assert linting_sql.faults_in([found]) == []


def test_not_null_is_free_once_an_earlier_release_has_proven_it(state):
    check = migrations.AddConstraint(
        "contact", models.CheckConstraint(condition=Q(birthday__isnull=False), name="has_birthday")
    )
    model = state.models["records", "contact"]
    name = next(n for n, f in model.fields.items() if f.null and not f.is_relation)
    check.constraint.condition = Q(**{f"{name}__isnull": False})
    column = sql(f"ALTER TABLE records_contact ALTER COLUMN {name} SET NOT NULL")
    first, proven = rendering.rendered(migration_of(check), state)

    found, _after = rendering.rendered(migration_of(column), proven, released=proven)
    assert not list(linting_sql.rules_broken(found))
    # In the same release it is only proven after the transaction.
    found, _after = rendering.rendered(migration_of(column), proven, released=state)
    assert {rule for rule, _s in linting_sql.rules_broken(found)} == {"null-scan"}
    assert first.step["constraints"] == [{"name": "has_birthday", "table": "records_contact"}]
    assert first.step["sql"][0].endswith(" NOT VALID")


@pytest.mark.parametrize(
    ("before", "to", "free"),
    [
        ("varchar(40)", "varchar(80)", True), ("varchar(80)", "varchar(40)", False),
        ("varchar(40)", "text", True), ("text", "varchar(40)", False),
        ("varchar", "varchar(9)", False), ("numeric(10, 2)", "numeric(12, 2)", True),
        ("numeric(10, 2)", "numeric(12, 3)", False), ("integer", "bigint", False),
        ("", "text", False),
    ],
)  # fmt: skip
def test_widening_is_what_postgresql_does_without_looking_at_rows(before, to, free):
    assert is_widening(before, to) is free


def test_every_statement_of_this_codes_migrations_is_safe(database):
    """The same check that refuses a release, over each migration by itself."""
    assert linting_sql.faults_in(rendering.rendered_after([], apart=True)) == []
