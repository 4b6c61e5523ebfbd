"""What kinds of record exist, their fields, and who sees them."""

from crm_core.registry.store import by_slug, record_type, record_types, register, type_of
from crm_core.registry.types import Choice, Field, Kind, RecordType, SearchTexts

__all__ = [
    "Choice",
    "Field",
    "Kind",
    "RecordType",
    "SearchTexts",
    "by_slug",
    "record_type",
    "record_types",
    "register",
    "type_of",
]
