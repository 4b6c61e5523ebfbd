"""Writing about money: bills, receipts, what is late, the end of a trial, what was cancelled.

Each letter goes once to each reader, whatever runs twice: what was written is kept under a key of
what it tells of. Letters are the platform's own mail, so that they also go out for a company that
nobody can write to. Of a bill the account's own address is told, else the owners.
"""

import dataclasses
import datetime as dt
import logging
from collections.abc import Callable, Iterable, Sequence
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError
from django.db.models import Exists, OuterRef
from django.utils import translation

from billing import letter_words
from billing.letter_words import Facts, Said
from billing.models import Account, BillingEntry, Invoice, Letter, Payment, Subscription
from billing.pdf import invoice_pdf
from billing.seats import services as seats
from crm_platform.identity.models import OutgoingMail
from crm_platform.identity.services import letters, people
from crm_platform.kernel import tenancy
from tenants import queries
from tenants.lifecycle import changes, states
from tenants.models import Company

logger = logging.getLogger("rapport.billing")
DAY = dt.timedelta(days=1)
NO_NEWS_AFTER = 7 * DAY
"""What is older is not told any more: a clock that stood still sends no letters of last month."""
SOON = 3 * DAY
SHOWN = 50
BILLING_PATH = "/settings/billing/"
Attached = tuple[str, bytes, str]


@dataclasses.dataclass(frozen=True, slots=True)
class Due:
    """A letter to be written: what it tells of, to whom, by which words."""

    key: str
    company_id: UUID
    words: Callable[[Facts], Said | None]
    about: int = 0
    """The invoice's, payment's or subscription's id; 0 for none."""
    goes_along: int | None = None
    """The invoice that is attached."""


def write_waiting(*, at: dt.datetime) -> int:
    """Write whatever is due; how many letters were written of. Idempotent."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        found = [due for ask in ASKING for due in ask(at)]
        keys = [due.key for due in found]
        known = set(Letter.objects.filter(key__in=keys).values_list("key", flat=True))
    written = 0
    for due in found:
        if due.key not in known:
            try:
                written += _write(due, at=at)
            except DatabaseError:
                logger.exception("The letter %s could not be written", due.key)
    return written


# -- what is due; in the platform's unit of work -------------------------------------------------


def _new_bills(at: dt.datetime) -> Iterable[Due]:
    rows = Invoice.objects.filter(issued_at__gt=at - NO_NEWS_AFTER, issued_at__lte=at)
    # A provider's bills are its own to send; what they say stands there.
    rows = rows.filter(provider_id="").exclude(state=Invoice.State.VOID).order_by("pk")
    for key, company_id in rows.values_list("pk", "account__company_id"):
        yield Due(f"invoice:{key}", company_id, letter_words.new_bill, key, key)


def _receipts(at: dt.datetime) -> Iterable[Due]:
    rows = Payment.objects.filter(at__gt=at - NO_NEWS_AFTER, at__lte=at, amount__gt=0)
    for key, company_id in rows.order_by("pk").values_list("pk", "account__company_id"):
        yield Due(f"payment:{key}", company_id, letter_words.receipt, key)


def _late(at: dt.datetime) -> Iterable[Due]:
    rows = Invoice.objects.filter(
        state=Invoice.State.OPEN, due_at__gt=at - NO_NEWS_AFTER, due_at__lte=at
    )
    found = rows.order_by("pk").values_list("pk", "account__company_id", "provider_id")
    for key, company_id, there in found:
        attached = None if there else key
        yield Due(f"late:{key}", company_id, letter_words.late, key, attached)


def _before_stopping(at: dt.datetime) -> Iterable[Due]:
    """Companies that become read-only, or are suspended, within three days for want of money."""
    rows = Company.objects.filter(
        state__in=(Company.State.PAST_DUE, Company.State.READ_ONLY), state_until__gt=at,
        state_until__lte=at + SOON, account__invoices__state=Invoice.State.OPEN,
        account__invoices__due_at__lte=at,
    )  # fmt: skip
    for key, until in rows.distinct().values_list("pk", "state_until"):
        yield Due(f"stopping:{key}:{until:%Y%m%dT%H%M%S}", key, letter_words.stopping)


def _trials(at: dt.datetime) -> Iterable[Due]:
    """Trials that end within three days; that one has ended `tenants.lifecycle.letters` tells."""
    rows = Company.objects.filter(
        state=Company.State.TRIAL, state_until__gt=at, state_until__lte=at + SOON, live=None
    )
    for key, until in rows.values_list("pk", "state_until"):
        yield Due(f"trial:{key}:{until:%Y%m%d}", key, letter_words.trial_ends)


def _cancelled(at: dt.datetime) -> Iterable[Due]:
    """Cancellations that still stand."""
    rows = BillingEntry.objects.filter(
        verb="cancelled", at__gt=at - NO_NEWS_AFTER, at__lte=at
    ).order_by("pk")
    for key, company_id in rows.values_list("pk", "account__company_id"):
        live = Subscription.objects.filter(
            account__company_id=company_id, ended_at=None, ends_at__isnull=False
        ).values_list("pk", flat=True)
        for subscription_id in live:
            yield Due(f"cancelled:{key}", company_id, letter_words.cancelled, subscription_id)


ASKING: Sequence[Callable[[dt.datetime], Iterable[Due]]] = (
    _new_bills, _receipts, _late, _before_stopping, _trials, _cancelled,
)  # fmt: skip


# -- one letter ----------------------------------------------------------------------------------


def _write(due: Due, *, at: dt.datetime) -> bool:
    """Write to each reader, unless another worker was faster."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        company = Company.objects.get(pk=due.company_id)
        account = Account.objects.filter(company_id=due.company_id).first()
        host = queries.primary_host_of(due.company_id)
    if company.state not in states.STANDING:
        return False
    owners, used = _of_company(company, host, at)
    readers = owners
    if account is not None:
        readers = [
            people.Owner(account.legal_name, account.email, account.language)
        ] if account.email else [
            dataclasses.replace(owner, language=account.language) for owner in owners
        ]  # fmt: skip
    with tenancy.unit_of_work(tenancy.PLATFORM):
        locked = changes.lock(due.company_id)
        if Letter.objects.filter(key=due.key).exists():
            return False
        address = f"{settings.ENVIRONMENT.address_of(host)}{BILLING_PATH}"
        facts = Facts(locked, account, address, due.about, used, at)
        return sum(_post(due, facts, reader) for reader in readers) > 0


