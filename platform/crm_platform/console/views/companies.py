"""Companies: the list, one company, and what can be done to it."""

from typing import Any
from uuid import UUID

from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_GET, require_POST

from crm_platform.console import acts, forms
from crm_platform.console.context import console
from crm_platform.console.guard import operators_with
from crm_platform.console.queries import companies as queries
from crm_platform.console.queries import limits as limit_queries
from crm_platform.console.queries.failures import open_failures
from crm_platform.console.services import companies as services
from crm_platform.console.services import limits as limit_services
from crm_platform.console.views import backups, billing
from crm_platform.console.views.asking import facts_of, me, word
from crm_platform.console.words import (
    HEALTH_KINDS,
    KINDS,
    actor_word,
    event_word,
    health_word,
    ring_word,
    run_word,
    state_word,
    verb_word,
)
from crm_platform.ui.answers import refusals_on
from crm_platform.ui.toast import toast
from tenants.lifecycle import changes, states
from tenants.models import Company
from tenants.upgrades import proof

RUNS_SHOWN = 10
FILTERS = ("state", "plan", "release", "ring", "size", "used", "health")


def _choices(plans: dict[int, str]) -> dict[str, tuple[str, list[tuple[str, str]]]]:
    """The filters: name → what "all" is called, and the values with their words."""
    return {
        "state": (_("Every state"), [(s, state_word(s)) for s in Company.State.values]),
        "plan": (_("Every plan"), [*((str(pk), name) for pk, name in plans.items()),
                                   (queries.NO_PLAN, _("Rents nothing"))]),
        "health": (_("Any health"), [(key, health_word(key)) for key in queries.HEALTHS]),
        "release": (_("Every release"), [(each, each) for each in queries.releases()]),
        "ring": (_("Every ring"), [(key, ring_word(key)) for key in Company.Ring.values]),
        "size": (_("Any size"), [("s", _("Up to 10 MB")), ("m", _("10 to 100 MB")),
                                 ("l", _("Over 100 MB"))]),
        "used": (_("Used at any time"), [("week", _("Used this week")),
                 ("month", _("Used this month")), ("longer", _("Not for a month")),
                 ("never", _("Never used"))]),
    }  # fmt: skip


@require_GET
@operators_with("companies.view")
def companies(request: HttpRequest) -> HttpResponse:
    """Every company, with state, plan, health, people, size, release and last use."""
    asked = {name: word(request, name, 40) for name in FILTERS}
    wanted = queries.Wanted(
        text=word(request, "q"), sort=word(request, "sort", 20) or queries.DEFAULT_SORT, **asked
    )
    newest, plans = queries.newest_release(), queries.plans()
    found = queries.companies(wanted, newest=newest, at=timezone.now())
    rows, more = queries.page_of(found, sort=wanted.sort, after=request.GET.get("after", ""))
    context = {
        "total": found.count(),
        "more": more,
        "acts": [act for act in acts.acts() if not act.is_whole],
        "rows": [_listed(each, plans) for each in rows],
        "wanted": wanted,
        "filters": [(name, asked[name], *shown) for name, shown in _choices(plans).items()],
        "columns": [
            ("name", _("Company"), ""), ("state", _("State"), ""),
            ("", pgettext("rent", "Plan"), ""), ("", _("Health"), ""),
            ("errors", _("Errors"), "r"), ("users", _("People"), "r"), ("size", _("Size"), "r"),
            ("release", _("Release"), ""), ("created", _("Created"), ""),
            ("used", _("Last use"), ""),
        ],
        **console(request, "companies"),
    }  # fmt: skip
    return render(request, "console/companies.html", context)


def _listed(company: Any, plans: dict[int, str]) -> dict[str, Any]:
    return {**_row(company), "plan": plans.get(company.plan, "")}


def _row(company: Any) -> dict[str, Any]:
    return {
        "company": company,
        "state": state_word(company.state),
        "kind": KINDS[company.state],
        "health": health_word(company.health),
        "health_kind": HEALTH_KINDS[company.health],
        "address": queries.address_of(company),
    }


