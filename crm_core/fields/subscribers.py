"""People leave: what they owned passes to their successor, in the same act."""

from uuid import uuid4

from crm_core.audit import services as audit
from crm_core.fields import catalogue
from crm_core.notify import services as notify
from crm_core.registry import record_types
from crm_core.registry.events import RecordsSaved
from crm_core.registry.queries import live
from crm_platform.identity import kinds
from crm_platform.identity.events import PersonDeactivated
from crm_platform.identity.models import User
from crm_platform.kernel import events, tenancy


def hand_over(event: PersonDeactivated) -> None:
    """Give the leaver's records and open tasks to the successor, with history and one message."""
    if event.successor_id is None or tenancy.current().is_platform:
        return
    at, batch, moved = event.at, uuid4(), 0
    actor = User.objects.filter(pk=event.actor_id or 0).first()
    successor = User.objects.get(pk=event.successor_id)
    for kind in record_types():
        rows = list(live(kind).select_for_update().filter(owner_id=event.user_id))
        keys = [row.pk for row in rows]
        kind.model._default_manager.filter(pk__in=keys).update(
            owner=successor, team=successor.team, updated_at=at
        )
        audit.record_many(
            actor=actor,
            verb=f"{kind.name}.edited",
            at=at,
            on_type=kind.name,
            batch=batch,
            entries=[(row, {"owner": [event.user_id, successor.pk]}) for row in rows],
        )
        events.publish(RecordsSaved(kind.name, tuple(keys)))
        if kind.field("assignee") is not None:
            live(kind).filter(assignee_id=event.user_id, done_at=None).update(assignee=successor)
        moved += len(keys)
    if moved:
        left = catalogue.people().get(event.user_id)
        notify.tell(
            user_id=successor.pk,
            kind="person.left",
            actor=actor,
            at=at,
            facts={"title": left.name if left else "", "count": moved},
        )


def offer_kinds() -> list[kinds.RecordKind]:
    """The record types and fields that roles grant rights on."""
    return [
        kinds.RecordKind(
            kind.name,
            str(kind.label_plural),
            tuple((field.name, str(field.label)) for field in catalogue.fields_of(kind)),
        )
        for kind in record_types()
    ]


def subscribe() -> None:
    kinds.offer(offer_kinds)
    events.subscribe(PersonDeactivated, hand_over, when=events.Moment.NOW)
