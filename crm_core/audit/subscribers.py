"""Changes of people, roles and teams become history, in the same transaction."""

from crm_core.audit.models import Entry
from crm_core.audit.services import CHANNEL
from crm_platform.identity.events import ConfigChanged
from crm_platform.kernel import events, tenancy


def write_config_change(event: ConfigChanged) -> None:
    """Keep one entry of a change of people, roles or teams."""
    if tenancy.current().is_platform:
        return
    Entry.objects.create(
        at=event.at,
        actor_id=event.actor_id,
        verb=event.verb,
        record_type=event.subject,
        record_id=event.subject_id,
        title=event.title[:200],
        changes=event.changes,
        channel=tenancy.unit_facts().get(CHANNEL, "page"),
    )


def subscribe() -> None:
    events.subscribe(ConfigChanged, write_config_change, when=events.Moment.NOW)
