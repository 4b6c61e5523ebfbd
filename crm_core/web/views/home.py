"""Home, inbox, palette, help, the first steps."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crm_core.activities import timeline
from crm_core.activities.queries import open_of
from crm_core.fields import catalogue
from crm_core.fields.models import Star
from crm_core.fields.requests import StaffRequest, today
from crm_core.notify import queries as notify_queries
from crm_core.notify import services as notify
from crm_core.records.models import Account
from crm_core.registry import record_type, record_types
from crm_core.registry.queries import visible_to
from crm_core.sales.models import Deal
from crm_core.search import queries as search
from crm_core.web import queries, samples, services
from crm_core.web.context import creatable
from crm_core.web.settings_nav import ITEMS
from crm_core.web.templates_of_industry import INDUSTRIES
from crm_platform.identity import rules
from crm_platform.identity.decorators import ability_required, sign_in_required
from crm_platform.kernel.errors import DomainError
from crm_platform.kernel.periods import local_date
from crm_platform.ui import charts
from crm_platform.ui.answers import visit
from crm_platform.ui.render import number, short_money
from crm_platform.ui.toast import toast

TODO_SHOWN = 8


@require_safe
@sign_in_required
def home(request: StaffRequest) -> HttpResponse:
    """The person's day: figures, what to do next, the pipeline by stage."""
    if not Deal.objects.exists() and not Account.objects.exists():
        return render(
            request,
            "web/empty_home.html",
            {
                "may_setup": rules.has_ability(request.user, "company.settings"),
                "may_import": rules.has_ability(request.user, "records.import"),
            },
        )
    figures = queries.figures(request.user, today())
    rows = list(open_of(request.user)[:TODO_SHOWN])
    context = {
        "figures": figures,
        "groups": timeline.by_day(rows),
        "chart": _stages_chart(figures) if figures.stages else None,
        "greeting": _greeting(request),
        "sample": samples.sample_batch(),
        "open_text": short_money(figures.open_amount, figures.currency),
        "weighted_text": short_money(figures.weighted, figures.currency),
        "won_text": short_money(figures.won_amount, figures.currency),
    }
    return render(request, "web/home.html", context)


def _stages_chart(figures: queries.Figures) -> charts.Chart:
    """The open deals of each stage: their value, or their number where amounts are hidden."""

    def told(value: float) -> str:
        return short_money(value, figures.currency) if figures.shows_amounts else number(value)

    return charts.bars(
        _("Open deals by stage"),
        [
            charts.Point(stage.name, float(amount) if figures.shows_amounts else count)
            for stage, count, amount in figures.stages
        ],
        value=told,
        axis=told,
        what=_("Stage"),
        figure=_("Value") if figures.shows_amounts else _("Deals"),
    )


def _greeting(request: StaffRequest) -> str:
    hour = timezone.localtime().hour
    name = request.user.name
    if hour < 12:
        return _("Good morning, %(name)s") % {"name": name}
    if hour < 18:
        return _("Good afternoon, %(name)s") % {"name": name}
    return _("Good evening, %(name)s") % {"name": name}


@require_http_methods(["GET", "POST"])
@ability_required("company.settings")
def welcome(request: StaffRequest) -> HttpResponse:
    """Choose an industry to start from."""
    if request.method == "POST":
        try:
            industry = services.apply_template(
                key=request.POST.get("industry", ""), actor=request.user, at=timezone.now()
            )
        except DomainError as refusal:
            return toast(redirect("/welcome/"), str(refusal), kind="bad")
        return toast(redirect("/"), _("Ready: %(name)s") % {"name": industry.name})
    return render(request, "web/welcome.html", {"industries": INDUSTRIES})


@require_POST
@ability_required("company.settings")
def load_samples(request: StaffRequest) -> HttpResponse:
    """Fill the company with sample data."""
    try:
        count = samples.load_samples(actor=request.user, at=timezone.now())
    except DomainError as refusal:
        return toast(redirect("/"), str(refusal), kind="bad")
    return toast(redirect("/"), _("%(count)d sample records loaded") % {"count": count})


