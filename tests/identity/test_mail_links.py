"""Every link in every mail: good once, for one address, in one company, for a while (T9)."""

import datetime as dt
import re

import pytest
from django.db import connection
from django.utils import timezone

from crm_platform.identity.client import Client as Place
from crm_platform.identity.models import Invitation, MailToken, OutgoingMail, User
from crm_platform.identity.onetime import new_secret
from crm_platform.identity.services import addresses, invitations, passwords, people, sessions
from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import Invalid
from tests import factories

NOON = factories.NOON
PASSWORD, OTHER = "correct horse battery", "staple battery horse"
HERE = Place(ip="203.0.113.7")
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)


def token_in_mail(to):
    body = OutgoingMail.objects.filter(to=to).latest("pk").body
    return re.search(r"http://[^/]+/\S*?/([\w-]{43})/", body).group(1)


class Reset:
    good_for = HOUR

    def send(self, person, admin, at=NOON):
        passwords.request_reset(email=person.email, client=HERE, at=at)
        return token_in_mail(person.email)

    def use(self, token, person, at):
        passwords.reset_password(token=token, password=OTHER, at=at)


class ChangeMail:
    good_for = DAY

    def send(self, person, admin, at=NOON):
        addresses.request_mail_change(
            user=person, new_email="new@example.com", password=PASSWORD, at=at
        )
        return token_in_mail("new@example.com")

    def use(self, token, person, at):
        addresses.confirm_mail_change(token=token, user=person, at=at)


class Invite:
    good_for = 7 * DAY

    def send(self, person, admin, at=NOON):
        role = factories.role("member")
        invitations.invite(email="joe@example.com", role=role, team=None, actor=admin, at=at)
        return token_in_mail("joe@example.com")

    def use(self, token, person, at):
        invitations.accept_invitation(token=token, name="Joe", password=OTHER, language="en", at=at)


class Enter:
    good_for = DAY

    def send(self, person, admin, at=NOON):
        secret, token_hash = new_secret()
        MailToken.objects.create(
            purpose="enter",
            user=person,
            token_hash=token_hash,
            created_at=at,
            expires_at=at + DAY,
        )
        return secret

    def use(self, token, person, at):
        sessions.enter(token=token, client=HERE, at=at)


KINDS = [Reset(), ChangeMail(), Invite(), Enter()]
# Each kind takes what any of them needs.
each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: type(kind).__name__)


@each_kind
def test_link_is_honoured_once(kind, member, owner):
    token = kind.send(member, owner)

    kind.use(token, member, NOON)

    with pytest.raises(Invalid):
        kind.use(token, member, NOON)


@each_kind
def test_link_is_refused_when_its_time_is_over(kind, member, owner):
    token = kind.send(member, owner)

    with pytest.raises(Invalid):
        kind.use(token, member, NOON + kind.good_for)


@each_kind
def test_link_is_refused_in_the_other_company(kind, member, owner, globex):
    token = kind.send(member, owner)

    with tenancy.unit_of_work(globex):
        twin = factories.user(email=member.email)
        with pytest.raises(Invalid):
            kind.use(token, twin, NOON)


@each_kind
def test_link_of_one_purpose_opens_no_other(kind, member, owner):
    token = kind.send(member, owner)

    for other in KINDS:
        if other is not kind:
            with pytest.raises(Invalid):
                other.use(token, member, NOON)


@each_kind
def test_secret_of_a_link_is_kept_nowhere_but_in_the_mail(kind, member, owner):
    token = kind.send(member, owner)

    with connection.cursor() as cursor:
        cursor.execute("SELECT token_hash FROM identity_mailtoken")
        kept = [row[0] for row in cursor.fetchall()]
        cursor.execute("SELECT token_hash FROM identity_invitation")
        kept += [row[0] for row in cursor.fetchall()]
    assert token not in kept
    assert all(len(each) == 64 for each in kept)


@each_kind
def test_page_of_a_link_is_refused_at_the_other_company(
    kind, member, owner, acme, globex, client_for
):
    token = kind.send(member, owner, timezone.now())
    path = {
        "Reset": f"/reset/{token}/",
        "Invite": f"/invite/{token}/",
        "Enter": f"/enter/{token}/",
        "ChangeMail": f"/me/security/mail/{token}/",
    }[type(kind).__name__]
    with tenancy.unit_of_work(globex):
        stranger = factories.user()
    signed_in = stranger if isinstance(kind, ChangeMail) else None

    answer = client_for(globex, signed_in).post(path, {"password": OTHER, "name": "Eve"})

    assert answer.status_code in (405, 422)
    control = client_for(acme, member if isinstance(kind, ChangeMail) else None)
    method = control.get if isinstance(kind, Enter) else control.post
    assert method(path, {"password": OTHER, "name": "Joe"}).status_code == 302


