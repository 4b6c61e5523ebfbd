"""Reading the register for the console."""

from dataclasses import dataclass

from django.conf import settings
from django.core.paginator import Page, Paginator
from django.db.models import Q, QuerySet

from tenants.models import Company

A_PAGE = 50
SORTS = {
    "name": ("name", "id"), "-name": ("-name", "-id"),
    "users": ("user_count", "id"), "-users": ("-user_count", "-id"),
    "size": ("size_bytes", "id"), "-size": ("-size_bytes", "-id"),
    "created": ("created_at", "id"), "-created": ("-created_at", "-id"),
    "used": ("last_used_at", "id"), "-used": ("-last_used_at", "-id"),
}  # fmt: skip
DEFAULT_SORT = "-created"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the operator asked to see."""

    text: str = ""
    state: str = ""
    sort: str = DEFAULT_SORT


def companies(wanted: Wanted, *, page: int) -> Page[Company]:
    """One page of companies with their domains. Three queries."""
    found: QuerySet[Company] = Company.objects.prefetch_related("domains")
    if wanted.text:
        holds = Q(name__icontains=wanted.text) | Q(slug__icontains=wanted.text)
        found = found.filter(holds | Q(domains__host__icontains=wanted.text)).distinct()
    if wanted.state in Company.State.values:
        found = found.filter(state=wanted.state)
    ordered = found.order_by(*SORTS.get(wanted.sort, SORTS[DEFAULT_SORT]))
    return Paginator(ordered, A_PAGE).get_page(page)


def address_of(company: Company) -> str:
    """The company's link, from its primary domain; empty for a removed one."""
    hosts = [domain.host for domain in company.domains.all() if domain.is_primary]
    return str(settings.ENVIRONMENT.address_of(hosts[0])) if hosts else ""
