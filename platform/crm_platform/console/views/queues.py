"""Background work: what waits, who works, what failed."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from crm_platform.console.context import console
from crm_platform.console.guard import operators_with
from crm_platform.console.queries import queues as queries
from crm_platform.console.queries.failures import open_failures
from crm_platform.console.services import failures as services
from crm_platform.console.views.asking import me
from crm_platform.ui.toast import toast
from tenants.models import Company


@require_GET
@operators_with("queues.view")
def queues(request: HttpRequest) -> HttpResponse:
    """Counts, the oldest, workers, and failed tasks with a way to try again."""
    rows = open_failures()
    ids = {row.company_id for row in rows if row.company_id}
    names = dict(Company.objects.filter(pk__in=ids).values_list("pk", "name"))
    context = {
        "queue": queries.queue(),
        "workers": queries.workers(),
        "rows": [(row, names.get(row.company_id, "") if row.company_id else "") for row in rows],
        **console(request, "queues"),
    }
    return render(request, "console/queues.html", context)


@require_POST
@operators_with("queues.retry")
def retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Send a failed task again."""
    services.retry(failure_id=pk, actor=me(request), at=timezone.now())
    return toast(redirect("console:queues"), _("It is being tried again."))


@require_POST
@operators_with("queues.retry")
def dismiss(request: HttpRequest, pk: int) -> HttpResponse:
    """Put a failure away."""
    services.dismiss(failure_id=pk, actor=me(request), at=timezone.now())
    return toast(redirect("console:queues"), _("Put away"))
