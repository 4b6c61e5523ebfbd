"""The menu of the settings: identity's pages and the CRM's."""

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from crm_core.leaving.rules import is_owner
from crm_core.web.billing import may_pay
from crm_platform.identity.nav import COMPANY, SETTINGS_ITEMS, SettingsItem, groups_of

SALES, DATA = _("Sales"), _("Data")
ITEMS = (
    *SETTINGS_ITEMS[:3],
    SettingsItem(COMPANY, "company", _("Company"), "building-2", "web:company", "company.settings"),
    SettingsItem(COMPANY, "address", _("Address"), "globe", "web:address", "company.settings"),
    SettingsItem(COMPANY, "updates", _("Updates"), "refresh-cw", "web:updates", "company.settings"),
    SettingsItem(COMPANY, "billing", _("Billing"), "credit-card", "web:billing", ""),
    *SETTINGS_ITEMS[3:],
    SettingsItem(
        SALES, "pipelines", _("Pipelines"), "git-branch", "sales:pipelines", "pipelines.manage"
    ),
    SettingsItem(DATA, "fields", _("Fields"), "text-cursor-input", "web:fields", "fields.manage"),
    SettingsItem(DATA, "tags", _("Tags"), "tag", "web:tags", "tags.manage"),
    SettingsItem(DATA, "imports", _("Imports"), "upload", "exchange:jobs", "records.import"),
    SettingsItem(
        DATA, "rehearsal", _("Rehearsal"), "flask-conical", "web:rehearsal", "company.settings"
    ),
    SettingsItem(
        DATA, "package", _("Take your data along"), "package", "leaving:package", "company.settings"
    ),
    SettingsItem(DATA, "history", _("History"), "history", "web:history", "audit.view"),
)
OWNERS_ONLY = ("package",)


def settings_nav(request: HttpRequest, current: str) -> list[dict[str, Any]]:
    """Every settings page the person may open."""
    closed = set() if is_owner(request.user) else {*OWNERS_ONLY}
    if not may_pay(request.user):
        closed.add("billing")
    items = [item for item in ITEMS if item.key not in closed]
    return groups_of(items, request.user, current)
