"""What operators did: the list, and a file of it."""

import tempfile
from collections.abc import Iterator
from uuid import UUID

from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from crm_core.exchange.exporting import write_csv
from crm_platform.console import rules
from crm_platform.console.context import console
from crm_platform.console.guard import operators_with
from crm_platform.console.queries import audit as queries
from crm_platform.console.queries.operators import operators
from crm_platform.console.services import audit as services
from crm_platform.console.views.asking import day, facts_of, me, title_of, word
from crm_platform.console.words import topic_word, verb_word

HEADER = ["at", "actor", "actor_id", "verb", "object_type", "object_id", "title", "company_id",
          "reason", "facts", "request_id"]  # fmt: skip
SPOOLED_BYTES = 2 * 1024 * 1024


def _company_id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _wanted(request: HttpRequest) -> queries.Wanted:
    return queries.Wanted(
        text=word(request, "q"), who=word(request, "who", 18), verb=word(request, "topic", 40),
        first=day(request, "first"), last=day(request, "last"),
        company_id=_company_id(word(request, "company", 40)),
    )  # fmt: skip


@require_GET
@operators_with("audit.view")
def audit(request: HttpRequest) -> HttpResponse:
    """Every act of an operator, newest first, with filters."""
    wanted = _wanted(request)
    rows, more = queries.page_of(wanted, after=request.GET.get("after", ""))
    context = {
        "rows": [(row, verb_word(row.verb), title_of(row), facts_of(row)) for row in rows],
        "more": more,
        "wanted": wanted,
        "people": [row.person for row in operators()],
        "topics": [(topic, topic_word(topic)) for topic in queries.verbs()],
        "may_export": rules.may(request.user, "audit.export"),
        **console(request, "audit"),
    }
    return render(request, "console/audit.html", context)


@require_POST
@operators_with("audit.export")
def export(request: HttpRequest) -> HttpResponseBase:
    """The filtered entries as CSV; that it was asked for is an entry, too."""
    wanted, at = _wanted(request), timezone.now()
    out = tempfile.SpooledTemporaryFile(max_size=SPOOLED_BYTES)  # noqa: SIM115  the response closes it
    write_csv(out, HEADER, _rows(wanted))
    out.seek(0)
    services.record(actor=me(request), verb="audit.exported", at=at, object_type="audit")
    name = f"rapport-operators-{at:%Y-%m-%d}.csv"
    return FileResponse(out, as_attachment=True, filename=name, content_type="text/csv")


def _rows(wanted: queries.Wanted) -> Iterator[list[str]]:
    for row in queries.exported(wanted):
        facts = "; ".join(f"{name}: {value}" for name, value in facts_of(row))
        yield [row.at.isoformat(), row.actor_name, str(row.actor_id or ""), row.verb,
               row.object_type, row.object_id, row.title, str(row.company_id or ""), row.reason,
               facts, row.request_id]  # fmt: skip
