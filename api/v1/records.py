"""Every kind of record by the same few acts, through the kind's own services."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.utils import timezone
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from api import paging
from api.base import (
    ApiViewSet,
    demand_no_query,
    etag_of,
    expected_version,
    stale_if_changed,
)
from api.v1.asking import read_asked
from api.v1.bodies import read_facts
from api.v1.shapes import Json, facts_of, writers_of
from crm_core.fields import catalogue, services
from crm_core.fields.lists import matching, page_of
from crm_core.registry import RecordType
from crm_core.registry.queries import get_visible, trash_of
from crm_platform.identity import rules
from crm_platform.kernel.errors import NotFound
from crm_platform.kernel.models import expect_version
from crm_platform.kernel.periods import local_date


class RecordViewSet(ApiViewSet):
    """List, read, make, change, delete and bring back records of one kind."""

    kind: ClassVar[RecordType]

    def list(self, request: Request) -> Response:
        asked = read_asked(self.user, self.kind, request.query_params)
        today = local_date(timezone.now())
        page = page_of(self.user, asked.query, today=today, size=asked.limit, with_totals=False)
        total = None
        if asked.wants_total:
            total = matching(self.user, asked.query, today=today).count()
        after = paging.sealed(asked.what, page.next_cursor)
        return Response(paging.envelope(request, self.answers(page.rows), after=after, total=total))

    def retrieve(self, request: Request, pk: str) -> Response:
        demand_no_query(request)
        return self.answer(get_visible(self.user, self.kind, int(pk)))

    def create(self, request: Request) -> Response:
        demand_no_query(request)
        values = read_facts(self.user, self.kind, request.data, is_new=True)
        made = self.kind.create(values=values, actor=self.user, at=timezone.now())
        return self.created(made)

    def partial_update(self, request: Request, pk: str) -> Response:
        demand_no_query(request)
        record = get_visible(self.user, self.kind, int(pk))
        version = expected_version(request, required=True)
        values = read_facts(self.user, self.kind, request.data, is_new=False)
        with stale_if_changed(version):
            expect_version(record, version)
            edited = self.kind.edit(
                record=record, values=values, version=version, actor=self.user, at=timezone.now()
            )
        return self.answer(edited)

    def destroy(self, request: Request, pk: str) -> Response:
        demand_no_query(request)
        record = get_visible(self.user, self.kind, int(pk))
        version = expected_version(request, required=False)
        with stale_if_changed(version):
            expect_version(record, version)
        services.delete_records(kind=self.kind, ids=[record.pk], actor=self.user, at=timezone.now())
        return Response(status=204)

    @action(detail=True, methods=["post"])
    def restore(self, request: Request, pk: str) -> Response:
        demand_no_query(request)
        record = trash_of(self.user, self.kind).filter(pk=pk).first()
        # Asked twice, or brought back meanwhile: it is there, which is what was wanted.
        if record is None:
            return self.answer(get_visible(self.user, self.kind, int(pk)))
        if not rules.may(self.user, "view", self.kind.name, record):
            raise NotFound("This record does not exist, or is not open to you.")
        services.restore_records(
            kind=self.kind, ids=[record.pk], actor=self.user, at=timezone.now()
        )
        return self.answer(record)

    # -- answers ---------------------------------------------------------------------------------

    def answers(self, rows: Sequence[Any]) -> Sequence[Json]:
        """The rows as JSON: every fact the person may see."""
        writers = writers_of(catalogue.fields_for(self.user, self.kind))
        return [facts_of(row, writers) for row in rows]

    def answer(self, record: Any, status: int = 200) -> Response:
        body = self.answers([record])[0]
        return Response(body, status, headers={"ETag": etag_of(record.version)})

    def created(self, record: Any) -> Response:
        response = self.answer(record, 201)
        address = f"{self.request.path}{record.pk}/"
        response["Location"] = self.request.build_absolute_uri(address)
        return response
