"""What operators read of renting: one account whole, who owes what since when, what is earned.

Everything runs in the platform's open unit of work and changes nothing.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from django.db.models import (
    BigIntegerField,
    Case,
    CharField,
    Count,
    Exists,
    F,
    Min,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Concat, Greatest, Left

from billing.currencies import charged
from billing.invoicing import owed
from billing.models import (
    Account,
    BillingEntry,
    CreditNote,
    Invoice,
    Payment,
    Plan,
    PlanVersion,
    Subscription,
)
from tenants.models import Company

DAY = dt.timedelta(days=1)
ENTRIES_SHOWN, BILLS_SHOWN, PAYMENTS_SHOWN = 100, 60, 100
RECENT = 30 * DAY

OWED: Greatest = Greatest(
    F("total") - F("paid") - F("credited"), Value(0), output_field=BigIntegerField()
)
"""What an open invoice still asks for, as `invoicing.owed` counts it."""

NOT_DUE, DUE, LATE, VERY_LATE, LOST = "not_due", "due", "late", "very_late", "lost"
AGES: dict[str, tuple[int | None, int | None]] = {
    # whole days since the due date: from, up to but not with
    NOT_DUE: (None, 0), DUE: (0, 1), LATE: (1, 15), VERY_LATE: (15, 45), LOST: (45, None),
}  # fmt: skip
"""How late a bill is: not due yet, due since less than a day, 1-14, 15-44, 45 days and more."""


# -- one company ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Summary:
    """How a company stands in one glance; `subscription` is None when it rents nothing now."""

    account: Account
    subscription: Subscription | None
    owed: int
    late: int


def get_account(company_id: UUID) -> Account | None:
    return Account.objects.select_related("company").filter(company_id=company_id).first()


def summary_of(company_id: UUID, *, at: dt.datetime) -> Summary | None:
    """None before the company has an account. Three queries, one without an account."""
    account = get_account(company_id)
    if account is None:
        return None
    subscription = (
        Subscription.objects.select_related("price__version__plan")
        .filter(account=account, ended_at=None).first()
    )  # fmt: skip
    sums = Invoice.objects.filter(account=account, state=Invoice.State.OPEN).aggregate(
        owed=Sum(OWED), late=Sum(OWED, filter=Q(due_at__lte=at))
    )
    return Summary(account, subscription, sums["owed"] or 0, sums["late"] or 0)


@dataclass(frozen=True, slots=True)
class Bill:
    """An invoice with its lines and credit notes; `credible` is what could be credited yet."""

    invoice: Invoice
    owed: int
    is_late: bool
    credible: int


def bills_of(account: Account, *, at: dt.datetime) -> list[Bill]:
    """The newest invoices. Three queries."""
    notes = Prefetch("credit_notes", queryset=CreditNote.objects.order_by("at", "pk"))
    rows = account.invoices.prefetch_related("lines", notes).order_by("-issued_at", "-pk")
    return [
        Bill(row, owed(row), owed(row) > 0 and row.due_at <= at,
             0 if row.state == Invoice.State.VOID else max(row.total - row.credited, 0))
        for row in rows[:BILLS_SHOWN]
    ]  # fmt: skip


def payments_of(account: Account) -> list[tuple[Payment, bool]]:
    """The newest payments, each with whether it can be undone. One query."""
    counter = Payment.objects.filter(
        account_id=OuterRef("account_id"), received_on=OuterRef("received_on"),
        amount=Value(0) - OuterRef("amount"),
        reference=Left(Concat(Value("-"), OuterRef("reference")), 120),
    )  # fmt: skip
    rows = account.payments.select_related("invoice").annotate(countered=Exists(counter))
    return [(row, row.amount > 0 and not _is_undone(row)) for row in rows[:PAYMENTS_SHOWN]]


def _is_undone(row: Payment) -> bool:
    return bool(getattr(row, "countered", False))


def entries_of(account: Account) -> list[BillingEntry]:
    """The account's history, newest first. One query."""
    return list(account.entries.all()[:ENTRIES_SHOWN])


def get_payment(payment_id: int) -> Payment | None:
    return Payment.objects.select_related("account__company").filter(pk=payment_id).first()


def get_invoice(invoice_id: int) -> Invoice | None:
    return Invoice.objects.select_related("account__company").filter(pk=invoice_id).first()


def open_invoices(account: Account) -> list[Invoice]:
    """What the account has to pay, the oldest first. One query."""
    return list(account.invoices.filter(state=Invoice.State.OPEN).order_by("due_at", "pk"))


# -- who owes what -------------------------------------------------------------------------------


def _of_age(age: str, at: dt.datetime, prefix: str = "") -> Q:
    """Invoices whose due date lies as long ago as `age` says."""
    first, end = AGES[age]
    found = Q()
    if first is not None:
        found &= Q(**{f"{prefix}due_at__lte": at - first * DAY})
    if end is not None:
        found &= Q(**{f"{prefix}due_at__gt": at - end * DAY})
    return found


