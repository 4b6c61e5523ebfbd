"""Shaping a company: pipelines, fields, tags, industries, samples; and people who leave."""

import datetime as dt

import pytest

from crm_core.activities import queries as activities
from crm_core.activities import services as acts
from crm_core.audit.models import Entry
from crm_core.fields import catalogue
from crm_core.fields.models import CustomField, Tag
from crm_core.fields.subscribers import hand_over
from crm_core.notify.models import Notification
from crm_core.records.models import Account, Contact
from crm_core.registry import record_type
from crm_core.sales import pipeline_services as pipelines
from crm_core.sales import queries
from crm_core.sales.models import Deal, LostReason, Pipeline, Stage
from crm_core.web import samples, services
from crm_core.web.templates_of_industry import INDUSTRIES
from crm_platform.identity.events import PersonDeactivated
from crm_platform.kernel.errors import Invalid, NotAllowed
from tests import factories
from tests.factories import NOON


def pipeline():
    return Pipeline.objects.get(is_default=True)


def test_added_stage_stands_before_the_closing_ones(owner):
    pipelines.add_stage(
        pipeline=pipeline(), name="Legal", kind="open", probability=80, hue=2, actor=owner, at=NOON
    )

    names = [stage.name for stage in queries.get_pipeline().stages]
    assert names == ["Qualify", "Discovery", "Proposal", "Negotiation", "Legal", "Won", "Lost"]


def test_stage_of_a_taken_name_is_refused(owner):
    with pytest.raises(Invalid) as refused:
        pipelines.add_stage(
            pipeline=pipeline(),
            name="qualify",
            kind="open",
            probability=1,
            hue=1,
            actor=owner,
            at=NOON,
        )

    assert refused.value.field == "name"


def test_removed_stage_moves_its_deals(owner):
    deal = factories.deal(owner)
    target = factories.stage("Proposal")

    moved = pipelines.remove_stage(stage=deal.stage, to=target.pk, actor=owner, at=NOON)

    deal.refresh_from_db()
    assert (moved, deal.stage_id) == (1, target.pk)


def test_last_open_stage_cannot_go(owner):
    for stage in Stage.objects.filter(kind="open")[1:]:
        pipelines.remove_stage(stage=stage, to=factories.stage("Qualify").pk, actor=owner, at=NOON)

    last, won = factories.stage("Qualify"), factories.stage(kind="won")
    with pytest.raises(Invalid):
        pipelines.remove_stage(stage=last, to=won.pk, actor=owner, at=NOON)


def test_a_stage_with_deals_keeps_its_kind(owner):
    deal = factories.deal(owner)

    with pytest.raises(Invalid):
        pipelines.change_stage(
            stage=deal.stage, name="Qualify", kind="won", probability=5, hue=1, actor=owner, at=NOON
        )


def test_order_of_stages_is_kept_and_closing_ones_stay_last(owner):
    rows = {stage.name: stage.pk for stage in Stage.objects.all()}
    wanted = [rows[name] for name in ("Won", "Proposal", "Qualify", "Discovery", "Negotiation")]

    pipelines.order_stages(pipeline=pipeline(), order=wanted, actor=owner, at=NOON)

    names = [stage.name for stage in queries.get_pipeline().stages]
    assert names == ["Proposal", "Qualify", "Discovery", "Negotiation", "Won", "Lost"]


def test_pipeline_with_open_deals_is_not_archived(owner):
    second = pipelines.add_pipeline(name="Service", actor=owner, at=NOON)
    deal = factories.deal(owner, pipeline=second.pk)

    with pytest.raises(Invalid):
        pipelines.archive_pipeline(pipeline=second, actor=owner, at=NOON)
    Deal.objects.filter(pk=deal.pk).update(deleted_at=NOON)
    pipelines.archive_pipeline(pipeline=second, actor=owner, at=NOON)
    assert [p.name for p in queries.pipelines()] == ["Sales"]


def test_default_pipeline_is_one_and_only(owner):
    second = pipelines.add_pipeline(name="Service", actor=owner, at=NOON, is_default=True)

    assert list(Pipeline.objects.filter(is_default=True)) == [second]
    assert factories.deal(owner).pipeline_id == second.pk


def test_lost_reason_comes_back(owner):
    reason = LostReason.objects.first()
    pipelines.archive_reason(reason=reason, actor=owner, at=NOON)
    assert reason.name not in [choice.label for choice in queries.lost_reasons()]

    assert pipelines.add_reason(name=reason.name, actor=owner, at=NOON).pk == reason.pk
    with pytest.raises(Invalid):
        pipelines.add_reason(name=reason.name.upper(), actor=owner, at=NOON)


def test_member_shapes_nothing(member):
    with pytest.raises(NotAllowed):
        pipelines.add_pipeline(name="X", actor=member, at=NOON)
    with pytest.raises(NotAllowed):
        add_field(member)


def add_field(owner, **facts):
    given = {"record_type": "deal", "label": "Colour", "kind": "choice", "options": ["red", "blue"],
             "is_required": False, "help_text": "", **facts}  # fmt: skip
    return services.add_field(actor=owner, at=NOON, **given)


def test_own_field_is_kept_filtered_and_shown_in_the_history(owner):
    add_field(owner)
    deal = factories.deal(owner, x_colour="red")
    record_type("deal").edit(record=deal, values={"x_colour": "blue"}, actor=owner, at=NOON)

    assert Deal.objects.filter(custom__colour="blue").exists()
    changes = Entry.objects.filter(verb="deal.edited").latest("id").changes
    assert changes == {"x_colour": ["red", "blue"]}
    with pytest.raises(Invalid):
        factories.deal(owner, x_colour="green")


