"""Reading what operators did."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from crm_platform.console.models import OperatorEntry
from crm_platform.kernel.errors import Invalid
from crm_platform.kernel.paging import decode_cursor, encode_cursor

A_PAGE = 50
MOST_EXPORTED = 100_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries: `text` in title, reason or verb; days are UTC; `verb` its first word."""

    text: str = ""
    who: str = ""
    verb: str = ""
    first: dt.date | None = None
    last: dt.date | None = None
    company_id: UUID | None = None


def entries(wanted: Wanted) -> QuerySet[OperatorEntry]:
    """What was asked for, newest first."""
    found = OperatorEntry.objects.order_by("-at", "-id")
    if wanted.text:
        holds = Q(title__icontains=wanted.text) | Q(reason__icontains=wanted.text)
        found = found.filter(holds | Q(verb__icontains=wanted.text))
    if wanted.who.isascii() and wanted.who.isdigit() and len(wanted.who) < 18:
        found = found.filter(actor_id=int(wanted.who))
    if wanted.verb:
        found = found.filter(verb__startswith=f"{wanted.verb}.")
    if wanted.first:
        found = found.filter(at__gte=_begin(wanted.first))
    if wanted.last:
        found = found.filter(at__lt=_begin(wanted.last) + dt.timedelta(days=1))
    if wanted.company_id:
        found = found.filter(company_id=wanted.company_id)
    return found


def _begin(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), tzinfo=dt.UTC)


def page_of(wanted: Wanted, *, after: str) -> tuple[list[OperatorEntry], str]:
    """One page, and the cursor of the next one (empty at the end). One query.

    Raises:
        Invalid: a damaged cursor.
    """
    found = entries(wanted)
    if after:
        moment, pk = _place(after)
        found = found.filter(Q(at__lt=moment) | Q(at=moment, id__lt=pk))
    rows = list(found[: A_PAGE + 1])
    if len(rows) <= A_PAGE:
        return rows, ""
    last = rows[A_PAGE - 1]
    return rows[:A_PAGE], encode_cursor([last.at.isoformat(), last.pk])


def _place(cursor: str) -> tuple[dt.datetime, int]:
    at, pk = decode_cursor(cursor, length=2)
    try:
        return dt.datetime.fromisoformat(str(at)), int(pk)
    except (TypeError, ValueError) as error:
        raise Invalid(_("This page address is damaged. Open the list again.")) from error


def exported(wanted: Wanted) -> Iterator[OperatorEntry]:
    """The entries for a file, newest first, at most `MOST_EXPORTED`."""
    return iter(entries(wanted)[:MOST_EXPORTED])


def verbs() -> list[str]:
    """The first words of the verbs there are: company, invitation, person …  One query."""
    known = OperatorEntry.objects.order_by().values_list("verb", flat=True).distinct()
    return sorted({verb.partition(".")[0] for verb in known})
