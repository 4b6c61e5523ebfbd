"""The only code that makes, hands out and removes packages."""

import datetime as dt
import tempfile
from collections.abc import Callable, Sequence
from typing import IO, Any

from django.core.files import File
from django.db import connection, transaction
from django.db.models import F
from django.utils import translation
from django.utils.translation import gettext as _

from billing.models import Invoice
from crm_core.audit import services as audit
from crm_core.leaving import billed, queries, rules, writing
from crm_core.leaving.events import PackageWaits
from crm_core.leaving.models import ExitPackage
from crm_core.leaving.writing import Totals
from crm_core.notify import services as notify
from crm_platform.identity.models import User
from crm_platform.identity.services import passwords
from crm_platform.kernel import signing, tenancy
from crm_platform.kernel.errors import Conflict, DomainError, NotFound
from crm_platform.kernel.events import publish
from crm_platform.kernel.tasks import keep_place

Clock = Callable[[], dt.datetime]
State = ExitPackage.State


def ask_package(*, actor: User, password: str, at: dt.datetime) -> ExitPackage:
    """Put a package of everything in line; the person says the password again.

    Raises:
        NotAllowed: not an owner.
        Invalid: the password is wrong.
        TooMany: it was wrong too often.
        Conflict: one is being made.
    """
    rules.demand_owner(actor)
    # Outside of our own transaction: a wrong try is counted although it is refused.
    passwords.confirm_own(user=actor, password=password, field="password", at=at)
    with transaction.atomic():
        if ExitPackage.objects.select_for_update().filter(state__in=queries.OPEN).exists():
            raise Conflict(_("A package is being made already. Wait until it is ready."))
        package = ExitPackage.objects.create(actor=actor, created_at=at)
        audit.record(actor=actor, verb="package.asked", at=at, on_type="package")
        publish(PackageWaits(package.pk))
    return package


def build(*, package_id: int, clock: Clock) -> None:
    """Make a package: everything as it stood at one moment. Idempotent.

    Called outside a transaction, with the company chosen. A fault is kept with the package, and
    raised.
    """
    scope = tenancy.current_company()
    with tenancy.unit_of_work(scope):
        actor = _claim(package_id, clock())
    if actor is None:
        return
    try:
        with tempfile.TemporaryFile() as out:
            bills = billed.bills()
            with translation.override(actor.language), tenancy.unit_of_work(scope):
                totals = _write(out, package_id, actor, bills, clock)
            with tenancy.unit_of_work(scope):
                _finish(package_id, out, totals, actor, clock())
    except BaseException as error:
        with tenancy.unit_of_work(scope):
            _fail(package_id, error, clock())
        raise


def _claim(package_id: int, at: dt.datetime) -> User | None:
    """The person it is for; None where there is nothing to do."""
    package = ExitPackage.objects.select_for_update().filter(pk=package_id).first()
    if package is None or package.state not in queries.OPEN:
        return None
    if package.lease_until and package.lease_until > at:
        return None
    actor = User.objects.select_related("role", "team").filter(pk=package.actor_id or 0).first()
    if actor is None or not rules.is_owner(actor) or package.attempts >= rules.MOST_ATTEMPTS:
        package.state, package.finished_at = State.FAILED, at
        package.error = _("The person who asked is no owner any more.")
        package.save(update_fields=["state", "finished_at", "error"])
        return None
    package.state, package.lease_until = State.RUNNING, at + rules.LEASE
    package.attempts += 1
    package.save(update_fields=["state", "lease_until", "attempts"])
    return actor


def _write(
    out: IO[bytes], package_id: int, actor: User, bills: Sequence[Invoice], clock: Clock
) -> Totals:
    with connection.cursor() as cursor:
        # Every part is of the same moment, however long the writing takes.
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    audit.use_channel("task")

    def tell(done: int, total: int) -> None:
        keep_place(at=clock())
        queries.say_progress(package_id, done, total)

    return writing.Package(out, actor=actor, at=clock(), tell=tell, bills=bills).write()


