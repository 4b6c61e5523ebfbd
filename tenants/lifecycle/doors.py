"""Which requests a company answers in its state, and what it says to the others.

The refusals here are the friendly ones. What keeps a read-only company as it is, is the database:
`Scope.writable` makes every transaction read-only.
"""

from django.conf import settings
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponsePermanentRedirect,
    JsonResponse,
)
from django.template.loader import render_to_string
from django.urls import Resolver404, resolve
from django.utils.translation import gettext as _

from crm_platform.kernel import tenancy
from crm_platform.kernel.db.company.base import read_only_refusal
from crm_platform.ui.answers import is_htmx
from crm_platform.ui.toast import toast
from tenants.lifecycle import states
from tenants.models import Company

SAFE = ("GET", "HEAD", "OPTIONS")
API = "/api/"
BRAND = "Rapport"


def name_of(request: HttpRequest, urlconf: str) -> str:
    """The name of the address asked for, as `app:name`; empty for none."""
    try:
        return resolve(request.path_info, urlconf).view_name
    except Resolver404:
        return ""


def scope_at(scope: tenancy.Scope, name: str) -> tenancy.Scope:
    """The scope a request runs in: at its few doors a read-only company keeps its own notes."""
    doors = settings.BARRED_DOORS if scope.state in states.BARRED else settings.READ_ONLY_DOORS
    if scope.writable or scope.is_platform or name not in doors:
        return scope
    return tenancy.for_keeping(scope)


def refusal_of(request: HttpRequest, scope: tenancy.Scope, name: str) -> HttpResponse | None:
    """The answer of a company that is not writable to what it does not do now; None for the rest.

    In the language that is active.
    """
    if scope.state in states.BARRED:
        return None if _is_open_when_barred(name) else _barred(request, scope)
    if request.method in SAFE or name in settings.READ_ONLY_DOORS:
        return None
    return _read_only(request)


def _is_open_when_barred(name: str) -> bool:
    return name in settings.BARRED_DOORS or name.startswith("ui:")


def at_another_host(
    request: HttpRequest, scope: tenancy.Scope, *, is_old: bool
) -> HttpResponse | None:
    """What a host answers that does not lead; None for a program at a host that is no old one."""
    address = settings.ENVIRONMENT.address_of(scope.host)
    if request.path.startswith(API):
        if not is_old:
            return None
        text = _("This company's address is %(address)s now.") % {"address": address}
        return problem(410, "moved", text, title=_("Moved"))
    if request.method in ("GET", "HEAD"):
        return HttpResponsePermanentRedirect(
            f"{address}{request.get_full_path()}", preserve_request=True
        )
    return _page("tenants/moved.html", status=410, address=address)


def barred_text(state: str) -> str:
    """Why nothing is shown, in one sentence."""
    if state == Company.State.CLOSED:
        return _("This company is closed.")
    return _("This company is suspended.")


def _barred(request: HttpRequest, scope: tenancy.Scope) -> HttpResponse:
    text = barred_text(scope.state)
    if request.path.startswith(API):
        way = _("An owner of the company can sign in on its pages and ask for it.")
        return problem(403, scope.state, f"{text} {way}")
    if is_htmx(request):
        response = HttpResponse(status=403)
        response["HX-Refresh"] = "true"
        return response
    return _page("tenants/barred.html", is_closed=scope.state == Company.State.CLOSED)


def _read_only(request: HttpRequest) -> HttpResponse:
    refusal = read_only_refusal()
    if request.path.startswith(API):
        return problem(refusal.status, refusal.code, str(refusal))
    if is_htmx(request):
        return toast(HttpResponse(status=refusal.status), str(refusal), kind="bad")
    return _page("tenants/read_only.html", text=str(refusal))


def _page(template: str, *, status: int = 403, **context: object) -> HttpResponse:
    return HttpResponse(render_to_string(template, {"brand": BRAND, **context}), status=status)


def problem(status: int, code: str, detail: str, *, title: str = "") -> JsonResponse:
    """A problem document in the API's form, for answers given before any view is chosen."""
    body = {
        "type": f"/api/v1/docs/#problem-{code}", "title": title or _("Not allowed"),
        "status": status, "code": code, "detail": detail, "errors": [],
    }  # fmt: skip
    return JsonResponse(body, status=status, content_type="application/problem+json")
