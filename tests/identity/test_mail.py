"""Mails leave after commit, once, and are tried again when the door was closed."""

import datetime as dt

import pytest
from django.core import mail as outbox
from django.test import override_settings

from crm_platform.identity.models import OutgoingMail
from crm_platform.identity.services import letters, mail
from crm_platform.kernel import tenancy
from tests import factories

NOON = factories.NOON


class ClosedDoor:
    """A mail backend that cannot connect."""

    def __init__(self, **_options):
        pass

    def send_messages(self, _messages):
        raise ConnectionRefusedError("no")


@pytest.fixture
def waiting(acme):
    with tenancy.unit_of_work(acme):
        row = letters.post(to="a@example.com", subject="Hello\nthere", paragraphs=["One"], at=NOON)
    yield row
    with tenancy.unit_of_work(acme):
        OutgoingMail.objects.all().delete()


def send(scope, at=NOON):
    with tenancy.choose(scope):
        return mail.send_waiting(at=at)


def test_waiting_mail_is_sent_once_and_its_body_forgotten(waiting, acme):
    assert (send(acme), send(acme)) == (1, 0)

    message = outbox.outbox[-1]
    assert message.subject == "Hello there"
    assert message.extra_headers["Message-ID"].startswith(f"<{waiting.delivery_id}@")
    with tenancy.unit_of_work(acme):
        assert OutgoingMail.objects.get(pk=waiting.pk).body == ""


def test_mail_that_could_not_be_sent_is_tried_again_later(waiting, acme):
    with override_settings(EMAIL_BACKEND="tests.identity.test_mail.ClosedDoor"):
        assert send(acme) == 0
    assert send(acme, NOON + dt.timedelta(minutes=4)) == 0

    assert send(acme, NOON + dt.timedelta(minutes=6)) == 1


def test_mail_of_one_company_is_not_sent_for_the_other(waiting, globex):
    assert send(globex) == 0


def test_mail_of_a_worker_that_died_is_sent_by_the_next(waiting, acme):
    mail._claim(acme, NOON)

    assert send(acme) == 0
    assert send(acme, NOON + mail.LEASE) == 1
