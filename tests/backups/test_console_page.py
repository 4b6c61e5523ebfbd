"""Operators see a company's backups, have one made and restored, and put it in place."""

import pytest

from crm_platform.console.models import OperatorEntry
from crm_platform.identity.models import Session
from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import Invalid
from tenants import queries
from tenants.backups.models import Backup, RestoreRun
from tests.conftest import unique
from tests.console.conftest import client_of, make_person


@pytest.fixture
def browser_of(database):
    """`browser_of(role)` → an operator's browser; what it made is removed."""
    people = []

    def make(role):
        with tenancy.unit_of_work(tenancy.PLATFORM):
            people.append(make_person(role))
            return client_of(people[-1])

    yield make
    with tenancy.unit_of_work(tenancy.PLATFORM):
        for person in people:
            Session.objects.filter(user=person).delete()
            type(person).objects.filter(pk=person.pk).update(is_active=False)


@pytest.fixture
def operator(browser_of):
    """A platform operator's browser."""
    return browser_of("platform")


def text_of(answer):
    return answer.content.decode()


def newest(model, scope):
    with tenancy.unit_of_work(tenancy.PLATFORM):
        return model.objects.filter(company_id=scope.id).order_by("-pk").first()


def verbs():
    with tenancy.unit_of_work(tenancy.PLATFORM):
        return list(OperatorEntry.objects.order_by("pk").values_list("verb", flat=True))


def test_backup_is_made_restored_and_put_in_place(operator, broker, kept_company):
    scope = kept_company()
    page = f"/companies/{scope.id}/backups/"
    assert "No backup yet" in text_of(operator.get(page))

    assert operator.post(f"{page}make/").status_code == 302
    shown = operator.get(page)
    assert 'hx-trigger="every 3s' in text_of(shown)
    broker.work()

    backup = newest(Backup, scope)
    assert backup.state == Backup.State.DONE
    text = text_of(operator.get(page))
    assert 'hx-trigger="every 3s' not in text
    assert f"{backup.row_count:,} rows" in text
    assert "just now" in text_of(operator.get(f"/companies/{scope.id}/"))

    slug = f"back-{unique()}"
    assert operator.post(f"/backups/{backup.pk}/restore/", {"slug": slug, "reason": "Lost rows"})
    assert newest(RestoreRun, scope).state == RestoreRun.State.RUNNING
    broker.work()

    run = newest(RestoreRun, scope)
    assert (run.state, run.slug) == (RestoreRun.State.DONE, slug)
    text = text_of(operator.get(page))
    assert "equal to the backup" in text
    assert f"/companies/{run.restored_id}/" in text
    listed = f"/?q={scope.name}"
    assert text_of(operator.get(listed)).count("Restored copy") == 1
    copy, original = f"/companies/{run.restored_id}/", f"/companies/{scope.id}/"
    assert f'<a class="a" href="{original}">{scope.slug}</a>' in text_of(operator.get(copy))
    assert "Restored from" not in text_of(operator.get(original))

    assert "this can be undone" in text_of(operator.get(f"/restores/{run.pk}/swap/"))
    assert operator.post(f"/restores/{run.pk}/swap/", {"reason": " "}).status_code == 422
    early = operator.post(f"/restores/{run.pk}/swap-back/", {"reason": "x"})
    assert early.status_code == 422
    assert queries.working_scope(scope.id) is not None
    assert operator.post(f"/restores/{run.pk}/swap/", {"reason": "It is right"}).status_code == 302
    with tenancy.unit_of_work(tenancy.PLATFORM):
        assert queries.get_company(run.restored_id).slug == scope.slug
    assert "Undo the exchange" in text_of(operator.get(page))
    assert "Restored copy" not in text_of(operator.get(listed))
    assert text_of(operator.get(listed)).count("Replaced by its copy") == 1
    assert f'<a class="a" href="{copy}">{scope.slug}</a>' in text_of(operator.get(original))
    operator.post("/me/prefs/", {"language": "zh-hant"})
    assert "這家公司的另一份還原已取代它" in text_of(operator.get(original))
    assert operator.post(f"/restores/{run.pk}/swap-back/", {"reason": "No"}).status_code == 302
    with tenancy.unit_of_work(tenancy.PLATFORM):
        assert queries.get_company(scope.id).slug == scope.slug
    assert verbs()[-4:] == [
        "backup.asked", "backup.restored", "backup.swapped", "backup.swapped_back"
    ]  # fmt: skip


def test_backup_that_fails_says_so_and_the_web_needs_no_key(
    operator, broker, kept_company, settings
):
    scope = kept_company()
    page, settings.BACKUP_KEYS = f"/companies/{scope.id}/backups/", []

    assert operator.post(f"{page}make/").status_code == 302
    with pytest.raises(Invalid):
        broker.work()

    text = text_of(operator.get(page))
    assert "Backups need a key" in text
    assert "Restore beside it" not in text


def test_restore_that_cannot_be_is_refused_at_its_field(operator, backed_up):
    scope, backup = backed_up
    address = f"/backups/{backup.pk}/restore/"
    for given, says in (
        ({"slug": "Not An Address", "reason": "x"}, "letters"),
        ({"slug": scope.slug, "reason": "x"}, "Another company has this address name"),
        ({"slug": "fine-name", "reason": " "}, "required"),
    ):
        answer = operator.post(address, given)
        assert answer.status_code == 422
        assert says in text_of(answer)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        assert not RestoreRun.objects.filter(company_id=scope.id).exists()
    nobody = "00000000-0000-4000-8000-000000000000"
    assert operator.post(f"/backups/{nobody}/restore/", {}).status_code == 404
    assert operator.post(f"/restores/{nobody}/swap/", {"reason": "x"}).status_code == 404


def test_support_sees_backups_and_changes_nothing(browser_of, backed_up):
    scope, backup = backed_up
    support = browser_of("support")
    page = f"/companies/{scope.id}/backups/"

    text = text_of(support.get(page))

    assert "read back" in text
    assert "Restore beside it" not in text
    for address in (f"{page}make/", f"/backups/{backup.pk}/restore/"):
        assert support.post(address, {"slug": "a-b", "reason": "x"}).status_code == 403
    billing = browser_of("billing")
    assert billing.get(page).status_code == 403
    assert "All backups" not in text_of(billing.get(f"/companies/{scope.id}/"))
