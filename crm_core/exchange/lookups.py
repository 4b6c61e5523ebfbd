"""Finding many records by name, mail or number: one statement a question, not one a row."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Min, Q
from django.db.models.functions import Lower

from crm_core.exchange import bulk
from crm_core.registry import RecordType
from crm_core.registry.queries import visible_to
from crm_platform.identity.models import User

EXACT = ("source_id", "tax_number")
"""Identifiers compared as they stand; the others without regard to case."""


def key_of(name: str, text: Any) -> str:
    """`text` in the form two spellings of one identifier share."""
    plain = str(text).strip()
    return plain if name in EXACT else plain.lower()


def find(user: User, kind: RecordType, name: str, texts: Iterable[str]) -> dict[str, int]:
    """Ids by key of the records visible to `user` whose `name` is one of `texts`.

    Where several are, the oldest. One query.
    """
    wanted = list({text.strip() for text in texts if text.strip()})
    if not wanted or kind.field(name) is None:
        return {}
    rows = visible_to(user, kind).select_related(None).order_by()
    if name in EXACT:
        found = rows.filter(~Q(**{name: ""}), **{f"{name}__in": bulk.one_of(wanted)})
        pairs = found.values_list(name).annotate(first=Min("pk"))
        return dict(pairs)
    found = rows.exclude(**{name: ""}) if name == "email" else rows
    found = found.annotate(key=Lower(name)).filter(key__in=bulk.lower_of(wanted))
    result: dict[str, int] = {}
    for text, pk in found.order_by("-pk").values_list(name, "pk"):
        result[key_of(name, text)] = pk
    return result


def find_linked(user: User, kind: RecordType, texts: Iterable[str]) -> dict[str, int]:
    """Ids by lower-case text: by name, else by source id, else (contacts) by mail.

    At most three queries, the later ones only for what is still unknown.
    """
    wanted = {text.strip().lower(): text.strip() for text in texts}
    found: dict[str, int] = {}
    for name in ("name", "source_id", "email"):
        left = [text for key, text in wanted.items() if key not in found]
        if name == "email":
            left = [text for text in left if "@" in text]
        for text, pk in find(user, kind, name, left).items() if left else ():
            found.setdefault(text.lower(), pk)
    return found
