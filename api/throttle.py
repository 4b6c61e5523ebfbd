"""How often one company, and one key of it, may ask within a minute."""

import datetime as dt
from collections.abc import Mapping

from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.request import Request

from api.errors import TooManyRequests
from crm_platform.identity.models import ApiToken
from crm_platform.kernel import counting
from crm_platform.kernel.counting import Counted
from crm_platform.kernel.limits import Limit, limit_of


def demand_allowance(request: Request, *, at: dt.datetime | None = None) -> Mapping[str, str]:
    """Count one request, and give the `RateLimit-*` headers of the answer.

    They tell of whichever of the two limits is nearer. Empty while Redis is away: losing the limit
    is better than losing the service.

    Raises:
        TooManyRequests: the key, or the whole company, asked too often.
    """
    at = at or timezone.now()
    token = request.auth
    key = f"key:{token.pk}" if isinstance(token, ApiToken) else f"person:{request.user.pk}"
    limits = [limit_of(Limit.API_KEY_REQUESTS), limit_of(Limit.API_REQUESTS)]
    counted = counting.within([(f"api:{key}", limits[0]), ("api", limits[1])], at=at)
    if not counted:
        return {}
    headers = headers_of(counted)
    of_key, of_company = counted
    if of_key.is_over or of_company.is_over:
        counting.use("api_refused", at=at)
        raise TooManyRequests(_sentence(of_key, of_company), headers=headers)
    counting.use("api_requests", at=at)
    return headers


def headers_of(counted: list[Counted]) -> dict[str, str]:
    """As in draft-ietf-httpapi-ratelimit-headers: limit, remaining, reset (seconds), policy."""
    nearer = min(counted, key=lambda each: (not each.is_over, each.left))
    window = counting.WINDOW_SECONDS
    return {
        "RateLimit-Limit": str(nearer.limit),
        "RateLimit-Remaining": str(nearer.left),
        "RateLimit-Reset": str(nearer.reset_seconds),
        "RateLimit-Policy": ", ".join(f"{each.limit};w={window}" for each in counted),
    }


def _sentence(of_key: Counted, of_company: Counted) -> str:
    if of_key.is_over:
        return _(
            "This key asked more than %(limit)d times within a minute. Ask again in %(seconds)d"
            " seconds, or less often."
        ) % {"limit": of_key.limit, "seconds": of_key.reset_seconds}
    return _(
        "The programs of your company together asked more than %(limit)d times within a minute."
        " Ask again in %(seconds)d seconds, or less often."
    ) % {"limit": of_company.limit, "seconds": of_company.reset_seconds}
