"""The address of a list says all it shows; a saved view is such an address with a name."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import QueryDict

from crm_core.fields import catalogue, filters
from crm_core.fields.lists import ListQuery
from crm_core.fields.models import SavedView
from crm_core.fields.queries import get_view
from crm_core.registry import RecordType, record_type
from crm_platform.identity.models import User
from crm_platform.kernel.errors import Invalid


@dataclass(frozen=True, slots=True)
class Address:
    """A list's address as understood: the query, the view it came from, whether it differs."""

    query: ListQuery
    view: SavedView | None = None
    is_edited: bool = False


def read_address(user: User, kind: RecordType, given: QueryDict) -> Address:
    """Understand a list's address.

    Raises:
        Invalid: a filter, sort or column it names does not exist.
        NotFound: the view is gone or not open to the person.
    """
    view_id = str(given.get("view", ""))
    view = get_view(user, kind, view_id) if view_id else None
    codes = [code for code in given.getlist("f") if code]
    query = ListQuery(
        kind=kind,
        filters=tuple(filters.parse(user, kind, codes)),
        words=given.get("q", "").strip()[:100],
        sort=_known_sort(user, kind, given.get("sort", "")),
        columns=_columns(given),
        cursor=given.get("after", ""),
    )
    return Address(query, view, view is not None and _differs(view, query))


def _columns(given: QueryDict) -> tuple[str, ...]:
    """`cols=a,b` of an address, or the ticks of the column chooser in the order of its list."""
    if "col" in given:
        ticked = set(given.getlist("col"))
        names = [name for name in given.getlist("order") if name in ticked] or sorted(ticked)
    else:
        names = [name for name in given.get("cols", "").split(",") if name]
    return tuple(names)[:40]


def _differs(view: SavedView, query: ListQuery) -> bool:
    codes = [each.code for each in query.filters]
    return (codes, query.sort, list(query.columns)) != (view.filters, view.sort, view.columns)


def _known_sort(user: User, kind: RecordType, sort: str) -> str:
    name = sort.removeprefix("-")
    if not name or name in ("updated_at", "created_at"):
        return sort
    found = catalogue.get_field(user, kind, name)
    if not found.sortable:
        raise Invalid(f"A list cannot be sorted by “{found.label}”.", field="sort")
    return sort


def list_address(query: ListQuery, *, view_id: int | None = None) -> str:
    """The part behind `?` that shows `query` from its first page."""
    pairs: list[tuple[str, str]] = [("view", str(view_id))] if view_id else []
    pairs += [("f", each.code) for each in query.filters]
    pairs += [
        (name, value)
        for name, value in (
            ("q", query.words),
            ("sort", query.sort),
            ("cols", ",".join(query.columns)),
        )
        if value
    ]
    return urlencode(pairs)


def view_url(view: SavedView) -> str:
    """The address a saved view opens."""
    pairs = [("view", str(view.pk)), *(("f", code) for code in view.filters)]
    if view.sort:
        pairs.append(("sort", view.sort))
    if view.columns:
        pairs.append(("cols", ",".join(view.columns)))
    kind = record_type(view.record_type)
    board = "board/" if view.layout == "board" else ""
    return f"/{kind.slug}/{board}?{urlencode(pairs)}"
