"""`crm make_demo_companies`: two companies to look at, made once; says how to sign in."""

import json
import secrets
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.core.management.base import BaseCommand
from django.utils import timezone

from billing import snapshots
from crm_core.web import demo, services
from crm_platform.identity.models import User
from crm_platform.kernel import tenancy
from tenants import queries
from tenants import services as tenants
from tenants.models import Company

SAMPLE, REAL = "harbour", "maven"


class Command(BaseCommand):
    help = "Make the demo companies that are absent; prints one JSON line a sign-in."

    def handle(self, *args: Any, **options: Any) -> None:
        folder = demo.sales_folder()
        self._company(SAMPLE, "Harbour Trading", None)
        self._company(REAL, "Maven Hardware" if folder else "Sample Hardware", folder)
        snapshots.catch_up(at=timezone.now())

    def _company(self, slug: str, name: str, files: Any) -> None:
        address = settings.ENVIRONMENT.address_of(f"{slug}.{settings.BASE_DOMAIN}")
        email = f"owner@{slug}.example"
        password = ""
        with tenancy.unit_of_work(tenancy.PLATFORM):
            company = Company.objects.filter(slug=slug).first()
        if company is None:
            password = secrets.token_urlsafe(9)
            company = self._request(slug, name, email, password)
        if company.state != Company.State.ACTIVE:
            self.stderr.write(f"Building {name} …")
            tenants.build(company_id=company.pk, at=timezone.now())
        if password:
            self._fill(company, email, files)
        self.stdout.write(
            json.dumps(
                {
                    "company": name,
                    "url": address,
                    "email": email,
                    "password": password or None,
                }
            )
        )

    def _request(self, slug: str, name: str, email: str, password: str) -> Company:
        return tenants.request_company(
            name=name,
            slug=slug,
            language="en",
            time_zone="Asia/Taipei",
            currency="USD",
            at=timezone.now(),
            is_demo=True,
            owner=tenants.NewOwner(
                name="Wai Chan", email=email, password_hash=make_password(password)
            ),
        )

    def _fill(self, company: Company, email: str, files: Any) -> None:
        scope = queries.scope_of(company, f"{company.slug}.{settings.BASE_DOMAIN}")
        now = timezone.now()
        with tenancy.unit_of_work(scope):
            owner = User.objects.get(email=email)
            services.apply_template(key="b2b", actor=owner, at=now)
        if files is not None:
            self.stderr.write("Importing the sales files …")
            self.stderr.write(str(demo.fill_from_files(scope, files, owner_id=owner.pk, at=now)))
        else:
            demo.fill_with_samples(scope, owner_id=owner.pk, at=now)
            demo.rent(scope, legal_name=company.name, at=now)
