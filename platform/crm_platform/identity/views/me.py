"""A person's own pages: profile, security, keys, preferences."""

from typing import cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from crm_platform.identity import forms
from crm_platform.identity.client import browser_label
from crm_platform.identity.decorators import ability_required, safe_next, sign_in_required
from crm_platform.identity.models import Session, User, is_person
from crm_platform.identity.nav import settings_nav
from crm_platform.identity.services import addresses, passwords, people, sessions, tokens
from crm_platform.identity.views.entry import stale_link
from crm_platform.kernel.errors import DomainError
from crm_platform.ui.answers import is_htmx, refusals_on
from crm_platform.ui.middleware import LANGUAGE_COOKIE
from crm_platform.ui.toast import toast

YEAR_SECONDS = 365 * 24 * 3600
PROFILE = ("name", "title", "phone", "language", "time_zone")


def _me(request: HttpRequest) -> User:
    return cast(User, request.user)


def _here(request: HttpRequest) -> Session | None:
    return getattr(request, "session_row", None)


@require_http_methods(["GET", "HEAD", "POST"])
@sign_in_required
def profile(request: HttpRequest) -> HttpResponse:
    """Name, title, phone, language and time zone."""
    user = _me(request)
    if request.method == "POST":
        form = forms.ProfileForm(request.POST)
        if form.is_valid():
            with refusals_on(form):
                people.update_profile(user=user, **form.cleaned_data, at=timezone.now())
                return toast(redirect("identity:me"), _("Saved"))
    else:
        form = forms.ProfileForm(initial={name: getattr(user, name) for name in PROFILE})
    context = {"form": form, "settings_nav": settings_nav(request, "profile")}
    return render(request, "identity/profile.html", context, status=422 if form.errors else 200)


def _browsers(request: HttpRequest) -> list[Session]:
    rows = sessions.sessions_of(_me(request), at=timezone.now())
    for row in rows:
        row.label = browser_label(row.user_agent) or _("Unknown browser")  # type: ignore[attr-defined]
    return rows


def _security(request: HttpRequest, status: int = 200, **given: object) -> HttpResponse:
    context = {
        "password_form": forms.PasswordForm(),
        "mail_form": forms.MailForm(),
        "sessions": _browsers(request),
        "here": _here(request),
        "settings_nav": settings_nav(request, "security"),
        **given,
    }
    return render(request, "identity/security.html", context, status=status)


@require_GET
@sign_in_required
def security(request: HttpRequest) -> HttpResponse:
    """Password, mail address, and the browsers one is signed in with."""
    return _security(request)


@sensitive_post_parameters()
@require_POST
@sign_in_required
def change_password(request: HttpRequest) -> HttpResponse:
    """Change one's own password."""
    form = forms.PasswordForm(request.POST)
    if form.is_valid():
        with refusals_on(form):
            passwords.change_password(
                user=_me(request), old=form.cleaned_data["old"], new=form.cleaned_data["new"],
                keep=_here(request), at=timezone.now(),
            )  # fmt: skip
            text = _("Password changed. Your other browsers were signed out.")
            return toast(redirect("identity:security"), text)
    return _security(request, 422, password_form=form)


@sensitive_post_parameters("password")
@require_POST
@sign_in_required
def change_mail(request: HttpRequest) -> HttpResponse:
    """Ask to sign in with another address."""
    form = forms.MailForm(request.POST)
    if form.is_valid():
        with refusals_on(form):
            addresses.request_mail_change(
                user=_me(request), new_email=form.cleaned_data["email"],
                password=form.cleaned_data["password"], at=timezone.now(),
            )  # fmt: skip
            text = _("Open the link we sent to the new address.")
            return toast(redirect("identity:security"), text)
    return _security(request, 422, mail_form=form)


@require_http_methods(["GET", "HEAD", "POST"])
@sign_in_required
def confirm_mail(request: HttpRequest, token: str) -> HttpResponse:
    """Confirm the new address; a button, so that a mail scanner's visit changes nothing."""
    if request.method != "POST":
        return render(request, "identity/confirm_mail.html")
    try:
        addresses.confirm_mail_change(token=token, user=_me(request), at=timezone.now())
    except DomainError as error:
        return stale_link(request, error)
    return toast(redirect("identity:security"), _("From now on you sign in with the new address."))


@require_POST
@sign_in_required
def end_session(request: HttpRequest, session_id: int) -> HttpResponse:
    """Sign one of one's browsers out."""
    sessions.end_one(session_id=session_id, user=_me(request))
    return toast(redirect("identity:security"), _("That browser is signed out."))


@require_POST
@sign_in_required
def end_other_sessions(request: HttpRequest) -> HttpResponse:
    """Sign every browser out but this one."""
    sessions.end_others(user=_me(request), keep=_here(request))
    return toast(redirect("identity:security"), _("Your other browsers are signed out."))


def _tokens(request: HttpRequest, form: forms.TokenForm, key: str = "") -> HttpResponse:
    context = {
        "form": form,
        "tokens": tokens.tokens_of(_me(request), at=timezone.now()),
        "key": key,
        "settings_nav": settings_nav(request, "tokens"),
    }
    return render(request, "identity/tokens.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@ability_required("api.tokens")
def own_tokens(request: HttpRequest) -> HttpResponse:
    """Keys for programs; a new one is shown in the answer to the form, once."""
    if request.method != "POST":
        return _tokens(request, forms.TokenForm())
    form = forms.TokenForm(request.POST)
    if form.is_valid():
        with refusals_on(form):
            _token, key = tokens.make_token(
                user=_me(request), **form.cleaned_data, at=timezone.now()
            )
            return _tokens(request, forms.TokenForm(), key)
    return _tokens(request, form)


@require_POST
@sign_in_required
def revoke_token(request: HttpRequest, token_id: int) -> HttpResponse:
    """End one of one's keys."""
    tokens.revoke_token(token_id=token_id, user=_me(request), at=timezone.now())
    return toast(redirect("identity:tokens"), _("The key opens nothing any more."))


@require_POST
def prefs(request: HttpRequest) -> HttpResponse:
    """Keep theme, density and language: in the person's row, and as cookies for the next page."""
    form = forms.PreferencesForm(request.POST)
    back = safe_next(request.POST.get("next"))
    response = HttpResponse(status=204) if is_htmx(request) else redirect(back)
    if not form.is_valid():
        return response
    values = {
        name: form.cleaned_data[name] for name in ("theme", "density", "language")
        if form.cleaned_data[name]
    }  # fmt: skip
    if is_person(request.user):
        people.set_preferences(user=_me(request), **values)
    known = {"theme": people.THEMES, "density": people.DENSITIES,
             "language": tuple(dict(settings.LANGUAGES))}  # fmt: skip
    for name, value in values.items():
        if value in known[name]:
            response.set_cookie(
                LANGUAGE_COOKIE if name == "language" else name, value, max_age=YEAR_SECONDS,
                samesite="Lax", secure=settings.SESSION_COOKIE_SECURE,
            )  # fmt: skip
    return response