@require_POST
@ability_required("company.settings")
def remove_samples(request: StaffRequest) -> HttpResponse:
    """Remove the sample data."""
    count = samples.remove_samples(actor=request.user, at=timezone.now())
    return toast(redirect("/"), _("%(count)d sample records removed") % {"count": count})


@require_POST
@sign_in_required
def dismiss_setup(request: StaffRequest) -> HttpResponse:
    """Put the first-steps list away."""
    services.dismiss_setup(actor=request.user)
    return visit("/") if request.headers.get("HX-Request") else redirect("/")


@require_safe
@sign_in_required
def inbox(request: StaffRequest) -> HttpResponse:
    """What the person was told."""
    rows = list(notify_queries.inbox_of(request.user)[:100])
    items = [_message(row) for row in rows]
    return render(
        request, "web/inbox.html", {"items": items, "unread": sum(1 for r in rows if not r.read_at)}
    )


def _message(row: Any) -> dict[str, Any]:
    from crm_core.fields.catalogue import people

    actor = people().get(row.actor_id or 0)
    who = actor.name if actor else _("Rapport")
    title = row.facts.get("title", "")
    sentences = {
        "task.assigned": _("%(who)s gave you “%(title)s”"),
        "record.assigned": _("%(who)s made you owner of “%(title)s”"),
        "import.finished": _("Your import of “%(title)s” is finished"),
        "package.ready": _("Your package with all data of the company is ready"),
        "import.failed": _("Your import of “%(title)s” stopped; see what it says"),
        "support.asked": _("Support asks to look into your company: %(title)s"),
        "person.left": _("%(who)s handed you the records of %(title)s"),
    }
    text = sentences.get(row.kind, _("%(who)s: %(title)s")) % {"who": who, "title": title}
    url = ""
    if row.record_type in {kind.name for kind in record_types()}:
        url = f"/{record_type(row.record_type).slug}/{row.record_id}/"
    elif row.record_type == "import":
        url = f"/import/jobs/{row.record_id}/"
    elif row.record_type == "support":
        url = "/settings/support/"
    elif row.kind == "package.ready":
        url = "/settings/package/"
    return {
        "id": row.pk,
        "text": text,
        "url": url,
        "at": row.at,
        "is_new": row.read_at is None,
        "who": who,
        "hue": actor.hue if actor else 1,
    }


@require_POST
@sign_in_required
def inbox_read(request: StaffRequest) -> HttpResponse:
    """Mark one message as read and open it, or mark all."""
    given = request.POST.get("id", "")
    notify.mark_read(
        user=request.user,
        at=timezone.now(),
        notification_id=int(given) if given.isdigit() else None,
    )
    return redirect("/inbox/")


@require_safe
@sign_in_required
def palette(request: StaffRequest) -> HttpResponse:
    """Records, commands and places for what was typed."""
    words = request.GET.get("q", "").strip()[:100]
    groups = [
        {"label": _("Records"), "items": _records(request, words)},
        {"label": _("Do"), "items": [i for i in _commands(request) if _fits(i, words)][:8]},
        {"label": _("Go to"), "items": [i for i in _places(request) if _fits(i, words)][:8]},
    ]
    return render(
        request,
        "ui/palette_results.html",
        {
            "groups": [group for group in groups if group["items"]],
            "q": words,
        },
    )


def _fits(item: dict[str, Any], words: str) -> bool:
    return all(word in str(item["label"]).lower() for word in words.lower().split())


def _records(request: StaffRequest, words: str) -> list[dict[str, Any]]:
    if not words:
        return _starred(request)
    return [
        {
            "label": hit.title,
            "note": hit.subtitle,
            "href": hit.url,
            "hue": hit.id % 8 + 1,
            "square": hit.kind.name == "account",
            "end": str(hit.kind.label),
            "icon": hit.kind.icon if hit.kind.name == "deal" else "",
        }
        for hit in search.find(request.user, words, limit=12)
    ]


