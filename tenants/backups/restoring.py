"""The only code that brings archives back: beside the old company, in its place, or to rehearse.

Nothing of a restore is visible before it is whole: the new company enters the register in the same
transaction that ends the run. Whatever a dead process left is removed by the next attempt.
"""

import dataclasses
import datetime as dt
import logging
import shutil
import uuid
from collections.abc import Callable
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from crm_platform.kernel import events, tenancy
from crm_platform.kernel.errors import Conflict, Invalid, NotFound
from tenants import provisioning, rules
from tenants import queries as register
from tenants import services as companies
from tenants.backups import dumping, loading, queries, refusals, streams
from tenants.backups.dumping import Contents
from tenants.backups.events import PlacesExchanged
from tenants.backups.loading import Compared
from tenants.backups.locks import only_one
from tenants.backups.models import Backup, RestoreRun
from tenants.backups.store import store
from tenants.lifecycle import states
from tenants.models import Company, CompanyLimit, Domain, DomainClaim
from tenants.upgrades import queries as upgrades
from tenants.upgrades import rendering

logger = logging.getLogger("rapport.backups")
Clock = Callable[[], dt.datetime]
State, Kind = RestoreRun.State, RestoreRun.Kind
KEPT_FACTS = (
    "name", "language", "time_zone", "currency", "accent_hue", "is_demo", "ring",
    "window_from", "window_to", "upgrades_fixed", "features", "user_count", "size_bytes",
)  # fmt: skip
"""What a restored company has from the register's row of the old one."""
OF_THE_PLACE = (
    "state", "state_reason", "state_since", "state_until", "ring", "window_from", "window_to",
    "upgrade_after", "upgrades_fixed", "plan_limits",
)  # fmt: skip
"""What a company has from the register's row of the one whose place it takes."""
REPLACED = gettext_noop("Another restore of this company is in its place.")


def ask(*, backup_id: UUID, slug: str, at: dt.datetime) -> RestoreRun:
    """Enter a restore that a worker is to carry out by `restore`.

    Raises:
        Invalid: the address is not allowed or taken.
        NotFound: there is no such backup, or it was not finished.
        Conflict: it was restored at this address before.
    """
    rules.check_slug(slug)
    run = _begin(backup_id, Kind.COPY, slug, at)
    if run.state != State.RUNNING:
        raise Conflict(_("This backup was restored at this address already."))
    return run


def restore(*, backup_id: UUID, slug: str, clock: Clock) -> RestoreRun:
    """Bring a backup back as a new company at the address `slug`, beside the old one.

    Its rows are compared with the archive before anybody can open it. Called again after it was
    cut off, it begins anew; called again after it ended, it changes nothing.

    Raises:
        Invalid: the address is not allowed or taken.
        NotFound: there is no such backup, or its archive is gone.
        ArchiveRefused: the archive is damaged, locked with an unknown key, or of another company.
        Conflict: the same restore is running now.
    """
    rules.check_slug(slug)
    with only_one(f"restore:{backup_id}:{slug}") as is_ours:
        if not is_ours:
            raise Conflict(_("This restore is running now. Wait until it has ended."))
        run = _begin(backup_id, Kind.COPY, slug, clock())
        if run.state != State.RUNNING:
            return run
        compared, contents = _carry_out(run, clock)
        try:
            return _open(run.pk, compared, contents, clock())
        except BaseException as error:
            _give_up(run, error, clock())
            raise


def rehearse(*, backup_id: UUID, clock: Clock) -> RestoreRun:
    """Bring a backup back into a schema that is removed again, and keep the comparison.

    Raises:
        NotFound: the archive is gone.
        ArchiveRefused: it cannot be restored; the ledger says so.
        Conflict: it is being rehearsed now.
    """
    with only_one(f"restore:{backup_id}:") as is_ours:
        if not is_ours:
            raise Conflict(_("This restore is running now. Wait until it has ended."))
        run = _begin(backup_id, Kind.REHEARSAL, "", clock())
        compared, contents = _carry_out(run, clock)
        _clear(run)
        with tenancy.unit_of_work(tenancy.PLATFORM):
            return _ended(run.pk, compared, contents, clock())


