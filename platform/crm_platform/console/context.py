"""What every page of the console shows around it."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm_platform.console import rules
from crm_platform.console.queries.demo_mail import keeps_demo_mail
from crm_platform.identity.models import User
from crm_platform.kernel import tenancy


@dataclass(frozen=True, slots=True)
class Place:
    """One place in the rail; `ability` opens it, an empty one opens it to everybody."""

    group: str | Promise
    key: str
    label: str | Promise
    icon: str
    url_name: str
    ability: str = ""


SERVICE, OVERSIGHT = gettext_lazy("Service"), gettext_lazy("Oversight")
PLACES = (
    Place("", "companies", gettext_lazy("Companies"), "building-2", "console:companies",
          "companies.view"),
    Place("", "funnel", gettext_lazy("Sign-ups"), "trending-up", "console:funnel", "funnel.view"),
    Place("", "billing", gettext_lazy("Billing"), "receipt", "console:billing", "billing.view"),
    Place(SERVICE, "releases", gettext_lazy("Releases"), "package", "console:releases",
          "releases.view"),
    Place(SERVICE, "support", gettext_lazy("Support access"), "shield-check", "console:support",
          "support.view"),
    Place(SERVICE, "queues", gettext_lazy("Background work"), "list-todo", "console:queues",
          "queues.view"),
    Place(SERVICE, "outbox", gettext_lazy("Mail outbox"), "send", "console:outbox",
          "outbox.view"),
    Place(SERVICE, "mail", gettext_lazy("Demo outbox"), "mail", "console:mails",
          "demo_mail.view"),
    Place(OVERSIGHT, "approvals", gettext_lazy("Two persons"), "users", "console:approvals",
          "approvals.view"),
    Place(OVERSIGHT, "operators", gettext_lazy("Operators"), "user-cog", "console:operators",
          "operators.view"),
    Place(OVERSIGHT, "audit", gettext_lazy("Audit"), "history", "console:audit", "audit.view"),
    Place(OVERSIGHT, "second_factor", gettext_lazy("Second factor"), "key-round",
          "identity:second_factor"),
    Place(OVERSIGHT, "security", gettext_lazy("Sign-in and security"), "shield",
          "identity:security"),
)  # fmt: skip
"""The rail, in its order."""


def console(request: HttpRequest, current: str) -> dict[str, Any]:
    """The context of `ui/console.html`: the places the operator's role opens."""
    hidden = set() if keeps_demo_mail() else {"mail"}
    groups: dict[str, list[dict[str, Any]]] = {}
    for place in PLACES:
        if place.key in hidden or (place.ability and not rules.may(request.user, place.ability)):
            continue
        item = {"key": place.key, "label": place.label, "icon": place.icon,
                "href": reverse(place.url_name), "current": place.key == current}  # fmt: skip
        groups.setdefault(str(place.group), []).append(item)
    return {
        "console": {
            "name": _("Rapport operators"),
            "nav": [{"label": label, "items": items} for label, items in groups.items()],
            "user": request.user,
            "logout_url": reverse("identity:sign_out"),
        },
        "can": set(rules.abilities_of(request.user)),
        "prefs_url": reverse("identity:prefs"),
    }


def own_pages(request: HttpRequest) -> dict[str, Any]:
    """Context processor: an operator's own pages are identity's, and stand in the console too."""
    match, scope = request.resolver_match, tenancy.current_or_none()
    if match is None or match.namespace != "identity" or scope is None or not scope.is_platform:
        return {}
    if not isinstance(getattr(request, "user", None), User):
        return {}
    return console(request, "second_factor" if match.url_name == "second_factor" else "security")
