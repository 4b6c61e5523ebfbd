"""Who may open what: every address of the console against the one table of abilities."""

import uuid

import pytest
from django.conf import settings
from django.urls import resolve

from crm_platform.console import rules
from crm_platform.console.services import operators
from crm_platform.identity.models import Invitation, Role, User
from crm_platform.kernel.errors import Conflict, NotAllowed
from tests.conftest import NOON
from tests.console.conftest import client_of, make_person
from tests.isolation.addresses import every_address

EXPECTED = {
    # ability            platform support billing auditor
    "companies.view":      (True, True, True, True),
    "companies.suspend":   (True, False, True, False),
    "companies.retry":     (True, True, False, False),
    "companies.upgrades":  (True, False, False, False),
    "companies.limits":    (True, False, False, False),
    "companies.note":      (True, True, True, False),
    "releases.view":       (True, True, True, True),
    "releases.run":        (True, False, False, False),
    "operators.view":      (True, False, False, True),
    "operators.manage":    (True, False, False, False),
    "audit.view":          (True, False, False, True),
    "audit.export":        (True, False, False, True),
    "queues.view":         (True, True, False, True),
    "queues.retry":        (True, True, False, False),
    "outbox.view":         (True, True, False, True),
    "outbox.retry":        (True, True, False, False),
    "backups.view":        (True, True, False, True),
    "backups.act":         (True, False, False, False),
    "approvals.view":      (True, False, False, True),
    "approvals.ask":       (True, False, False, False),
    "approvals.decide":    (True, False, False, False),
    "support.view":        (True, True, False, True),
    "support.ask":         (True, True, False, False),
    "funnel.view":         (True, True, True, True),
    "billing.view":        (True, True, True, True),
    "billing.act":         (True, False, True, False),
    "billing.plans":       (True, False, True, False),
    "demo_mail.view":      (True, True, False, False),
}  # fmt: skip
"""Written down a second time on purpose: a slip in one of the two fails."""
VALUES = {"int": [10**9], "uuid": [uuid.UUID(int=7)], "str": ["x" * 43]}


def console_addresses():
    return [a for a in every_address(settings.OPERATORS_URLCONF) if a.name.startswith("console:")]


def test_table_says_what_this_test_says():
    said = {
        ability: tuple(role in holders for role in ("platform", "support", "billing", "auditor"))
        for ability, holders in rules.TABLE.items()
    }
    assert said == EXPECTED


def test_every_address_asks_for_the_ability_of_the_table(platform_unit, acme, settings, say):
    settings.EMAIL_BACKEND = "tenants.demo_mail.OutboxBackend"
    cells = wrong = 0
    unguarded = []
    for place, role in enumerate(("platform", "support", "billing", "auditor")):
        client = client_of(make_person(role))
        for address in console_addresses():
            path = address.paths(VALUES)[0]
            ability = getattr(resolve(path, settings.OPERATORS_URLCONF).func, "console_ability", "")
            if not ability:
                unguarded.append(address.route)
                continue
            answers = {client.get(path).status_code, client.post(path).status_code} - {405}
            cells += 1
            refused = answers == {403}
            wrong += refused is EXPECTED[ability][place]

    say(f"console roles: addresses={len(console_addresses())} cells={cells} wrong={wrong}")
    assert unguarded == []
    assert wrong == 0


@pytest.mark.parametrize("role", ["support", "billing", "auditor"])
def test_no_other_role_changes_operators(platform_unit, role):
    person, other = make_person(role), make_person("support")
    mine = Role.objects.get(key="auditor")

    for act in (
        lambda: operators.invite(email="x@example.com", role=mine, actor=person, at=NOON),
        lambda: operators.change_role(person=other, role=mine, actor=person, at=NOON),
        lambda: operators.deactivate(person=other, actor=person, at=NOON),
        lambda: operators.reactivate(person=other, actor=person, at=NOON),
        lambda: operators.reset_second_factor(person=other, reason="r", actor=person, at=NOON),
    ):
        with pytest.raises(NotAllowed):
            act()


def test_last_platform_operator_stays(platform_unit):
    first, second = make_person("platform"), make_person("platform")
    User.objects.exclude(pk__in=[first.pk, second.pk]).filter(role__key="platform").update(
        is_active=False
    )
    operators.deactivate(person=second, actor=first, at=NOON)

    # Two who remove each other at the same moment: the second of the two is too late.
    with pytest.raises(NotAllowed):
        operators.deactivate(person=first, actor=second, at=NOON)
    with pytest.raises(Conflict):
        operators.deactivate(person=first, actor=first, at=NOON)
    auditor = Role.objects.get(key="auditor")
    with pytest.raises(Conflict):
        operators.change_role(person=first, role=auditor, actor=first, at=NOON)


def test_operator_is_invited_joins_is_placed_and_leaves(operator, platform_operator):
    support = Role.objects.get(key="support")
    page = operator.post("/operators/invite/", {"email": "new@example.com", "role": support.pk})
    assert page.status_code == 302
    invitation = Invitation.objects.get(email="new@example.com")
    assert "new@example.com" in operator.get("/operators/").content.decode()
    operator.post(f"/invitations/{invitation.pk}/resend/")
    operator.post(f"/invitations/{invitation.pk}/revoke/")
    invitation.refresh_from_db()
    assert invitation.revoked_at is not None

    person = make_person("support", name="Sam Support")
    auditor = Role.objects.get(key="auditor")
    operator.post(f"/operators/{person.pk}/", {"role": auditor.pk})
    person.refresh_from_db()
    assert person.role.key == "auditor"
    client = client_of(person)
    assert client.get("/audit/").status_code == 200
    operator.post(f"/operators/{person.pk}/deactivate/")
    assert client.get("/").status_code == 302
    operator.post(f"/operators/{person.pk}/reactivate/")
    person.refresh_from_db()
    assert person.is_active


def test_refused_change_is_said_in_the_form(operator, platform_operator):
    auditor = Role.objects.get(key="auditor")

    answer = operator.post(f"/operators/{platform_operator.pk}/", {"role": auditor.pk})

    assert answer.status_code == 422
    member = User.objects.get(pk=platform_operator.pk)
    assert member.role.key == "platform"
    assert operator.post("/operators/invite/", {"email": "no", "role": "x"}).status_code == 422
    for path in ("/operators/invite/", f"/operators/{platform_operator.pk}/"):
        assert operator.get(path).status_code == 200
    assert operator.get("/operators/999999999/").status_code == 404