def _begin(backup_id: UUID, kind: str, slug: str, at: dt.datetime) -> RestoreRun:
    """The run to work at: one that was cut off, one that ended well, or a new one."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        backup = Backup.objects.filter(pk=backup_id).select_related("company").first()
        if backup is None or backup.state != Backup.State.DONE:
            raise NotFound(_("There is no such backup, or it was not finished."))
        known = RestoreRun.objects.filter(backup=backup, kind=kind, slug=slug)
        open_one = known.filter(state=State.RUNNING).first()
        if open_one:
            return open_one
        if kind == Kind.COPY:
            done = known.filter(state__in=(State.DONE, State.SWAPPED)).first()
            if done:
                return done
            companies.demand_free_slug(slug)
        return RestoreRun.objects.create(
            backup=backup, company=backup.company, kind=kind, slug=slug, new_id=uuid.uuid4(),
            schema_name=provisioning.new_schema_name(), started_at=at,
        )  # fmt: skip


def _carry_out(run: RestoreRun, clock: Clock) -> tuple[list[Compared], Contents]:
    """Read the archive back, then fill a new schema with it; on any fault nothing is left."""
    _clear(run)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        backup = Backup.objects.get(pk=run.backup_id)
    try:
        return _filled(run, backup)
    except BaseException as error:
        _give_up(run, error, clock())
        raise


def _filled(run: RestoreRun, backup: Backup) -> tuple[list[Compared], Contents]:
    keys = settings.BACKUP_KEYS
    try:
        with store().reading(backup.name) as stream:
            contents = dumping.read_back(stream, keys)
    except FileNotFoundError as error:
        raise NotFound(_("The archive of this backup is gone from the store.")) from error
    if contents.company_id != backup.company_id:
        raise refusals.of_another_company()
    with store().reading(backup.name) as stream:
        compared = loading.load(
            contents=contents, stream=stream, keys=keys, schema=run.schema_name, new_id=run.new_id,
            beat=lambda: None,
        )  # fmt: skip
    return compared, contents


def _clear(run: RestoreRun) -> None:
    """Remove schema and files of a run; absent ones are fine."""
    provisioning.remove_schema(run.schema_name)
    shutil.rmtree(streams.folder_of(run.new_id), ignore_errors=True)


def _give_up(run: RestoreRun, error: BaseException, at: dt.datetime) -> None:
    logger.error("Restore %s of backup %s failed", run.pk, run.backup_id, exc_info=error)
    _clear(run)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        RestoreRun.objects.filter(pk=run.pk, state=State.RUNNING).update(
            state=State.FAILED, finished_at=at, error=f"{type(error).__name__}: {error}"[:2000]
        )


def _open(
    run_id: UUID, compared: list[Compared], contents: Contents, at: dt.datetime
) -> RestoreRun:
    """Enter the restored company in the register and end the run, both or neither."""
    try:
        with tenancy.unit_of_work(tenancy.PLATFORM):
            run = RestoreRun.objects.select_for_update().get(pk=run_id)
            companies.demand_free_slug(run.slug)
            old = Company.objects.get(pk=run.company_id)
            made = Company.objects.create(
                id=run.new_id, slug=run.slug, schema_name=run.schema_name, state=old.State.ACTIVE,
                created_at=at, activated_at=at,
                # Its tables were brought to the running code's, wherever the old one stands.
                release=upgrades.version_with(rendering.head()),
                **{name: getattr(old, name) for name in KEPT_FACTS},
            )  # fmt: skip
            Domain.objects.create(company=made, host=f"{run.slug}.{settings.BASE_DOMAIN}")
            RestoreRun.objects.filter(pk=run_id).update(restored=made)
            run = _ended(run_id, compared, contents, at)
    except IntegrityError as error:
        raise Invalid(_("Another company has this address name. Choose another one.")) from error
    register.forget_hosts()
    return run


def _ended(
    run_id: UUID, compared: list[Compared], contents: Contents, at: dt.datetime
) -> RestoreRun:
    run = RestoreRun.objects.select_for_update().get(pk=run_id)
    run.state, run.finished_at, run.is_equal = State.DONE, at, True
    run.comparison = [each.as_json() for each in compared]
    run.left_out = contents.header["left_out"]
    run.row_count, run.file_count = contents.row_count, contents.manifest["files"]["rows"]
    run.save()
    return run


def clear_dead(*, at: dt.datetime) -> int:
    """Remove what restores left that began a day ago and whose process is gone. Idempotent."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        found = queries.dead_restores(at)
    cleared = 0
    for pk in found:
        with tenancy.unit_of_work(tenancy.PLATFORM):
            run = RestoreRun.objects.get(pk=pk)
        with only_one(f"restore:{run.backup_id}:{run.slug}") as is_ours:
            if is_ours:
                _give_up(run, TimeoutError("Its process ended in the middle."), at)
                cleared += 1
    return cleared


