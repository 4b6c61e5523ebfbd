"""One small request, the same for us and for django-tenants: a page made by one ORM query."""

from django.http import HttpRequest, HttpResponse
from django.urls import path


def role(_request: HttpRequest) -> HttpResponse:
    """The name of the owner's role."""
    from crm_platform.identity.models import Role

    name = Role.objects.filter(key="owner").values_list("name", flat=True).first()
    return HttpResponse(name or "nobody")


urlpatterns = [path("", role)]


def request_seconds(hosts: list[str], count: int) -> float:
    """Median seconds of a request through the whole of Django, the hosts in turn."""
    import statistics
    import time

    from django.core.handlers.wsgi import WSGIHandler
    from django.test import RequestFactory

    serve, build = WSGIHandler(), RequestFactory()
    times = []
    for turn in range(count + 200):
        environ = build.get("/", headers={"host": hosts[turn % len(hosts)]}).environ
        began = time.perf_counter()
        response = serve(environ, lambda *_: None)
        response.close()
        times.append(time.perf_counter() - began)
        if response.status_code != 200:
            raise RuntimeError(f"Status {response.status_code}: {response.content[:200]!r}")
    return statistics.median(times[200:])


def main() -> None:
    """Seconds of a request for the hosts named, through our middleware alone."""
    import sys

    import django
    from django.test import override_settings

    from tests.benchmarks import fleets  # chooses the settings

    django.setup()
    if not fleets.DATA.exists():
        raise SystemExit("There is no fleet.")
    with override_settings(
        MIDDLEWARE=["tenants.middleware.CompanyOfHost"], TENANT_URLCONF="tests.benchmarks.small"
    ):
        sys.stdout.write(f"{request_seconds(sys.argv[1:], 3000)}\n")


if __name__ == "__main__":
    main()
