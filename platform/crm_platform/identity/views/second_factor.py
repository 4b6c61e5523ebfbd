"""The second step of signing in, and making it possible."""

from typing import cast

from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import rotate_token
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from crm_platform.identity import forms
from crm_platform.identity.decorators import safe_next, sign_in_required
from crm_platform.identity.models import Session, User
from crm_platform.identity.nav import settings_nav
from crm_platform.identity.services import second_factor as services
from crm_platform.kernel.errors import DomainError
from crm_platform.ui.answers import refusals_on
from crm_platform.ui.toast import toast

FEW_CODES = 3


def _session(request: HttpRequest) -> Session | None:
    return getattr(request, "session_row", None)


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@sign_in_required
def second_factor(request: HttpRequest) -> HttpResponse:
    """Enrol an app, or give its code; somebody who did both sees how things stand."""
    user, session = cast(User, request.user), _session(request)
    if not services.is_enrolled(user):
        return _enrol(request, user)
    if session is not None and session.second_factor_at is not None:
        return _standing(request, user)
    return _confirm(request, user)


def _enrol(request: HttpRequest, user: User) -> HttpResponse:
    form, status = forms.EnrolForm(request.POST or None), 200
    secret = ""
    if request.method == "POST" and form.is_valid():
        try:
            secret = services.open_pending(user, form.cleaned_data["sealed"])
            codes = services.enrol(
                user=user, secret=secret, code=form.cleaned_data["code"],
                session=_session(request), at=timezone.now(),
            )  # fmt: skip
            rotate_token(request)
            return render(request, "identity/recovery_codes.html", {"codes": codes})
        except DomainError as refusal:
            form.add_error("code", str(refusal))
            status = refusal.status
    secret = secret or services.new_secret()
    context = {
        "form": form, "status": status, "secret": _spaced(secret),
        "sealed": services.seal_pending(user, secret), "picture": services.picture(user, secret),
    }  # fmt: skip
    status = 422 if form.errors and status == 200 else status
    return render(request, "identity/second_factor_enrol.html", context, status=status)


def _spaced(secret: str) -> str:
    """In groups of four, for somebody who types it."""
    return " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))


def _confirm(request: HttpRequest, user: User) -> HttpResponse:
    wanted = {"next": safe_next(request.GET.get("next"))}
    form, status = forms.CodeForm(request.POST or None, initial=wanted), 200
    if request.method == "POST":
        status = 422
    if request.method == "POST" and form.is_valid():
        try:
            is_recovery = services.confirm(
                user=user, code=form.cleaned_data["code"], session=_session(request),
                at=timezone.now(),
            )  # fmt: skip
        except DomainError as refusal:
            form.add_error("code", str(refusal))
            status = refusal.status
        else:
            rotate_token(request)
            response = redirect(safe_next(form.cleaned_data["next"]))
            left = services.codes_left(user)
            if is_recovery or left <= FEW_CODES:
                return toast(response, _("Recovery codes left: %(count)d") % {"count": left})
            return response
    return render(request, "identity/second_factor.html", {"form": form}, status=status)


def _standing(request: HttpRequest, user: User) -> HttpResponse:
    form = forms.CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            codes = services.renew_codes(
                user=user, code=form.cleaned_data["code"], at=timezone.now()
            )
            return render(request, "identity/recovery_codes.html", {"codes": codes})
    context = {
        "form": form, "left": services.codes_left(user),
        "settings_nav": settings_nav(request, "second_factor"),
    }  # fmt: skip
    status = 422 if form.errors else 200
    return render(request, "identity/second_factor_standing.html", context, status=status)
