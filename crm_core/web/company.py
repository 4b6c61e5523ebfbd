"""The company's own facts: kept by the platform, changed by its admins."""

import datetime as dt
from typing import Any

from django.db import transaction

from crm_core.audit import services as audit
from crm_platform.identity import rules
from crm_platform.identity.models import User
from crm_platform.kernel import tenancy
from tenants import services as tenants


@transaction.atomic
def change_company(*, actor: User, at: dt.datetime, **facts: Any) -> None:
    """Change name, language, time zone, currency or accent; the platform's row follows on commit.

    One unit of work touches one schema: history is written here, the register right after.
    """
    rules.demand_ability(actor, "company.settings")
    scope = tenancy.current_company()
    before = {name: getattr(scope, name) for name in facts}
    changes = {
        name: [before[name], value] for name, value in facts.items() if before[name] != value
    }
    if not changes:
        return
    audit.record(actor=actor, verb="company.changed", at=at, on_type="company", changes=changes)
    new = {name: pair[1] for name, pair in changes.items()}
    transaction.on_commit(lambda: tenants.change_facts(company_id=scope.id, **new))
