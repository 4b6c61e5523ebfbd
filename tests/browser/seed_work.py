"""What operators and an owner find to do on an ordinary day: no page is looked at only empty."""

import datetime as dt
from uuid import uuid4

from django.contrib.auth.hashers import make_password

from crm_core.fields import services as records
from crm_core.records.services import create_contact
from crm_core.registry.store import record_type
from crm_platform.console.models import Approval, CompanyFacts, SupportRequest, TaskFailure
from crm_platform.console.rules import PLATFORM
from crm_platform.console.services import approvals, support
from crm_platform.console.services.operators import make_operator
from crm_platform.identity.models import OutgoingMail, SupportVisit, User
from crm_platform.identity.services import support as visits
from crm_platform.identity.services import teams, tokens
from crm_platform.kernel import tenancy
from crm_platform.kernel.tenancy import Scope
from crm_platform.signup.models import SignUp
from tenants.models import Company

MINUTE, DAY = dt.timedelta(minutes=1), dt.timedelta(days=1)
SECOND_OPERATOR = "paul@operators.example"


def fill(company: Company, scope: Scope, at: dt.datetime) -> None:
    """Everything below; the company, its owner and the first operator are there."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        make_operator(
            email=SECOND_OPERATOR, password="never typed", reset=False, role_key=PLATFORM, at=at
        )
        User.objects.filter(email=SECOND_OPERATOR).update(name="Paul Platform")
        _sign_ups(company, at)
        _failures(company, at)
        _mails(company, at)
    _approvals(company, at)
    _support(company, scope, at)
    _configuration(scope, at)


def _sign_ups(company: Company, at: dt.datetime) -> None:
    """One that came all the way, one that never confirmed."""
    for name, days, ours in (("Harbour Trading", 9, company), ("Nobody Confirmed", 2, None)):
        asked = at - days * DAY
        SignUp.objects.create(
            company_name=name, slug=f"asked-{days}", name="Wai Chan", email="wai@example.com",
            password=make_password("never typed"), language="en", time_zone="Asia/Taipei",
            currency="USD", token_hash=str(uuid4()), created_at=asked, expires_at=asked + DAY,
            company=ours, confirmed_at=asked if ours else None, entered_at=asked if ours else None,
        )  # fmt: skip


def _failures(company: Company, at: dt.datetime) -> None:
    for number, names in enumerate((["job_id"], ["job_id", "secret"])):
        TaskFailure.objects.create(
            key_hash=str(number), company_id=company.pk, task="exchange.run_import",
            arguments={"job_id": 10**6 + number}, names=names, error="OSError at files.py:40",
            attempts=3, first_at=at - DAY, last_at=at - MINUTE,
        )  # fmt: skip


def _mails(company: Company, at: dt.datetime) -> None:
    for attempts, error in ((8, "550 no such mailbox"), (2, "421 try again later")):
        OutgoingMail.objects.create(
            to="wai@example.com", subject="Confirm your mail address", body="A link.",
            created_at=at - DAY, due_at=at + 30 * DAY, attempts=attempts, error=error,
        )  # fmt: skip
    CompanyFacts.objects.update_or_create(
        company=company, defaults={"surveyed_at": at, "mail_waiting": 2, "mail_failed": 1}
    )


def _approvals(company: Company, at: dt.datetime) -> None:
    """One that the first operator may agree to, one that was refused."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        paul = User.objects.get(email=SECOND_OPERATOR)
        other = User.objects.exclude(pk=paul.pk).order_by("pk")[0]
        for reason in ("The owner asked by phone", "Not paid since May"):
            row = approvals.ask(
                act_key="suspend", company_ids=[company.pk], reason=reason, typed=company.slug,
                actor=paul, at=at - 60 * MINUTE,
            )  # fmt: skip
        approvals.refuse(approval_id=row.pk, actor=other, at=at - 50 * MINUTE)
        assert Approval.objects.count() == 2


def _support(company: Company, scope: Scope, at: dt.datetime) -> None:
    """A visit that is over; the owner was asked and let the operator in."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        paul = User.objects.get(email=SECOND_OPERATOR)
        wish = support.ask(
            company_id=company.pk, reason="An import stands still", minutes=60, actor=paul,
            at=at - 3 * DAY,
        )  # fmt: skip
    with tenancy.unit_of_work(scope):
        owner = User.objects.get(role__key="owner")
        visit = SupportVisit.objects.get(key=wish.pk)
        visits.grant(visit_id=visit.pk, may_write=False, actor=owner, at=at - 3 * DAY)
        visits.end(visit_id=visit.pk, actor=owner, at=at - 3 * DAY + 20 * MINUTE)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        assert SupportRequest.objects.get().state == SupportRequest.State.ENDED


def _configuration(scope: Scope, at: dt.datetime) -> None:
    """A team, a key, and a contact in the trash."""
    with tenancy.unit_of_work(scope):
        owner = User.objects.get(role__key="owner")
        north = teams.create_team(name="North", parent=None, actor=owner, at=at)
        teams.create_team(name="Taipei", parent=north, actor=owner, at=at)
        tokens.make_token(user=owner, name="Web shop", scope="read", days=90, at=at)
        gone = create_contact(
            values={"last_name": "Twice", "email": "twice@example.com"}, actor=owner, at=at
        )
        records.delete_records(kind=record_type("contact"), ids=[gone.pk], actor=owner, at=at)
