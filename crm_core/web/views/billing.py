"""What the company rents and pays: its page, the price before each change, its invoices.

They show the platform's rows, so they are built afterwards.
"""

import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from billing import catalogue, selling, standing
from billing.announcing import price_words
from billing.currencies import shown
from billing.models import Account, Price
from billing.proration import YEAR
from billing.providers import MANUAL, has_stripe
from billing.quotes import Quote
from billing.seats import services as seats
from billing.standing import Standing
from billing.subscribing import Buyer
from crm_core.fields.requests import StaffRequest
from crm_core.web import billing as services
from crm_core.web import forms, usage
from crm_core.web.billing_words import bill_words, change_words, coupon_words, line_words
from crm_core.web.settings_nav import settings_nav
from crm_core.web.views.leaving_for import address_of_page, leave
from crm_platform.identity.decorators import sign_in_required
from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import DomainError, Invalid
from crm_platform.ui.afterwards import afterwards
from crm_platform.ui.answers import refusals_on
from crm_platform.ui.toast import toast

View = Callable[..., HttpResponse]
TOTAL = "shown_total"


def payers_only(view: View) -> View:
    """Run `view` for those who decide what the company pays."""

    @sign_in_required
    @wraps(view)
    def guarded(request: StaffRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        services.demand_payer(request.user)
        return view(request, *args, **kwargs)

    return guarded


def _context(request: StaffRequest, found: Standing) -> dict[str, Any]:
    now = timezone.now()
    subscription, forecast = found.subscription, found.forecast
    code = subscription.price.currency if subscription else ""
    language = get_language() or "en"

    def money(amount: int) -> str:
        return shown(amount, code, language)

    context: dict[str, Any] = {
        "standing": found, "has_card": has_stripe(),
        "card": found.account.card if found.account else {},
        "by_card": found.account is not None and found.account.provider != MANUAL,
        "subscription": subscription, "seats": seats.standing(at=now),
        "idle": seats.idle(since=now - services.IDLE), "seller": selling.seller(),
        "settings_nav": settings_nav(request, "billing"), "usages": usage.usages(),
        "bills": [
            (bill, shown(bill.invoice.total, bill.invoice.currency, language),
             shown(bill.owed, bill.invoice.currency, language), bill_words(bill.invoice.state))
            for bill in found.bills
        ],
    }  # fmt: skip
    if subscription and found.account:
        context |= {
            "plan": catalogue.name_of(subscription.price.version.plan.names),
            "price": price_words(subscription.price),
            "each_period": money(subscription.price.unit_amount * subscription.seats),
            "owed": money(found.owed) if found.owed else "",
            "balance": money(found.account.balance) if found.account.balance else "",
            "changes": [
                (c, change_words(c, found.planned_price), c.pk in found.announced)
                for c in found.changes
            ],
            "coupon": coupon_words(found.coupon, language) if found.coupon else "",
            "credit": money(found.credit) if found.credit else "",
            "forecast": forecast,
            "forecast_total": money(forecast.total) if forecast else "",
            "forecast_off": money(forecast.coupon + forecast.credit)
            if forecast and (forecast.coupon or forecast.credit) else "",
            "others": [
                (offer, price_words(offer)) for offer in found.offers
                if offer.currency == code and offer.pk != subscription.price_id
            ],
        }  # fmt: skip
    return context


def _page(
    request: StaffRequest, *, rent: forms.RentForm | None = None,
    buyer: forms.BuyerForm | None = None, fault: str = "",
) -> HttpResponse:  # fmt: skip
    scope, at = tenancy.current_company(), timezone.now()
    found = standing.standing_of(scope.id, at=at)
    with tenancy.unit_of_work(scope):
        context = _context(request, found)
        if found.subscription is None:
            context["rent_form"] = rent or _rent_form(found, scope, context["seats"].used)
        else:
            context["buyer_form"] = buyer or forms.BuyerForm(initial=_buyer_of(found))
        context["fault"] = fault
        bound = fault or (rent and rent.errors) or (buyer and buyer.errors)
        return render(request, "web/billing.html", context, status=422 if bound else 200)


def _prices(found: Standing) -> list[tuple[int, str]]:
    fixed = found.account.currency if found.account and found.bills else ""
    return [(p.pk, price_words(p)) for p in found.offers if fixed in ("", p.currency)]


def _rent_form(found: Standing, scope: tenancy.Scope, used: int) -> forms.RentForm:
    own = [p.pk for p in found.offers if p.currency == scope.currency]
    initial = {"price": own[0] if own else None, "seats": max(used, 1), "legal_name": scope.name,
               **_buyer_of(found)}  # fmt: skip
    return forms.RentForm(initial=initial, prices=_prices(found), has_card=has_stripe())


def _buyer_of(found: Standing) -> dict[str, str]:
    account = found.account
    if account is None:
        return {}
    names = ("legal_name", "address", "country", "email", "tax_id_kind", "tax_id")
    return {name: getattr(account, name) for name in names}


def _buyer(data: dict[str, Any]) -> Buyer:
    names = ("legal_name", "address", "country", "email", "tax_id_kind", "tax_id")
    return Buyer(**{name: data[name] for name in names})


@require_safe
@payers_only
def billing(request: StaffRequest) -> HttpResponse:
    """The plan, the seats, what comes next, the invoices. `?paid=1`: back from a paid page."""

    def answer() -> HttpResponse:
        if "paid" in request.GET:
            services.look_again(actor=request.user, at=timezone.now())
        return _page(request)

    return afterwards(answer)


# -- beginning -----------------------------------------------------------------------------------


@require_POST
@payers_only
def check(request: StaffRequest) -> HttpResponse:
    """Show what renting would cost, before anything is agreed to."""
    return afterwards(lambda: _begin(request, is_agreed=False))


@require_POST
@payers_only
def start(request: StaffRequest) -> HttpResponse:
    """Begin to rent, as it was shown."""
    return afterwards(lambda: _begin(request, is_agreed=True))


def _begin(request: StaffRequest, *, is_agreed: bool) -> HttpResponse:
    scope, at = tenancy.current_company(), timezone.now()
    found = standing.standing_of(scope.id, at=at)
    form = forms.RentForm(request.POST, prices=_prices(found), has_card=has_stripe())
    if not form.is_valid():
        return _page(request, rent=form)
    data = form.cleaned_data
    with refusals_on(form):
        if is_agreed:
            address = services.start(
                price_id=data["price"], count=data["seats"], buyer=_buyer(data),
                coupon=data["coupon"], shown=_shown_total(request),
                provider=data.get("way") or MANUAL, back=address_of_page(request),
                actor=request.user, at=at,
            )  # fmt: skip
            if address:
                return leave(request, address)
            return toast(redirect("web:billing"), _("Thank you. Your company is rented."))
        preview = services.check(
            price_id=data["price"], count=data["seats"], buyer=_buyer(data), coupon=data["coupon"],
            provider=data.get("way") or MANUAL, actor=request.user, at=at,
        )  # fmt: skip
    if form.errors:
        return _page(request, rent=form)
    by_card = data.get("way", MANUAL) != MANUAL
    return _confirm(
        request, title=_("Rent from today"), lines=line_words(preview.lines),
        tax=0 if by_card else preview.due_now.tax, price=preview.price, action="web:billing_start",
        hidden={**request.POST.dict(), TOTAL: str(preview.due_now.total)},
        way="checkout" if by_card else "invoice",
    )  # fmt: skip


def _shown_total(request: StaffRequest) -> int | None:
    said = request.POST.get(TOTAL, "")
    return int(said) if re.fullmatch(r"-?[0-9]{1,18}", said) else None


def _confirm(
    request: StaffRequest, *, title: str, lines: list[tuple[str, int]], tax: int, price: Price,
    hidden: Any, action: str, then: int | None = None, way: str,
) -> HttpResponse:  # fmt: skip
    """`way`: "invoice", "checkout" (the card is given next) or "card" (it is charged now)."""
    language, code = get_language() or "en", price.currency
    net = sum(amount for _words, amount in lines)
    kept = [(k, v) for k, v in hidden.items() if k != "csrfmiddlewaretoken"]
    scope = tenancy.current_company()
    allowed = standing.would_hold(scope.id, price)
    with tenancy.unit_of_work(scope):
        context = {
            "above": usage.above(allowed),
            "title": title, "price": price_words(price),
            "lines": [(words, shown(amount, code, language)) for words, amount in lines],
            "tax": shown(tax, code, language) if tax else "",
            "total": shown(net + tax, code, language), "is_credit": net + tax < 0,
            "due_days": selling.due_days(), "hidden": kept, "way": way, "action": action,
            "then": shown(then, code, language) if then is not None else "",
            "settings_nav": settings_nav(request, "billing"),
        }  # fmt: skip
        return render(request, "web/billing_confirm.html", context)


# -- changing ------------------------------------------------------------------------------------


def refused_on_page(request: StaffRequest, act: Callable[[], HttpResponse]) -> HttpResponse:
    """The answer of `act`; a refusal stands at the head of the page."""

    def answer() -> HttpResponse:
        try:
            return act()
        except DomainError as refusal:
            return _page(request, fault=str(refusal))

    return afterwards(answer)


def _number(request: StaffRequest, name: str) -> int:
    said = request.POST.get(name, "")
    if not said.isascii() or not said.isdigit() or len(said) > 9:
        raise Invalid(_("Give a whole number."), field=name)
    return int(said)


@require_POST
@payers_only
def change_seats(request: StaffRequest) -> HttpResponse:
    """More seats: show the price first. Fewer: from the next period on."""

    def act() -> HttpResponse:
        count, at = _number(request, "seats"), timezone.now()
        found = standing.standing_of(tenancy.current_company().id, at=at)
        if found.subscription and count < found.subscription.seats:
            services.reduce_seats(count=count, actor=request.user, at=at)
            return toast(redirect("web:billing"), _("Fewer seats from the next period on"))
        quote, sealed = services.quote_seats(count=count, actor=request.user, at=at)
        return _quoted(request, quote, sealed, _("Add seats"), found.account)

    return refused_on_page(request, act)


@require_POST
@payers_only
def change_price(request: StaffRequest) -> HttpResponse:
    """By the year instead of the month: now. Back: from the next period on."""

    def act() -> HttpResponse:
        price_id, at = _number(request, "price"), timezone.now()
        quote, sealed = services.quote_price(price_id=price_id, actor=request.user, at=at)
        if quote.price.interval == YEAR:
            account = standing.standing_of(tenancy.current_company().id, at=at).account
            return _quoted(request, quote, sealed, _("Pay by the year from today"), account)
        services.plan_price(price_id=price_id, actor=request.user, at=at)
        return toast(redirect("web:billing"), _("From the next period on"))

    return refused_on_page(request, act)


def _quoted(
    request: StaffRequest, quote: Quote, sealed: str, title: str, account: Account | None
) -> HttpResponse:
    return _confirm(
        request, title=title, lines=line_words(quote.lines),
        tax=quote.due_now.tax, price=quote.price, hidden={"quote": sealed},
        action="web:billing_accept", then=quote.next_net,
        way="card" if account and account.provider != MANUAL else "invoice",
    )  # fmt: skip


@require_POST
@payers_only
def accept(request: StaffRequest) -> HttpResponse:
    """Make the change that was shown."""

    def act() -> HttpResponse:
        quote = request.POST.get("quote", "")
        found = services.accept(quote=quote, actor=request.user, at=timezone.now())
        if found.pay_at:
            return leave(request, found.pay_at, is_unpaid=True)
        return toast(redirect("web:billing"), _("Done. The invoice is below."))

    return refused_on_page(request, act)


@require_POST
@payers_only
def take_back(request: StaffRequest) -> HttpResponse:
    """Leave things as they are."""

    def act() -> HttpResponse:
        change_id = _number(request, "change")
        services.take_back(change_id=change_id, actor=request.user, at=timezone.now())
        return toast(redirect("web:billing"), _("It stays as it is"))

    return refused_on_page(request, act)


@require_POST
@payers_only
def redeem(request: StaffRequest) -> HttpResponse:
    """A coupon comes off the next bills."""

    def act() -> HttpResponse:
        code = request.POST.get("code", "")[:40]
        services.redeem(code=code, actor=request.user, at=timezone.now())
        return toast(redirect("web:billing"), _("The coupon comes off the next invoice"))

    return refused_on_page(request, act)


@require_POST
@payers_only
def change_buyer(request: StaffRequest) -> HttpResponse:
    """Change what stands on the next invoices."""
    form = forms.BuyerForm(request.POST)

    def answer() -> HttpResponse:
        if form.is_valid():
            with refusals_on(form):
                buyer = _buyer(form.cleaned_data)
                services.change_buyer(buyer=buyer, actor=request.user, at=timezone.now())
                return toast(redirect("web:billing"), _("Saved"))
        return _page(request, buyer=form)

    return afterwards(answer)


@require_POST
@payers_only
def cancel(request: StaffRequest) -> HttpResponse:
    """Stop at the end of what is paid for."""

    def act() -> HttpResponse:
        reason = request.POST.get("reason", "")[:300]
        services.cancel(reason=reason, actor=request.user, at=timezone.now())
        return toast(redirect("web:billing"), _("Cancelled for the end of the period"))

    return refused_on_page(request, act)


@require_POST
@payers_only
def resume(request: StaffRequest) -> HttpResponse:
    """Go on after all."""

    def act() -> HttpResponse:
        services.resume(actor=request.user, at=timezone.now())
        return toast(redirect("web:billing"), _("Glad that you stay"))

    return refused_on_page(request, act)
