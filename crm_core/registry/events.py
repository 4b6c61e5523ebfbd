"""What happened to records, whatever their kind."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RecordsSaved:
    """Records of one kind were made, changed, deleted or restored."""

    record_type: str
    ids: tuple[int, ...]
    created: bool = False
