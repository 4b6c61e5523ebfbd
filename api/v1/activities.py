"""Activities: records that hang on another record, named by `about`."""

from collections.abc import Sequence
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from api.base import demand_no_query
from api.v1.bodies import demand_object, is_id_text, read_facts
from api.v1.records import RecordViewSet
from api.v1.shapes import Json
from crm_core.activities import services
from crm_core.registry import record_types
from crm_core.registry.queries import visible_to
from crm_platform.kernel.errors import Invalid, NotFound

ABOUT = "about"


class ActivityViewSet(RecordViewSet):
    """Notes, tasks, calls and meetings; what one is about is said when it is made."""

    def create(self, request: Request) -> Response:
        demand_no_query(request)
        demand_object(request.data)
        body = dict(request.data)
        about = read_about(body.pop(ABOUT, None))
        values = read_facts(self.user, self.kind, body, is_new=True)
        try:
            made = services.create_activity(
                values=values, about=about, actor=self.user, at=timezone.now()
            )
        except NotFound as hidden:
            raise Invalid(str(hidden), field=ABOUT) from hidden
        return self.created(made)

    def answers(self, rows: Sequence[Any]) -> Sequence[Json]:
        answers = super().answers(rows)
        places = self._places([row.pk for row in rows])
        for answer, row in zip(answers, rows, strict=True):
            kind_name, record_id = places.get(row.pk, ("", None))
            answer[ABOUT] = {"type": kind_name, "id": str(record_id)} if record_id else None
        return answers

    def _places(self, ids: list[int]) -> dict[int, tuple[str, int | None]]:
        """What each activity hangs on; a list's rows do not carry it. One query."""
        rows = visible_to(self.user, self.kind).filter(pk__in=ids).select_related(None)
        return {
            pk: (name, about)
            for pk, name, about in rows.values_list("pk", "about_type", "about_id")
        }


def about_types() -> list[str]:
    """The kinds of record an activity may be about."""
    return [kind.name for kind in record_types() if kind.name != "activity"]


def read_about(given: Any) -> tuple[str, int] | None:
    """`{"type", "id"}`, or None.

    Raises:
        Invalid: it is something else.
    """
    if given is None:
        return None
    if isinstance(given, dict) and set(given) == {"type", "id"} and given["type"] in about_types():
        number = given["id"]
        if isinstance(number, int | str) and is_id_text(str(number)):
            return given["type"], int(number)
    raise Invalid(_("“about” takes a type and an id of a record."), field=ABOUT)
