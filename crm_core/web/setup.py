"""The first steps of a new company, done by real use; gone when done or dismissed."""

from typing import Any

from django.utils.translation import gettext as _

from crm_core.records.models import Contact
from crm_core.sales.models import Deal, StageStay
from crm_platform.identity import rules
from crm_platform.identity.models import Invitation, User


def progress(user: User) -> dict[str, Any] | None:
    """The checklist of a person who sets the company up; None for others and once dismissed."""
    if user.preferences.get("setup_done") or not rules.has_ability(user, "company.settings"):
        return None
    steps = [
        (_("Add or import customers"), "/accounts/", Contact.objects.exists()),
        (_("Add a deal"), "/deals/board/", Deal.objects.exists()),
        (_("Move a deal to its next stage"), "/deals/board/",
         StageStay.objects.filter(left_at__isnull=False).exists()),
        (_("Shape your pipeline"), "/settings/pipelines/", bool(user.preferences.get("saw_pipelines"))),
        (_("Invite a colleague"), "/settings/people/",
         Invitation.objects.exists() or User.objects.count() > 1),
    ]
    done = sum(1 for _label, _href, is_done in steps if is_done)
    return {
        "done": done,
        "total": len(steps),
        "steps": [{"label": label, "href": href, "done": ok} for label, href, ok in steps],
        "dismiss_url": "/setup/dismiss/",
    }
