"""What the staff shell shows around every page: rail, tabs, what can be created, who is signed in."""

from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

from crm_core.activities.queries import due_count
from crm_core.fields.addresses import view_url
from crm_core.fields.models import SavedView
from crm_core.fields.queries import views_for
from crm_core.notify.queries import unread_count
from crm_core.registry import record_type
from crm_core.web import setup
from crm_platform.identity import rules
from crm_platform.identity.models import User, is_person
from crm_platform.kernel import tenancy
from crm_platform.kernel.periods import local_date


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context of `ui/app.html`: empty for visitors and on the platform's own hosts."""
    scope = tenancy.current_or_none()
    user = getattr(request, "user", None)
    if scope is None or scope.is_platform or not is_person(user):
        return {}
    # Built when a template asks: fragments never do.
    return {"shell": SimpleLazyObject(lambda: _shell(request, user))}


def _item(request: HttpRequest, key: str, label: str, icon: str, href: str, badge: Any = "") -> dict[str, Any]:
    path = request.path
    current = path == href if href == "/" else path.startswith(href)
    return {"key": key, "label": label, "icon": icon, "href": href, "current": current, "badge": badge or ""}


def _shell(request: HttpRequest, user: User) -> dict[str, Any]:
    today = local_date(timezone.now())
    nav = [
        {"label": "", "items": [
            _item(request, "home", _("Home"), "house", "/"),
            _item(request, "inbox", _("Inbox"), "inbox", "/inbox/", unread_count(user)),
            _item(request, "tasks", _("Tasks"), "circle-check-big", "/tasks/", due_count(user, today)),
        ]},
        {"label": _("Sales"), "items": [
            _deals_item(request),
            *[_item(request, kind.name, str(kind.label_plural), kind.icon, f"/{kind.slug}/")
              for kind in (record_type("contact"), record_type("account"))],
        ]},
    ]
    return {
        "company_name": tenancy.current().name,
        "nav": nav,
        "pinned": _pinned(user),
        "user": {"name": user.name, "hue": user.hue, "email": user.email},
        "setup": setup.progress(user),
        "tabs": [nav[0]["items"][0], nav[1]["items"][0], nav[1]["items"][1],
                 _item(request, "tasks", _("Tasks"), "circle-check-big", "/tasks/")],
        "create": _create(user),
        "palette_url": "/palette/",
        "me_links": _me_links(user),
        "go": {"h": "/", "i": "/inbox/", "t": "/tasks/", "d": "/deals/board/", "c": "/contacts/", "a": "/accounts/",
               "s": "/settings/"},
        "banner": None,
        "logout_url": "/sign-out/",
        "prefs_url": "/me/prefs/",
    }


def _deals_item(request: HttpRequest) -> dict[str, Any]:
    item = _item(request, "deal", _("Deals"), "kanban", "/deals/board/")
    return {**item, "current": request.path.startswith("/deals/")}


def _pinned(user: User) -> list[dict[str, str]]:
    rows: list[SavedView] = [view for view in views_for(user) if view.is_pinned]
    return [{"label": view.name, "href": view_url(view), "icon": "pin"} for view in rows]


def _create(user: User) -> list[dict[str, str]]:
    """What `C` offers to make."""
    found = [
        {"label": str(kind.label), "icon": kind.icon, "href": f"/{kind.slug}/new/", "key": key}
        for key, kind in (("d", record_type("deal")), ("c", record_type("contact")), ("a", record_type("account")))
        if rules.may_create(user, kind.name)
    ]
    if rules.may_create(user, "activity"):
        found.append({"label": _("Task"), "icon": "circle-check-big", "href": "/tasks/new/", "key": "t"})
    return found


def _me_links(user: User) -> list[dict[str, str]]:
    return [
        {"label": _("Profile"), "icon": "user", "href": "/me/"},
        {"label": _("Settings"), "icon": "settings", "href": "/settings/"},
        {"label": _("Help"), "icon": "circle-question-mark", "href": "/help/"},
    ]
