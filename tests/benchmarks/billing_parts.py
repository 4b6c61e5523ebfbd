"""Parts that the benchmark of billing and its tests measure alike."""

import time

from crm_platform.kernel import tenancy
from crm_platform.kernel.limits import Limit, allowance_of

CHECKS = 20_000


def entitlement_seconds(scope: tenancy.Scope, *, checks: int = CHECKS) -> float:
    """Seconds that one warm check of a plan's limit takes: the best of five rounds' means."""
    kinds = (Limit.CONTACTS, Limit.STORAGE_MB)
    best = float("inf")
    with tenancy.choose(scope):
        for _round in range(5):
            began = time.perf_counter()
            for _number in range(checks // 2):
                for kind in kinds:
                    allowance_of(kind)
            best = min(best, (time.perf_counter() - began) / checks)
    return best