def test_own_required_field_is_demanded_of_new_records_only(owner):
    deal = factories.deal(owner)
    add_field(owner, is_required=True)

    with pytest.raises(Invalid) as refused:
        factories.deal(owner)
    assert refused.value.field == "x_colour"
    record_type("deal").edit(record=deal, values={"name": "Other"}, actor=owner, at=NOON)


def test_fields_of_chinese_names_get_keys_of_their_own(owner):
    first = add_field(owner, label="顏色")
    second = add_field(owner, label="尺寸")

    assert (first.key, second.key) == ("field", "field_2")


def test_archived_field_disappears_and_its_values_stay(owner):
    field = add_field(owner)
    deal = factories.deal(owner, x_colour="red")
    services.archive_field(field=field, actor=owner, at=NOON)

    assert "x_colour" not in [f.name for f in catalogue.fields_of(record_type("deal"))]
    deal.refresh_from_db()
    assert deal.custom == {"colour": "red"}


def test_choice_without_options_and_taken_name_are_refused(owner):
    with pytest.raises(Invalid):
        add_field(owner, options=["one"])
    add_field(owner)
    with pytest.raises(Invalid):
        add_field(owner, label="colour")


def test_removed_tag_leaves_every_record(owner):
    tag = services.save_tag(name="VIP", hue=3, actor=owner, at=NOON)
    contact = factories.contact(owner, tags=[tag.pk])
    services.remove_tag(tag=tag, actor=owner, at=NOON)

    contact.refresh_from_db()
    assert contact.tag_ids == []
    assert not Tag.objects.exists()


@pytest.mark.parametrize("key", [industry.key for industry in INDUSTRIES])
def test_an_industry_brings_a_whole_way_of_selling(owner, key):
    services.apply_template(key=key, actor=owner, at=NOON)

    chosen = queries.get_pipeline()
    kinds = [stage.kind for stage in chosen.stages]
    assert (kinds.count("won"), kinds.count("lost")) == (1, 1)
    assert len(chosen.open_stages) >= 4
    assert LostReason.objects.count() >= 5
    assert CustomField.objects.exists()
    assert Pipeline.objects.count() == 1


def test_an_industry_leaves_a_pipeline_with_deals_alone(owner):
    deal = factories.deal(owner)
    services.apply_template(key="trade", actor=owner, at=NOON)

    deal.refresh_from_db()
    assert deal.stage.name == "Qualify"
    assert queries.get_pipeline().name == "Orders"


def test_samples_come_and_go_in_one_act_and_leave_ones_own(owner):
    mine = factories.account(owner, name="Mine")
    count = samples.load_samples(actor=owner, at=NOON)
    assert count > 20
    with pytest.raises(Invalid):
        samples.load_samples(actor=owner, at=NOON)

    samples.remove_samples(actor=owner, at=NOON)

    assert list(Account.objects.all()) == [mine]
    assert not Contact.objects.exists()
    assert not Deal.objects.exists()


def test_records_and_open_tasks_of_a_leaver_pass_on(owner, member):
    successor = factories.user()
    deal = factories.deal(member)
    task = factories.activity(member, about=("deal", deal.pk))

    hand_over(PersonDeactivated(member.pk, successor.pk, owner.pk, NOON))

    deal.refresh_from_db()
    task.refresh_from_db()
    assert (deal.owner_id, task.assignee_id) == (successor.pk, successor.pk)
    assert Notification.objects.get(user=successor).kind == "person.left"
    entry = Entry.objects.get(record_type="deal", verb="deal.edited")
    assert entry.changes == {"owner": [member.pk, successor.pk]}


def test_next_step_and_last_touch_follow_the_activities(owner):
    account = factories.account(owner)
    deal = factories.deal(owner, account=account.pk)
    due = NOON + dt.timedelta(days=3)
    task = factories.activity(owner, about=("deal", deal.pk), kind="call", due_at=due)

    deal.refresh_from_db()
    account.refresh_from_db()
    assert (deal.next_step_at, deal.next_step_kind, account.next_step_at) == (due, "call", due)

    acts.finish_activity(activity=task, actor=owner, at=NOON)
    deal.refresh_from_db()
    assert (deal.next_step_at, deal.last_touch_at) == (None, NOON)

    acts.finish_activity(activity=task, actor=owner, at=NOON, reopen=True)
    deal.refresh_from_db()
    assert deal.next_step_at == due


def test_a_task_for_a_colleague_tells_them(owner, member):
    factories.activity(owner, assignee=member.pk, name="Call back")

    told = Notification.objects.get(user=member)
    assert (told.kind, told.facts) == ("task.assigned", {"title": "Call back"})
    assert [row.name for row in activities.open_of(member)] == ["Call back"]


def test_an_empty_note_is_refused(owner):
    with pytest.raises(Invalid):
        acts.create_activity(values={"kind": "note", "body": "  "}, actor=owner, at=NOON)


def test_an_account_cannot_belong_to_its_own_subsidiary(owner):
    parent = factories.account(owner)
    child = factories.account(owner, parent=parent.pk)

    with pytest.raises(Invalid) as refused:
        record_type("account").edit(
            record=parent, values={"parent": child.pk}, actor=owner, at=NOON
        )
    assert refused.value.field == "parent"


def test_chinese_names_are_joined_the_chinese_way(owner):
    contact = record_type("contact").create(
        values={"first_name": "小明", "last_name": "王"}, actor=owner, at=NOON
    )

    assert contact.name == "王小明"
