"""What passed between us and a provider, for operators. In the platform's open unit of work."""

from dataclasses import dataclass

from django.db.models import Count, F, Q, QuerySet

from billing.models import Command, Comparison, Difference, ProviderEvent

UNSETTLED = Q(state__in=(Command.State.WAITING, Command.State.SENDING))
DIFFERENCES_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Traffic:
    """How many commands and events wait or were given up."""

    commands_waiting: int
    commands_failed: int
    events_waiting: int
    events_dead: int


def traffic() -> Traffic:
    """Two queries."""
    commands = Command.objects.aggregate(
        waiting=Count("pk", filter=UNSETTLED),
        failed=Count("pk", filter=Q(state__in=(Command.State.DEAD, Command.State.REFUSED))),
    )
    events = ProviderEvent.objects.aggregate(
        waiting=Count("pk", filter=Q(state=ProviderEvent.State.WAITING)),
        dead=Count("pk", filter=Q(state=ProviderEvent.State.DEAD)),
    )
    return Traffic(commands["waiting"], commands["failed"], events["waiting"], events["dead"])


def commands(*, state: str = "", text: str = "") -> QuerySet[Command]:
    """What providers were told, newest first, with account and company."""
    rows = Command.objects.select_related("account__company").order_by("-pk")
    if state in Command.State.values:
        rows = rows.filter(state=state)
    return rows.filter(account__company__name__icontains=text) if text else rows


def events(*, state: str = "", text: str = "") -> QuerySet[ProviderEvent]:
    """What we were told, newest first; `text` is a part of a kind or the start of an id."""
    rows = ProviderEvent.objects.defer("body").order_by("-pk")
    if state in ProviderEvent.State.values:
        rows = rows.filter(state=state)
    if text:
        rows = rows.filter(
            Q(kind__icontains=text) | Q(event_id__startswith=text) | Q(object_id__startswith=text)
            | Q(customer__startswith=text)
        )  # fmt: skip
    return rows


def comparisons() -> list[Comparison]:
    """The newest comparisons, each with how much it `differed` and what is `left`."""
    left = Count("found", filter=Q(found__mended_at=None))
    rows = Comparison.objects.annotate(differed=Count("found"), left=left)
    return list(rows.order_by("-began_at", "-pk")[:30])  # counting drops the model's own order


def differences(comparison: Comparison) -> list[Difference]:
    """What one comparison found, what is not mended first."""
    rows = comparison.found.select_related("account__company")
    return list(rows.order_by(F("mended_at").asc(nulls_first=True), "pk")[:DIFFERENCES_SHOWN])
