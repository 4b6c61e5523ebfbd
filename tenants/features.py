"""A company's choice of new features, kept in the register."""

import datetime as dt
from uuid import UUID

from django.utils.translation import gettext as _

from crm_platform.kernel import features, tenancy
from crm_platform.kernel.errors import Conflict
from crm_platform.kernel.periods import local_date
from tenants import queries
from tenants.lifecycle import changes

SWITCHED = "feature.switched"


def switch(*, company_id: UUID, key: str, on: bool, actor: str, at: dt.datetime) -> bool:
    """Switch an optional feature on or off; says whether that changed anything.

    Raises:
        NotFound: there is no such company or feature.
        Conflict: it is not open yet, or everybody has it by now.
    """
    feature = features.get(key)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        company = changes.lock(company_id)
        if not feature.is_optional(local_date(at, company.time_zone)):
            raise Conflict(_("This feature is not optional today. Reload the page."))
        if company.features.get(key, False) == on:
            return False
        company.features = {**company.features, key: on}
        company.save(update_fields=["features"])
        facts = {"feature": key, "on": on}
        changes.note(company_id, SWITCHED, actor=actor, at=at, facts=facts)
    queries.forget_hosts()
    return True
