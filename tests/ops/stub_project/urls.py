"""Every page the check looks at, on every host, behind one sign-in form."""

import os

from django.http import HttpResponse, HttpResponseRedirect
from django.template import engines
from django.urls import re_path

from crm_platform.ops.demo_check import COMPANY, OPERATORS, PUBLIC

FORM = '<h1>Sign in</h1><form method="post">{% csrf_token %}</form></html>'
LOOKED_FOR = {text for page in (*PUBLIC, *COMPANY, *OPERATORS) for text in page.contains}
PAGE = "<title>{path}</title>" + " ".join(sorted(LOOKED_FOR)) + "</html>"


def sign_in(request):
    right = request.POST.get("password") == "first-password"
    if request.method == "POST" and right:
        answer = HttpResponseRedirect("/")
        answer.set_cookie("session", "yes")
        return answer
    return HttpResponse(engines["django"].from_string(FORM).render({}, request))


def page(request):
    is_public = request.get_host().startswith("localhost") or request.path == "/healthz"
    if not is_public and "session" not in request.COOKIES:
        return HttpResponseRedirect("/sign-in/")
    if request.path == os.environ.get("STUB_BROKEN_PAGE"):
        return HttpResponse("<h1>Sorry</h1>", status=500)
    return HttpResponse(PAGE.replace("{path}", request.path))


urlpatterns = [re_path(r"^sign-in/$", sign_in), re_path(r"^.*$", page)]
