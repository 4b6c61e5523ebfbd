"""Reading the register of companies. Every function opens its own unit of work if it must."""

import contextlib
import datetime as dt
import time
from typing import NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from psycopg.sql import SQL, Identifier

from crm_platform.kernel import tenancy
from tenants import news, sharding
from tenants.lifecycle import states
from tenants.models import Company, CompanyLimit, Domain, RetiredName
from tenants.upgrades import whats_new

HOST_CACHE_SECONDS = 30
MOST_ATTEMPTS = 5
"""A build that failed this often waits for an operator."""
UNFINISHED_AFTER = dt.timedelta(seconds=30)
_by_host: dict[str, tuple[float, "FoundHost | None"]] = {}
_HOST_CACHE_SIZE = 5000
_generation = ""


class FoundHost(NamedTuple):
    """A host that is known: whose it is, and of which kind (`Domain.Kind`)."""

    scope: tenancy.Scope
    kind: str


def scope_of(
    company: Company, host: str = "", limits: tuple[tuple[str, int], ...] = ()
) -> tenancy.Scope:
    """What the lower layers need to know of `company`.

    `limits` are the operators' word (`own_limits`); it goes before that of the plan.
    """
    return tenancy.Scope(
        id=company.id,
        schema=company.schema_name,
        role=company.schema_name,
        name=company.name,
        slug=company.slug,
        host=host,
        state=company.state,
        time_zone=company.time_zone,
        currency=company.currency,
        language=company.language,
        accent_hue=company.accent_hue,
        state_reason=company.state_reason,
        state_since=company.state_since,
        state_until=company.state_until,
        writable=states.is_writable(company.state),
        is_rehearsal=company.live_id is not None,
        limits=tuple(sorted({**company.plan_limits, **dict(limits)}.items())),
        limit_levels=tuple(sorted(company.limit_levels.items())),
        release=company.release,
        features=tuple(sorted(company.features.items())),
    )


def limits_in_force(at: dt.datetime) -> QuerySet[CompanyLimit]:
    """What operators allow companies at `at`; what has expired is not among it."""
    ends = Q(expires_at=None) | Q(expires_at__gt=at)
    return CompanyLimit.objects.filter(ends).order_by("kind")


def own_limits(company_id: UUID, *, at: dt.datetime | None = None) -> tuple[tuple[str, int], ...]:
    """What operators allow one company at `at` (now) otherwise than its plan. One query."""
    rows = limits_in_force(at or timezone.now()).filter(company_id=company_id)
    return tuple(rows.values_list("kind", "value"))


def working_scope(company_id: UUID) -> tenancy.Scope | None:
    """The scope of a company that may work now; None when absent, unfinished or stopped.

    A read-only company's is not `writable`.
    """
    with tenancy.unit_of_work(tenancy.PLATFORM):
        domain = (
            Domain.objects.select_related("company")
            .filter(company_id=company_id, is_primary=True, company__state__in=states.READS)
            .first()
        )
        if domain is None:
            return None
        return scope_of(domain.company, domain.host, own_limits(company_id))


def scope_of_host(host: str) -> tenancy.Scope | None:
    """The company a host name belongs to, whatever its state; its `host` is the one that leads."""
    found = find_host(host)
    return found.scope if found else None


def find_host(host: str) -> FoundHost | None:
    """Whose a host name is and how it answers; remembered for a short while.

    None for a name given back, and for an old address whose time has ended.
    """
    _forget_older(news.generation())
    known = _by_host.get(host)
    now = time.monotonic()
    if known and known[0] > now:
        return known[1]
    with tenancy.unit_of_work(tenancy.PLATFORM):
        domain = _answering(timezone.now()).filter(host=host).first()
        found = None
        if domain:
            limits = own_limits(domain.company_id)
            scope = scope_of(domain.company, primary_host(domain), limits)
            found = FoundHost(scope, domain.kind)
            whats_new.learn(scope.release)
    if len(_by_host) >= _HOST_CACHE_SIZE:
        _by_host.clear()
    # A company still being made changes state within seconds: ask again each time.
    if found is None or found.scope.state in states.READS:
        _by_host[host] = (now + HOST_CACHE_SECONDS, found)
    return found


def _forget_older(generation: str) -> None:
    """Drop what was read before another process changed the register."""
    global _generation  # noqa: PLW0603  one fact of the process
    if generation and generation != _generation:
        _by_host.clear()
        whats_new.forget()
        _generation = generation


def _answering(at: dt.datetime) -> QuerySet[Domain]:
    ended = Q(kind=Domain.Kind.OLD, redirects_until__lte=at)
    return Domain.objects.select_related("company").filter(released_at=None).exclude(ended)


