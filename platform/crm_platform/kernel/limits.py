"""How much one company may ask for or hold: what its plan or the operators say, else the settings.

Most kinds protect the neighbours and always have a number. A few (`ENTITLEMENTS`) say what a plan
holds; without a word of the plan or the operators they are not limited at all.
"""

from collections.abc import Callable
from enum import StrEnum

from django.conf import settings
from django.db import connection
from django.utils.translation import gettext as _

from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import PlanLimitReached


class Limit(StrEnum):
    """What is limited, for one company."""

    API_REQUESTS = "api_requests"
    """Requests to the API within a minute, all keys and people together."""
    API_KEY_REQUESTS = "api_key_requests"
    """Requests to the API within a minute by one key, or by one person's pages."""
    LONG_JOBS = "long_jobs"
    """Long jobs (imports, packages …) at work at once."""
    IMPORTS = "imports"
    """Imports that wait or run at once."""
    IMPORT_ROWS = "import_rows"
    """Rows of one file."""
    IMPORT_MB = "import_mb"
    """MiB of one file."""
    CONTACTS = "contacts"
    """People and companies on record, without the trash."""
    PIPELINES = "pipelines"
    """Pipelines in use."""
    CUSTOM_FIELDS = "custom_fields"
    """Fields of its own in use."""
    STORAGE_MB = "storage_mb"
    """MiB of its tables on disk, indexes included."""


HARD = (Limit.CONTACTS, Limit.PIPELINES, Limit.CUSTOM_FIELDS)
"""Refuse to make one more; reading, changing and exporting what is there are never refused."""
SOFT = (Limit.STORAGE_MB,)
"""Only ever warn: what is measured now and then must not stop anybody."""
ENTITLEMENTS = (*HARD, *SOFT)
NEAR_PERCENT, FULL_PERCENT = 80, 100
"""From where on owners are warned."""


def limit_of(kind: Limit, scope: tenancy.Scope | None = None) -> int:
    """What holds for `scope` (the current one): its own word, else the setting.

    For the kinds that always have a number; the others are asked by `allowance_of`.
    """
    scope = scope or tenancy.current_or_none()
    own = dict(scope.limits) if scope else {}
    return int(own.get(kind.value, settings.COMPANY_LIMITS[kind.value]))


def allowance_of(kind: Limit, scope: tenancy.Scope | None = None) -> int | None:
    """What holds for `scope` (the current one); None: not limited. No query."""
    scope = scope or tenancy.current_or_none()
    if scope is not None:
        for name, value in scope.limits:
            if name == kind.value:
                return value
    found: int | None = settings.COMPANY_LIMITS.get(kind.value)
    return found


def room_for(kind: Limit, used: Callable[[], int]) -> int | None:
    """How many more may be made; None: any number, and nothing was counted.

    Where a limit exists, others who make such things wait until the transaction ends, so that two
    never take the last place.
    """
    most = allowance_of(kind)
    if most is None:
        return None
    _queue_up(kind)
    return max(most - used(), 0)


def _queue_up(kind: Limit) -> None:
    """Wait until nobody else of the company is making such a thing; held by the transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || %s::text, 0))",
            [f":limit:{kind.value}"],
        )


def demand_room(kind: Limit, used: Callable[[], int]) -> None:
    """Refuse to make one more where as many are there as the company may have.

    Raises:
        PlanLimitReached: so it is.
    """
    if room_for(kind, used) == 0:
        raise reached(kind)


def reached(kind: Limit) -> PlanLimitReached:
    """The refusal, naming the limit and who can help."""
    most = allowance_of(kind) or 0
    return PlanLimitReached(
        _(
            "Your plan holds %(limit)s: %(most)s at most, and that many are there. Nothing is"
            " lost; what is there can be used, changed and exported. An owner sees under Settings,"
            " Billing what can be done."
        )
        % {"limit": limit_words(kind), "most": f"{most:,}"}
    )


def limit_words(kind: Limit) -> str:
    """What a plan holds, as people call it."""
    return {
        Limit.CONTACTS: _("contacts and companies"),
        Limit.PIPELINES: _("pipelines"),
        Limit.CUSTOM_FIELDS: _("fields of your own"),
        Limit.STORAGE_MB: _("storage in MB"),
    }[kind]


def level_of(used: int, most: int | None) -> int:
    """How near the limit: 0, `NEAR_PERCENT` or `FULL_PERCENT`. A limit of 0 is reached by one."""
    if most is None or used == 0 or used * 100 < most * NEAR_PERCENT:
        return 0
    return FULL_PERCENT if used >= most else NEAR_PERCENT
