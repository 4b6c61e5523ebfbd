"""The line above every page that says how the company stands, and what to do about it."""

import datetime as dt
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crm_core.web.billing import may_pay
from crm_platform.identity import rules
from crm_platform.identity.models import User
from crm_platform.identity.queries import visits_now
from crm_platform.kernel import limits, tenancy
from crm_platform.kernel.limits import allowance_of
from crm_platform.ui.times import local
from tenants.lifecycle import words
from tenants.models import Company

State = Company.State
KINDS = {State.TRIAL: "info", State.PAST_DUE: "warn", State.READ_ONLY: "bad"}
STANDING, BILLING = "/standing/", "/settings/billing/"


def all_of(scope: tenancy.Scope, user: User, *, at: dt.datetime) -> list[dict[str, Any]]:
    """The lines above a page: a rehearsal, support is here, how the company stands, its plan."""
    found = (_rehearsal(scope), _visit(user, at=at), of(scope, user, at=at), _limits(scope, user))
    return [each for each in found if each]


def _rehearsal(scope: tenancy.Scope) -> dict[str, Any] | None:
    """The band of a rehearsal, on every page."""
    if not scope.is_rehearsal:
        return None
    return {
        "kind": "warn",
        "text": _("This is a rehearsal: nothing here is real, and no mail leaves it."),
        "href": "/rehearsal/outbox/",
        "label": _("Mails it would have sent"),
    }


def _visit(user: User, *, at: dt.datetime) -> dict[str, Any] | None:
    """Says to everybody that support is here, while it is; who may, ends it."""
    visits = visits_now(at)
    if not visits:
        return None
    visit = visits[0]
    assert visit.until is not None  # whatever goes on has an end
    said = {"name": visit.name, "time": f"{local(visit.until):%H:%M}", "reason": visit.reason}
    may_end = rules.has_ability(user, "company.settings") or user.is_support
    return {
        "kind": "warn",
        "text": _("%(name)s has access until %(time)s: %(reason)s") % said,
        "end_url": f"/settings/support/{visit.pk}/end/" if may_end else "",
    }


def _limits(scope: tenancy.Scope, user: User) -> dict[str, Any] | None:
    """What of the plan is full or nearly, told to those who can do something about it."""
    if not scope.limit_levels:
        return None
    levels = dict(scope.limit_levels)
    near = {
        kind: levels[kind.value] for kind in limits.ENTITLEMENTS
        if kind.value in levels and allowance_of(kind, scope) is not None
    }  # fmt: skip
    if not near or not may_pay(user):
        return None
    full = [kind for kind, level in near.items() if level >= limits.FULL_PERCENT]
    names = ", ".join(limits.limit_words(kind) for kind in full or near)
    text = (
        _("Your plan is full: %(what)s.") if full
        else _("Your plan is nearly full: %(what)s.")
    )  # fmt: skip
    return {
        "kind": "warn", "text": text % {"what": names}, "href": BILLING,
        "label": _("Use of your plan"),
    }  # fmt: skip


def of(scope: tenancy.Scope, user: User, *, at: dt.datetime) -> dict[str, str] | None:
    """How the company stands, if there is something to say.

    The trial is told quietly to those who run the company; what stops people is told to all.
    """
    if scope.state not in KINDS:
        return None
    state = State(scope.state)
    runs_it = rules.has_ability(user, "company.settings")
    if state == State.TRIAL and (not runs_it or scope.state_until is None):
        return None
    text = _trial(scope, at) if state == State.TRIAL else _stopped(scope)
    label = _("What you can do") if runs_it else _("Who can help")
    return {"text": text, "kind": KINDS[state], "href": STANDING, "label": label}


def days_left(scope: tenancy.Scope, at: dt.datetime) -> int:
    """Whole days until the state ends, rounded up; 0 when it has."""
    if scope.state_until is None:
        return 0
    return max(0, -((at - scope.state_until) // dt.timedelta(days=1)))


def _trial(scope: tenancy.Scope, at: dt.datetime) -> str:
    left = days_left(scope, at)
    return ngettext(
        "Trial: %(count)d day left.", "Trial: %(count)d days left.", left
    ) % {"count": left}  # fmt: skip


def _stopped(scope: tenancy.Scope) -> str:
    parts = [words.now(scope.state)]
    if scope.state == State.READ_ONLY and scope.state_since:
        since = words.day(scope.state_since)
        parts.insert(0, _("Read-only since %(since)s.") % {"since": since})
    if scope.state_until:
        parts.append(words.then(scope.state, words.day(scope.state_until)))
    return " ".join(parts)
