"""The settings pages that identity brings, for the menu beside them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from crm_platform.identity.rules import has_ability
from crm_platform.kernel import tenancy


@dataclass(frozen=True, slots=True)
class SettingsItem:
    """One place in the settings menu; without an `ability` everybody sees it."""

    group: str | Promise
    key: str
    label: str | Promise
    icon: str
    url_name: str
    ability: str = ""


YOU, COMPANY = _("You"), _("Company")
SETTINGS_ITEMS = (
    SettingsItem(YOU, "profile", _("Profile"), "user", "identity:me"),
    SettingsItem(YOU, "security", _("Sign-in and security"), "shield", "identity:security"),
    SettingsItem(
        YOU, "tokens", _("Keys for programs"), "key-round", "identity:tokens", "api.tokens"
    ),
    SettingsItem(COMPANY, "people", _("People"), "users", "identity:people", "users.manage"),
    SettingsItem(COMPANY, "teams", _("Teams"), "network", "identity:teams", "users.manage"),
    SettingsItem(
        COMPANY, "roles", _("Roles and rights"), "user-cog", "identity:roles", "roles.manage"
    ),
    SettingsItem(
        COMPANY,
        "support",
        _("Support access"),
        "shield-check",
        "identity:support",
        "company.settings",
    ),
)

SECOND_FACTOR = SettingsItem(
    YOU, "second_factor", _("Second factor"), "key-round", "identity:second_factor"
)


def settings_nav(request: HttpRequest, current: str) -> list[dict[str, Any]]:
    """The menu's groups for `ui/settings.html`.

    `settings.SETTINGS_NAV` may name a function (request, current) of a higher layer that knows
    more pages than ours.
    """
    dotted = getattr(settings, "SETTINGS_NAV", "")
    build: Callable[..., list[dict[str, Any]]] = import_string(dotted) if dotted else own_groups
    return build(request, current)


def own_groups(request: HttpRequest, current: str) -> list[dict[str, Any]]:
    return groups_of(SETTINGS_ITEMS, request.user, current)


def groups_of(items: Any, user: Any, current: str) -> list[dict[str, Any]]:
    """Items a person may open, by group, in their order; operators have their own pages only."""
    groups: dict[str, list[dict[str, Any]]] = {}
    own_only = tenancy.current().is_platform
    for item in (*items, SECOND_FACTOR) if own_only else items:
        if own_only and (item.group is not YOU or item.ability):
            continue
        if item.ability and not has_ability(user, item.ability):
            continue
        entry = {
            "key": item.key, "label": item.label, "icon": item.icon,
            "href": reverse(item.url_name), "current": item.key == current,
        }  # fmt: skip
        groups.setdefault(str(item.group), []).append(entry)
    return [{"label": label, "items": entries} for label, entries in groups.items()]
