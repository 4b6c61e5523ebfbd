"""The TLS proxy's question: may this host name have a certificate here?"""

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from tenants import queries
from tenants.lifecycle import states


def tls_allowed(request: HttpRequest) -> HttpResponse:
    """200 for the public site, the operators' host and every company's hosts; 404 for all others.

    A company's own host counts once DNS has proven it, until it is given back.

    Without this question anybody could point names at us until the certificate authority's limit
    is used up. The proxy keeps `/internal/` to itself.
    """
    host = request.GET.get("domain", "").lower().rstrip(".")
    ours = {settings.PUBLIC_HOST, settings.OPERATORS_HOST}
    scope = queries.scope_of_host(host) if host else None
    allowed = host in ours or (scope is not None and scope.state not in states.GONE)
    return HttpResponse(
        "yes\n" if allowed else "no\n",
        content_type="text/plain",
        status=200 if allowed else 404,
        headers={"Cache-Control": "no-store"},
    )
