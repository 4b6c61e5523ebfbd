"""The pool of finished schemas: sign-up takes one instead of making one."""

import datetime as dt
from typing import Any

from crm_platform.kernel import tenancy
from tenants import provisioning
from tenants.upgrades import applying, queries
from tenants.upgrades.models import Release, Spare

MADE_A_RUN = 25


_TAKE = """
DELETE FROM upgrades_spare WHERE id = (
  SELECT id FROM upgrades_spare spare
  WHERE lease IS NULL
    AND NOT EXISTS (SELECT FROM upgrades_release later WHERE later.previous_id = spare.release_id)
    AND NOT EXISTS (SELECT FROM tenants_company WHERE slug = %(slug)s)
    AND NOT EXISTS (SELECT FROM tenants_retiredname WHERE name = %(slug)s)
  ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
)
RETURNING id, schema_name,
  (SELECT version FROM upgrades_release release WHERE release.id = release_id) AS version
"""
"""Found and taken in one statement, if nobody has the address name: sign-up waits for it."""


def take(*, slug: str) -> tuple[str, str] | None:
    """A spare's schema and release for the company that is to have the address name `slug`.

    None when there is none, or when the name is not free (`queries.slug_is_free` tells which).

    Inside the platform's unit of work: the spare leaves the pool exactly when the company's row
    that names it is kept. Spares of an older release are never given out.
    """
    taken: list[Any] = list(Spare.objects.raw(_TAKE, {"slug": slug}))
    return (taken[0].schema_name, taken[0].version) if taken else None


def refill(*, at: dt.datetime, most: int = MADE_A_RUN) -> int:
    """Make spares until the wanted number stands, at most `most`; returns how many were made.

    The name is in the pool before the schema stands, so a maker that dies leaves no schema that
    nobody knows; the next run finishes or removes what it left.
    """
    with tenancy.unit_of_work(tenancy.PLATFORM):
        release = queries.newest()
        wanted = queries.setting().spares
    if release is None:
        return 0
    lease = applying.take_lease()
    try:
        _tidy(release)
        with tenancy.unit_of_work(tenancy.PLATFORM):
            absent = max(wanted - release.spares.count(), 0)
        made = 0
        for _turn in range(min(absent, most)):
            _make(release, lease, at=at)
            made += 1
        return made
    finally:
        applying.give_lease_back(lease)


def _make(release: Release, lease: int, *, at: dt.datetime) -> None:
    schema = provisioning.new_schema_name()
    with tenancy.unit_of_work(tenancy.PLATFORM):
        Spare.objects.create(schema_name=schema, release=release, made_at=at, lease=lease)
    provisioning.build_schema(schema, script=release.script)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        Spare.objects.filter(schema_name=schema).update(lease=None)


def _tidy(release: Release) -> None:
    """Remove spares of older releases, and settle those whose maker is gone."""
    living = applying.living_leases()
    with tenancy.unit_of_work(tenancy.PLATFORM):
        old = list(Spare.objects.exclude(release=release).exclude(lease__in=living))
        dead = list(release.spares.filter(lease__isnull=False).exclude(lease__in=living))
    for spare in dead:
        if provisioning.schema_exists(spare.schema_name):
            with tenancy.unit_of_work(tenancy.PLATFORM):
                Spare.objects.filter(pk=spare.pk).update(lease=None)
        else:
            old.append(spare)
    for spare in old:
        if _leaves_the_pool(spare):
            provisioning.remove_schema(spare.schema_name)
            with tenancy.unit_of_work(tenancy.PLATFORM):
                Spare.objects.filter(pk=spare.pk).delete()


def _leaves_the_pool(spare: Spare) -> bool:
    """Mark it as being removed, unless somebody has taken it meanwhile."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        return bool(Spare.objects.filter(pk=spare.pk).update(lease=spare.lease or -1))
