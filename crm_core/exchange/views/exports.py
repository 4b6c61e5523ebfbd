"""Files to take away: exports of a list, and examples to fill in."""

from django.http import FileResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from crm_core.exchange import examples, exporting, targets
from crm_core.fields.addresses import read_address
from crm_core.fields.requests import StaffRequest, today
from crm_core.registry import record_type
from crm_platform.identity.decorators import ability_required, sign_in_required


@require_safe
@sign_in_required
def export(request: StaffRequest, kind: str) -> FileResponse:
    """Everything the list at the same address finds, as CSV or (`format=xlsx`) as a workbook."""
    record_kind = record_type(kind)
    form = "xlsx" if request.GET.get("format") == "xlsx" else "csv"
    address = read_address(request.user, record_kind, request.GET)
    built = exporting.export_records(
        query=address.query.first_page(), form=form, actor=request.user, today=today(),
        at=timezone.now(),
    )  # fmt: skip
    name = f"{record_kind.slug}-{today().isoformat()}.{form}"
    return FileResponse(
        built, as_attachment=True, filename=name, content_type=exporting.FORMATS[form]
    )


@require_safe
@ability_required("records.import")
def example(request: StaffRequest, kind: str) -> FileResponse:
    """A small file of a kind, to fill in."""
    record_kind = targets.demand_may_import(request.user, kind)
    return FileResponse(
        examples.example_csv(request.user, record_kind), as_attachment=True,
        filename=f"{record_kind.slug}-example.csv", content_type=exporting.FORMATS["csv"],
    )  # fmt: skip
