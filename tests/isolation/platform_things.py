"""One of each thing that the platform's own addresses name, and an operator to look at them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.utils import timezone

from billing.models import (
    Account,
    Command,
    Coupon,
    CreditGrant,
    Invoice,
    Payment,
    PlanMove,
    PlanVersion,
    ProviderEvent,
)
from crm_platform.console.models import Approval, SupportRequest, TaskFailure
from crm_platform.console.services.operators import make_operator
from crm_platform.identity.models import Invitation, MailToken, OutgoingMail, Session, User
from crm_platform.identity.onetime import hash_of
from crm_platform.kernel import tenancy
from crm_platform.signup.models import SignUp
from tenants.backups.models import Backup, RestoreRun
from tenants.models import DemoMail
from tenants.upgrades.models import Release, SchemaRun, Wave
from tests import factories
from tests.isolation import probes
from tests.isolation.blanks import LATER, NOON
from tests.isolation.companies import Twin

EMAIL = "matrix.operator@example.com"
SECRET = "p" * 43
THE_ID = 77_000_001
"""Every row here has it, so that each address is asked for one number and not for all of them."""


def _operator() -> tuple[str, str]:
    """The cookie of an operator who is signed in."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        make_operator(email=EMAIL, password="correct horse battery", reset=False, at=NOON)
        operator = User.objects.select_related("role").get(email=EMAIL)
    cookie = factories.session_cookie(tenancy.PLATFORM, operator)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        Session.objects.filter(user=operator).update(second_factor_at=timezone.now())
    return cookie


def _billed(own: Twin) -> tuple[Invoice, Payment]:
    """An invoice of the company, and a payment that came in."""
    account = Account.objects.create(
        company_id=own.scope.id, currency="USD", legal_name="Matrix", created_at=NOON
    )
    bill = Invoice.objects.create(
        id=THE_ID,
        account=account, number=f"M-{own.scope.id}", act_key=f"matrix:{own.scope.id}",
        currency="USD", language="en", issued_at=NOON, due_at=LATER, period_start=NOON,
        period_end=LATER, seller={}, buyer={}, net=100, total=100,
    )  # fmt: skip
    payment = Payment.objects.create(
        id=THE_ID,
        account=account, amount=100, currency="USD", received_on=NOON.date(), reference="matrix",
        by="Matrix", at=NOON,
    )  # fmt: skip
    return bill, payment


def _offered(bill: Invoice, version: PlanVersion) -> tuple[Coupon, CreditGrant, PlanMove]:
    """A coupon, credit that the company was given, a move between versions."""
    coupon = Coupon.objects.create(
        id=THE_ID, code=f"MATRIX-{bill.pk}", percent=10, by="Matrix", at=NOON
    )
    grant = CreditGrant.objects.create(
        id=THE_ID,
        account=bill.account, amount=100, left=100, currency="USD", reason="matrix", by="Matrix",
        at=NOON, agreed_at=NOON,
    )  # fmt: skip
    move = PlanMove.objects.create(
        id=THE_ID,
        source=version, target=version, holds_from=LATER, reason="matrix", asked_by="Matrix",
        asked_at=NOON, agreed_at=NOON,
    )  # fmt: skip
    return coupon, grant, move


def _told(account: Account) -> tuple[Command, ProviderEvent]:
    """A command that was given up, and an event."""
    command = Command.objects.create(
        id=THE_ID,
        account=account, kind="grant", payload={}, key=f"matrix{account.pk}", keyed_at=NOON,
        state="dead", not_before=LATER, by="Matrix", at=NOON,
    )  # fmt: skip
    event = ProviderEvent.objects.create(
        id=THE_ID,
        event_id=f"matrix{account.pk}", kind="matrix", happened_at=NOON, received_at=NOON,
        not_before=LATER,
    )  # fmt: skip
    return command, event


