"""Finding records of every kind by what people remember of them."""

from dataclasses import dataclass
from typing import Any

from django.db.models import BooleanField, FloatField, Q, QuerySet
from django.db.models.expressions import RawSQL

from crm_core.fields import catalogue
from crm_core.registry import RecordType, record_types
from crm_core.registry.queries import visible_to
from crm_core.search import tokens
from crm_core.search.models import Document
from crm_platform.identity import rules
from crm_platform.identity.models import User

# Ranking reads the words of each match; a common name must not make that thousands.
MOST_RANKED = 500


@dataclass(frozen=True, slots=True)
class Hit:
    """One record found."""

    kind: RecordType
    id: int
    title: str
    subtitle: str

    @property
    def url(self) -> str:
        return f"/{self.kind.slug}/{self.id}/"


def _holding(words: str) -> QuerySet[Document]:
    asked = tokens.query(words)
    if not asked:
        return Document.objects.none()
    matches = RawSQL("words @@ %s::tsquery", [asked], output_field=BooleanField())
    return Document.objects.filter(matches)


def matching(kind: RecordType, words: str) -> Q:
    """The condition that a record of `kind` holds `words`; for lists."""
    if not tokens.query(words):
        return Q(pk__in=[])
    return Q(pk__in=_holding(words).filter(record_type=kind.name).values("record_id"))


def find(user: User, words: str, *, kinds: tuple[str, ...] = (), limit: int = 20) -> list[Hit]:
    """The best matches the person may see: names first, then mail and phone. One query."""
    asked = tokens.query(words)
    open_kinds = {
        kind.name: kind
        for kind in record_types()
        if kind.search_texts is not None and (not kinds or kind.name in kinds)
    }
    if not asked or not open_kinds:
        return []
    some = _holding(words).filter(_may_see(user, open_kinds)).order_by()[:MOST_RANKED]
    rank = RawSQL(
        "ts_rank('{0, 0.15, 0.4, 1}', words, %s::tsquery)",
        [asked],
        output_field=FloatField(),
    )
    rows = (
        Document.objects.filter(pk__in=some.values("pk"))
        .annotate(rank=rank)
        .order_by("-rank", "-changed_at", "pk")
        .values_list("record_type", "record_id", "title", "subtitle")
    )
    plain = {name for name in open_kinds if catalogue.hides(user, name)}
    return [
        Hit(open_kinds[name], pk, title, "" if name in plain else subtitle)
        for name, pk, title, subtitle in rows[:limit]
    ]


def _may_see(user: User, kinds: dict[str, Any]) -> Q:
    """Documents of records the person may see."""
    everything = [name for name in kinds if rules.level(user, name, "view") == "all"]
    found = Q(record_type__in=everything)
    for name in kinds:
        if name not in everything:
            rows = visible_to(user, name).select_related(None).values("pk")
            found |= Q(record_type=name, record_id__in=rows)
    return found
