"""What every view of the console asks for before it runs."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from crm_platform.console import rules
from crm_platform.identity.decorators import sign_in_required
from crm_platform.kernel import tenancy

V = TypeVar("V", bound=Callable[..., HttpResponseBase])
REQUEST_ID = "request_id"


def operators_with(ability: str) -> Callable[[V], V]:
    """Run a view for operators whose role has `ability`; others get the refusal's page (403).

    The view carries `console_ability`, so that a test can ask every address for it.
    """
    assert ability in rules.TABLE, f"The table has no ability {ability}."

    def decorate(view: V) -> V:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            rules.demand(request.user, ability)
            tenancy.unit_facts()[REQUEST_ID] = getattr(request, "request_id", "")
            return view(request, *args, **kwargs)

        done = sign_in_required(cast(V, guarded))
        done.console_ability = ability  # type: ignore[attr-defined]  # read by tests and nav
        return done

    return decorate
