"""What a company's page about its addresses shows."""

import dataclasses
import datetime as dt
from uuid import UUID

from crm_platform.kernel import tenancy
from tenants.addresses import rules
from tenants.models import Domain, DomainClaim

Kind = Domain.Kind


@dataclasses.dataclass(frozen=True, slots=True)
class Claim:
    """A host name to be proven: the record to publish."""

    host: str
    txt_name: str
    txt_value: str


@dataclasses.dataclass(frozen=True, slots=True)
class Addresses:
    """`live` answer now (the leading one first), `old` redirect, `claims` wait for their proof."""

    live: list[Domain]
    old: list[Domain]
    claims: list[Claim]


def addresses_of(company_id: UUID, *, at: dt.datetime) -> Addresses:
    """Everything by which a company is or will be reached. Two queries, in a unit of its own."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        rows = list(
            Domain.objects.filter(company_id=company_id, released_at=None).order_by(
                "-is_primary", "kind", "host"
            )
        )
        claims = list(DomainClaim.objects.filter(company_id=company_id).order_by("host"))
    return Addresses(
        live=[row for row in rows if row.kind != Kind.OLD],
        old=[
            r for r in rows if r.kind == Kind.OLD and r.redirects_until and r.redirects_until > at
        ],
        claims=[
            Claim(one.host, rules.txt_name(one.host), rules.txt_value(one.token)) for one in claims
        ],
    )
