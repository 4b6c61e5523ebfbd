"""What every page of the console shows around it."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from crm_platform.console import queries


def console(request: HttpRequest, current: str) -> dict[str, Any]:
    """The context of `ui/console.html`."""
    places = [("companies", _("Companies"), "building-2", "console:companies")]
    if queries.keeps_demo_mail():
        places.append(("mail", _("Demo outbox"), "mail", "console:mails"))
    places.append(("security", _("Sign-in and security"), "shield", "identity:security"))
    items = [
        {"key": key, "label": label, "icon": icon, "href": reverse(name), "current": key == current}
        for key, label, icon, name in places
    ]
    return {
        "console": {
            "name": _("Rapport operators"),
            "nav": [{"label": "", "items": items}],
            "user": request.user,
            "logout_url": reverse("identity:sign_out"),
        },
        "prefs_url": reverse("identity:prefs"),
    }
