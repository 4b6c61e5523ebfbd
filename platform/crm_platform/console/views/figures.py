"""What renting brings: as it stands now, and how it moved by month and by cohort."""

import io
from collections.abc import Callable, Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_GET

from billing import figures as kept
from billing import operating
from billing.currencies import as_decimal
from billing.figures import Figures, Month, Movement
from crm_core.exchange.exporting import write_csv
from crm_platform.console.amounts import said
from crm_platform.console.context import console
from crm_platform.console.guard import operators_with
from crm_platform.console.views.asking import word
from crm_platform.console.views.billing import tabs
from crm_platform.ui import charts
from crm_platform.ui.money import number, percent, short_money

HEADER = [
    "currency", "month", "until", "opening_mrr", "new_mrr", "reactivation_mrr", "expansion_mrr",
    "contraction_mrr", "churn_mrr", "closing_mrr", "companies_before", "companies_new",
    "companies_back", "companies_lost", "companies", "seats", "arpa", "logo_churn_percent",
    "gross_retention_percent", "net_retention_percent", "lifetime_value",
]  # fmt: skip
SUMS = ("opening", "new", "reactivation", "expansion", "contraction", "churn", "closing")
HEADS = ("companies_before", "companies_new", "companies_back", "companies_lost", "companies",
         "seats")  # fmt: skip


@require_GET
@operators_with("billing.view")
def figures(request: HttpRequest) -> HttpResponse:
    """What is earned now, and `?currency=`'s months."""
    found = operating.metrics(at=timezone.now())
    ends = kept.month_ends()
    codes = kept.currencies(ends)
    asked = word(request, "currency", 3)
    code = asked if asked in codes else next(iter(codes), "")
    context = {
        "metrics": found,
        "rows": [
            {"code": each.currency, "mrr": said(each.mrr, each.currency),
             "companies": each.companies, "seats": each.seats,
             "arpa": said(each.arpa, each.currency)}
            for each in found.by_currency
        ],
        "days": operating.RECENT.days, "tabs": tabs("figures"), "codes": codes, "code": code,
        "margin": kept.margin_percent(),
        **(_history(kept.figures_of(code, ends)) if code else {}), **console(request, "billing"),
    }  # fmt: skip
    return render(request, "console/figures.html", context)


def month_word(month: Any) -> str:
    """2026-11, as people of the language write a month."""
    return date_format(month, "YEAR_MONTH_FORMAT")


def permille_word(value: int | None) -> str:
    """12.5%; n/a where there is nothing to divide by."""
    return pgettext("figure", "n/a") if value is None else percent(value / 10, 1)


def _history(found: Figures | None) -> dict[str, Any]:
    if found is None:
        return {}
    code, latest = found.currency, found.latest.movement
    return {
        "months": [_month(month, code) for month in reversed(found.months)],
        "cohorts": [_cohort(each, len(found.months)) for each in reversed(found.cohorts)],
        "ages": list(range(max((len(each.counts) for each in found.cohorts), default=0))),
        "latest": _facts(latest, code), "until": found.latest.until,
        "is_filled": kept.was_filled(found.latest.until),
        "charts": [_mrr_chart(found), _gain_chart(found), _loss_chart(found)],
    }  # fmt: skip


def _facts(movement: Movement, code: str) -> dict[str, str]:
    value = movement.lifetime_value(code, margin_percent=kept.margin_percent())
    seats = movement.seats_permille
    return {
        **{name: said(getattr(movement, name), code) for name in SUMS},
        "change": ("+" if movement.change > 0 else "") + said(movement.change, code),
        **{name: number(getattr(movement, name)) for name in HEADS},
        "arpa": said(movement.arpa(code), code),
        "seats_each": pgettext("figure", "n/a") if seats is None else number(seats / 1000, 1),
        "logo_churn": permille_word(movement.logo_churn_permille),
        "gross": permille_word(movement.gross_retention_permille),
        "net": permille_word(movement.net_retention_permille),
        "value": pgettext("figure", "n/a") if value is None else said(value, code),
    }


