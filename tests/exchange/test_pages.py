"""The wizard through the front door, and the doors that stay shut."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command

from crm_core.exchange import services
from crm_core.exchange.models import ImportJob
from crm_core.records.models import Contact
from crm_platform.kernel import tenancy
from tests import factories
from tests.exchange.conftest import bring_in, csv_bytes, draft
from tests.factories import NOON

ROWS = csv_bytes(
    ("Full name", "Company", "E-mail"), ("Anna", "Acme", "a@x.example"), ("Ben", "", "no")
)


@pytest.fixture
def web(client_for, acme, manager):
    return client_for(acme, manager)


def upload(web, content=ROWS, kind="contact", name="people.csv"):
    return web.post(f"/import/{kind}/", {"file": SimpleUploadedFile(name, content)})


def test_the_wizard_from_file_to_report(web, manager):
    page = upload(web).headers["Location"]
    columns = web.get(page)
    assert columns.status_code == 200
    assert "people.csv" in columns.text

    checked = web.post(f"{page}columns/", {
        "to-0": "name", "to-1": "account", "to-2": "email", "identify": "email", "known": "update",
        "links": "create", "owners": "me",
    })  # fmt: skip
    preview = web.get(checked.headers["Location"])
    assert "“no” is not a mail address." in preview.text
    assert "will be added" in preview.text
    assert Contact.objects.count() == 0

    begun = web.post(f"{page}run/")
    assert begun.headers["Location"] == page
    job = ImportJob.objects.get()
    assert "Waiting for its turn" in web.get(page).text
    services.run(job_id=job.pk, clock=lambda: NOON)

    report = web.get(page)
    assert "“no” is not a mail address." in report.text
    assert Contact.objects.get().account.name == "Acme"
    polled = web.get(f"{page}progress/", headers={"HX-Request": "true"})
    assert polled.headers["HX-Redirect"] == page
    assert "people.csv" in web.get("/import/").text
    assert web.post(f"{page}undo/").status_code == 302


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"", "empty"), (b"name\n", "no rows"), (b"PK\x03\x04broken", "cannot be opened")],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_refused_with_a_sentence(web, content, sentence):
    answer = upload(web, content)

    assert answer.status_code == 422
    assert sentence in answer.text
    assert not ImportJob.objects.exists()


def test_bad_columns_come_back_marked_with_what_was_chosen(web):
    page = upload(web).headers["Location"]

    answer = web.post(f"{page}columns/", {"to-0": "name", "to-1": "name", "known": "skip"})

    assert answer.status_code == 422
    assert "Two columns go to “Name”" in answer.text


def test_the_file_can_be_read_in_another_encoding(web):
    page = upload(web, "姓名\n陳怡君\n".encode("cp950")).headers["Location"]

    web.post(f"{page}read/", {"read-encoding": "gb18030", "read-delimiter": ","})

    assert ImportJob.objects.get().shape["encoding"] == "gb18030"


def test_a_draft_can_be_discarded_with_its_files(web):
    page = upload(web).headers["Location"]

    assert web.post(f"{page}discard/").status_code == 302
    assert not ImportJob.objects.exists()


@pytest.mark.parametrize("kind", ["account", "contact", "deal", "activity"])
def test_each_kind_has_a_start_page_and_an_example_that_can_be_imported(web, manager, kind):
    assert web.get(f"/import/{kind}/").status_code == 200
    content = b"".join(web.get(f"/import/{kind}/example.csv").streaming_content)

    job = bring_in(kind, content, manager)

    assert (job.created, job.failed) == (3, 0)


def test_colleagues_are_imported_by_admins_only(client_for, acme, web, owner):
    assert web.get("/import/person/").status_code == 403
    assert client_for(acme, owner).get("/import/person/").status_code == 200


def test_viewers_import_nothing(client_for, acme, viewer, manager):
    job = bring_in("contact", ROWS, manager)
    web = client_for(acme, viewer)

    for address in ("/import/", "/import/contact/", "/import/contact/example.csv",
                    f"/import/jobs/{job.pk}/", f"/import/jobs/{job.pk}/failed.csv"):  # fmt: skip
        assert web.get(address).status_code == 403, address
    assert upload(web).status_code == 403
    for act in ("run", "undo", "cancel", "discard", "columns", "read"):
        assert web.post(f"/import/jobs/{job.pk}/{act}/").status_code == 403, act


def test_members_see_their_own_imports_only(client_for, acme, member, manager):
    job = bring_in("contact", ROWS, manager)

    assert client_for(acme, member).get(f"/import/jobs/{job.pk}/").status_code == 404
    assert "file.csv" not in client_for(acme, member).get("/import/").text


def test_another_company_s_import_does_not_exist(client_for, globex, in_acme, manager):
    job = bring_in("contact", ROWS, manager)
    with tenancy.unit_of_work(globex):
        stranger = factories.user(role="owner")
    web = client_for(globex, stranger)

    for path in ("", "failed.csv", "progress/"):
        assert web.get(f"/import/jobs/{job.pk}/{path}").status_code == 404
    assert web.post(f"/import/jobs/{job.pk}/undo/").status_code == 404


# -- the shell -----------------------------------------------------------------------------------


def of_slug(slug):
    return {"acme": SCOPE.get("acme")}.get(slug)


SCOPE = {}


@pytest.fixture
def shell(settings, acme, in_acme, owner, tmp_path, capsys):
    settings.COMPANY_BY_SLUG = "tests.exchange.test_pages.of_slug"
    import sys

    sys.modules.setdefault("tests.exchange.test_pages", sys.modules[__name__])
    SCOPE["acme"] = acme
    path = tmp_path / "people.csv"
    path.write_bytes(ROWS)

    def run(*words):
        call_command("import_file", "acme", "contact", str(path), *words)
        return capsys.readouterr().out

    return run


def test_import_file_prints_totals_and_reasons(shell):
    out = shell("--create-links")

    assert [line.split() for line in out.splitlines()[3:5]] == [
        ["rows", "created", "updated", "skipped", "failed"], ["2", "1", "0", "0", "1"],
    ]  # fmt: skip
    assert "1 x failed: “no” is not a mail address." in out


def test_import_file_dry_run_writes_nothing(shell):
    assert "Nothing was written" in shell("--dry-run")
    assert not Contact.objects.exists()
    assert not ImportJob.objects.exists()


def test_import_file_maps_as_told_and_is_strict_if_asked(shell):
    shell("--map", "Full name=name", "--identify", "name", "--strict")
    assert set(Contact.objects.values_list("name", "email")) == {("Anna", ""), ("Ben", "")}

    with pytest.raises(CommandError, match="1 rows failed"):
        shell("--identify", "none", "--strict")
    with pytest.raises(CommandError, match="no column “Nome”"):
        shell("--map", "Nome=name")


def test_a_draft_of_somebody_else_is_not_started_twice(web, manager):
    job = draft("contact", ROWS, manager)
    web.post(f"/import/jobs/{job.pk}/run/")

    assert web.post(f"/import/jobs/{job.pk}/run/").status_code == 409
