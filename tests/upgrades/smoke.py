"""A day's work in one company over HTTP, in short: what must go on while releases change."""

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from crm_core.exchange import services as exchange
from crm_core.exchange.models import ImportJob
from crm_core.records.models import Account, Contact
from crm_platform.identity.services import tokens
from crm_platform.kernel import tenancy
from tenants import queries
from tests import factories

FILE = b"Full name,Company,E-mail\nImported Ida,Smoke Ltd,ida@smoke.example\n"
PAGES = (
    "/", "/accounts/", "/contacts/", "/deals/", "/activities/", "/deals/board/", "/tasks/",
    "/inbox/", "/import/", "/settings/fields/", "/settings/pipelines/", "/contacts/trash/",
)  # fmt: skip


class Day:
    """Somebody at work in `company`; each step fails by its own name."""

    def __init__(self, company):
        self.scope = queries.scope_of(company, f"{company.slug}.testserver")
        with tenancy.unit_of_work(self.scope):
            factories.seed_company()
            person = factories.user(role="owner")
            key = tokens.make_token(
                user=person, name="erp", scope="write", days=9, at=timezone.now()
            )[1]
        self.browser = Client(headers={"host": self.scope.host})
        name, value = factories.session_cookie(self.scope, person)
        self.browser.cookies[name] = value
        self.program = Client(headers={"host": self.scope.host, "authorization": f"Bearer {key}"})

    def walk(self):
        """Every step in its order; returns how many requests were answered."""
        self.answered = 0
        for path in PAGES:
            self.demand(self.browser.get(path), 200)
        contact = self.create()
        self.edit(contact)
        self.board()
        self.search()
        self.bring_in()
        self.api()
        return self.answered

    def demand(self, answer, status):
        assert answer.status_code == status, (answer.request["PATH_INFO"], answer.content[:2000])
        self.answered += 1
        return answer

    def create(self):
        values = {"short": "1", "name": "Smoky Sam", "account": "new:Smoke Ltd"}
        made = self.demand(self.browser.post("/contacts/new/", values), 302)
        self.demand(self.browser.get(made["Location"]), 200)
        return made["Location"]

    def edit(self, contact):
        with tenancy.unit_of_work(self.scope):
            version = Contact.objects.get(name="Smoky Sam").version
        title = {"title": "Director", "version": version}
        self.demand(self.browser.post(f"{contact}field/title/", title), 302)
        with tenancy.unit_of_work(self.scope):
            assert Contact.objects.get(name="Smoky Sam").title == "Director"

    def board(self):
        made = self.demand(self.browser.post("/deals/new/", {"short": "1", "name": "Smoke"}), 302)
        with tenancy.unit_of_work(self.scope):
            to = factories.stage("Proposal").pk
        self.demand(self.browser.post(f"{made['Location']}move/", {"stage": to}), 302)
        assert b"Smoke" in self.demand(self.browser.get("/deals/board/"), 200).content

    def search(self):
        found = self.demand(self.browser.get("/search/?q=smok"), 200)
        assert b"Smoky Sam" in found.content

    def bring_in(self):
        sent = {"file": SimpleUploadedFile("people.csv", FILE)}
        page = self.demand(self.browser.post("/import/contact/", sent), 302)["Location"]
        columns = {
            "to-0": "name", "to-1": "account", "to-2": "email", "identify": "email",
            "known": "update", "links": "create", "owners": "me",
        }  # fmt: skip
        self.demand(self.browser.post(f"{page}columns/", columns), 302)
        self.demand(self.browser.post(f"{page}run/"), 302)
        with tenancy.unit_of_work(self.scope):
            job = ImportJob.objects.get()
        with tenancy.choose(self.scope):
            exchange.run(job_id=job.pk, clock=timezone.now)
        self.demand(self.browser.get(page), 200)
        with tenancy.unit_of_work(self.scope):
            assert Contact.objects.get(name="Imported Ida").account.name == "Smoke Ltd"

    def api(self):
        made = self.program.post(
            "/api/v1/accounts/", {"name": "By program"}, content_type="application/json"
        )
        self.demand(made, 201)
        listed = self.demand(self.program.get("/api/v1/accounts/"), 200).json()
        with tenancy.unit_of_work(self.scope):
            assert Account.objects.count() == len(listed["results"])
