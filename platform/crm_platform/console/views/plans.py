"""Plans and what they bring: versions, the draft, publishing; figures of what is earned."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from billing import catalogue, moving, operating
from billing.models import PlanVersion
from billing.providers import has_stripe
from crm_platform.console import billing_forms
from crm_platform.console.amounts import said
from crm_platform.console.billing_words import (
    VERSION_KINDS,
    difference_rows,
    interval_word,
    unit_word,
    version_word,
)
from crm_platform.console.context import console
from crm_platform.console.guard import operators_with
from crm_platform.console.services import billing as services
from crm_platform.console.services.plan_moves import title_of
from crm_platform.console.views.asking import me
from crm_platform.console.views.billing import FORM_PAGE, PARTIAL, tabs
from crm_platform.console.words import limit_word
from crm_platform.ui.answers import answer_form, in_dialog, refusals_on
from crm_platform.ui.toast import toast

MOVES_SHOWN = 20


@require_GET
@operators_with("billing.view")
def plans(request: HttpRequest) -> HttpResponse:
    """Every plan, what it offers now, and how many companies rent it."""
    rows = []
    for plan in catalogue.plans():
        by_state = {version.state: version for version in plan.versions.all()}
        published = by_state.get(PlanVersion.State.PUBLISHED)
        rows.append(
            {"plan": plan, "name": catalogue.name_of(plan.names), "published": published,
             "has_draft": PlanVersion.State.DRAFT in by_state,
             "offers": _offers(published) if published else []}
        )  # fmt: skip
    context = {"rows": rows, "tabs": tabs("plans"), **console(request, "billing")}
    return render(request, "console/plans.html", context)


def _offers(version: PlanVersion) -> list[tuple[str, list[str]]]:
    """Per interval, the amount in each currency."""
    amounts: dict[str, list[str]] = {}
    for price in version.prices.all():
        amounts.setdefault(price.interval, []).append(said(price.unit_amount, price.currency))
    return [(interval_word(interval), amounts[interval]) for interval in sorted(amounts)]


def _prices(version: PlanVersion) -> list[dict[str, Any]]:
    return [
        {"price": price, "word": unit_word(price.unit_amount, price.currency, price.interval)}
        for price in version.prices.all()
    ]


def _plan_page(
    request: HttpRequest, plan_id: int, form: billing_forms.DraftForm | None = None
) -> HttpResponse:
    plan = operating.get_plan(plan_id)
    if plan is None:
        raise Http404
    versions = operating.versions_of(plan)
    by_state = {version.state: version for version in versions}
    draft = by_state.get(PlanVersion.State.DRAFT)
    published = by_state.get(PlanVersion.State.PUBLISHED)
    name = catalogue.name_of(plan.names)
    may_move = "billing.plans" in console(request, "billing")["can"]
    may_edit = draft is not None and may_move
    if draft is not None and form is None:
        form = billing_forms.DraftForm(initial=billing_forms.draft_values(draft))
    context = {
        "plan": plan,
        "name": name,
        "names": [plan.names[each] for each in catalogue.LANGUAGES if each in plan.names],
        "versions": [(each, version_word(each.state), VERSION_KINDS[each.state])
                     for each in versions],
        "draft": draft,
        "published": published,
        "prices": _prices(published) if published else [],
        "draft_prices": _prices(draft) if draft else [],
        "limits": [(limit_word(kind), value)
                   for kind, value in (published.entitlements if published else {}).items()],
        "changes": difference_rows(catalogue.difference(published, draft)) if draft else [],
        "form": form,
        "intervals": [interval_word("month"), interval_word("year")],
        "wrong": list(form.wrong()) if form else [],
        "may_edit": may_edit,
        "may_move": may_move,
        "has_provider": has_stripe(),
        "moves": [(each, title_of(each)) for each in moving.moves_of(plan_id)[:MOVES_SHOWN]],
        **console(request, "billing"),
    }  # fmt: skip
    status = 422 if form is not None and form.errors else 200
    return render(request, "console/plan.html", context, status=status)


@require_GET
@operators_with("billing.view")
def plan(request: HttpRequest, plan_id: int) -> HttpResponse:
    """One plan: its versions, and the one being drafted."""
    return _plan_page(request, plan_id)


@require_http_methods(["GET", "HEAD", "POST"])
@operators_with("billing.plans")
def add(request: HttpRequest) -> HttpResponse:
    """A plan of its own, with an empty draft."""
    form = billing_forms.PlanForm(request.POST or None)
    then = resolve_url("console:plans")
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            made = services.add_plan(
                key=form.cleaned_data["key"], names=form.names(),
                is_public=form.cleaned_data["is_public"], actor=me(request), at=timezone.now(),
            )  # fmt: skip
            then = resolve_url("console:plan", made.pk)
    context = {"title": _("Add a plan"), "action": request.path, "verb": _("Add"),
               "back": resolve_url("console:plans"), **console(request, "billing")}  # fmt: skip
    if request.method != "POST":
        template = PARTIAL if in_dialog(request) else FORM_PAGE
        return render(request, template, {**context, "form": form, "partial": PARTIAL})
    return answer_form(
        request, form, partial=PARTIAL, page=FORM_PAGE, context=context, then=then,
        after="visit", message=_("The plan is added. Give it prices, then publish it."),
    )  # fmt: skip


@require_POST
@operators_with("billing.plans")
def draft(request: HttpRequest, plan_id: int) -> HttpResponse:
    """Begin the next version, as a copy of the newest."""
    services.draft_plan(plan_id=plan_id, actor=me(request), at=timezone.now())
    return toast(redirect("console:plan", plan_id), _("The next version is drafted"))


def _version(version_id: int) -> PlanVersion:
    version = operating.get_version(version_id)
    if version is None:
        raise Http404
    return version


@require_POST
@operators_with("billing.plans")
def change(request: HttpRequest, version_id: int) -> HttpResponse:
    """Write a draft's prices and limits."""
    version = _version(version_id)
    form = billing_forms.DraftForm(request.POST)
    if form.is_valid():
        with refusals_on(form):
            services.change_draft(
                version_id=version_id, prices=form.prices(), limits=form.limits(),
                actor=me(request), at=timezone.now(),
            )  # fmt: skip
            return toast(redirect("console:plan", version.plan_id), _("Saved"))
    return _plan_page(request, version.plan_id, form)


@require_POST
@operators_with("billing.plans")
def publish(request: HttpRequest, version_id: int) -> HttpResponse:
    """Offer the draft from now on."""
    version = services.publish_plan(version_id=version_id, actor=me(request), at=timezone.now())
    text = _("Version %(number)d is published") % {"number": version.number}
    return toast(redirect("console:plan", version.plan_id), text)
