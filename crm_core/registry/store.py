"""The register itself: topics add their types when they start, generic features loop over it."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from django.db.models import Q

from crm_core.registry.types import RecordType
from crm_platform.kernel.errors import NotFound

if TYPE_CHECKING:  # kinds are declared while the models are still being loaded
    from crm_platform.identity.models import User

_types: dict[str, RecordType] = {}


def register(record_type: RecordType) -> None:
    """Add a kind of record; from the topic's `AppConfig.ready`."""
    _types[record_type.name] = record_type


def record_types() -> list[RecordType]:
    """Every kind of record, in the order of the rail."""
    return sorted(_types.values(), key=lambda t: (t.order, t.name))


def record_type(name: str) -> RecordType:
    """The kind of that name.

    Raises:
        NotFound: there is no such kind.
    """
    if name not in _types:
        raise NotFound(f"There is no kind of record called “{name}”.")
    return _types[name]


def by_slug(slug: str) -> RecordType:
    """The kind whose addresses begin with `slug`.

    Raises:
        NotFound: there is no such kind.
    """
    for kind in _types.values():
        if kind.slug == slug:
            return kind
    raise NotFound("There is no such page.")


def type_of(record: object) -> RecordType:
    """The kind `record` is of."""
    return next(kind for kind in _types.values() if isinstance(record, kind.model))


TextMatch = Callable[["User", RecordType, str], Q]
_text_match: list[TextMatch] = []


def install_text_match(match: TextMatch) -> None:
    """Say how words are found in records; by the topic that keeps the search documents."""
    _text_match[:] = [match]


def text_match(user: "User", kind: RecordType, words: str) -> Q:
    """The condition that a record of `kind` contains `words`, in facts not hidden from `user`."""
    if _text_match and kind.search_texts is not None:
        return _text_match[0](user, kind, words)
    return Q(**{f"{kind.title_field}__icontains": words})
