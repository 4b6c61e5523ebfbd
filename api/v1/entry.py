"""The first address of the API, and the answer to addresses that are none."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api.base import ApiView, demand_no_query
from api.v1.described import answers
from crm_core.registry import record_types
from crm_platform.kernel.errors import NotFound

MORE = ("pipelines", "lost-reasons", "users", "teams", "tags", "usage", "billing", "invoices",
        "prices", "schema", "docs")  # fmt: skip


class Index(ApiView):
    """Where everything is."""

    @extend_schema(
        operation_id="read_index",
        summary=gettext_lazy("Where everything is"),
        tags=["schema"],
        responses=answers(
            ok={"type": "object", "additionalProperties": {"type": "string", "format": "uri"}}
        ),
    )
    def get(self, request: Request) -> Response:
        demand_no_query(request)
        slugs = [*(kind.slug for kind in record_types()), *MORE]
        return Response({slug: request.build_absolute_uri(f"{slug}/") for slug in slugs})


@extend_schema(exclude=True)
class NoSuchAddress(ApiView):
    """Everything under `/api/v1/` that is nothing: a problem document, not a page."""

    authentication_classes = []
    permission_classes = []
    is_counted = False

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        hint = "" if request.path.endswith("/") else _("Addresses end in a slash.")
        raise NotFound(
            " ".join(part for part in (_("There is nothing at this address."), hint) if part)
        )
