"""Background work of the platform: finishing, measuring, and ringing each company's bell."""

from uuid import UUID

from django.conf import settings
from django.utils import timezone
from django.utils.module_loading import import_string

from crm_platform.identity import tasks as identity_tasks
from crm_platform.identity.services import mail, tidying
from crm_platform.kernel import tenancy
from crm_platform.kernel.tasks import platform_task, send
from tenants import limits, queries, rehearsal, services
from tenants.addresses import own
from tenants.erasure import running
from tenants.lifecycle import clock, letters, states

MEASURED_A_RUN = 200


@platform_task(atomic_body=False)
def build_company(*, company_id: str) -> None:
    """Make one company. Idempotent."""
    services.build(company_id=UUID(company_id), at=timezone.now())


@platform_task(atomic_body=False)
def sweep_companies() -> None:
    """Send `build_company` for each company left unfinished; clear rehearsals. Idempotent."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        unfinished = queries.unfinished_ids(at=timezone.now())
    for company_id in unfinished:
        send(build_company, tenancy.PLATFORM, company_id=str(company_id))
    rehearsal.clear_dead()


@platform_task(atomic_body=False)
def measure_companies() -> None:
    """Measure the companies measured longest ago, and tidy what time has ended there."""
    at = timezone.now()
    with tenancy.unit_of_work(tenancy.PLATFORM):
        ids = queries.longest_unmeasured_ids(limit=MEASURED_A_RUN)
        tidying.forget_what_ended(at=at)
    for scope in queries.active_scopes(ids=ids, among=states.READS):
        services.measure(company_id=scope.id, at=at)
        with tenancy.unit_of_work(tenancy.for_keeping(scope)):
            tidying.forget_what_ended(at=at)


@platform_task(atomic_body=False)
def sweep_mail() -> None:
    """Ring for every company (and the platform) where a mail waits. Idempotent."""
    at = timezone.now()
    with tenancy.unit_of_work(tenancy.PLATFORM):
        if mail.is_waiting(at=at):
            send(identity_tasks.send_platform_mail, tenancy.PLATFORM)
    for scope in queries.active_scopes(among=states.READS):
        with tenancy.unit_of_work(scope):
            waiting = mail.is_waiting(at=at)
        if waiting:
            send(identity_tasks.send_waiting_mail, scope)


@platform_task(atomic_body=False)
def sweep_imports() -> None:
    """Call the sweeper that settings name, in each company's unit of work. Idempotent."""
    dotted = getattr(settings, "IMPORT_SWEEPER", "")
    if not dotted:
        return
    sweeper = import_string(dotted)
    for scope in queries.active_scopes():
        with tenancy.unit_of_work(scope):
            sweeper()


@platform_task(atomic_body=False)
def keep_lifecycle() -> None:
    """Warn, move on and tell whoever is due; put away limits that ended. Idempotent."""
    at = timezone.now()
    clock.run(at=at)
    letters.tell_waiting(at=at)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        limits.forget_expired(at=at)


@platform_task(atomic_body=False)
def tell_owners() -> None:
    """Write to the owners of companies something just happened to. Idempotent."""
    letters.tell_waiting(at=timezone.now())


@platform_task(atomic_body=False)
def check_domains() -> None:
    """Look whether companies' own hosts are still theirs. Idempotent."""
    own.check_again(at=timezone.now())


@platform_task(atomic_body=False)
def sweep_erasures() -> None:
    """Send `erase_company` for each end that has begun. Idempotent."""
    for erasure_id in running.due_ids(at=timezone.now()):
        send(erase_company, tenancy.PLATFORM, erasure_id=erasure_id)


@platform_task(atomic_body=False, long=True)
def erase_company(*, erasure_id: int) -> None:
    """Destroy what is left of one company. Idempotent."""
    running.run(erasure_id=erasure_id, at=timezone.now())
