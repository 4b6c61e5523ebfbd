"""What operators do to accounts and plans: each act is billing's own service and one entry."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from billing import catalogue, operating, paying, tasks
from billing.catalogue import PriceFacts
from billing.models import Account, CreditNote, Payment, Plan, PlanVersion
from crm_platform.console import rules
from crm_platform.console.amounts import said
from crm_platform.console.services import audit
from crm_platform.identity.models import User
from crm_platform.kernel.errors import NotFound
from crm_platform.kernel.tasks import later


def _note(
    verb: str, account: Account, *, actor: User, at: dt.datetime, reason: str = "", **facts: Any
) -> None:
    audit.record(
        actor=actor, verb=verb, at=at, object_type="account", object_id=account.pk,
        title=account.company.name, company_id=account.company_id, reason=reason.strip(),
        facts=facts,
    )  # fmt: skip


# -- money ---------------------------------------------------------------------------------------


@transaction.atomic
def record_transfer(
    *, company_id: UUID, amount: int, received_on: dt.date, reference: str, actor: User,
    at: dt.datetime, invoice_id: int | None = None,
) -> Payment | None:  # fmt: skip
    """Enter what came in from a company, in counted units of its account's currency.

    None: a provider keeps its books and is told.

    Raises:
        NotAllowed: the actor's role does not allow it.
        NotFound: the company has no account, or no such invoice.
        Invalid, Conflict: as `billing.paying.record_transfer`.
    """
    rules.demand(actor, "billing.act")
    account = operating.get_account(company_id)
    if account is None:
        raise NotFound(_("This company has no account: it never rented anything."))
    payment = paying.record_transfer(
        account_id=account.pk, amount=amount, received_on=received_on, reference=reference,
        invoice_id=invoice_id, by=actor.name, at=at,
    )  # fmt: skip
    invoice = operating.get_invoice(invoice_id) if invoice_id is not None else None
    _note(
        "billing.transfer_recorded", account, actor=actor, at=at,
        amount=said(amount, account.currency), received_on=received_on.isoformat(),
        reference=reference.strip(), invoice=invoice.number if invoice else "",
    )  # fmt: skip
    if payment is None:
        later(tasks.tell_providers)
    return payment


@transaction.atomic
def undo_payment(*, payment_id: int, reason: str, actor: User, at: dt.datetime) -> Payment:
    """Undo a payment that was recorded by mistake.

    Raises:
        NotAllowed: the actor's role does not allow it.
        NotFound, Conflict, Invalid: as `billing.paying.reverse`.
    """
    rules.demand(actor, "billing.act")
    counter = paying.reverse(payment_id=payment_id, reason=reason, by=actor.name, at=at)
    account = counter.account
    _note(
        "billing.payment_undone", account, actor=actor, at=at, reason=reason,
        amount=said(-counter.amount, counter.currency),
        reference=counter.reference.removeprefix("-"),
    )  # fmt: skip
    return counter


@transaction.atomic
def credit_invoice(
    *, invoice_id: int, amount: int, reason: str, actor: User, at: dt.datetime
) -> CreditNote | None:
    """Take back a part of an invoice, in counted units of its currency.

    None: a provider keeps its books and is told.

    Raises:
        NotAllowed: the actor's role does not allow it.
        Invalid, Conflict: as `billing.paying.credit`.
    """
    rules.demand(actor, "billing.act")
    note = paying.credit(invoice_id=invoice_id, amount=amount, reason=reason, by=actor.name, at=at)
    invoice = operating.get_invoice(invoice_id)
    if invoice is None:
        raise NotFound(_("There is no such invoice."))
    _note(
        "billing.invoice_credited", invoice.account, actor=actor, at=at, reason=reason,
        amount=said(amount, invoice.currency), invoice=invoice.number,
        credit_note=note.number if note else "",
    )  # fmt: skip
    if note is None:
        later(tasks.tell_providers)
    return note


# -- plans ---------------------------------------------------------------------------------------


def _note_plan(
    verb: str, plan: Plan, *, actor: User, at: dt.datetime, facts: Mapping[str, Any]
) -> None:
    audit.record(
        actor=actor, verb=verb, at=at, object_type="plan", object_id=plan.pk,
        title=catalogue.name_of(plan.names, "en"), facts=dict(facts),
    )  # fmt: skip


@transaction.atomic
def add_plan(
    *, key: str, names: Mapping[str, str], is_public: bool, actor: User, at: dt.datetime
) -> Plan:
    """Make a plan with an empty draft.

    Raises:
        NotAllowed: the actor's role does not allow it.
        Invalid: as `billing.catalogue.add_plan`.
    """
    rules.demand(actor, "billing.plans")
    plan = catalogue.add_plan(key=key, names=names, is_public=is_public)
    _note_plan("plan.added", plan, actor=actor, at=at, facts={"key": key})
    return plan


@transaction.atomic
def draft_plan(*, plan_id: int, actor: User, at: dt.datetime) -> PlanVersion:
    """Begin the next version of a plan; one that is drafted already is given back.

    Raises:
        NotAllowed: the actor's role does not allow it.
        NotFound: there is no such plan.
    """
    rules.demand(actor, "billing.plans")
    plan = operating.get_plan(plan_id)
    had_one = plan is not None and operating.draft_of(plan) is not None
    version = catalogue.draft(plan_id=plan_id)
    if plan is not None and not had_one:
        _note_plan("plan.drafted", plan, actor=actor, at=at, facts={"version": version.number})
    return version


@transaction.atomic
def change_draft(
    *, version_id: int, prices: Sequence[PriceFacts], limits: Mapping[str, int], actor: User,
    at: dt.datetime,
) -> PlanVersion:  # fmt: skip
    """Write a draft's prices and limits anew.

    Raises:
        NotAllowed: the actor's role does not allow it.
        NotFound, Conflict, Invalid: as `billing.catalogue.change_draft`.
    """
    rules.demand(actor, "billing.plans")
    before = operating.get_version(version_id)
    catalogue.change_draft(version_id=version_id, prices=prices, limits=limits)
    after = operating.get_version(version_id)
    if before is None or after is None:
        raise NotFound(_("There is no such version of a plan."))
    changes = catalogue.difference(before, after)
    if changes:
        told = {key: [_told(key, old), _told(key, new)] for key, old, new in changes}
        facts = {"version": after.number, **told}
        _note_plan("plan.changed", after.plan, actor=actor, at=at, facts=facts)
    return after


def _told(key: str, value: Any) -> Any:
    """A price as an amount, not as counted units; the rest as it is."""
    kind, _sign, rest = key.partition(":")
    return said(value, rest.partition(":")[0]) if kind == "price" and value is not None else value


@transaction.atomic
def publish_plan(*, version_id: int, actor: User, at: dt.datetime) -> PlanVersion:
    """Offer a draft from now on; who rents keeps the version they have.

    Raises:
        NotAllowed: the actor's role does not allow it.
        NotFound, Conflict, Invalid: as `billing.catalogue.publish`.
    """
    rules.demand(actor, "billing.plans")
    version = catalogue.publish(version_id=version_id, at=at)
    _note_plan(
        "plan.published", version.plan, actor=actor, at=at, facts={"version": version.number}
    )
    return version
