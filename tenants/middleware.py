"""From the host name to the company: the outermost decision, and the request's unit of work."""

from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.http.request import split_domain_port
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.utils import translation

from crm_platform.kernel import tenancy
from crm_platform.ui.middleware import chosen_language
from tenants import queries, wholeness
from tenants.lifecycle import doors, states
from tenants.models import Domain

GetResponse = Callable[[HttpRequest], HttpResponseBase]
PROBES = ("/healthz", "/readyz")
SAFE = ("GET", "HEAD")
RETRY_SECONDS = 15
BRAND = "Rapport"


class CompanyOfHost:
    """Answers only exact host names we know, and runs the request as one unit of work there.

    Sets `request.company` (a `tenancy.Scope`), `request.urlconf` and `request.accent_hue`. What a
    response of 500 and above has written is undone.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path in PROBES:
            return self.get_response(request)
        said = _said_host(request)
        host = canonical(said)
        scope = scope_of(host)
        if scope is None or (said != host and request.method not in SAFE):
            return plain_page(request, "tenants/unknown.html", status=404)
        if said != host:
            address = settings.ENVIRONMENT.address_of(host)
            return HttpResponsePermanentRedirect(f"{address}{request.get_full_path()}")
        name = "" if scope.writable else doors.name_of(request, _urlconf_of(scope, host))
        elsewhere = _elsewhere(request, scope, host)
        refusal = elsewhere or _refusal_of(request, scope, name)
        return refusal or self._serve(request, doors.scope_at(scope, name), host)

    def _serve(self, request: HttpRequest, scope: tenancy.Scope, host: str) -> HttpResponseBase:
        request.company = scope  # type: ignore[attr-defined]  # TenantRequest
        request.accent_hue = scope.accent_hue  # type: ignore[attr-defined]
        request.urlconf = _urlconf_of(scope, host)
        with tenancy.unit_of_work(scope):
            if not scope.is_platform and not wholeness.is_whole():
                return _not_now(request, "tenants/upgrading.html")
            response = self.get_response(request)
            if response.status_code >= 500:
                transaction.set_rollback(True)
                wholeness.forget(scope.id)
            return response


def _said_host(request: HttpRequest) -> str:
    """The host name as the client wrote it, without its port; empty when it is malformed."""
    try:
        request.get_host()
    except DisallowedHost:
        return ""
    written = request.META.get("HTTP_HOST") or request.META.get("SERVER_NAME", "")
    if written.startswith("["):
        return ""
    return str(written).partition(":")[0]


def canonical(said: str) -> str:
    """The only spelling of a host name that is answered: lower case, no `www.`, no last dot."""
    host = split_domain_port(said)[0]
    return host.removeprefix("www.")


def scope_of(host: str) -> tenancy.Scope | None:
    """Whose host this is; None for nobody's, also for a company that was removed or erased."""
    if host in (settings.PUBLIC_HOST, settings.OPERATORS_HOST):
        return tenancy.PLATFORM
    if not host.isascii() or len(host) > 253 or "." not in host:
        return None
    scope = queries.scope_of_host(host)
    return None if scope is None or scope.state in states.GONE else scope


def _urlconf_of(scope: tenancy.Scope, host: str) -> str:
    if not scope.is_platform:
        return str(settings.TENANT_URLCONF)
    is_operators = host == settings.OPERATORS_HOST
    return str(settings.OPERATORS_URLCONF if is_operators else settings.ROOT_URLCONF)


def _elsewhere(request: HttpRequest, scope: tenancy.Scope, host: str) -> HttpResponse | None:
    """The answer at a host that does not lead; None where the request is served.

    Sessions are good for one host only, so pages are shown at the leading one alone. Programs may
    go on using any host that is not an old address.
    """
    if scope.is_platform or host == scope.host or scope.state not in states.STANDING:
        return None
    found = queries.find_host(host)
    is_old = found is not None and found.kind == Domain.Kind.OLD
    with translation.override(chosen_language(request)):
        return doors.at_another_host(request, scope, is_old=is_old)


def _refusal_of(request: HttpRequest, scope: tenancy.Scope, name: str) -> HttpResponse | None:
    """What a company answers that is not open, or not open for this; None for an open one."""
    if scope.is_platform:
        return None
    if scope.state not in states.STANDING:
        return _not_now(request, "tenants/preparing.html")
    if scope.writable:
        return None  # before a language is looked for, which nearly no request needs here
    with translation.override(chosen_language(request)):
        return doors.refusal_of(request, scope, name)


def _not_now(request: HttpRequest, template: str) -> HttpResponse:
    response = plain_page(request, template, status=503)
    response["Retry-After"] = str(RETRY_SECONDS)
    return response


def plain_page(request: HttpRequest, template: str, *, status: int) -> HttpResponse:
    """A page that knows nothing of any company: an empty context, no database."""
    with translation.override(chosen_language(request)):
        return HttpResponse(render_to_string(template, {"brand": BRAND}), status=status)
