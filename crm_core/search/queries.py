"""Finding records of every kind by what people remember of them."""

import functools
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
from crm_platform.kernel.prepared import Prepared

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


def _holds(asked: str) -> RawSQL:
    return RawSQL("words @@ %s::tsquery", [asked], output_field=BooleanField())


def matching(user: User, kind: RecordType, words: str) -> Q:
    """The condition that a record of `kind` holds `words`, in facts not hidden; for lists."""
    asked = tokens.query(words, titles_only=catalogue.hides(user, kind.name))
    if not asked:
        return Q(pk__in=[])
    found = Document.objects.filter(_holds(asked), record_type=kind.name)
    return Q(pk__in=found.values("record_id"))


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
    plain = [name for name in open_kinds if catalogue.hides(user, name)]
    sees_all = all(rules.reach(user, name, "view") is None for name in open_kinds)
    if sees_all and not plain:
        rows = _finder(tuple(open_kinds), limit)(asked=asked)
    else:
        titles = Q(_holds(tokens.query(words, titles_only=True)))
        may_find = _may_see(user, open_kinds) & (~Q(record_type__in=plain) | titles)
        rows = list(_ranked(asked, may_find, limit))
    return [
        Hit(open_kinds[name], pk, title, "" if name in plain else subtitle)
        for name, pk, title, subtitle in rows
    ]


def _ranked(asked: str, condition: Q, limit: int) -> QuerySet[Document, Any]:
    some = Document.objects.filter(_holds(asked)).filter(condition).order_by()[:MOST_RANKED]
    rank = RawSQL(
        "ts_rank('{0, 0.15, 0.4, 1}', words, %s::tsquery)",
        [asked],
        output_field=FloatField(),
    )
    rows = Document.objects.filter(pk__in=some.values("pk")).annotate(rank=rank)
    found: QuerySet[Document, Any] = rows.order_by("-rank", "-changed_at", "pk").values_list(
        "record_type", "record_id", "title", "subtitle"
    )
    return found[:limit]


@functools.lru_cache(maxsize=32)
def _finder(kind_names: tuple[str, ...], limit: int) -> Prepared:
    """The search of somebody who may see every record of these kinds, compiled once."""

    def build(*, asked: str) -> QuerySet[Any, Any]:
        return _ranked(asked, Q(record_type__in=kind_names), limit)

    return Prepared(build, asked=str)


def _may_see(user: User, kinds: dict[str, Any]) -> Q:
    """Documents of records the person may see."""
    everything = [name for name in kinds if rules.level(user, name, "view") == "all"]
    found = Q(record_type__in=everything)
    for name in kinds:
        if name not in everything:
            rows = visible_to(user, name).select_related(None).values("pk")
            found |= Q(record_type=name, record_id__in=rows)
    return found
