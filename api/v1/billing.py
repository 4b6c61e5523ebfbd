"""What the company rents and pays, for programs of those who may see it; and the price list."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from rest_framework.decorators import action
from rest_framework.request import Request

from api import paging
from api.afterwards import answer_afterwards
from api.base import ApiViewSet, demand_no_query
from api.errors import WrongFields
from api.v1.bodies import demand_object
from api.v1.money import amount_text, counted_amount, invoice_facts, price_facts, quote_facts
from api.v1.shapes import Json, moment_text
from billing import standing
from billing.catalogue import name_of
from billing.models import PendingChange
from billing.pdf import invoice_pdf
from billing.seats import services as seats
from billing.standing import Standing
from crm_core.web import billing as services
from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import Conflict, Invalid

MOST_SEATS = 1_000_000


class PayersViewSet(ApiViewSet):
    """For owners, and whose role may manage billing."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        services.demand_payer(self.user)


class BillingViewSet(PayersViewSet):
    """What is rented, what comes next, and more seats: a quote first, then the same amount."""

    def list(self, request: Request) -> HttpResponse:
        demand_no_query(request)
        scope, at = tenancy.current_company(), timezone.now()
        held = seats.standing(at=at)
        return answer_afterwards(
            lambda: _standing(standing.standing_of(scope.id, at=at), scope.state, held)
        )

    @action(detail=False, methods=["post"])
    def quotes(self, request: Request) -> HttpResponse:
        demand_no_query(request)
        count, at = _seats_in(request.data), timezone.now()

        def build() -> Json:
            quote, sealed = services.quote_seats(count=count, actor=self.user, at=at)
            return quote_facts(quote, sealed)

        return answer_afterwards(build)

    @action(detail=False, methods=["post"])
    def changes(self, request: Request) -> HttpResponse:
        demand_no_query(request)
        scope, at = tenancy.current_company(), timezone.now()
        sealed, total = _agreed_in(request.data)

        def build() -> Json:
            # The quote is a moment: what it comes to is the same both times.
            shown, code = standing.agreed_total(scope.id, sealed, at=at)
            if counted_amount(total, code) != shown:
                raise Conflict(_("This is not the amount of the quote. Ask for a new one."))
            made = services.accept(quote=sealed, actor=self.user, at=at, channel="api")
            if made.invoice is None or made.pay_at:
                raise Conflict(_("The card has not paid yet. Pay it on the billing page: the seats"
                                 " come then."))  # fmt: skip
            return invoice_facts(standing.invoice_of(scope.id, made.invoice.pk), request)

        return answer_afterwards(build, status=201)


class InvoiceViewSet(PayersViewSet):
    """Invoices with their lines, the newest first, and each as PDF."""

    def list(self, request: Request) -> HttpResponse:
        demand_no_query(request, *paging.PARAMETERS)
        given, scope = request.query_params, tenancy.current_company()
        limit, after = paging.limit_of(given), paging.opened("invoices", given)
        before = int(after) if after else None

        def build() -> Json:
            rows, has_more = standing.invoices_of(scope.id, limit=limit, before=before)
            with tenancy.choose(scope):
                last = paging.sealed("invoices", str(rows[-1].pk)) if has_more else ""
            total = standing.count_invoices(scope.id) if paging.wants_total(given) else None
            facts = [invoice_facts(row, request) for row in rows]
            return paging.envelope(request, facts, after=last, total=total)

        return answer_afterwards(build)

    def retrieve(self, request: Request, pk: str) -> HttpResponse:
        demand_no_query(request)
        scope = tenancy.current_company()
        return answer_afterwards(
            lambda: invoice_facts(standing.invoice_of(scope.id, int(pk)), request)
        )

    @action(detail=True, methods=["get"])
    def pdf(self, request: Request, pk: str) -> HttpResponse:
        demand_no_query(request)
        scope = tenancy.current_company()

        def build() -> HttpResponse:
            found = standing.invoice_of(scope.id, int(pk))
            if found.provider_id:
                return redirect(
                    services.bill_address(invoice_id=found.pk, is_pdf=True, actor=self.user)
                )
            response = HttpResponse(invoice_pdf(found), content_type="application/pdf")
            response["Content-Disposition"] = f'inline; filename="{found.number}.pdf"'
            return response

        return answer_afterwards(build)


class PriceViewSet(ApiViewSet):
    """The public price list."""

    def list(self, request: Request) -> HttpResponse:
        demand_no_query(request)

        def build() -> Json:
            facts = [price_facts(price) for price in standing.public_prices()]
            return paging.envelope(request, facts, after="")

        return answer_afterwards(build)


def _standing(found: Standing, state: str, held: seats.Seats) -> Json:
    """The company's rent; what there is nothing of is null."""
    rented, account, forecast = found.subscription, found.account, found.forecast
    code = account.currency if account else None
    next_bill = {
        "at": moment_text(forecast.on), "seats": forecast.seats, "currency": code,
        "amount": amount_text(forecast.total, code),
    } if forecast and code else None  # fmt: skip
    return {
        "state": state, "currency": code,
        "plan": rented.price.version.plan.key if rented else None,
        "plan_name": name_of(rented.price.version.plan.names, get_language()) if rented else None,
        "price": price_facts(rented.price) if rented else None,
        "seats": {"purchased": held.purchased, "used": held.used, "free": held.free},
        "period_start": moment_text(rented.period_start if rented else None),
        "period_end": moment_text(rented.period_end if rented else None),
        "ends_at": moment_text(rented.ends_at if rented else None),
        "planned": [_planned(change) for change in found.changes],
        "next_invoice": next_bill,
        "owed": amount_text(found.owed, code) if code else None,
        "balance": amount_text(account.balance, code) if account and code else None,
    }  # fmt: skip


def _planned(change: PendingChange) -> Json:
    is_seats = change.kind == PendingChange.Kind.SEATS
    return {
        "seats": change.target if is_seats else None,
        "price": None if is_seats else str(change.target),
        "at": moment_text(change.effective_at),
    }


def _demand_names(body: Any, *known: str) -> None:
    demand_object(body)
    wrong = [
        (name[:60], _("“%(name)s” cannot be changed here.") % {"name": name[:60]})
        for name in body
        if name not in known
    ]
    if wrong:
        raise WrongFields(wrong[:50])


def _seats_in(body: Any) -> int:
    """How many seats there shall be.

    Raises:
        Invalid: an unknown field, or no whole number.
    """
    _demand_names(body, "seats")
    count = body.get("seats")
    if not isinstance(count, int) or isinstance(count, bool) or not 0 < count <= MOST_SEATS:
        raise Invalid(_("Give a whole number."), field="seats")
    return count


def _agreed_in(body: Any) -> tuple[str, str]:
    """The sealed quote and the total that was agreed to, as text.

    Raises:
        Invalid: an unknown field, or one is missing or no text.
    """
    _demand_names(body, "quote", "total")
    for name in ("quote", "total"):
        if not isinstance(body.get(name), str) or len(body[name]) > 2000:
            raise Invalid(_("Send the text that the quote gave."), field=name)
    return body["quote"], body["total"]
