"""How often one person may ask; counted in Redis by company, and not at all when it is away."""

import time
from typing import Any

from django.conf import settings
from django.core.cache import cache
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

A_MINUTE = 600
WINDOW_SECONDS = 60


class PerPerson(BaseThrottle):
    """At most `settings.API_REQUESTS_A_MINUTE` (600) in a minute of the clock, all keys together.

    A broken counter stops nobody: losing the limit is better than losing the service.
    """

    def allow_request(self, request: Request, view: Any) -> bool:
        key = f"api:{request.user.pk}:{int(time.time()) // WINDOW_SECONDS}"
        try:
            cache.add(key, 0, timeout=2 * WINDOW_SECONDS)
            count = cache.incr(key)
        except (RedisError, OSError, ValueError):
            return True
        return bool(count <= getattr(settings, "API_REQUESTS_A_MINUTE", A_MINUTE))

    def wait(self) -> float:
        return WINDOW_SECONDS - time.time() % WINDOW_SECONDS
