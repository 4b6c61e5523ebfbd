"""Pages that write and then fail, for `test_hosts`."""

from django.http import HttpResponse
from django.urls import path
from django.utils import timezone

from tenants.models import RetiredName


def write(name, status=200):
    def view(_request):
        RetiredName.objects.create(name=name, retired_at=timezone.now())
        if status == 500:
            raise RuntimeError("broken on purpose")
        return HttpResponse(status=status)

    return view


urlpatterns = [
    path("writes/", write("kept")),
    path("writes-and-breaks/", write("broken", 500)),
    path("writes-and-says-503/", write("unavailable", 503)),
]