def primary_host(domain: Domain) -> str:
    """The host name that links of this domain's company are made with."""
    if domain.is_primary:
        return domain.host
    primary = Domain.objects.filter(company_id=domain.company_id, is_primary=True).first()
    return primary.host if primary else domain.host


def primary_host_of(company_id: UUID) -> str:
    """The host of a company's links; empty for one that has none. In the platform's unit."""
    found = Domain.objects.filter(company_id=company_id, is_primary=True).first()
    return found.host if found else ""


def forget_hosts() -> None:
    """Read host names anew, here and in every other process; after a change of the register."""
    _by_host.clear()
    whats_new.forget()
    news.spread()


def scope_of_slug(slug: str) -> tenancy.Scope | None:
    """The working company of that address name; for the shell's commands."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        company = Company.objects.filter(slug=slug, state__in=states.WORKS).first()
        if company is None:
            return None
        return scope_of(company, primary_host_of(company.pk), own_limits(company.pk))


def companies() -> QuerySet[Company]:
    """Every company, newest first; for the platform's unit of work."""
    return Company.objects.prefetch_related("domains").order_by("-created_at", "id")


def active_scopes(
    *, ids: list[UUID] | None = None, among: frozenset[Company.State] = states.WORKS
) -> list[tenancy.Scope]:
    """The scopes of every company that works now (or of those among `ids`). Two queries."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        domains = Domain.objects.select_related("company").filter(
            is_primary=True, company__state__in=among
        )
        if ids is not None:
            domains = domains.filter(company_id__in=ids)
        own: dict[UUID, list[tuple[str, int]]] = {}
        for company_id, kind, value in limits_in_force(timezone.now()).values_list(
            "company_id", "kind", "value"
        ):
            own.setdefault(company_id, []).append((kind, value))
        return [
            scope_of(each.company, each.host, tuple(own.get(each.company_id, ())))
            for each in domains.order_by("company_id")
        ]


def unfinished_ids(*, at: dt.datetime) -> list[UUID]:
    """Companies whose making was asked for a while ago and may be tried (again).

    Not rehearsals, which have a maker of their own.
    """
    state = Company.State
    waiting = Q(state__in=(state.REQUESTED, state.BUILDING)) | Q(
        state=state.FAILED, attempts__lt=MOST_ATTEMPTS
    )
    older = Q(created_at__lt=at - UNFINISHED_AFTER)
    return list(Company.objects.filter(waiting, older, live=None).values_list("pk", flat=True))


def longest_unmeasured_ids(*, limit: int) -> list[UUID]:
    """Companies open at least to readers, those never measured first."""
    active = Company.objects.filter(state__in=states.READS)
    order = F("measured_at").asc(nulls_first=True)
    return list(active.order_by(order, "pk").values_list("pk", flat=True)[:limit])


def get_company(company_id: UUID) -> Company | None:
    return Company.objects.filter(pk=company_id).first()


def standing_companies(slugs: list[str]) -> list[Company]:
    """Companies that have a schema to keep up to date (those of `slugs`, if any), by age."""
    found = Company.objects.filter(state__in=states.STANDING)
    if slugs:
        found = found.filter(slug__in=slugs)
    return list(found.order_by("created_at", "pk"))


def find_company(name: str) -> Company | None:
    """The company with this address name, host or id; for commands."""
    wanted = Q(slug=name.lower()) | Q(domains__host=name.lower())
    with contextlib.suppress(ValueError):
        wanted |= Q(pk=UUID(name))
    return Company.objects.filter(wanted).distinct().first()


def host_is_known(host: str) -> bool:
    """Whether a company, open or not, has this host; for the platform's unit of work."""
    return Domain.objects.filter(host=host, released_at=None).exists()


def schema_size() -> int:
    """Bytes on disk of the running unit of work's schema, indexes included. One query."""
    size_of = "citus_total_relation_size" if sharding.is_sharded() else "pg_total_relation_size"
    with connection.cursor() as cursor:
        cursor.execute(
            SQL(
                "SELECT coalesce(sum({}(oid)), 0)::bigint FROM pg_class"
                " WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'm')"
            ).format(Identifier(size_of))
        )
        return int(cursor.fetchone()[0])


def slug_is_free(slug: str) -> bool:
    """Whether no company has or had this address name."""
    now = Company.objects.filter(slug=slug).values_list("slug")
    had = RetiredName.objects.filter(name=slug).values_list("name")
    return not now.union(had, all=True).exists()
