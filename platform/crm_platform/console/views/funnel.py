"""How many sign-ups came how far."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from crm_platform.console.context import console
from crm_platform.console.guard import operators_with
from crm_platform.console.queries import funnel as queries
from crm_platform.signup.services import KEPT


@require_GET
@operators_with("funnel.view")
def funnel(request: HttpRequest) -> HttpResponse:
    """Started, confirmed, built, first sign-in, template, first record; by the week they began."""
    rows = queries.weeks(at=timezone.now())
    sums = [sum(column) for column in zip(*(row.steps for row in rows), strict=True)]
    names = [_("Started"), _("Confirmed"), _("Built"), _("First sign-in"),
             _("Template chosen"), _("First record")]  # fmt: skip
    first = sums[0] if sums else 0
    context = {
        "names": names,
        "rows": rows,
        "steps": [
            (name, count, round(100 * count / first) if first else 0)
            for name, count in zip(names, sums, strict=False)
        ],
        "kept_days": KEPT.days,
        **console(request, "funnel"),
    }
    return render(request, "console/funnel.html", context)
