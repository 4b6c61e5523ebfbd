"""A rehearsal is made quickly, names nobody, sends nothing, and tells what was changed in it."""

import datetime as dt
import os
import signal
import subprocess
import sys
import time

import psycopg
import pytest
from django.conf import settings
from django.core import mail as django_mail
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from django.utils import timezone
from psycopg.sql import SQL, Identifier

from crm_core.records.models import Account, Contact
from crm_core.sales.models import Stage
from crm_core.web.rehearsing import tables
from crm_core.web.samples import load_samples
from crm_platform.identity.client import Client as Visitor
from crm_platform.identity.models import OutgoingMail, User
from crm_platform.identity.services import mail, passwords
from crm_platform.kernel import tenancy
from crm_platform.kernel.db.owner.base import owner_connection
from crm_platform.kernel.errors import Conflict, NotFound
from tenants import provisioning, queries, rehearsal
from tenants.models import Company, Domain
from tests import conftest, factories
from tests.backups.figures import schemas, sums
from tests.conftest import NOON, unique
from tests.locks import wait_until_free

PASSWORD = "correct horse battery"


def samples(actor, at):
    load_samples(actor=actor, at=at)


@pytest.fixture
def live(database):
    """A company of its own with people and customers whose names must not get out."""
    scope = conftest.make_company(f"live-{unique()}")
    with tenancy.unit_of_work(scope):
        owner = factories.user(role="owner", name="Ann Real", email="ann@real.example")
        factories.user(name="Bob Secretname", email="bob@real.example", phone="+886 2 1234 5678")
        factories.account(owner, name="Secret Customer")
        factories.tag("VIP")
    yield scope
    with tenancy.unit_of_work(tenancy.PLATFORM):
        rows = Company.objects.filter(live_id=scope.id)
        made = list(rows.values_list("schema_name", flat=True))
        Domain.objects.filter(company__in=rows).delete()
        rows.delete()
    for schema in made:
        provisioning.remove_schema(schema)


def make(live, act=rehearsal.make):
    made = act(
        live_id=live.id, owner_email="ann@real.example", tables=tables(), fill=samples, at=NOON
    )
    return made, queries.working_scope(made.pk)


def test_rehearsal_is_made_within_five_seconds_with_the_configuration_of_the_live_one(live, say):
    before = sums(live.schema)
    began = time.perf_counter()
    made, scope = make(live)
    seconds = time.perf_counter() - began

    assert seconds < 5
    here, there = sums(live.schema), sums(scope.schema)
    assert here == before
    assert {name for name in tables() if here[name] != there[name]} <= {"fields_tag"}
    assert (made.live_id, scope.is_rehearsal) == (live.id, True)
    with tenancy.unit_of_work(scope):
        assert Contact.objects.count() > 0
        assert factories.account(User.objects.get(email="ann@real.example")).pk
    say(f"rehearsal: made in {seconds:.2f} s, {len(tables())} tables of configuration")


def test_rehearsal_names_nobody_but_the_one_who_asked(live):
    _made, scope = make(live)

    with tenancy.unit_of_work(scope):
        people = dict(User.objects.values_list("email", "name"))
        assert people.pop("ann@real.example") == "Ann Real"
        assert all(email.endswith("@rehearsal.invalid") for email in people)
        virtual = User.objects.exclude(email="ann@real.example")
        assert not [each for each in virtual if each.has_usable_password()]
        assert User.objects.get(email="ann@real.example").check_password(PASSWORD)
        assert not Account.objects.filter(name="Secret Customer").exists()
    raw = owner_connection().connection
    for table in ("identity_user", "records_account", "audit_entry", "search_document"):
        rows = raw.execute(
            SQL("SELECT string_agg(t::text, '|') FROM {} t").format(Identifier(scope.schema, table))
        ).fetchone()
        for word in ("Secretname", "bob@real", "1234 5678", "Secret Customer"):
            assert word not in (rows[0] or ""), (table, word)


