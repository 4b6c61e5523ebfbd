"""What the staff shell shows around every page: rail, tabs, what can be created."""

from collections.abc import Hashable
from typing import Any

from django.db import connection
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

from crm_core.fields.addresses import view_url
from crm_core.fields.queries import views_for
from crm_core.registry import record_type
from crm_core.web import banner, counts, news
from crm_platform.identity import rules
from crm_platform.identity.models import User
from crm_platform.kernel import tenancy
from crm_platform.kernel.periods import local_date
from crm_platform.ui import kept
from crm_platform.ui.context import ui as look

Item = dict[str, Any]
PLACES = (
    "/inbox/",
    "/tasks/",
    "/deals/",
    "/contacts/",
    "/accounts/",
    "/activities/",
    "/settings/",
    "/me/",
)


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context of `ui/app.html`: empty for visitors and on the platform's own hosts."""
    scope = tenancy.current_or_none()
    user = getattr(request, "user", None)
    if scope is None or scope.is_platform or not isinstance(user, User):
        return {}
    if getattr(connection, "is_aborted", False):
        return {}  # the page of a refusal by the database: nothing more can be asked
    # Built when a template asks: fragments never do.
    return {"shell": SimpleLazyObject(lambda: Shell(request, user))}


class Shell:
    """The shell of one page. What it shows is computed only where its HTML is not kept already."""

    palette_url, logout_url, prefs_url = "/palette/", "/sign-out/", "/me/prefs/"

    def __init__(self, request: HttpRequest, user: User) -> None:
        self._user = user
        self._place = next((p for p in PLACES if request.path.startswith(p)), request.path)
        self._counts = counts.of(user, local_date(timezone.now()))
        facts = look(request)
        self._look = (facts["theme"], facts["density"])
        self._accent = facts["accent_hue"]
        self.has_news = news.is_unread(user)
        self.company_name = tenancy.current().name
        self.user = {"name": user.name, "hue": user.hue, "email": user.email}

    def _key(self, name: str, *facts: Hashable) -> Hashable | None:
        return kept.key_of(name, self._user.pk, self._user.name, self._user.email, *facts)

    @property
    def rail_key(self) -> Hashable | None:
        return self._key("rail", self._place, self._counts, self.has_news)

    @property
    def tabs_key(self) -> Hashable | None:
        return self._key("tabs", self._place)

    @property
    def layers_key(self) -> Hashable | None:
        return self._key("layers", *self._look, self.has_news)

    @property
    def head_key(self) -> Hashable | None:
        return kept.key_of("head", self._accent)

    @property
    def top_key(self) -> Hashable | None:
        return kept.key_of("top")

    @property
    def banners(self) -> list[dict[str, Any]]:
        return banner.all_of(tenancy.current(), self._user, at=timezone.now())

    @property
    def nav(self) -> list[dict[str, Any]]:
        return [
            {
                "label": "",
                "items": [
                    self._item("home", _("Home"), "house", "/"),
                    self._item("inbox", _("Inbox"), "inbox", "/inbox/", self._counts.unread),
                    self._tasks(self._counts.due),
                ],
            },
            {"label": _("Sales"), "items": [self._deals(), *self._kinds()]},
        ]

    @property
    def tabs(self) -> list[Item]:
        return [
            self._item("home", _("Home"), "house", "/"),
            self._deals(),
            self._kinds()[0],
            self._tasks(),
        ]

    def _item(self, key: str, label: str, icon: str, href: str, badge: Any = "") -> Item:
        return {
            "key": key,
            "label": label,
            "icon": icon,
            "href": href,
            "badge": badge or "",
            "current": self._place == href,
        }

    def _tasks(self, badge: Any = "") -> Item:
        return self._item("tasks", _("Tasks"), "circle-check-big", "/tasks/", badge)

    def _deals(self) -> Item:
        item = self._item("deal", _("Deals"), "kanban", "/deals/board/")
        return {**item, "current": self._place == "/deals/"}

    def _kinds(self) -> list[Item]:
        kinds = (record_type("contact"), record_type("account"))
        return [self._item(k.name, str(k.label_plural), k.icon, f"/{k.slug}/") for k in kinds]

    @property
    def pinned(self) -> list[dict[str, str]]:
        rows = [view for view in views_for(self._user) if view.is_pinned]
        return [{"label": view.name, "href": view_url(view), "icon": "pin"} for view in rows]

    @property
    def setup(self) -> dict[str, Any] | None:
        """The first steps, for those who set the company up, until done or put away."""
        if self._counts.setup is None:
            return None
        labels = (
            (_("Add or import customers"), "/accounts/"),
            (_("Add a deal"), "/deals/board/"),
            (_("Move a deal to its next stage"), "/deals/board/"),
            (_("Shape your pipeline"), "/settings/pipelines/"),
            (_("Invite a colleague"), "/settings/people/"),
        )
        steps = [
            {"label": label, "href": href, "done": done}
            for (label, href), done in zip(labels, self._counts.setup, strict=True)
        ]
        return {
            "done": sum(self._counts.setup),
            "total": len(steps),
            "steps": steps,
            "dismiss_url": "/setup/dismiss/",
        }

    @property
    def create(self) -> list[dict[str, str]]:
        return creatable(self._user)

    @property
    def me_links(self) -> list[dict[str, Any]]:
        return [
            {"label": _("Profile"), "icon": "user", "href": "/me/"},
            {"label": _("Settings"), "icon": "settings", "href": "/settings/"},
            {"label": _("What's new"), "icon": "sparkles", "href": "/whats-new/",
             "is_new": self.has_news},
            {"label": _("Help"), "icon": "circle-question-mark", "href": "/help/"},
        ]  # fmt: skip

    @property
    def go(self) -> dict[str, str]:
        return {
            "h": "/",
            "i": "/inbox/",
            "t": "/tasks/",
            "d": "/deals/board/",
            "c": "/contacts/",
            "a": "/accounts/",
            "s": "/settings/",
        }


def creatable(user: User) -> list[dict[str, str]]:
    """What `C` offers to make."""
    kinds = (
        ("d", record_type("deal")),
        ("c", record_type("contact")),
        ("a", record_type("account")),
    )
    found = [
        {"label": str(kind.label), "icon": kind.icon, "href": f"/{kind.slug}/new/", "key": key}
        for key, kind in kinds
        if rules.may_create(user, kind.name)
    ]
    if rules.may_create(user, "activity"):
        found.append(
            {"label": _("Task"), "icon": "circle-check-big", "href": "/tasks/new/", "key": "t"}
        )
    return found