def debtors(*, at: dt.datetime, text: str = "", age: str = "") -> QuerySet[Account]:
    """Accounts with open invoices, the longest unpaid first.

    Each with `oldest_due`, `owed_all` and one `owed_<age>` for each of `AGES` (None: nothing),
    its company, and its open invoices in `open_bills`, oldest first. Two queries for a page.
    `text` is a part of an invoice's number or of the company's name; an unknown `age` asks for
    nothing.
    """
    bills = Invoice.objects.filter(state=Invoice.State.OPEN).order_by("due_at", "pk")
    asked = Greatest(
        F("invoices__total") - F("invoices__paid") - F("invoices__credited"), Value(0),
        output_field=BigIntegerField(),
    )  # fmt: skip
    is_open = Q(invoices__state=Invoice.State.OPEN)
    found = Account.objects.filter(Exists(bills.filter(account_id=OuterRef("pk"))))
    if text:
        numbered = bills.filter(account_id=OuterRef("pk"), number__icontains=text)
        found = found.filter(
            Exists(numbered) | Q(company__name__icontains=text) | Q(legal_name__icontains=text)
        )
    if age in AGES:
        found = found.filter(Exists(bills.filter(_of_age(age, at), account_id=OuterRef("pk"))))
    sums = {
        f"owed_{each}": Sum(asked, filter=is_open & _of_age(each, at, "invoices__"))
        for each in AGES
    }
    return (
        found.select_related("company").annotate(
            oldest_due=Min("invoices__due_at", filter=is_open),
            owed_all=Sum(asked, filter=is_open), **sums,
        )
        .prefetch_related(Prefetch("invoices", queryset=bills, to_attr="open_bills"))
        .order_by("oldest_due", "pk")
    )  # fmt: skip


def owed_by_age(*, at: dt.datetime) -> dict[str, dict[str, tuple[int, int]]]:
    """{age: {currency: (amount, invoices)}} of every open invoice; each age is there. One query."""
    ages = Case(
        *(When(_of_age(each, at), then=Value(each)) for each in AGES), output_field=CharField()
    )
    rows = (
        Invoice.objects.filter(state=Invoice.State.OPEN).annotate(age=ages)
        .values("age", "currency").annotate(amount=Sum(OWED), count=Count("pk"))
        .order_by("currency")
    )  # fmt: skip
    found: dict[str, dict[str, tuple[int, int]]] = {each: {} for each in AGES}
    for row in rows:
        found[row["age"]][row["currency"]] = (row["amount"], row["count"])
    return found


# -- plans ---------------------------------------------------------------------------------------


def get_plan(plan_id: int) -> Plan | None:
    return Plan.objects.filter(pk=plan_id).first()


def versions_of(plan: Plan) -> list[PlanVersion]:
    """Every version, the newest first, with `rented` and its prices. Two queries."""
    live = Count("prices__subscriptions", filter=Q(prices__subscriptions__ended_at=None))
    return list(plan.versions.annotate(rented=live).prefetch_related("prices"))


def draft_of(plan: Plan) -> PlanVersion | None:
    """The version that is being written, with its prices and plan."""
    rows = plan.versions.select_related("plan").prefetch_related("prices")
    return rows.filter(state=PlanVersion.State.DRAFT).first()


def published_of(plan: Plan) -> PlanVersion | None:
    """The version that is offered, with its prices and plan."""
    rows = plan.versions.select_related("plan").prefetch_related("prices")
    return rows.filter(state=PlanVersion.State.PUBLISHED).first()


def get_version(version_id: int) -> PlanVersion | None:
    rows = PlanVersion.objects.select_related("plan").prefetch_related("prices")
    return rows.filter(pk=version_id).first()


# -- what is earned ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Earned:
    """What one currency brings a month, without tax, and from whom."""

    currency: str
    mrr: int
    companies: int
    seats: int

    @property
    def arpa(self) -> int:
        """MRR a company, in whole steps of the currency."""
        return charged(self.mrr, self.companies, self.currency) if self.companies else 0


@dataclass(frozen=True, slots=True)
class Metrics:
    """`begun` and `ended` count subscriptions of the last 30 days."""

    by_currency: tuple[Earned, ...]
    begun: int
    ended: int

    @property
    def companies(self) -> int:
        return sum(each.companies for each in self.by_currency)

    @property
    def seats(self) -> int:
        return sum(each.seats for each in self.by_currency)


def metrics(*, at: dt.datetime) -> Metrics:
    """What renting brings as it stands now, and how it moved in the last 30 days. Two queries.

    Counted are live subscriptions of companies that are active or past due: what a company pays
    for a year counts a twelfth a month, taxes and added-seat bills do not count.
    """
    rows = (
        Subscription.objects.filter(
            ended_at=None,
            account__company__state__in=(Company.State.ACTIVE, Company.State.PAST_DUE),
        )
        .values("price__currency", "price__interval")
        .annotate(amount=Sum(F("price__unit_amount") * F("seats")), companies=Count("pk"),
                  taken=Sum("seats"))
        .order_by("price__currency")
    )  # fmt: skip
    recent = Subscription.objects.aggregate(
        begun=Count("pk", filter=Q(created_at__gt=at - RECENT, created_at__lte=at)),
        ended=Count("pk", filter=Q(ended_at__gt=at - RECENT, ended_at__lte=at)),
    )
    by_currency: dict[str, list[Mapping[str, int]]] = {}
    for row in rows:
        # In twelfths of a month's amount, so that it is rounded once a currency.
        twelfths = row["amount"] * (12 if row["price__interval"] == "month" else 1)
        by_currency.setdefault(row["price__currency"], []).append(
            {"twelfths": twelfths, "companies": row["companies"], "seats": row["taken"]}
        )
    earned = tuple(
        Earned(
            code, charged(sum(each["twelfths"] for each in parts), 12, code),
            sum(each["companies"] for each in parts), sum(each["seats"] for each in parts),
        )
        for code, parts in by_currency.items()
    )  # fmt: skip
    return Metrics(earned, recent["begun"], recent["ended"])