def _of_company(company: Company, host: str, at: dt.datetime) -> tuple[list[people.Owner], int]:
    """Its owners and the seats in use, from its own schema."""
    scope = dataclasses.replace(queries.scope_of(company, host), writable=False)
    with tenancy.unit_of_work(scope):
        return people.owners(), seats.standing(at=at).used


def _post(due: Due, facts: Facts, reader: people.Owner) -> bool:
    with translation.override(reader.language):
        said = due.words(facts)
        if said is None:
            return False
        mail = letters.post(
            to=reader.email, subject=said.subject, at=facts.at,
            paragraphs=[letter_words.greeting(reader.name), *said.paragraphs],
        )  # fmt: skip
    Letter.objects.create(
        company_id=due.company_id, key=due.key, to=reader.email, delivery_id=mail.delivery_id,
        invoice_id=due.goes_along, at=facts.at,
    )  # fmt: skip
    return True


# -- for operators -------------------------------------------------------------------------------


def letters_of(company_id: UUID) -> list[tuple[Letter, bool]]:
    """The newest letters to a company, each with whether it still waits to be sent. One query."""
    waiting = OutgoingMail.objects.filter(delivery_id=OuterRef("delivery_id"), sent_at=None)
    rows = (
        Letter.objects.filter(company_id=company_id).select_related("invoice")
        .annotate(waits=Exists(waiting)).order_by("-at", "-pk")
    )  # fmt: skip
    return [(row, row.waits) for row in rows[:SHOWN]]


# -- what goes with a mail -----------------------------------------------------------------------


def files_of(delivery_id: UUID) -> list[Attached]:
    """The files (name, content, type) of a mail that is being sent: the invoice it tells of."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        letter = (
            Letter.objects.select_related("invoice").prefetch_related("invoice__lines")
            .filter(delivery_id=delivery_id, invoice__isnull=False).first()
        )  # fmt: skip
    if letter is None or letter.invoice is None:
        return []
    return [(f"{letter.invoice.number}.pdf", invoice_pdf(letter.invoice), "application/pdf")]