@contextmanager
def platform_things(own: Twin) -> Iterator[tuple[tuple[str, str], dict[str, list[Any]]]]:
    """The operator's cookie and the values for addresses; a sign-up bears the company's id."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        sign_up = SignUp.objects.create(
            id=own.scope.id, company_name="New", slug="new-one", name="N", email="n@example.com",
            password="x", language="en", time_zone="UTC", currency="USD",
            token_hash=hash_of(SECRET), created_at=timezone.now(), expires_at=LATER,
        )  # fmt: skip
        mail = DemoMail.objects.create(
            id=THE_ID, to="n@example.com", subject="Hello", body="Text", sent_at=timezone.now()
        )
        failure = TaskFailure.objects.create(
            id=THE_ID,
            key_hash=f"matrix{own.scope.id}", company_id=own.scope.id, task="matrix", error="E",
            first_at=NOON, last_at=NOON,
        )  # fmt: skip
        waiting = OutgoingMail.objects.create(
            id=THE_ID,
            to="n@example.com",
            subject="Hello",
            body="Text",
            created_at=NOON,
            due_at=LATER,
        )
        approval = Approval.objects.create(
            id=THE_ID,
            act="suspend", company_ids=[str(own.scope.id)], reason="matrix", asked_by_id=0,
            asked_by="Matrix", asked_at=NOON, expires_at=LATER,
        )  # fmt: skip
        release = Release.objects.create(
            version=SECRET[:40], built_at=NOON, head=[], script="", fingerprint="", state="stopped"
        )
        wave = Wave.objects.create(release=release, position=0, ring="rest")
        SchemaRun.objects.create(
            id=THE_ID, release=release, wave=wave, company_id=own.scope.id, state="failed"
        )
        wish = SupportRequest.objects.create(
            id=own.scope.id, company_id=own.scope.id, operator_id=0, operator_name="Matrix",
            reason="matrix", minutes=30, asked_at=NOON, state="granted", until=LATER,
            delivered_at=NOON,
        )  # fmt: skip
        backup = Backup.objects.create(
            id=own.scope.id, company_id=own.scope.id, state="failed", reason="asked", due_at=NOON,
            created_at=NOON,
        )  # fmt: skip
        restored = RestoreRun.objects.create(
            id=own.scope.id, backup=backup, company_id=own.scope.id, state="failed", kind="copy",
            new_id=own.scope.id, schema_name="t_matrix", started_at=NOON,
        )  # fmt: skip
        bill, payment = _billed(own)
        version = PlanVersion.objects.get(plan__key="standard", state="published")
        offered = (*_offered(bill, version), *_told(bill.account))
    cookie = _operator()
    with tenancy.unit_of_work(tenancy.PLATFORM):
        session = User.objects.get(email=EMAIL).sessions.latest("pk")
        MailToken.objects.create(
            purpose="reset", user=session.user, token_hash=hash_of(SECRET), created_at=NOON,
            expires_at=LATER,
        )  # fmt: skip
        invitation = Invitation.objects.create(
            id=THE_ID,
            email="invited@example.com", role=session.user.role, token_hash=hash_of(f"{SECRET}i"),
            created_at=NOON, expires_at=LATER,
        )  # fmt: skip
    numbers = {
        "int": [THE_ID, session.pk, session.user_id, version.pk, version.plan_id],
        "uuid": [own.scope.id],
        "str": [SECRET, SECRET[:40]],
    }
    yield cookie, {**probes.own_values(own), **numbers}
    with tenancy.unit_of_work(tenancy.PLATFORM):
        for row in (*offered, payment, bill, bill.account):
            row.delete()
        restored.delete()
        Backup.objects.filter(company_id=own.scope.id).delete()
        SignUp.objects.filter(pk=sign_up.pk).delete()
        DemoMail.objects.filter(pk=mail.pk).delete()
        Invitation.objects.filter(pk=invitation.pk).delete()
        TaskFailure.objects.filter(pk=failure.pk).delete()
        Approval.objects.filter(pk=approval.pk).delete()
        SupportRequest.objects.filter(pk=wish.pk).delete()
        release.delete()
        OutgoingMail.objects.filter(pk=waiting.pk).delete()
        MailToken.objects.filter(token_hash=hash_of(SECRET)).delete()
