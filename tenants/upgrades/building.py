"""Building a release: rendered, linted, proven on a throw-away schema, entered in the ledger."""

import datetime as dt
import re
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from crm_platform.kernel import tenancy
from crm_platform.kernel.db.owner.base import owner_connection
from crm_platform.kernel.errors import Conflict, Invalid
from tenants import provisioning
from tenants.models import Company
from tenants.upgrades import applying, linting, linting_sql, queries, rendering, settling
from tenants.upgrades import notes as shipped
from tenants.upgrades.auditing import audit
from tenants.upgrades.fingerprints import fingerprint_of
from tenants.upgrades.models import Release

VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]{0,39}")


def build_release(
    *, version: str, at: dt.datetime, notes: dict[str, Any] | None = None, most_failures: int = 0
) -> Release:
    """Render what the running code's migrations mean, prove it on a throw-away schema, keep it.

    It takes in every company of no release whose tables are as it says: those made before there
    were any, and those that a backup brought to this code before its release was built.

    `notes` are what the companies' people read of it; without any, those of the files that no
    release has told. Such news alone make a release, even where no table changes.

    Raises:
        Conflict: nothing changed since the newest release, or that one is not finished.
        Invalid: the name is none, a migration is not safe while people work, or the steps lead
            elsewhere than the whole script.
    """
    if not VERSION.fullmatch(version):
        raise Invalid(_("Name a release by letters, digits, dots and dashes."), field="version")
    with tenancy.unit_of_work(tenancy.PLATFORM):
        newest, pending = queries.newest(), shipped.pending(queries.told())
    if newest is not None and newest.state != Release.State.DONE:
        raise Conflict(_("Release %(version)s is not finished yet.") % {"version": newest.version})
    head = rendering.head()
    if newest is not None and newest.head == head and not (notes or pending):
        raise Conflict(_("Nothing changed since release %(version)s.") % {"version": newest})
    rendered = rendering.rendered_after(newest.head) if newest else []
    _demand_safe(rendered)
    steps = [each.step for each in rendered]
    fingerprint, shape = _proven(newest, steps)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        release = Release.objects.create(
            version=version, previous=newest, built_at=at, head=head,
            notes=shipped.merged(pending) if notes is None else notes,
            told=sorted(pending) if notes is None else [],
            script=provisioning.company_script(), fingerprint=fingerprint, shape=shape,
            steps=steps,
            most_failures=most_failures,
            state=Release.State.BUILT if newest else Release.State.DONE,
        )  # fmt: skip
    adopt(release=release)
    return release


def _demand_safe(rendered: list[rendering.Rendered]) -> None:
    found = [
        *(fault for each in rendered for fault in linting.faults_of(each.migration)),
        *linting_sql.faults_in(rendered),
    ]
    if found:
        raise Invalid(_("The release is not safe: %(faults)s") % {"faults": "; ".join(found)})


def _proven(newest: Release | None, steps: list[rendering.Step]) -> tuple[str, dict[str, Any]]:
    """The fingerprint of the new script, which the steps must lead to as well; and the `shape`.

    Nothing is kept.
    """
    shape: dict[str, Any] = {}
    connection = owner_connection()
    connection.ensure_connection()
    raw = connection.connection
    fresh, upgraded = provisioning.new_schema_name(), provisioning.new_schema_name()
    with transaction.atomic(using="owner"):
        transaction.set_rollback(True, using="owner")
        raw.execute("SET LOCAL lock_timeout = '5s'")  # the transaction is open from here on
        provisioning.build_schema(fresh)
        wanted = fingerprint_of(raw, fresh)
        if newest is not None:
            provisioning.build_schema(upgraded, script=newest.script)
            shape["tables"] = applying.changed_tables(steps)
            shape["before"] = fingerprint_of(raw, upgraded, shape["tables"])
            applying.take_steps(connection, upgraded, steps)
            without = settling.index_names(steps)
            shape["within"] = fingerprint_of(raw, upgraded, shape["tables"], without=without)
            settling.prove_constraints(raw, upgraded, steps, lock_timeout_ms=5_000)
            if fingerprint_of(raw, upgraded) != wanted:
                lines = "; ".join(applying.difference(upgraded, fresh)[:10])
                raise Invalid(
                    _("An upgraded schema differs from a new one: %(lines)s") % {"lines": lines}
                )
            shape["after"] = fingerprint_of(raw, upgraded, shape["tables"])
    return wanted, shape


def adopt(*, release: Release) -> int:
    """Enter the release of companies made before there were any; returns how many."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        found = list(queries.standing().filter(release=""))
    same = set(audit(release, found)[0])
    with tenancy.unit_of_work(tenancy.PLATFORM):
        return Company.objects.filter(pk__in=same, release="").update(release=release.version)


def build_if_needed(*, version: str, at: dt.datetime) -> Release:
    """The release of the running code: the newest one, or one built now.

    The first one also brings in companies made before there were releases, by Django's own way.
    """
    with tenancy.unit_of_work(tenancy.PLATFORM):
        newest, pending = queries.newest(), shipped.pending(queries.told())
    if newest is not None and newest.head == rendering.head() and not pending:
        return newest
    release = build_release(version=version, at=at)
    if newest is None:
        with tenancy.unit_of_work(tenancy.PLATFORM):
            older = list(queries.standing().filter(release=""))
        for company in older:
            provisioning.migrate_schema(company.schema_name)
        adopt(release=release)
    return release
