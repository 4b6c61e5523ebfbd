"""The settings page: a worker makes and compares, the person chooses and takes back."""

import datetime as dt

import pytest
from django.utils import timezone

from crm_core.sales.models import Stage
from crm_core.web import rehearsing
from crm_core.web.models import Rehearsal
from crm_platform.identity.models import User
from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import Conflict, NotAllowed
from tenants import queries
from tests import factories
from tests.conftest import NOON
from tests.rehearsal.test_rehearsal import live, signed_in  # noqa: F401  a fixture

PAGE = "/settings/rehearsal/"


@pytest.fixture
def client(live):  # noqa: F811
    with tenancy.unit_of_work(live):
        owner = User.objects.get(email="ann@real.example")
    return signed_in(live, owner)


def row_of(scope):
    with tenancy.unit_of_work(scope):
        return rehearsing.current()


def work(scope):
    row = row_of(scope)
    with tenancy.choose(scope):
        rehearsing.work(rehearsal_id=row.pk, clock=timezone.now)
    return row_of(scope)


def act(client, scope, name):
    assert client.post(f"{PAGE}act/", {"act": name}).status_code == 302
    return work(scope)


def test_page_makes_compares_promotes_takes_back_and_removes(live, client):  # noqa: F811
    assert "Make a rehearsal" in client.get(PAGE).content.decode()
    client.post(f"{PAGE}act/", {"act": "make"})
    assert "being worked on" in client.get(PAGE).content.decode()
    row = work(live)
    assert (row.state, row.error) == ("ready", "")
    queries.forget_hosts()
    rehearsal = queries.scope_of_host(row.host)
    assert rehearsal.is_rehearsal
    with tenancy.unit_of_work(rehearsal):
        Stage.objects.filter(name="Proposal").update(probability=66)
    act(client, live, "compare")

    page = client.get(PAGE).content.decode()
    assert "Proposal" in page
    key = next(d["table"] + f":{d['row_id']}:" + d["field"] for d in row_of(live).differences
               if d["field"] == "probability")  # fmt: skip
    client.post(f"{PAGE}promote/", {"what": key})
    with tenancy.unit_of_work(live):
        assert Stage.objects.get(name="Proposal").probability == 66
    assert key not in client.get(PAGE).content.decode()
    client.post(f"{PAGE}undo/")
    with tenancy.unit_of_work(live):
        assert Stage.objects.get(name="Proposal").probability == 50
    assert row_of(live).batch is None

    assert act(client, live, "reset").host != row.host
    assert act(client, live, "remove").state == "gone"
    assert "Make a rehearsal" in client.get(PAGE).content.decode()


def test_refusal_of_the_worker_is_told_on_the_page(live, client):  # noqa: F811
    act(client, live, "make")
    row = act(client, live, "make")

    assert (row.state, row.host != "") == ("ready", True)
    assert "has a rehearsal" in client.get(PAGE).content.decode()


def test_nothing_is_asked_twice_and_a_dead_worker_is_not_waited_for(live):  # noqa: F811
    with tenancy.unit_of_work(live):
        owner = User.objects.select_related("role").get(email="ann@real.example")
        with pytest.raises(Conflict, match="Make one first"):
            rehearsing.ask(act="compare", actor=owner, at=NOON)
        rehearsing.ask(act="make", actor=owner, at=NOON)
        with pytest.raises(Conflict, match="being worked on"):
            rehearsing.ask(act="make", actor=owner, at=NOON + dt.timedelta(minutes=1))
        rehearsing.ask(act="make", actor=owner, at=NOON + dt.timedelta(minutes=3))
        with pytest.raises(NotAllowed):
            rehearsing.ask(act="make", actor=factories.user(role="manager"), at=NOON)
        assert Rehearsal.objects.count() == 1


def test_rehearsal_has_no_rehearsal(live, client):  # noqa: F811
    row = act(client, live, "make")
    queries.forget_hosts()
    inside = queries.scope_of_host(row.host)
    with tenancy.unit_of_work(inside):
        owner = User.objects.select_related("role").get(email="ann@real.example")
        with pytest.raises(Conflict, match="live company"):
            rehearsing.ask(act="make", actor=owner, at=NOON)
    page = signed_in(inside, owner).get(PAGE).content.decode()
    assert "Make a rehearsal" not in page


def test_nonsense_is_refused(live, client):  # noqa: F811
    assert client.post(f"{PAGE}act/", {"act": "explode"}).status_code == 409
    for path, body in (("promote/", {"what": "sales_stage:1:name"}), ("undo/", {})):
        assert client.post(f"{PAGE}{path}", body).status_code == 302