def _company_page(request: HttpRequest, company_id: UUID, **given: Form) -> HttpResponse:
    newest = queries.newest_release()
    company: Any = queries.described(newest).filter(pk=company_id).first()
    if company is None:
        raise Http404
    plan = {"ring": company.ring, "window_from": company.window_from,
            "window_to": company.window_to, "is_fixed": company.upgrades_fixed}  # fmt: skip
    after = company.upgrade_after
    context = {
        **_row(company),
        "facts": getattr(company, "facts", None),
        "newest": newest,
        "restored": queries.restored_pair(company_id),
        "reason": _(company.state_reason) if company.is_replaced else company.state_reason,
        "domains": list(company.domains.all()),
        "failures": open_failures(company_id),
        "timeline": [
            (each, verb_word(each.verb), facts_of(each)) for each in queries.timeline(company_id)
        ],
        "events": [
            (each, event_word(each.verb, each.facts), actor_word(each.actor))
            for each in changes.history(company_id)
        ],
        "works": company.state in states.WORKS,
        "notes": queries.notes(company_id),
        "form": given.get("suspend") or forms.SuspendForm(),
        "waits_until": after if after and after > timezone.now() else None,
        "runs": [(run, run_word(run.state)) for run in proof.runs_of(company_id)[:RUNS_SHOWN]],
        "plan_form": given.get("plan") or forms.UpgradePlanForm(initial=plan),
        "note_form": given.get("note") or forms.NoteForm(),
        "limit_form": given.get("limit") or forms.LimitForm(),
        "limits": limit_queries.limits(
            company_id,
            plan=company.plan_limits,
            at=timezone.now(),
            used=company.facts.usage if hasattr(company, "facts") else {},
        ),
        "billing": billing.panel(company_id),
        "backups": backups.panel(company),
        "used": limit_queries.used_today(company_id, at=timezone.now()),
        **console(request, "companies"),
    }
    return render(request, "console/company.html", context, status=422 if given else 200)


@require_GET
@operators_with("companies.view")
def company(request: HttpRequest, company_id: UUID) -> HttpResponse:
    """The facts of one company, and what can be done."""
    return _company_page(request, company_id)


@require_POST
@operators_with("companies.upgrades")
def plan(request: HttpRequest, company_id: UUID) -> HttpResponse:
    """Ring and window of a company's upgrades."""
    form = forms.UpgradePlanForm(request.POST)
    if form.is_valid():
        with refusals_on(form):
            services.set_upgrade_plan(
                company_id=company_id, **form.cleaned_data, actor=me(request), at=timezone.now()
            )
            return toast(redirect("console:company", company_id), _("Saved"))
    return _company_page(request, company_id, plan=form)


@require_POST
@operators_with("companies.limits")
def limit(request: HttpRequest, company_id: UUID) -> HttpResponse:
    """Allow the company more or less than the others."""
    form = forms.LimitForm(request.POST)
    if form.is_valid():
        with refusals_on(form):
            limit_services.set_limit(
                company_id=company_id, **form.cleaned_data, actor=me(request), at=timezone.now()
            )
            return toast(redirect("console:company", company_id), _("Saved"))
    return _company_page(request, company_id, limit=form)


@require_POST
@operators_with("companies.note")
def note(request: HttpRequest, company_id: UUID) -> HttpResponse:
    """Leave a note for the other operators."""
    form = forms.NoteForm(request.POST)
    if form.is_valid():
        with refusals_on(form):
            services.add_note(
                company_id=company_id, body=form.cleaned_data["body"], actor=me(request),
                at=timezone.now(),
            )  # fmt: skip
            return toast(redirect("console:company", company_id), _("Saved"))
    return _company_page(request, company_id, note=form)


@require_POST
@operators_with("companies.view")
def survey(request: HttpRequest, company_id: UUID) -> HttpResponse:
    """Have the company looked into now."""
    services.survey_now(company_id=company_id, actor=me(request))
    text = _("It is being looked into. Reload the page in a moment.")
    return toast(redirect("console:company", company_id), text)


@require_POST
@operators_with("companies.retry")
def retry(request: HttpRequest, company_id: UUID) -> HttpResponse:
    """Build a failed company once more."""
    services.retry(company_id=company_id, actor=me(request), at=timezone.now())
    return toast(redirect("console:company", company_id), _("It is being tried again."))


@require_POST
@operators_with("companies.suspend")
def suspend(request: HttpRequest, company_id: UUID) -> HttpResponse:
    """Stop a company, with a reason."""
    form = forms.SuspendForm(request.POST)
    if form.is_valid():
        with refusals_on(form):
            services.suspend(
                company_id=company_id, reason=form.cleaned_data["reason"], actor=me(request),
                at=timezone.now(),
            )  # fmt: skip
            return toast(redirect("console:company", company_id), _("Suspended"))
    return _company_page(request, company_id, suspend=form)


@require_POST
@operators_with("companies.suspend")
def resume(request: HttpRequest, company_id: UUID) -> HttpResponse:
    """Open a suspended company again."""
    services.resume(company_id=company_id, actor=me(request), at=timezone.now())
    return toast(redirect("console:company", company_id), _("Open again"))
