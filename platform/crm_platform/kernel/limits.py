"""How much one company may ask for, so that the others do not notice; what holds for whom."""

from enum import StrEnum

from django.conf import settings

from crm_platform.kernel import tenancy


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


def limit_of(kind: Limit, scope: tenancy.Scope | None = None) -> int:
    """What holds for `scope` (the current one): an operator's word, else the setting."""
    scope = scope or tenancy.current_or_none()
    own = dict(scope.limits) if scope else {}
    return int(own.get(kind.value, settings.COMPANY_LIMITS[kind.value]))
