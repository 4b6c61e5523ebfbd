"""How much of its plan the company uses, for programs that fill it."""

from django.utils.translation import gettext_lazy
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api.base import ApiView, demand_no_query
from api.v1.described import answers
from crm_core.web import billing, usage

NUMBER = {"type": "integer", "minimum": 0}
ANSWER = {
    "type": "object",
    "description": "What a plan may limit, by its kind.",
    "additionalProperties": {
        "type": "object",
        "properties": {"used": NUMBER, "limit": {"type": ["integer", "null"], "minimum": 0}},
        "required": ["used", "limit"],
        "additionalProperties": False,
    },
}


class Usage(ApiView):
    """What the plan holds and how much of it is used; `limit` null: as much as you like."""

    @extend_schema(
        operation_id="read_usage",
        summary=gettext_lazy("Use of your plan"),
        tags=["usage"],
        responses=answers(422, ok=ANSWER),
    )
    def get(self, request: Request) -> Response:
        demand_no_query(request)
        billing.demand_payer(self.user)
        return Response(
            {each.kind.value: {"used": each.used, "limit": each.most} for each in usage.usages()}
        )
