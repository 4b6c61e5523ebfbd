"""The way from a visitor's form to an open company; every function runs on the platform's side."""

import datetime as dt
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import translation
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from crm_platform.identity import attempts, onetime
from crm_platform.identity.client import Client
from crm_platform.identity.services import letters, passwords, people
from crm_platform.identity.services.addresses import clean_email
from crm_platform.kernel.errors import Invalid
from crm_platform.kernel.money import is_currency
from crm_platform.kernel.tasks import later
from crm_platform.signup.models import SignUp
from tenants import queries as tenants_queries
from tenants import rules, tasks
from tenants import services as tenants
from tenants.models import Company

VALID = dt.timedelta(hours=24)
KEPT = dt.timedelta(days=7)
HANDED_OUT = dt.timedelta(minutes=10)
INLINE_AFTER = dt.timedelta(seconds=3)


def mail_token(sign_up: SignUp) -> str:
    """The secret of the mailed link: made of our key, so that sending again sends the same."""
    return salted_hmac("rapport.signup.mail", str(sign_up.pk), algorithm="sha256").hexdigest()


def enter_token(sign_up: SignUp) -> str:
    """The secret that signs the owner in once; the company keeps only its hash."""
    said = f"{sign_up.pk}:{sign_up.token_hash}"
    return salted_hmac("rapport.signup.enter", said, algorithm="sha256").hexdigest()


def check_slug(slug: str) -> str:
    """The address name, if it may be had now.

    Raises:
        Invalid: wrong shape, reserved or taken.
    """
    rules.check_slug(slug)
    tenants.demand_free_slug(slug)
    return slug


@transaction.atomic
def request_signup(
    *, company_name: str, slug: str, name: str, email: str, password: str, language: str,
    time_zone: str, currency: str, client: Client, at: dt.datetime,
) -> SignUp:  # fmt: skip
    """Keep a request and mail its link. Sent twice, it is still one request.

    Raises:
        Invalid: something cannot be so, on its field.
        TooMany: too many requests from this place or for this address.
    """
    company_name, name = " ".join(company_name.split()), " ".join(name.split())
    email, slug = clean_email(email), slug.strip().lower()
    if not company_name:
        raise Invalid(_("Give the company's name."), field="company_name")
    if not name:
        raise Invalid(_("Say your name."), field="name")
    check_slug(slug)
    people.check_language(language)
    people.check_time_zone(time_zone)
    if not is_currency(currency):
        raise Invalid(_("Choose a currency from the list."), field="currency")
    password_hash = passwords.hash_new(password, name=name, email=email)
    attempts.count_one(attempts.SIGN_UP_PLACE, client.network, at=at)
    attempts.count_one(attempts.SIGN_UP, email, at=at)
    SignUp.objects.filter(expires_at__lt=at - KEPT, company=None).delete()
    SignUp.objects.filter(email=email, slug=slug, confirmed_at=None).delete()
    sign_up = SignUp(
        company_name=company_name, slug=slug, name=name, email=email, password=password_hash,
        language=language, time_zone=time_zone, currency=currency, created_at=at,
        expires_at=at + VALID,
    )  # fmt: skip
    sign_up.token_hash = onetime.hash_of(mail_token(sign_up))
    sign_up.save()
    _send_link(sign_up, at)
    return sign_up


def _send_link(sign_up: SignUp, at: dt.datetime) -> None:
    # Nothing a stranger typed but the address name: nobody can send their words through us.
    path = reverse("signup:confirm", urlconf=settings.ROOT_URLCONF, args=[mail_token(sign_up)])
    host = f"{sign_up.slug}.{settings.BASE_DOMAIN}"
    with translation.override(sign_up.language):
        letters.post(
            to=sign_up.email,
            subject=_("Confirm your mail address for Rapport"),
            paragraphs=[
                _("Hello,"),
                _("open this link within one day, and your company is made at %(host)s:")
                % {"host": host},
                settings.ENVIRONMENT.address_of(settings.PUBLIC_HOST) + path,
                _("If you did not ask for it, do nothing: nothing is made without the link."),
            ],
            at=at,
        )


