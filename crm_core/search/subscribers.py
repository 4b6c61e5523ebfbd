"""Records that change take their search documents with them, in the same transaction."""

from crm_core.registry import record_type
from crm_core.registry.events import RecordsSaved
from crm_core.registry.store import install_text_match
from crm_core.search import queries, services
from crm_platform.kernel import events


def index_saved(event: RecordsSaved) -> None:
    services.index_records(record_type(event.record_type), event.ids, are_new=event.created)


def subscribe() -> None:
    install_text_match(queries.matching)
    events.subscribe(RecordsSaved, index_saved, when=events.Moment.NOW)
