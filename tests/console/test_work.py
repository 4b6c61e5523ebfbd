"""Queues, failed tasks, the survey, the outbox and the sign-up funnel."""

import datetime as dt
import json
import uuid

import pytest
import redis
from celery import current_app, shared_task

from crm_platform.console import tasks as console_tasks
from crm_platform.console.models import CompanyFacts, OperatorEntry, TaskFailure
from crm_platform.console.queries import funnel, queues
from crm_platform.console.services import failures, outbox
from crm_platform.identity.models import OutgoingMail, User
from crm_platform.identity.services.mail import MOST_ATTEMPTS
from crm_platform.identity.tasks import retry_failed_mail
from crm_platform.kernel import tasks as kernel_tasks
from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import Conflict, NotFound
from crm_platform.kernel.tasks import CompanyTask, envelope
from crm_platform.signup.models import SignUp
from tenants import queries as tenants_queries
from tenants.models import Company
from tests import factories
from tests.conftest import NOON, make_company, unique

SEND = "crm_platform.identity.tasks.send_waiting_mail"


def raised():
    """An error that went through a line of ours and says somebody's address."""
    try:
        failures._locked_open(-1)
    except NotFound as error:
        error.args = ("row of somebody@example.com",)
        return error
    raise AssertionError


def failed(**given):
    values = {"task": "tenants.tasks.measure_companies", "company_id": tenancy.PLATFORM.id,
              "arguments": {}, "error": raised(), "at": NOON}  # fmt: skip
    failures.record(**{**values, **given})
    return TaskFailure.objects.latest("pk")


def test_failure_keeps_class_and_place_but_no_words_and_no_secrets(platform_unit, acme):
    row = failed(
        company_id=acme.id,
        arguments={"user_id": 7, "job": str(uuid.UUID(int=3)), "token": "s3cret", "is_new": True},
    )

    assert row.error.startswith("NotFound, platform/crm_platform/console/services/failures.py:")
    assert "example.com" not in row.error
    assert row.arguments == {"user_id": 7, "job": str(uuid.UUID(int=3))}
    assert row.names == ["is_new", "job", "token", "user_id"]
    assert not row.can_retry


def test_same_failure_is_counted_not_repeated(platform_unit):
    before = TaskFailure.objects.count()
    first = failed(arguments={"a": 1})
    failed(arguments={"a": 1}, at=NOON + dt.timedelta(hours=1))
    failed(arguments={"a": 2})

    first.refresh_from_db()
    assert (first.attempts, TaskFailure.objects.count() - before) == (2, 2)


def test_base_task_tells_of_a_failure_for_good(database, acme):
    @shared_task(base=CompanyTask, bind=False, name="tests.console.fails")
    def fails(*, row_id):
        raise KeyError("on purpose")

    number = int(unique(), 16)
    fails.apply(kwargs={"row_id": number}, headers=envelope(acme))
    fails.apply(kwargs={"row_id": number}, headers={})

    with tenancy.unit_of_work(tenancy.PLATFORM):
        row = TaskFailure.objects.get(task="tests.console.fails", arguments={"row_id": number})
        assert (row.company_id, row.attempts) == (acme.id, 1)
        assert row.error.startswith("KeyError, tests/console/test_work.py:")
        row.delete()


def test_retry_sends_the_task_again_to_its_company(
    operator, acme, broker, django_capture_on_commit_callbacks
):
    current_app.loader.import_default_modules()
    row = failed(task=SEND, company_id=acme.id, arguments={})
    with django_capture_on_commit_callbacks(execute=True):
        operator.post(f"/queues/{row.pk}/retry/")

    assert [(rung.name, rung.company) for rung in broker.take()] == [(SEND, str(acme.id))]
    assert OperatorEntry.objects.filter(verb="task.retried", company_id=acme.id).exists()
    assert operator.post(f"/queues/{row.pk}/retry/").status_code == 404
    again = failed(task=SEND, company_id=acme.id, arguments={})
    assert (again.pk, again.resolved_at, again.attempts) == (row.pk, None, 2)


def test_what_cannot_be_sent_again_is_refused_and_put_away(
    operator, platform_operator, acme, globex
):
    secret = failed(arguments={"token": "x"})
    gone = failed(task="no.such.task")
    stopped = failed(task=SEND, company_id=globex.id, arguments={})
    Company.objects.filter(pk=globex.id).update(state="suspended")
    for row in (secret, gone, stopped):
        with pytest.raises(Conflict):
            failures.retry(failure_id=row.pk, actor=platform_operator, at=NOON)

    page = operator.get("/queues/").content.decode()
    assert page.count("/dismiss/") == TaskFailure.objects.filter(resolved_at=None).count()
    operator.post(f"/queues/{secret.pk}/dismiss/")
    secret.refresh_from_db()
    assert secret.resolved_at is not None


def test_queue_says_how_many_wait_and_since_when(database, servers, settings):
    name = f"test-{unique()}"
    settings.CELERY_BROKER_URL = settings.ENVIRONMENT.celery_broker_url
    client = redis.Redis.from_url(settings.ENVIRONMENT.redis_url)
    before = current_app.conf.task_default_queue
    current_app.conf.task_default_queue = name
    try:
        assert queues.queue().waiting == 0
        client.lpush(name, json.dumps({"headers": {kernel_tasks.SENT_AT: NOON.isoformat()}}))
        client.lpush(name, json.dumps({"headers": {}}))
        found = queues.queue()
        assert (found.waiting, found.oldest_at) == (2, NOON)
        client.delete(name)
        client.lpush(name, "not json")
        assert queues.queue().oldest_at is None
    finally:
        client.delete(name)
        current_app.conf.task_default_queue = before


