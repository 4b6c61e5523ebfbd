"""Coming in: sign-in, sign-out, forgotten password, invitation, first entry."""

from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import rotate_token
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from crm_platform.identity import forms
from crm_platform.identity.client import client_of
from crm_platform.identity.decorators import safe_next
from crm_platform.identity.labels import role_name
from crm_platform.identity.middleware import forget_cookie, keep_cookie
from crm_platform.identity.models import Session, is_person
from crm_platform.identity.services import invitations, passwords, sessions
from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import DomainError
from crm_platform.ui.answers import refusals_on
from crm_platform.ui.toast import toast

page = require_http_methods(["GET", "HEAD", "POST"])


def _status(form: object) -> int:
    return 422 if getattr(form, "errors", None) else 200


def _house() -> dict[str, str]:
    return {"company_name": tenancy.current().name}


def welcome_in(request: HttpRequest, secret: str, to: str) -> HttpResponse:
    """Give the browser its new session and go on; an older session of this browser ends."""
    old: Session | None = getattr(request, "session_row", None)
    if old is not None:
        sessions.end(session=old)
    response = redirect(to)
    keep_cookie(response, secret)
    rotate_token(request)
    return response


@sensitive_post_parameters("password")
@page
def sign_in(request: HttpRequest) -> HttpResponse:
    """Mail address and password; then to where the visitor wanted to go, on this host only."""
    if request.method != "POST":
        if is_person(request.user):
            return redirect(safe_next(request.GET.get("next")))
        form = forms.SignInForm(initial={"next": safe_next(request.GET.get("next"))})
        return render(request, "identity/sign_in.html", {"form": form, **_house()})
    form, status = forms.SignInForm(request.POST), 422
    if form.is_valid():
        try:
            _session, secret = sessions.sign_in(
                email=form.cleaned_data["email"], password=form.cleaned_data["password"],
                client=client_of(request), at=timezone.now(),
            )  # fmt: skip
            return welcome_in(request, secret, safe_next(form.cleaned_data["next"]))
        except DomainError as refusal:  # said here for its status: 422, or 429 when throttled
            form.add_error(None, str(refusal))
            status = refusal.status
    return render(request, "identity/sign_in.html", {"form": form, **_house()}, status=status)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End this browser's session and make it forget everything it kept."""
    session: Session | None = getattr(request, "session_row", None)
    if session is not None:
        sessions.end(session=session)
    response = redirect("identity:sign_in")
    forget_cookie(response)
    response["Clear-Site-Data"] = '"cache", "storage"'
    return response


@page
def forgot(request: HttpRequest) -> HttpResponse:
    """Ask for a reset link; the answer is the same whether or not the address is known."""
    if request.method != "POST":
        return render(request, "identity/forgot.html", {"form": forms.ForgotForm(), **_house()})
    form = forms.ForgotForm(request.POST)
    if form.is_valid():
        with refusals_on(form):
            passwords.request_reset(
                email=form.cleaned_data["email"], client=client_of(request), at=timezone.now()
            )
            return render(request, "identity/forgot_sent.html", _house())
    return render(request, "identity/forgot.html", {"form": form, **_house()}, status=422)


def stale_link(request: HttpRequest, error: DomainError) -> HttpResponse:
    """The page of a link that opens nothing any more."""
    context = {"text": str(error), "can_reset": "reset" in request.path, **_house()}
    return render(request, "identity/stale_link.html", context, status=error.status)


@sensitive_post_parameters("password")
@page
def reset(request: HttpRequest, token: str) -> HttpResponse:
    """Choose a new password by a mailed link; then sign in with it."""
    try:
        passwords.reset_token(token, at=timezone.now())
    except DomainError as error:
        return stale_link(request, error)
    form = forms.ResetForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        with refusals_on(form):
            passwords.reset_password(
                token=token, password=form.cleaned_data["password"], at=timezone.now()
            )
            response = redirect("identity:sign_in")
            return toast(response, _("Your new password is set. Sign in with it."))
    context = {"form": form, **_house()}
    return render(request, "identity/reset.html", context, status=_status(form))


@sensitive_post_parameters("password")
@page
def accept(request: HttpRequest, token: str) -> HttpResponse:
    """Join a company by invitation, and be signed in."""
    try:
        invitation = invitations.open_invitation(token, at=timezone.now())
    except DomainError as error:
        return stale_link(request, error)
    form = forms.AcceptForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        with refusals_on(form):
            user = invitations.accept_invitation(
                token=token, name=form.cleaned_data["name"],
                password=form.cleaned_data["password"],
                language=translation.get_language() or "en", at=timezone.now(),
            )  # fmt: skip
            _session, secret = sessions.begin_session(
                user=user, client=client_of(request), at=timezone.now()
            )
            return welcome_in(request, secret, "/")
    context = {"form": form, "invitation": invitation, "role": role_name(invitation.role)}
    return render(request, "identity/accept.html", {**context, **_house()}, status=_status(form))


@require_GET
def enter(request: HttpRequest, token: str) -> HttpResponse:
    """The owner of a company just made comes in, once, and chooses how to begin."""
    if is_person(request.user):
        return redirect("/")
    try:
        _session, secret = sessions.enter(token=token, client=client_of(request), at=timezone.now())
    except DomainError as error:
        return stale_link(request, error)
    return welcome_in(request, secret, "/welcome/")
