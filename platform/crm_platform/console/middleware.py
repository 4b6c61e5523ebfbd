"""What a support visitor may do in a company, and the trail it leaves on both sides."""

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _

from crm_core.audit import services as history
from crm_platform.console.services import audit
from crm_platform.identity.models import SupportVisit, User
from crm_platform.identity.queries import visits_now
from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import NotAllowed
from crm_platform.ui.answers import is_htmx
from crm_platform.ui.refusals import Refusals

GetResponse = Callable[[HttpRequest], HttpResponseBase]
SAFE = ("GET", "HEAD", "OPTIONS")
ALWAYS = ("identity:sign_out", "identity:support_end", "identity:prefs", "ui:prefs")
NEVER = ("identity:tokens", "identity:change_password", "identity:change_mail")
QUIET = ("ui:", "identity:prefs")


class SupportVisitor:
    """Stands after the person is known. For everybody else it does nothing and asks nothing."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self._refusals = Refusals(get_response)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        user = getattr(request, "user", None)
        if not isinstance(user, User) or not user.is_support:
            return self.get_response(request)
        history.use_channel("support")
        response = self.get_response(request)
        visit = getattr(request, "support_visit", None)
        if visit is not None and response.status_code < 400:
            _leave_trail(request, user, visit)
        return response

    def process_view(
        self, request: HttpRequest, _view: Any, _args: Any, _kwargs: Any
    ) -> HttpResponseBase | None:
        """Called by Django once the address is known; an answer keeps the view from running."""
        user = getattr(request, "user", None)
        if not isinstance(user, User) or not user.is_support:
            return None
        visits = [v for v in visits_now(timezone.now()) if v.user_id == user.pk]
        if not visits:
            return self._refuse(request, _("This visit is over."))
        request.support_visit = visits[0]  # type: ignore[attr-defined]  # read above
        name = request.resolver_match.view_name if request.resolver_match else ""
        if name in NEVER:
            return self._refuse(request, _("A support visitor has no password and no keys."))
        if request.method in SAFE or name in ALWAYS or visits[0].may_write:
            return None
        return self._refuse(request, _("This visit is for looking only. Ask the company for more."))

    def _refuse(self, request: HttpRequest, sentence: str) -> HttpResponseBase | None:
        return self._refusals.process_exception(request, NotAllowed(sentence))


def _leave_trail(request: HttpRequest, user: User, visit: SupportVisit) -> None:
    """One entry for each page looked at and each act, here and on the operators' side.

    It names the address's pattern, never what was typed or found.
    """
    match = request.resolver_match
    name = match.view_name if match else ""
    looks = request.method in SAFE
    if name.startswith(QUIET) or (looks and is_htmx(request)):
        return
    at, scope = timezone.now(), tenancy.current()
    page = f"/{match.route}" if match else request.path
    if looks:
        history.record(
            actor=user, verb="support.viewed", at=at, on=visit, on_type="support",
            changes={"page": [None, page]},
        )  # fmt: skip
    verb = "support.viewed" if looks else "support.changed"
    facts = {"page": page, "method": request.method, "visit": str(visit.key),
             "agreed_by": visit.decided_by_id, "visitor": user.pk}  # fmt: skip
    request_id = str(getattr(request, "request_id", ""))

    def tell() -> None:
        with tenancy.unit_of_work(tenancy.PLATFORM):
            audit.record_of(
                actor_id=visit.operator_id, actor_name=visit.operator_name, verb=verb, at=at,
                object_type="support", object_id=visit.key, title=scope.name,
                company_id=scope.id, facts=facts, reason=visit.reason, request_id=request_id,
            )  # fmt: skip

    transaction.on_commit(tell)
