"""What the component page answers: fragments and JSON. Test bench only, not translated."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from crm_platform.kernel.errors import Invalid
from crm_platform.ui.answers import answer_form, close_dialog, in_dialog, refusals_on
from crm_platform.ui.kit_samples import COMPANIES, DEALS, PEOPLE, KitForm, columns, job, rows
from crm_platform.ui.toast import toast


def _move(request: HttpRequest, pk: int) -> HttpResponse:
    if request.POST.get("stage") == "4":
        return toast(HttpResponse(status=422), "A deal needs an amount before negotiation.", "bad")
    response = render(request, "ui/kit/_heads.html", {"columns": columns()})
    undo = {"url": request.path, "values": {"stage": str((pk - 1) % 4 + 1)}, "card": pk}
    return toast(response, "Deal moved", undo=undo)  # type: ignore[arg-type]


def _form(request: HttpRequest) -> HttpResponse:
    form = KitForm(request.POST or None)
    if request.method == "POST":
        if form.is_valid():
            with refusals_on(form):
                if form.cleaned_data["name"] == "taken":
                    raise Invalid("That name is taken.", field="name")
        return answer_form(
            request,
            form,
            partial="ui/kit/_form.html",
            then="/kit/forms/",
            after="close",
            message="已建立「冷鏈試點」",
        )
    template = "ui/kit/_form.html" if in_dialog(request) else "ui/form_page.html"
    return render(
        request, template, {"form": form, "partial": "ui/kit/_form.html", "title": "New deal"}
    )


def _lost(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        return toast(
            close_dialog(render(request, "ui/kit/_heads.html", {"columns": columns()})), "Lost"
        )
    return render(request, "ui/kit/_lost.html")


def _found(words: list[str], query: str) -> JsonResponse:
    items = [
        {"id": n, "label": word, "hue": n % 8 + 1, "note": "Taipei"}
        for n, word in enumerate(words)
        if query.lower() in word.lower()
    ]
    return JsonResponse({"items": items, "create": True})


def _palette(request: HttpRequest) -> HttpResponse:
    query = request.GET.get("q", "").lower()
    found = [
        {
            "label": name,
            "hue": n + 1,
            "square": True,
            "note": "Deal",
            "href": "/kit/record/",
            "end": "US$18K",
        }
        for n, name in enumerate(DEALS)
        if query and query in name.lower()
    ]
    places = [
        {"icon": "kanban", "label": "Go to deals", "href": "/kit/board/", "shortcut": "G D"},
        {"icon": "moon", "label": "Switch theme", "href": "#theme"},
        {"icon": "keyboard", "label": "Keyboard shortcuts", "href": "#keys", "shortcut": "?"},
    ]
    groups = [
        {"label": "Places", "items": [p for p in places if query in p["label"].lower()]},
        {"label": "Deals", "items": found},
    ]
    groups = [group for group in groups if group["items"]]
    return render(request, "ui/palette_results.html", {"groups": groups, "q": query})


def answer(request: HttpRequest, part: str, pk: int) -> HttpResponse | None:
    """Fragments and JSON of the bench; None where `part` is a page."""
    query = request.GET.get("q", "")
    if part == "move":
        return _move(request, pk)
    simple: dict[str, Callable[[], HttpResponse]] = {
        "lost": lambda: _lost(request),
        "form": lambda: _form(request),
        "combo": lambda: _found(COMPANIES, query),
        "people": lambda: _found(PEOPLE, query),
        "palette": lambda: _palette(request),
        "job": lambda: render(request, "ui/_progress.html", {"job": job()}),
        "still": lambda: HttpResponse(status=204),
        "slug": lambda: JsonResponse(
            {"ok": request.GET.get("value") != "taken", "text": "Checked"}
        ),
        "bulk": lambda: toast(
            HttpResponse(status=204), f"{len(request.POST.getlist('id'))} changed"
        ),
        "cell": lambda: render(
            request,
            "ui/kit/_cell.html",
            {"edit": "edit" in request.GET, "value": request.POST.get("value", "Lead")},
        ),
        "field": lambda: render(
            request,
            "ui/kit/_fact.html",
            {"edit": "edit" in request.GET, "value": request.POST.get("value", "18000")},
        ),
        "more": lambda: render(request, "ui/kit/_rows.html", {"rows": rows()[:6], "oob": True}),
    }
    return simple[part]() if part in simple else None