def swap(*, run_id: UUID, at: dt.datetime) -> RestoreRun:
    """Put a restored company in its old one's place: its addresses, state, limits and rent.

    The old one is stopped and kept, at the address the restored one had, and rents nothing. Other
    processes may answer from the old one for `HOST_CACHE_SECONDS` more.

    Raises:
        Conflict: it is not restored beside the old one, the old one is gone, or the restored one
            has an account of its own.
    """
    return _exchange(run_id, wanted=State.DONE, then=State.SWAPPED, at=at)


def swap_back(*, run_id: UUID, at: dt.datetime) -> RestoreRun:
    """Undo a swap: the old company answers again as it stood, the restored one is stopped.

    Raises:
        Conflict: it is not swapped.
    """
    return _exchange(run_id, wanted=State.SWAPPED, then=State.DONE, at=at)


@dataclasses.dataclass(frozen=True, slots=True)
class _Pair:
    """Who leaves the place and who takes it."""

    leaving: Company
    coming: Company


def _exchange(run_id: UUID, *, wanted: str, then: str, at: dt.datetime) -> RestoreRun:
    with tenancy.unit_of_work(tenancy.PLATFORM):
        run = RestoreRun.objects.select_for_update().get(pk=run_id)
        if run.state != wanted or run.restored_id is None or not run.is_equal:
            raise Conflict(_("This restore cannot be exchanged now. Look at its state first."))
        ids = sorted((run.company_id, run.restored_id))
        found = {row.pk: row for row in Company.objects.select_for_update().filter(pk__in=ids)}
        old, new = found[run.company_id], found[run.restored_id]
        pair = _Pair(old, new) if wanted == State.DONE else _Pair(new, old)
        if pair.leaving.state not in states.STANDING or pair.coming.state not in states.STANDING:
            raise Conflict(_("One of the two companies is closed for good: nothing was exchanged."))
        _exchange_places(pair, at)
        events.publish(PlacesExchanged(pair.leaving.pk, pair.coming.pk, at))
        run.state, run.swapped_at = then, at if then == State.SWAPPED else None
        run.save(update_fields=["state", "swapped_at"])
    register.forget_hosts()
    return run


def _exchange_places(pair: _Pair, at: dt.datetime) -> None:
    leaving, coming = pair.leaving, pair.coming
    hosts = list(Domain.objects.filter(company=leaving).values_list("pk", flat=True))
    Domain.objects.filter(company=coming).update(company=leaving)
    Domain.objects.filter(pk__in=hosts).update(company=coming)
    slugs = (leaving.slug, coming.slug)
    # Unique at every moment: one of the two has a name in between that nobody can ask for.
    Company.objects.filter(pk=leaving.pk).update(slug=f"_{leaving.pk.hex}")
    coming.slug = slugs[0]
    for name in OF_THE_PLACE:
        setattr(coming, name, getattr(leaving, name))
    coming.save(update_fields=["slug", *OF_THE_PLACE])
    leaving.slug, leaving.state, leaving.state_since = slugs[1], Company.State.SUSPENDED, at
    leaving.state_reason = REPLACED
    # No clock moves it on to its end: people decide when it is not needed any more.
    leaving.state_until, leaving.plan_limits = None, {}
    leaving.save(
        update_fields=["slug", "state", "state_reason", "state_since", "state_until", "plan_limits"]
    )
    for model in (CompanyLimit, DomainClaim):
        model.objects.filter(company=coming).delete()
        model.objects.filter(company=leaving).update(company=coming)