def _starred(request: StaffRequest) -> list[dict[str, Any]]:
    """What the person starred, newest star first."""
    found = []
    stars = list(Star.objects.filter(user=request.user).order_by("-pk")[:12])
    for name in {star.record_type for star in stars}:
        kind = record_type(name)
        ids = [star.record_id for star in stars if star.record_type == name]
        for pk, title in (
            visible_to(request.user, kind).filter(pk__in=ids).values_list("pk", "name")
        ):
            found.append(
                {
                    "label": title,
                    "href": f"/{kind.slug}/{pk}/",
                    "icon": "star",
                    "end": str(kind.label),
                }
            )
    return found


def _commands(request: StaffRequest) -> list[dict[str, Any]]:
    made = [
        {
            "label": _("New %(name)s") % {"name": item["label"]},
            "icon": "plus",
            "href": f"#open:{item['href']}",
            "shortcut": "C",
        }
        for item in creatable(request.user)
    ]
    return [
        *made,
        {"label": _("Switch theme"), "icon": "sun-moon", "href": "#theme"},
        {"label": _("Switch density"), "icon": "rows-3", "href": "#density"},
        {"label": _("Keyboard shortcuts"), "icon": "keyboard", "href": "#keys", "shortcut": "?"},
    ]


def _places(request: StaffRequest) -> list[dict[str, Any]]:
    from django.urls import reverse

    places = [
        {"label": _("Home"), "icon": "house", "href": "/", "shortcut": "G H"},
        {"label": _("Deal board"), "icon": "kanban", "href": "/deals/board/", "shortcut": "G D"},
        {"label": _("Tasks"), "icon": "circle-check-big", "href": "/tasks/", "shortcut": "G T"},
        {"label": _("Inbox"), "icon": "inbox", "href": "/inbox/", "shortcut": "G I"},
        *[
            {"label": str(kind.label_plural), "icon": kind.icon, "href": f"/{kind.slug}/"}
            for kind in record_types()
        ],
        {"label": _("Deals by stage"), "icon": "chart-column", "href": "/reports/deals-by-stage/"},
        {"label": _("What's new"), "icon": "sparkles", "href": "/whats-new/"},
    ]
    places += [
        {
            "label": str(item.label),
            "icon": item.icon,
            "href": reverse(item.url_name),
            "end": _("Settings"),
        }
        for item in ITEMS
        if not item.ability or rules.has_ability(request.user, item.ability)
    ]
    return places


@require_safe
@sign_in_required
def search_page(request: StaffRequest) -> HttpResponse:
    """Search on a page of its own: for phones, for sharing, without script."""
    words = request.GET.get("q", "").strip()[:100]
    hits = search.find(request.user, words, limit=50) if words else []
    template = "web/_hits.html" if request.headers.get("HX-Target") == "hits" else "web/search.html"
    return render(request, template, {"q": words, "hits": hits})


@require_safe
@sign_in_required
def deals_by_stage(request: StaffRequest) -> HttpResponse:
    """The report "deals by stage": count, value and weighted value."""
    from crm_core.sales import queries as sales

    rows = sales.deals_by_stage(request.user)
    by_stage: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        by_stage.setdefault(row["stage_id"], []).append(row)
    pipelines = []
    for pipeline in sales.pipelines():
        lines = [
            {
                "stage": stage,
                "count": row["count"],
                "amount": row["amount"] or 0,
                "currency": row["currency"],
                "weighted": (row["amount"] or 0) * stage.probability / 100,
            }
            for stage in pipeline.stages
            for row in by_stage.get(stage.id, [])
        ]
        pipelines.append({"pipeline": pipeline, "lines": lines})
    return render(
        request,
        "web/deals_by_stage.html",
        {
            "pipelines": pipelines,
            "day": local_date(timezone.now()),
            "shows_amounts": not catalogue.hides(request.user, "deal", "amount"),
        },
    )


@require_safe
@sign_in_required
def help_page(request: HttpRequest) -> HttpResponse:
    """How things work here, in a page."""
    return render(request, "web/help.html")