def test_reset_ends_every_session_and_tells_the_person(member):
    _session, secret = sessions.sign_in(email=member.email, password=PASSWORD, client=HERE, at=NOON)
    token = Reset().send(member, None)

    passwords.reset_password(token=token, password=OTHER, at=NOON)

    assert sessions.live_session(secret, at=NOON) is None
    assert User.objects.get(pk=member.pk).check_password(OTHER)
    assert OutgoingMail.objects.filter(to=member.email, subject__contains="was changed").exists()


def test_newer_reset_link_ends_the_older_one(member):
    first = Reset().send(member, None)
    Reset().send(member, None)

    with pytest.raises(Invalid):
        passwords.reset_password(token=first, password=OTHER, at=NOON)


def test_reset_of_an_unknown_address_says_nothing_and_sends_nothing(in_acme, acme, client_for):
    answer = client_for(acme).post("/forgot/", {"email": "nobody@example.com"})

    assert answer.status_code == 200
    assert OutgoingMail.objects.count() == 0


def test_link_of_a_deactivated_person_opens_nothing(member, owner):
    token = Reset().send(member, owner)

    people.deactivate(person=member, successor=None, actor=owner, at=NOON)
    people.reactivate(person=member, actor=owner, at=NOON)

    with pytest.raises(Invalid):
        passwords.reset_password(token=token, password=OTHER, at=NOON)


def test_weak_password_is_refused_and_the_link_stays_good(member):
    token = Reset().send(member, None)

    with pytest.raises(Invalid):
        passwords.reset_password(token=token, password="password", at=NOON)

    passwords.reset_password(token=token, password=OTHER, at=NOON)


def test_mail_change_is_confirmed_only_by_the_person_who_asked(member, viewer):
    token = ChangeMail().send(member, None)

    with pytest.raises(Invalid):
        addresses.confirm_mail_change(token=token, user=viewer, at=NOON)


def test_mail_change_to_somebody_elses_address_sends_nothing(member, viewer):
    addresses.request_mail_change(
        user=member, new_email=viewer.email.upper(), password=PASSWORD, at=NOON
    )

    assert OutgoingMail.objects.filter(to=viewer.email).count() == 0


def test_mail_change_tells_the_old_address(member):
    old = member.email
    token = ChangeMail().send(member, None)

    addresses.confirm_mail_change(token=token, user=member, at=NOON)

    assert OutgoingMail.objects.filter(to=old, subject__contains="was changed").exists()


def test_invitation_makes_a_person_with_its_own_address_and_role_whatever_is_posted(
    owner, acme, client_for
):
    token = Invite().send(None, owner, timezone.now())

    client_for(acme).post(
        f"/invite/{token}/",
        {"name": "Joe", "password": OTHER, "email": "evil@example.com", "role": "1"},
    )

    joined = User.objects.get(name="Joe")
    assert (joined.email, joined.role.key) == ("joe@example.com", "member")


def test_withdrawn_and_replaced_invitations_open_nothing(owner):
    first = Invite().send(None, owner)
    second = Invite().send(None, owner)
    invitation = Invitation.objects.get(accepted_at=None, revoked_at=None)
    with pytest.raises(Invalid):
        invitations.open_invitation(first, at=NOON)

    invitations.revoke(invitation_id=invitation.pk, actor=owner, at=NOON)

    with pytest.raises(Invalid):
        invitations.open_invitation(second, at=NOON)


def test_resending_gives_a_fresh_link_and_ends_the_old_one(owner):
    first = Invite().send(None, owner)
    invitation = Invitation.objects.get(accepted_at=None, revoked_at=None)

    invitations.resend(invitation_id=invitation.pk, actor=owner, at=NOON + DAY)

    fresh = token_in_mail("joe@example.com")
    assert fresh != first
    assert invitations.open_invitation(fresh, at=NOON + 7 * DAY)
    with pytest.raises(Invalid):
        invitations.open_invitation(first, at=NOON)


def test_links_are_built_from_the_register_and_never_from_the_request(member, acme, client_for):
    client_for(acme).post(
        "/forgot/",
        {"email": member.email},
        headers={
            "X-Forwarded-Host": "evil.example",
            "Forwarded": "host=evil.example",
            "X-Host": "evil.example",
            "X-Original-Host": "evil.example",
        },
    )

    body = OutgoingMail.objects.get(to=member.email).body
    assert "evil.example" not in body
    assert f"//{acme.host}" in body


def test_mail_is_written_in_the_readers_language_and_without_markup(member):
    member.name = "<b>Ann & Co</b>"
    member.save()

    Reset().send(member, None)

    assert "Hello <b>Ann & Co</b>," in OutgoingMail.objects.get(to=member.email).body