def test_no_mail_leaves_a_rehearsal_and_its_outbox_shows_it(live, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    _made, scope = make(live)
    with tenancy.unit_of_work(scope):
        passwords.request_reset(email="ann@real.example", client=Visitor("192.0.2.1"), at=NOON)
        waiting = OutgoingMail.objects.get()

    with tenancy.choose(scope):
        assert mail.send_waiting(at=NOON) == 1

    assert getattr(django_mail, "outbox", []) == []
    with tenancy.unit_of_work(scope):
        kept = OutgoingMail.objects.get()
        assert (kept.sent_at, kept.body) == (NOON, waiting.body)
        owner = User.objects.get(email="ann@real.example")
    client = signed_in(scope, owner)
    page = client.get("/rehearsal/outbox/").content.decode()
    assert waiting.subject in page


def signed_in(scope, person):
    name, value = factories.session_cookie(scope, person)
    client = Client(headers={"host": scope.host})
    client.cookies[name] = value
    return client


def test_band_stands_on_every_page_of_a_rehearsal_and_on_none_of_the_live_one(live):
    _made, scope = make(live)
    for company, is_marked in ((scope, True), (live, False)):
        with tenancy.unit_of_work(company):
            owner = User.objects.get(email="ann@real.example")
        client = signed_in(company, owner)
        for path in ("/", "/deals/board/", "/contacts/", "/settings/company/", "/settings/tags/"):
            page = client.get(path).content.decode()
            assert ("This is a rehearsal" in page) == is_marked, path
        status = client.get("/rehearsal/outbox/").status_code
        assert status == (200 if is_marked else 404)


def test_what_was_changed_is_told_row_by_row(live):
    made, scope = make(live)
    loaded = {(d.table, d.row) for d in found(made)}
    with tenancy.unit_of_work(scope):
        stage = Stage.objects.get(name="Proposal")
        stage.probability = 66
        stage.save()
        factories.tag("Only here")
    with tenancy.unit_of_work(live):
        factories.team("Only live")

    told = [d for d in found(made) if (d.table, d.row) not in loaded]

    assert [(d.table, d.row, d.field) for d in told] == [
        ("identity_team", "Only live", ""),
        ("sales_stage", "Proposal", "probability"),
        ("fields_tag", "Only here", ""),
    ]
    assert (told[1].live, told[1].rehearsal) == (50, 66)
    assert (told[0].rehearsal, told[2].live) == (None, None)


def found(made):
    return rehearsal.differences(company_id=made.pk, tables=tables())


def test_one_rehearsal_a_company_reset_makes_it_anew_and_remove_leaves_nothing(live):
    before = schemas()
    first, _scope = make(live)
    with pytest.raises(Conflict, match="has a rehearsal"):
        make(live)
    with pytest.raises(Conflict, match="rehearsal itself"):
        rehearsal.make(
            live_id=first.pk, owner_email="ann@real.example", tables=tables(), fill=samples, at=NOON
        )

    second, scope = make(live, rehearsal.reset)

    assert second.pk != first.pk
    assert schemas() == before | {scope.schema}
    rehearsal.remove(company_id=second.pk, at=NOON)
    assert schemas() == before
    assert queries.working_scope(second.pk) is None


def test_live_company_is_never_removed_this_way(live):
    with pytest.raises(Conflict, match="no rehearsal"):
        rehearsal.remove(company_id=live.id, at=NOON)
    with pytest.raises(NotFound):
        rehearsal.differences(company_id=live.id, tables=tables())

    assert queries.working_scope(live.id) is not None


def test_fault_in_the_middle_leaves_nothing(live):
    before = schemas()

    def broken(_actor, _at):
        raise RuntimeError("no data today")

    with pytest.raises(RuntimeError):
        rehearsal.make(
            live_id=live.id, owner_email="ann@real.example", tables=tables(), fill=broken, at=NOON
        )
    with pytest.raises(NotFound):
        rehearsal.make(
            live_id=live.id, owner_email="x@real.example", tables=tables(), fill=samples, at=NOON
        )

    assert schemas() == before
    with tenancy.unit_of_work(tenancy.PLATFORM):
        assert not rehearsal.rehearsals_of(live.id).exists()


def cut_off(live, step):
    """Have a process make (or remove) a rehearsal, and be killed at a step."""
    process = subprocess.run(
        [sys.executable, "-m", "tests.rehearsal.cut_off", str(live.id), step],
        cwd=settings.BASE_DIR, check=False,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "crm_platform.settings_test",
             "PYTHONPATH": f"{settings.BASE_DIR}:{settings.BASE_DIR / 'platform'}",
             "RAPPORT_TEST_DATABASE": conftest.TEST_DATABASE},
    )  # fmt: skip
    assert process.returncode == -signal.SIGKILL
    wait_until_free(f"rehearsal:{live.id}")


@pytest.mark.parametrize("step", ["building", "filling", "opening", "removing"])
def test_process_killed_in_the_middle_leaves_nothing_that_stays(live, step):
    before = schemas()
    if step == "removing":
        make(live)
    cut_off(live, step)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        assert not rehearsal.rehearsals_of(live.id).exists(), "half of one can be opened"
        half = set(Company.objects.filter(live_id=live.id).values_list("id", flat=True))
        later = queries.unfinished_ids(at=timezone.now() + dt.timedelta(days=9))
    assert len(half) == 1
    assert half & set(later) == set(), "it would be built as a company of its own"

    rehearsal.clear_dead()

    assert schemas() == before
    make(live)


def test_what_somebody_is_at_work_on_is_not_cleared(live, servers):
    cut_off(live, "filling")
    with psycopg.connect(servers.superuser_url, dbname=conftest.TEST_DATABASE) as maker:
        maker.execute(
            "SELECT pg_advisory_lock(hashtextextended(%s, 0))", [f"rapport:rehearsal:{live.id}"]
        )
        assert rehearsal.clear_dead() == 0
        with pytest.raises(Conflict, match="being made now"):
            make(live)
    wait_until_free(f"rehearsal:{live.id}")
    assert rehearsal.clear_dead() == 1


def test_command_makes_compares_and_removes(live, capsys):
    for words in (["make", live.slug], ["compare", live.slug], ["remove", "nobody-there"]):
        with pytest.raises(CommandError):
            call_command("rehearsal", *words)
    call_command("rehearsal", "make", live.slug, "--owner", "ann@real.example")
    call_command("rehearsal", "compare", live.slug)
    call_command("rehearsal", "reset", live.slug, "--owner", "ann@real.example")
    call_command("rehearsal", "remove", live.slug)

    told = capsys.readouterr().out
    assert "stands after" in told
    assert "differences" in told
    assert "is gone" in told
