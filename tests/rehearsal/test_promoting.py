"""What was tried in a rehearsal comes into the live company by choice, and goes back as a whole."""

import re
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from crm_core.audit.models import Entry
from crm_core.fields.models import CustomField, Tag
from crm_core.sales.models import Pipeline, Stage
from crm_core.web import promoting
from crm_platform.identity.models import Role, Team, User
from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from tests import factories
from tests.conftest import NOON
from tests.rehearsal.test_rehearsal import found, live, make  # noqa: F401  a fixture


@pytest.fixture
def pair(live):  # noqa: F811
    """The live company, its rehearsal, and changes of every sort in the latter."""
    made, scope = make(live)
    with tenancy.unit_of_work(scope):
        stage = Stage.objects.get(name="Proposal")
        stage.probability, stage.name = 66, "Offer"
        stage.save()
        pipeline = Pipeline.objects.create(name="Service", position=5)
        Stage.objects.create(pipeline=pipeline, name="Asked", probability=10)
        member = Role.objects.get(key="member")
        member.rights = {"*": {"view": "own"}}
        member.abilities = ["tags.manage"]
        member.save()
        CustomField.objects.create(
            record_type="deal", key="size", label="Size", kind="choice", options=["S", "L"]
        )
    return live, scope, made


def chosen(made, *names):
    return [d for d in found(made) if not names or d.row in names]


def person(scope):
    return User.objects.select_related("role").get(email="ann@real.example")


def config(scope):
    with tenancy.unit_of_work(scope):
        return {
            "stages": sorted(Stage.objects.values_list("pk", "name", "probability")),
            "pipelines": sorted(Pipeline.objects.values_list("pk", "name")),
            "fields": sorted(CustomField.objects.values_list("key", "options")),
            "roles": [(r.key, r.rights, r.abilities) for r in Role.objects.order_by("pk")],
            "tags": sorted(Tag.objects.values_list("name", flat=True)),
        }


def promote(scope, differences):
    with tenancy.unit_of_work(scope):
        return promoting.promote(chosen=differences, actor=person(scope), at=NOON)


def take_back(scope, batch):
    with tenancy.unit_of_work(scope):
        return promoting.take_back(batch=batch, actor=person(scope), at=NOON)


def test_everything_promoted_makes_live_equal_and_taking_back_makes_it_as_before(pair):
    live_scope, scope, made = pair
    before = config(live_scope)

    batch = promote(live_scope, chosen(made))

    assert config(live_scope) == config(scope)
    assert found(made) == []
    with tenancy.unit_of_work(live_scope):
        entries = Entry.objects.filter(batch=batch, verb=promoting.PROMOTED)
        told = {entry.title: entry.changes for entry in entries}
        assert told["Offer"]["probability"] == [50, 66]
    assert take_back(live_scope, batch) == len(told)
    assert config(live_scope) == before
    with tenancy.unit_of_work(live_scope):
        back = Entry.objects.filter(batch=batch, verb=promoting.TAKEN_BACK)
        assert back.count() == len(told)
    with pytest.raises(Conflict, match="already"):
        take_back(live_scope, batch)


def test_only_what_was_chosen_comes_over(pair):
    live_scope, _scope, made = pair
    only = [d for d in found(made) if d.field == "probability"]

    promote(live_scope, only)

    with tenancy.unit_of_work(live_scope):
        assert Stage.objects.get(probability=66).name == "Proposal"
        assert not Pipeline.objects.filter(name="Service").exists()
    with pytest.raises(Invalid, match="at least one"):
        promote(live_scope, [])


def test_stage_of_a_new_pipeline_needs_it(pair):
    live_scope, _scope, made = pair
    with pytest.raises(Conflict, match="belongs to"):
        promote(live_scope, chosen(made, "Asked"))

    promote(live_scope, chosen(made, "Asked", "Service"))

    with tenancy.unit_of_work(live_scope):
        assert Stage.objects.get(name="Asked").pipeline.name == "Service"


def test_what_changed_in_the_live_company_meanwhile_is_not_overwritten(pair):
    live_scope, _scope, made = pair
    differences = chosen(made, "Proposal")
    with tenancy.unit_of_work(live_scope):
        Stage.objects.filter(name="Proposal").update(probability=33)

    with pytest.raises(Conflict, match="Compare again"):
        promote(live_scope, differences)

    batch = promote(live_scope, chosen(made, "Proposal"))
    with tenancy.unit_of_work(live_scope):
        Stage.objects.filter(name="Offer").update(probability=34)
    with pytest.raises(Conflict, match="Compare again"):
        take_back(live_scope, batch)


def test_what_is_in_use_is_not_taken_back(pair):
    live_scope, _scope, made = pair
    batch = promote(live_scope, chosen(made, "Service", "Asked"))
    with tenancy.unit_of_work(live_scope):
        stage = Stage.objects.get(name="Asked")
        factories.deal(person(live_scope), pipeline=stage.pipeline_id, stage=stage.pk)

    with pytest.raises(Conflict, match="in use"):
        take_back(live_scope, batch)

    with tenancy.unit_of_work(live_scope):
        assert Stage.objects.filter(name="Asked").exists()


def test_nothing_is_removed_from_the_live_company(pair):
    live_scope, _scope, made = pair
    with tenancy.unit_of_work(live_scope):
        Team.objects.create(name="Only live")

    with pytest.raises(Invalid, match="by hand"):
        promote(live_scope, chosen(made, "Only live"))


def test_only_who_may_change_settings_promotes_and_takes_back(pair):
    live_scope, _scope, made = pair
    batch = promote(live_scope, chosen(made, "Proposal"))
    with tenancy.unit_of_work(live_scope):
        member = factories.user(role="manager")
        with pytest.raises(NotAllowed):
            promoting.promote(chosen=[], actor=member, at=NOON)
        with pytest.raises(NotAllowed):
            promoting.take_back(batch=batch, actor=member, at=NOON)
    with pytest.raises(NotFound):
        take_back(live_scope, uuid4())


def test_command_promotes_by_key_and_takes_back(pair, capsys):
    live_scope, _scope, made = pair
    key = next(d.key for d in found(made) if d.field == "probability")
    before = config(live_scope)

    words = ("--owner", "ann@real.example")
    call_command("rehearsal", "promote", live_scope.slug, "--what", key, *words)
    batch = re.search(r"--batch (\S+)", capsys.readouterr().out)[1]
    assert config(live_scope) != before
    call_command("rehearsal", "undo", live_scope.slug, "--batch", batch, *words)

    assert config(live_scope) == before
    with pytest.raises(CommandError, match="--owner"):
        call_command("rehearsal", "promote", live_scope.slug, "--what", "all")
    with pytest.raises(CommandError, match="--batch"):
        call_command("rehearsal", "undo", live_scope.slug)
