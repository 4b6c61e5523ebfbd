"""What records refer to, for reading: pipelines, reasons, people, teams, tags."""

from collections.abc import Callable
from typing import ClassVar

from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from api import paging
from api.base import ApiViewSet, demand_no_query
from api.v1.shapes import Json
from crm_core.fields import catalogue
from crm_core.sales import queries
from crm_core.sales.queries import PipelineFacts
from crm_platform.kernel.errors import Invalid, NotFound


class ConfigurationViewSet(ApiViewSet):
    """A short list kept in the process; no query at all."""

    rows: ClassVar[Callable[[], list[Json]]]

    def list(self, request: Request) -> Response:
        demand_no_query(request, *paging.PARAMETERS)
        rows = type(self).rows()
        given, limit = request.query_params, paging.limit_of(request.query_params)
        what = type(self).__name__
        after = paging.opened(what, given)
        begin = 0
        if after:
            places = [row["id"] for row in rows]
            if after not in places:
                raise Invalid(_("This page address is out of date. Begin again."), field="after")
            begin = places.index(after) + 1
        shown = rows[begin : begin + limit]
        more = begin + limit < len(rows)
        last = paging.sealed(what, shown[-1]["id"]) if more else ""
        total = len(rows) if paging.wants_total(given) else None
        return Response(paging.envelope(request, shown, after=last, total=total))

    def retrieve(self, request: Request, pk: str) -> Response:
        demand_no_query(request)
        for row in type(self).rows():
            if row["id"] == pk:
                return Response(row)
        raise NotFound(_("There is nothing at this address."))


def pipelines() -> list[Json]:
    """Pipelines in use with their stages, in the company's order."""
    return [_pipeline(found) for found in queries.pipelines()]


def _pipeline(found: PipelineFacts) -> Json:
    return {
        "id": str(found.id), "name": found.name, "is_default": found.is_default,
        "stale_days": found.stale_days,
        "stages": [
            {"id": str(s.id), "name": s.name, "kind": s.kind, "probability": s.probability}
            for s in found.stages
        ],
    }  # fmt: skip


def lost_reasons() -> list[Json]:
    return [{"id": choice.value, "name": choice.label} for choice in queries.lost_reasons()]


def users() -> list[Json]:
    """Everybody, by name; who may be an owner is active."""
    return [
        {"id": str(p.id), "name": p.name, "email": p.email, "active": p.is_active}
        for p in catalogue.people().values()
    ]


def teams() -> list[Json]:
    return [{"id": str(pk), "name": name} for pk, name in catalogue.teams().items()]


def tags() -> list[Json]:
    return [{"id": tag.value, "name": tag.label} for tag in catalogue.tags().values()]


class PipelineViewSet(ConfigurationViewSet):
    """The company's ways of selling, with their stages."""

    rows = staticmethod(pipelines)


class LostReasonViewSet(ConfigurationViewSet):
    """Why deals are lost, in the company's words."""

    rows = staticmethod(lost_reasons)


class UserViewSet(ConfigurationViewSet):
    """The people of the company."""

    rows = staticmethod(users)


class TeamViewSet(ConfigurationViewSet):
    """The departments of the company."""

    rows = staticmethod(teams)


class TagViewSet(ConfigurationViewSet):
    """The words people put on records."""

    rows = staticmethod(tags)
