"""The words of roles, levels and abilities, translated when shown."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext, pgettext_lazy

from crm_platform.identity.models import Role

VERBS = {
    "view": _("See"), "create": _("Create"), "edit": _("Change"), "delete": _("Delete"),
    "export": _("Export"),
}  # fmt: skip
LEVELS = {
    "none": _("Nothing"), "own": _("Own"), "team": _("Team"), "below": _("Teams below"),
    "all": _("All"),
}  # fmt: skip
FIELD_LIMITS = {"": _("Free"), "read": _("Read only"), "hidden": _("Hidden")}
ABILITIES = {
    "company.settings": _("Change the company's settings"),
    "billing.manage": _("See and change what the company pays"),
    "users.manage": _("Invite, place and deactivate people"),
    "roles.manage": _("Change roles and rights"),
    "pipelines.manage": _("Change pipelines and stages"),
    "fields.manage": _("Change fields and layouts"),
    "tags.manage": _("Make and rename tags"),
    "views.share": _("Share views with everybody"),
    "records.import": _("Import records"),
    "records.bulk": _("Change many records at once"),
    "audit.view": _("See the history of everything"),
    "api.tokens": _("Make keys for programs"),
}
TOKEN_SCOPES = {"read": _("Read"), "write": _("Read and write")}
_SYSTEM_NAMES = (
    pgettext_lazy("role", "Owner"), pgettext_lazy("role", "Admin"),
    pgettext_lazy("role", "Manager"), pgettext_lazy("role", "Member"),
    pgettext_lazy("role", "Viewer"),
    pgettext_lazy("role", "Platform"), pgettext_lazy("role", "Support"),
    pgettext_lazy("role", "Billing"), pgettext_lazy("role", "Auditor"),
)  # fmt: skip


def role_name(role: Role) -> str:
    """The shown name: a system role's is translated, a company's own is as it was written."""
    return pgettext("role", role.name) if role.is_system else role.name
