"""Parts of a page that stay the same for a while, kept as HTML in the process.

The key says everything the part depends on and always begins with the company's id and
configuration version (`key_of`), so nobody is ever shown another company's part.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable

from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from crm_platform.kernel import snapshot, tenancy

MOST_PARTS = 600
CSRF = "@@csrf-token@@"
"""Stands in a kept part where each request's own token goes."""
_parts: OrderedDict[Hashable, str] = OrderedDict()


def key_of(name: str, *facts: Hashable) -> Hashable | None:
    """The key of a part of the current company's pages; None where nothing may be kept."""
    scope = tenancy.current_or_none()
    if scope is None or scope.is_platform or snapshot.is_changing():
        return None
    return (scope, snapshot.version(), get_language(), name, *facts)


def keep(key: Hashable | None, build: Callable[[], str], *, csrf_token: str = "") -> SafeString:
    """The part of that key, built when it is not there yet. `build` returns escaped HTML."""
    html = _parts.get(key) if key is not None else None
    if html is None:
        html = str(build())
        if key is not None:
            _parts[key] = html
            while len(_parts) > MOST_PARTS:
                _parts.popitem(last=False)
    return mark_safe(html.replace(CSRF, csrf_token))  # noqa: S308  built from escaped parts
