"""Writing mails: plain text, in the reader's language, kept with the change that causes them."""

import datetime as dt

from django.utils import translation
from django.utils.translation import gettext as _

from crm_platform.identity import tasks
from crm_platform.identity.links import address_here, link_here
from crm_platform.identity.models import Invitation, OutgoingMail, User
from crm_platform.kernel import tenancy
from crm_platform.kernel.tasks import later


def post(*, to: str, subject: str, paragraphs: list[str], at: dt.datetime) -> OutgoingMail:
    """Keep a mail for sending and ring the worker once the transaction is kept."""
    closing = _("Rapport sends this mail because somebody used your address there.")
    body = "\n\n".join([*paragraphs, f"-- \n{closing}"]) + "\n"
    row = OutgoingMail.objects.create(
        to=to, subject=" ".join(subject.split())[:250], body=body, created_at=at, due_at=at
    )
    is_platform = tenancy.current().is_platform
    later(tasks.send_platform_mail if is_platform else tasks.send_waiting_mail)
    return row


def _house() -> str:
    return tenancy.current().name


def send_reset(*, user: User, token: str, at: dt.datetime) -> None:
    """The link to choose a new password."""
    with translation.override(user.language):
        post(
            to=user.email,
            subject=_("Choose a new password for %(house)s") % {"house": _house()},
            paragraphs=[
                _("Hello %(name)s,") % {"name": user.name},
                _("open this link within one hour to choose a new password:"),
                link_here("identity:reset", token),
                _("If you did not ask for it, do nothing: your password stays as it is."),
            ],
            at=at,
        )


def send_password_changed(*, user: User, at: dt.datetime) -> None:
    """Word that the password was changed, in case it was somebody else."""
    with translation.override(user.language):
        post(
            to=user.email,
            subject=_("Your password for %(house)s was changed") % {"house": _house()},
            paragraphs=[
                _("Hello %(name)s,") % {"name": user.name},
                _("your password was just changed, and your other browsers were signed out."),
                _("If that was not you, choose a new password now and tell an admin:"),
                link_here("identity:forgot"),
            ],
            at=at,
        )


def send_mail_change(*, user: User, new_email: str, token: str, at: dt.datetime) -> None:
    """The link that confirms a new address (to the new one)."""
    with translation.override(user.language):
        post(
            to=new_email,
            subject=_("Confirm your new mail address"),
            paragraphs=[
                _("Hello %(name)s,") % {"name": user.name},
                _("open this link within one day, and you will sign in to %(house)s with this "
                  "address:") % {"house": _house()},
                link_here("identity:confirm_mail", token),
                _("If you did not ask for it, do nothing."),
            ],
            at=at,
        )  # fmt: skip


def send_mail_changed(*, user: User, old_email: str, at: dt.datetime) -> None:
    """Word to the old address that another one is in use now."""
    with translation.override(user.language):
        post(
            to=old_email,
            subject=_("Your mail address for %(house)s was changed") % {"house": _house()},
            paragraphs=[
                _("Hello %(name)s,") % {"name": user.name},
                _("from now on you sign in with %(email)s.") % {"email": user.email},
                _("If that was not you, tell an admin of your company at once."),
            ],
            at=at,
        )


def send_invitation(
    *, invitation: Invitation, token: str, inviter: User | None, language: str, at: dt.datetime
) -> None:
    """The one-time link for somebody who is asked to join."""
    names = {"name": inviter.name if inviter else _house(), "house": _house()}
    with translation.override(language):
        post(
            to=invitation.email,
            subject=_("%(name)s invites you to %(house)s") % names,
            paragraphs=[
                _("Hello,"),
                _("%(name)s invites you to work in %(house)s on Rapport.") % names,
                _("Open this link within seven days and choose a password:"),
                link_here("identity:accept", token),
                _("Afterwards you sign in at %(address)s with this mail address.")
                % {"address": address_here()},
            ],
            at=at,
        )