def _month(month: Month, code: str) -> dict[str, Any]:
    return {"word": month_word(month.begins), "facts": _facts(month.movement, code)}


def _cohort(cohort: kept.Cohort, most: int) -> dict[str, Any]:
    """A row: the month, how many began, and a pair of shares for each month since."""
    pairs = zip(cohort.company_shares, cohort.amount_shares, strict=True)
    return {
        "word": month_word(cohort.begins), "began": number(cohort.counts[0]),
        "cells": [(percent(companies), percent(amount)) for companies, amount in pairs][:most],
    }  # fmt: skip


# -- charts --------------------------------------------------------------------------------------


def _shown(found: Figures) -> tuple[list[str], Callable[[Any], str]]:
    code = found.currency
    labels = [date_format(month.begins, "M") for month in found.months]
    return labels, lambda amount: short_money(amount, code)


def _row(found: Figures, name: str, word: str, hue: int) -> charts.Series:
    """One figure of every month as a row of a chart."""
    values = [
        float(as_decimal(getattr(month.movement, name), found.currency)) for month in found.months
    ]
    return charts.Series(word, values, hue=hue)


def _mrr_chart(found: Figures) -> charts.Chart:
    labels, value = _shown(found)
    rows = [_row(found, "closing", _("A month (MRR)"), 0)]
    title = _("MRR at the end of each month, %(code)s") % {"code": found.currency}
    return charts.line(title, labels, rows, value=value, axis=value, what=_("Month"))


def _gain_chart(found: Figures) -> charts.Chart:
    labels, value = _shown(found)
    rows = [
        _row(found, "new", pgettext("mrr", "New"), 1),
        _row(found, "reactivation", pgettext("mrr", "Came back"), 5),
        _row(found, "expansion", pgettext("mrr", "Grew"), 3),
    ]
    title = _("MRR gained, %(code)s") % {"code": found.currency}
    return charts.stacked(title, labels, rows, value=value, axis=value, what=_("Month"))


def _loss_chart(found: Figures) -> charts.Chart:
    labels, value = _shown(found)
    rows = [
        _row(found, "contraction", pgettext("mrr", "Shrank"), 3),
        _row(found, "churn", pgettext("mrr", "Left"), 8),
    ]
    title = _("MRR lost, %(code)s") % {"code": found.currency}
    return charts.stacked(title, labels, rows, value=value, axis=value, what=_("Month"))


# -- the file ------------------------------------------------------------------------------------


@require_GET
@operators_with("billing.view")
def download(_request: HttpRequest) -> HttpResponse:
    """Every currency's months as CSV; amounts as plain decimals."""
    out = io.BytesIO()
    write_csv(out, HEADER, _lines())
    response = HttpResponse(out.getvalue(), content_type="text/csv; charset=utf-8")
    name = f"rapport-figures-{timezone.now():%Y-%m-%d}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _lines() -> Iterator[list[str]]:
    ends = kept.month_ends()
    for code in sorted(kept.currencies(ends)):
        found = kept.figures_of(code, ends)
        for month in found.months if found else ():
            yield _line(month, code)


def _line(month: Month, code: str) -> list[str]:
    moved = month.movement
    value = moved.lifetime_value(code, margin_percent=kept.margin_percent())
    permilles = (
        moved.logo_churn_permille, moved.gross_retention_permille, moved.net_retention_permille,
    )  # fmt: skip
    return [
        code, f"{month.begins:%Y-%m}", month.until.isoformat(),
        *(str(as_decimal(getattr(moved, name), code)) for name in SUMS),
        *(str(getattr(moved, name)) for name in HEADS),
        str(as_decimal(moved.arpa(code), code)),
        *("" if each is None else f"{each / 10:.1f}" for each in permilles),
        "" if value is None else str(as_decimal(value, code)),
    ]  # fmt: skip
