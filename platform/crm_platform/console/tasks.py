"""Background work of the console: looking into companies."""

from uuid import UUID

from django.utils import timezone

from crm_platform.console.queries.companies import longest_unsurveyed_ids
from crm_platform.console.services import approvals, support, survey
from crm_platform.kernel import tenancy
from crm_platform.kernel.tasks import platform_task

SURVEYED_A_RUN = 200


@platform_task(atomic_body=False)
def survey_companies() -> None:
    """Look into the companies surveyed longest ago. Idempotent."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        ids = longest_unsurveyed_ids(limit=SURVEYED_A_RUN)
    for company_id in ids:
        survey.survey(company_id=company_id, at=timezone.now())


@platform_task(atomic_body=False)
def survey_company(*, company_id: str) -> None:
    """Look into one company now. Idempotent."""
    survey.survey(company_id=UUID(company_id), at=timezone.now())


@platform_task(atomic_body=False)
def sweep_support() -> None:
    """Tell companies of wishes left untold; end visits whose time is over. Idempotent."""
    support.sweep(at=timezone.now())


@platform_task()
def expire_approvals() -> None:
    """Close the requests that found no second person within a day. Idempotent."""
    approvals.expire(at=timezone.now())
