"""The settings page “Take your data along”, for owners."""

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crm_core.fields.requests import StaffRequest
from crm_core.leaving import forms, queries, rules, services
from crm_core.leaving.models import ExitPackage
from crm_platform.identity.decorators import sign_in_required
from crm_platform.identity.models import User
from crm_platform.identity.nav import settings_nav
from crm_platform.kernel import tenancy
from crm_platform.ui.answers import is_htmx, refusals_on, visit
from crm_platform.ui.toast import toast

SHOWN = 20
View = Callable[..., HttpResponseBase]


def owners_only(view: View) -> View:
    """Run a view for owners; others get the refusal's page."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        rules.demand_owner(cast(User, request.user))
        return view(request, *args, **kwargs)

    return sign_in_required(guarded)


@require_http_methods(["GET", "HEAD", "POST"])
@owners_only
def package(request: StaffRequest) -> HttpResponse:
    """What a package is, the one being made, those that are ready; asking for one."""
    form = forms.AskForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            services.ask_package(
                actor=request.user, password=form.cleaned_data["password"], at=timezone.now()
            )
            return toast(redirect("leaving:package"), _("Your package is being made."))
    found = list(queries.packages()[:SHOWN])
    open_one = next((each for each in found if each.state in queries.OPEN), None)
    context = {
        "form": form, "rows": [_row(each, request.user) for each in found if each != open_one],
        "progress": progress_of(open_one) if open_one else None,
        "settings_nav": settings_nav(request, "package"),
    }  # fmt: skip
    return render(request, "leaving/package.html", context, status=422 if form.errors else 200)


def _row(each: ExitPackage, user: User) -> dict[str, Any]:
    is_ready = each.state == ExitPackage.State.DONE
    is_theirs = is_ready and each.actor_id == user.pk
    link = reverse("leaving:download", args=[services.link_of(each)]) if is_theirs else ""
    return {"package": each, "link": link, "is_ready": is_ready}


def progress_of(each: ExitPackage) -> dict[str, Any]:
    """What `ui/_progress.html` needs."""
    said = queries.progress(each.pk)
    is_waiting = not said["total"]
    return {
        "id": each.pk, "title": _("Your package"), "done": said["done"], "total": said["total"],
        "note": _("Waiting for its turn …") if is_waiting else "", "finished": False,
        "percent": 0 if is_waiting else 100 * said["done"] / said["total"], "failed": False,
        "url": reverse("leaving:progress", args=[each.pk]),
    }  # fmt: skip


@require_safe
@owners_only
def progress(request: StaffRequest, package_id: int) -> HttpResponse:
    """The bar; once the work has ended, the page anew."""
    found = queries.get_package(package_id)
    if found.state not in queries.OPEN:
        page = reverse("leaving:package")
        return visit(page) if is_htmx(request) else redirect(page)
    return render(request, "ui/_progress.html", {"job": progress_of(found)})


@require_safe
@owners_only
def download(request: StaffRequest, link: str) -> FileResponse:
    """The zip, streamed."""
    found, stream = services.download(link=link, actor=request.user, at=timezone.now())
    name = f"{tenancy.current_company().slug}-{found.created_at:%Y-%m-%d}.zip"
    return FileResponse(stream, as_attachment=True, filename=name, content_type="application/zip")


@require_POST
@owners_only
def remove(request: StaffRequest, package_id: int) -> HttpResponse:
    """Remove a package before its time."""
    found = queries.get_package(package_id)
    services.remove_package(package=found, actor=request.user, at=timezone.now())
    return toast(redirect("leaving:package"), _("The package is gone."))