def _finish(package_id: int, out: IO[bytes], totals: Totals, actor: User, at: dt.datetime) -> None:
    package = ExitPackage.objects.select_for_update().get(pk=package_id)
    package.size_bytes = out.tell()
    out.seek(0)
    package.file.save("package.zip", File(out), save=False)
    package.state, package.finished_at, package.lease_until = State.DONE, at, None
    package.expires_at = at + rules.KEPT
    package.row_count, package.file_count = totals.row_count, totals.files
    package.save()
    queries.forget_progress(package_id)
    audit.record(
        actor=actor, verb="package.made", at=at, on_type="package",
        changes={"rows": [None, totals.row_count], "files": [None, totals.files]},
    )  # fmt: skip
    notify.tell(user_id=actor.pk, kind="package.ready", at=at, facts={"package": package.pk})


def _fail(package_id: int, error: BaseException, at: dt.datetime) -> None:
    package = ExitPackage.objects.select_for_update().get(pk=package_id)
    is_last = package.attempts >= rules.MOST_ATTEMPTS
    package.state = State.FAILED if is_last else State.WAITING
    package.lease_until = None if is_last else at + rules.LEASE
    package.finished_at = at if is_last else None
    told = str(error) if isinstance(error, DomainError) else ""
    package.error = told[:300] or _("Something went wrong on our side. We have been told.")
    package.save()
    queries.forget_progress(package_id)


def link_of(package: ExitPackage) -> str:
    """The last part of the download's address: good for this company, package and person only."""
    return signing.seal(rules.PURPOSE, {"package": package.pk, "person": package.actor_id})


@transaction.atomic
def download(*, link: str, actor: User, at: dt.datetime) -> tuple[ExitPackage, IO[Any]]:
    """The package behind a link and its file, open; counted and audited.

    Raises:
        NotAllowed: not an owner.
        Invalid: the link was changed, is a week old, or another company's.
        NotFound: it was made for somebody else, or is gone.
    """
    rules.demand_owner(actor)
    said = signing.unseal(
        rules.PURPOSE, link, max_age_seconds=int(rules.KEPT.total_seconds()),
        refusal=_("This link has ended. Ask for a new package."),
    )  # fmt: skip
    rows = ExitPackage.objects.select_for_update().filter(pk=said["package"], state=State.DONE)
    package = rows.first()
    is_theirs = package is not None and package.actor_id == actor.pk == said["person"]
    if package is None or not is_theirs or not package.expires_at or package.expires_at <= at:
        raise NotFound(_("This package is gone, or was made for somebody else."))
    stream = package.file.open("rb")
    ExitPackage.objects.filter(pk=package.pk).update(downloads=F("downloads") + 1)
    audit.record(actor=actor, verb="package.downloaded", at=at, on_type="package")
    return package, stream


@transaction.atomic
def remove_package(*, package: ExitPackage, actor: User | None, at: dt.datetime) -> None:
    """Remove a package's file now, or because its time ended (no actor). Idempotent."""
    if actor is not None:
        rules.demand_owner(actor)
    row = ExitPackage.objects.select_for_update().get(pk=package.pk)
    if row.state != State.DONE:
        return
    storage, name = row.file.storage, str(row.file.name)
    row.state, row.file = State.REMOVED, ""
    row.save(update_fields=["state", "file"])
    audit.record(actor=actor, verb="package.removed", at=at, on_type="package")
    transaction.on_commit(lambda: storage.delete(name))


def sweep(*, at: dt.datetime) -> None:
    """Call a worker for packages that wait or were left; remove those whose time ended."""
    for package_id in queries.waiting_ids(at):
        publish(PackageWaits(package_id))
    for package in queries.expired(at):
        remove_package(package=package, actor=None, at=at)