@transaction.atomic
def send_again(*, sign_up_id: UUID, client: Client, at: dt.datetime) -> SignUp:
    """Mail the same link once more.

    Raises:
        Invalid: the request is gone, confirmed or too old.
        TooMany: sent too often.
    """
    sign_up = SignUp.objects.filter(pk=sign_up_id, confirmed_at=None, expires_at__gt=at).first()
    if sign_up is None:
        raise Invalid(_("This request is too old or was confirmed already. Begin again."))
    attempts.count_one(attempts.SIGN_UP_PLACE, client.network, at=at)
    attempts.count_one(attempts.SIGN_UP, sign_up.email, at=at)
    _send_link(sign_up, at)
    return sign_up


def sign_up_of(token: str, *, at: dt.datetime) -> SignUp:
    """The request a mailed link stands for; a confirmed one for as long as the link is good.

    Raises:
        Invalid: unknown, too old, or the company stands and was entered.
    """
    sign_up = (
        SignUp.objects.select_related("company")
        .filter(token_hash=onetime.hash_of(token), expires_at__gt=at)
        .first()
    )
    if sign_up is None:
        raise Invalid(_("This link was used already or is too old. Sign up again."))
    return sign_up


@transaction.atomic
def confirm(*, token: str, slug: str, at: dt.datetime) -> SignUp:
    """The mail address is theirs: enter the company and begin to make it. Idempotent.

    `slug` replaces the address name asked for, where another company was quicker; or is empty.

    Raises:
        Invalid: the link is unknown or too old, or the address name taken (field `slug`).
    """
    sign_up_of(token, at=at)
    sign_up = SignUp.objects.select_for_update().get(token_hash=onetime.hash_of(token))
    if sign_up.confirmed_at is not None:
        return sign_up
    if slug:
        sign_up.slug = slug.strip().lower()
    owner = tenants.NewOwner(
        name=sign_up.name, email=sign_up.email, password_hash=sign_up.password,
        enter_hash=onetime.hash_of(enter_token(sign_up)),
    )  # fmt: skip
    company = tenants.request_company(
        name=sign_up.company_name, slug=sign_up.slug, owner=owner, language=sign_up.language,
        time_zone=sign_up.time_zone, currency=sign_up.currency, at=at,
    )  # fmt: skip
    sign_up.company, sign_up.confirmed_at, sign_up.password = company, at, ""
    sign_up.save(update_fields=["slug", "company", "confirmed_at", "password"])
    later(tasks.build_company, company_id=str(company.pk))
    return sign_up


def push_on(*, sign_up: SignUp, at: dt.datetime) -> None:
    """Make a company that waits too long, here and now, after this request's answer is kept.

    The worker's task normally was there first. Where no worker runs, the page that asks for
    progress is the only one who cares; it can do it only in a process with the owner's login.
    """
    company = sign_up.company
    if company is None or "owner" not in settings.DATABASES:
        return
    waits = company.state == Company.State.REQUESTED and at - company.created_at > INLINE_AFTER
    failed = company.state == Company.State.FAILED
    if waits or (failed and company.attempts < tenants_queries.MOST_ATTEMPTS):
        transaction.on_commit(lambda: _build(company.pk, at), robust=True)


def _build(company_id: UUID, at: dt.datetime) -> None:
    tenants.build(company_id=company_id, at=at)


@transaction.atomic
def way_in(*, sign_up: SignUp, at: dt.datetime) -> str:
    """Where the owner of an open company goes: once by the one-time door, then to sign-in."""
    address = settings.ENVIRONMENT.address_of(f"{sign_up.slug}.{settings.BASE_DOMAIN}")
    if sign_up.entered_at is None:
        SignUp.objects.filter(pk=sign_up.pk).update(entered_at=at)
    elif at - sign_up.entered_at > HANDED_OUT:
        return f"{address}/sign-in/"
    return f"{address}/enter/{enter_token(sign_up)}/"


def forget_company(*, company_id: UUID) -> None:
    """Forget who signed a company up; part of erasing it, in the platform's unit of work."""
    SignUp.objects.filter(company_id=company_id).delete()