def test_broker_that_is_away_is_an_answer(operator, settings):
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:1/0"
    assert queues.queue() is None
    settings.CELERY_BROKER_URL = "amqp://127.0.0.1:1"
    assert queues.queue() is None
    page = operator.get("/queues/")
    assert page.status_code == 200
    assert "does not answer" in page.content.decode()


def test_survey_reads_inside_and_keeps_sums_outside(database):
    scope = make_company(f"survey-{unique()}")
    with tenancy.unit_of_work(scope):
        owner = factories.user(role="owner", email="boss@survey.example", name="Bo")
        User.objects.filter(pk=owner.pk).update(last_seen_at=NOON)
        factories.account(owner, name="Secret customer")
        for attempts in (0, MOST_ATTEMPTS):
            OutgoingMail.objects.create(
                to="x@example.com", subject="s", body="b", created_at=NOON, due_at=NOON,
                attempts=attempts,
            )  # fmt: skip
    console_tasks.survey_company.apply(
        kwargs={"company_id": str(scope.id)}, headers=envelope(tenancy.PLATFORM), throw=True
    )
    with tenancy.unit_of_work(tenancy.PLATFORM):
        facts = CompanyFacts.objects.get(pk=scope.id)
    assert (facts.owner_email, facts.mail_waiting, facts.mail_failed) == (
        "boss@survey.example", 1, 1,
    )  # fmt: skip
    assert (facts.first_sign_in_at, facts.first_record_at) == (NOON, NOON)

    retry_failed_mail.apply(headers=envelope(scope), throw=True)
    with tenancy.unit_of_work(scope):
        User.objects.filter(pk=owner.pk).update(last_seen_at=NOON + dt.timedelta(days=9))
        assert not OutgoingMail.objects.filter(sent_at=None).exists()
    console_tasks.survey_companies.apply(headers=envelope(tenancy.PLATFORM), throw=True)
    # That took the longest unseen ones, of which other tests may have left many.
    console_tasks.survey_company.apply(
        kwargs={"company_id": str(scope.id)}, headers=envelope(tenancy.PLATFORM), throw=True
    )
    with tenancy.unit_of_work(tenancy.PLATFORM):
        facts.refresh_from_db()
        assert (facts.mail_failed, facts.first_sign_in_at) == (0, NOON)
        Company.objects.filter(pk=scope.id).update(state="suspended")
    tenants_queries.forget_hosts()


def test_outbox_shows_no_text_and_tries_again(
    operator, platform_operator, acme, broker, django_capture_on_commit_callbacks
):
    mail = OutgoingMail.objects.create(
        to="x@example.com", subject="Reset", body="https://one.time/link", created_at=NOON,
        due_at=NOON, attempts=MOST_ATTEMPTS, error="refused",
    )  # fmt: skip
    CompanyFacts.objects.update_or_create(
        company_id=acme.id, defaults={"surveyed_at": NOON, "mail_failed": 3}
    )
    page = operator.get("/outbox/").content.decode()
    assert "one.time" not in page
    assert "Given up" in page

    with django_capture_on_commit_callbacks(execute=True):
        operator.post(f"/outbox/{mail.pk}/retry/")
        operator.post(f"/outbox/companies/{acme.id}/retry/")

    mail.refresh_from_db()
    assert mail.attempts == 0
    assert "crm_platform.identity.tasks.retry_failed_mail" in broker.names()
    OutgoingMail.objects.filter(pk=mail.pk).update(body="")
    with pytest.raises(NotFound):
        outbox.retry_platform_mail(mail_id=mail.pk, actor=platform_operator, at=NOON)
    Company.objects.filter(pk=acme.id).update(state="suspended")
    with pytest.raises(Conflict):
        outbox.retry_company_mails(company_id=acme.id, actor=platform_operator, at=NOON)


def test_funnel_counts_each_step_by_the_week_it_began(operator, acme, globex):
    SignUp.objects.all().delete()
    now = NOON + dt.timedelta(days=1)

    def came(number, weeks_ago, **facts):
        SignUp.objects.create(
            company_name="N", slug=f"n{number}", name="N", email="n@example.com", password="",
            language="en", time_zone="UTC", currency="USD", token_hash=f"f{number}",
            created_at=now - dt.timedelta(weeks=weeks_ago), expires_at=now, **facts,
        )  # fmt: skip

    Company.objects.filter(pk=acme.id).update(activated_at=NOON)
    CompanyFacts.objects.filter(pk__in=[acme.id, globex.id]).delete()
    CompanyFacts.objects.create(
        company_id=acme.id, surveyed_at=NOON, first_sign_in_at=NOON, template="b2b"
    )
    came(1, 0)
    came(2, 0, confirmed_at=now, company_id=acme.id)
    came(3, 1, confirmed_at=now, company_id=globex.id)
    came(4, 20)

    this, last = funnel.weeks(at=now)

    assert this.begins.isoformat() == "2026-11-16"
    assert this.steps == (2, 1, 1, 1, 1, 0)
    assert last.steps == (1, 1, 0, 0, 0, 0)
    assert operator.get("/sign-ups/").status_code == 200
    SignUp.objects.all().delete()
    assert "No sign-ups" in operator.get("/sign-ups/").content.decode()
