"""The public price list, what so many users cost, and what a server of one's own would.

These pages need no cookie and set none: anybody's cache may keep them, by language and theme.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from babel.numbers import get_currency_name
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe
from django_htmx.http import reselect, reswap, retarget

from billing import comparing, pricing
from billing.catalogue import name_of
from billing.comparing import Compared
from billing.currencies import as_decimal
from billing.pricing import Offer
from billing.proration import MONTH, YEAR
from crm_platform.signup import pricing_forms as forms
from crm_platform.signup.guesses import guess_of
from crm_platform.ui import charts
from crm_platform.ui.answers import is_htmx, refusals_on, reload_page
from crm_platform.ui.money import locale, money, number, short_money

PUBLIC = "public, max-age=300"
USUAL_USERS, USUAL_YEARS = 10, 3
View = Callable[[HttpRequest], HttpResponse]


def cacheable(view: View) -> View:
    """Answer in the language that `?lang=` names, else the visitor's; for anybody's cache."""

    @require_safe
    @wraps(view)
    def answered(request: HttpRequest) -> HttpResponse:
        asked = request.GET.get("lang", "").lower()
        is_known = asked in dict(settings.LANGUAGES)
        code = asked if is_known else translation.get_language() or settings.LANGUAGE_CODE
        with translation.override(code):
            response = view(request)
        response["Content-Language"] = code
        response["Cache-Control"] = PUBLIC
        return response

    return answered


def said(amount: int, code: str) -> str:
    """An amount in words where Chinese has them: `50 美元`; `US$50` in English."""
    value = as_decimal(amount, code)
    if (translation.get_language() or "").startswith("zh"):
        whole = value == value.to_integral_value()
        return f"{number(value, 0 if whole else 2)} {get_currency_name(code, locale=locale())}"
    return money(value, code)


def price_words(amount: int, code: str, interval: str) -> str:
    """A price as people say it: 每個使用者每月 50 美元."""
    told = {"amount": said(amount, code)}
    if interval == YEAR:
        return _("%(amount)s per user and year") % told
    return _("%(amount)s per user and month") % told


def _frame(request: HttpRequest, current: str) -> dict[str, Any]:
    """What both pages share. Languages are links: the page must hold no form with a token."""
    kept = request.GET.copy()
    asked = request.GET.get("lang", "").lower()
    lang = asked if asked in dict(settings.LANGUAGES) else ""
    languages = []
    for code, name in settings.LANGUAGES:
        kept["lang"] = code
        address = request.build_absolute_uri(f"{request.path}?{kept.urlencode()}")
        languages.append((code, name, address))
    return {
        "csrf_token": "", "prefs_url": "", "language_links": languages, "lang": lang,
        "public_nav": public_nav(current, lang=lang), "sign_in_url": reverse("signup:find"),
        "sign_up_url": reverse("signup:sign_up"),
    }  # fmt: skip


def public_nav(current: str = "", *, lang: str = "") -> list[dict[str, Any]]:
    """The pages of the public site, in the language that the address asks for."""
    places = (("pricing", _("Prices")), ("own_server", _("Compare with your own server")))
    asked = f"?lang={lang}" if lang else ""
    return [
        {"href": reverse(f"signup:{name}") + asked, "label": label, "current": name == current}
        for name, label in places
    ]


# -- the price list ------------------------------------------------------------------------------


@cacheable
def prices(request: HttpRequest) -> HttpResponse:
    """Every public plan with its price, and what so many users cost."""
    offers = pricing.public_offers()
    currency = pricing.usual_currency(offers, guess_of(request).currency)
    usual = {"users": USUAL_USERS, "plan": offers[0].key if offers else "", "interval": YEAR,
             "currency": currency}  # fmt: skip
    form = forms.CalculatorForm(forms.given(request.GET, usual), offers=offers)
    result = _sums(form, offers)
    chosen = form.cleaned_data.get("currency", currency)
    context = {
        **_frame(request, "pricing"), "form": form, "result": result,
        "trial_days": settings.LIFECYCLE_DAYS["trial"],
        "offers": [_offer(offer, chosen) for offer in offers],
    }  # fmt: skip
    return _answer(
        request, context, page="signup/pricing.html", part="signup/_sums.html",
        around="#calculator",
    )  # fmt: skip


def _answer(
    request: HttpRequest, context: dict[str, Any], *, page: str, part: str, around: str
) -> HttpResponse:
    """The page, or for htmx its part; where the form has errors, `around` names what holds both.

    Where nothing is offered there is nothing to fill in wrongly.
    """
    is_wrong = bool(context["offers"] and context["form"].errors)
    status = 422 if is_wrong else 200
    if not is_htmx(request):
        return render(request, page, context, status=status)
    if not context["offers"]:
        return reload_page()
    response = render(request, part, context, status=status)
    if is_wrong:
        reswap(reselect(retarget(response, around), around), "outerHTML")
    return response


def _offer(offer: Offer, code: str) -> dict[str, Any]:
    """A plan as its card shows it."""
    month, year = offer.price(code, MONTH), offer.price(code, YEAR)
    percent = pricing.saved_percent(offer, code)
    return {
        "name": name_of(offer.names),
        "month": price_words(month.unit_amount, code, MONTH) if month else "",
        "year": price_words(year.unit_amount, code, YEAR) if year else "",
        "saving": _("%(percent)d%% less than twelve months") % {"percent": percent}
                  if percent else "",
        "least": max((price.least_seats for price in (month, year) if price), default=1),
        "is_offered": month is not None or year is not None,
    }  # fmt: skip


def _sums(form: forms.CalculatorForm, offers: list[Offer]) -> dict[str, Any] | None:
    """The sum in words; a refusal stands at its field."""
    if not form.is_valid():
        return None
    chosen = form.cleaned_data
    offer = next(each for each in offers if each.key == chosen["plan"])
    with refusals_on(form):
        found = pricing.sums(
            offer, users=chosen["users"], currency=chosen["currency"], interval=chosen["interval"]
        )
        code, interval = chosen["currency"], chosen["interval"]
        each = found.price.unit_amount * found.users
        users = ngettext("%(count)s user", "%(count)s users", found.users) % {
            "count": number(found.users)
        }
        return {
            "formula": _("%(price)s × %(users)s = %(sum)s") % {
                "price": price_words(found.price.unit_amount, code, interval), "users": users,
                "sum": said(each, code),
            },
            "a_month": said(found.a_month, code), "a_year": said(found.a_year, code),
            "saved": said(found.saved_a_year, code) if found.saved_a_year else "",
            "is_yearly": interval == YEAR, "sums": found,
        }  # fmt: skip
    return None


# -- beside a server of one's own ----------------------------------------------------------------


@cacheable
def own_server(request: HttpRequest) -> HttpResponse:
    """Renting beside running it oneself, with every assumption open to change."""
    offers = pricing.public_offers()
    currency = pricing.usual_currency(offers, guess_of(request).currency)
    asked = request.GET.get("currency", currency)
    code = asked if asked in pricing.currencies_of(offers) else currency
    usual = {
        "users": USUAL_USERS, "plan": offers[0].key if offers else "", "interval": YEAR,
        "currency": code, "years": USUAL_YEARS, **(comparing.usual(code) if code else {}),
    }  # fmt: skip
    form = forms.ComparisonForm(forms.given(request.GET, usual), offers=offers)
    result = _compared(form, offers)
    context = {
        **_frame(request, "own_server"), "form": form, "result": result, "code": code,
        "offers": offers,
        "currency_links": [(each, each == code) for each in pricing.currencies_of(offers)],
    }  # fmt: skip
    return _answer(
        request, context, page="signup/own_server.html", part="signup/_compared.html",
        around="#compared",
    )  # fmt: skip


def _compared(form: forms.ComparisonForm, offers: list[Offer]) -> dict[str, Any] | None:
    sums = _sums(form, offers)
    if sums is None:
        return None
    chosen, found, code = form.cleaned_data, sums["sums"], form.cleaned_data["currency"]
    each, taken = pricing.yearly(found.price), form.assumptions()
    rows = [
        comparing.compare(a_year_per_user=each, users=found.users, years=years, assumptions=taken)
        for years in comparing.HORIZONS
    ]
    even = comparing.break_even(a_year_per_user=each, years=chosen["years"], assumptions=taken)
    return {
        **sums, "rows": [_row(row, code) for row in rows], "chart": _chart(rows, code),
        "even": even, "years": chosen["years"], "setup": said(taken.setup, code),
        "own_month": said(taken.a_month, code), "taken": taken,
        "wage": said(taken.hourly_wage, code), "server": said(taken.server_a_month, code),
        "backup": said(taken.backup_a_month, code),
    }  # fmt: skip


def _row(row: Compared, code: str) -> dict[str, str]:
    by = said(row.difference, code)
    words = {
        "rented": _("Renting costs %(amount)s less"), "own": _("Your own server costs %(amount)s"
        " less"), "": _("Both cost the same"),
    }  # fmt: skip
    return {
        "years": _years(row.years),
        "rented": said(row.rented, code),
        "own": said(row.own, code),
        "word": words[row.cheaper] % {"amount": by} if row.cheaper else words[""],
    }


def _years(count: int) -> str:
    return ngettext("%(count)d year", "%(count)d years", count) % {"count": count}


def _chart(rows: list[Compared], code: str) -> charts.Chart:
    points = []
    for row in rows:
        years = {"years": _years(row.years)}
        points += [
            charts.Point(_("%(years)s, rented") % years, float(as_decimal(row.rented, code))),
            charts.Point(_("%(years)s, own") % years, float(as_decimal(row.own, code)), hue=4),
        ]
    return charts.funnel(
        _("Cost of renting and of a server of your own"), points,
        value=lambda amount: short_money(amount, code), what=_("What"), figure=_("Cost"),
    )  # fmt: skip
