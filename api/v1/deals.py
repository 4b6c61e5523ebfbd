"""Deals: records that also move between stages."""

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from api.base import demand_no_query, expected_version, stale_if_changed
from api.errors import WrongFields
from api.v1.bodies import demand_object, is_id_text
from api.v1.records import RecordViewSet
from crm_core.registry.queries import get_visible
from crm_core.sales import services
from crm_platform.kernel.errors import Invalid

MOVE = ("stage", "lost_reason", "lost_note", "before")
LONGEST_NOTE = 500


class DealViewSet(RecordViewSet):
    """Deals, and the move between stages with all that a move does."""

    @action(detail=True, methods=["post"])
    def move(self, request: Request, pk: str) -> Response:
        demand_no_query(request)
        deal = get_visible(self.user, self.kind, int(pk))
        version = expected_version(request, required=False)
        given = read_move(request.data)
        with stale_if_changed(version):
            moved = services.move_deal(
                deal=deal, to=given["stage"], lost_reason=given["lost_reason"],
                lost_note=given["lost_note"], before=given["before"], version=version,
                actor=self.user, at=timezone.now(),
            )  # fmt: skip
        return self.answer(moved)


def read_move(body: Any) -> dict[str, Any]:
    """Where a deal goes: `stage`, `before` as numbers, `lost_reason`, `lost_note`.

    Raises:
        Invalid: an unknown field, or a value that is not of its type.
    """
    demand_object(body)
    wrong = [
        (name[:60], _("“%(name)s” cannot be changed here.") % {"name": name[:60]})
        for name in body
        if name not in MOVE
    ]
    if wrong:
        raise WrongFields(wrong[:50])
    stage = _id_in(body, "stage")
    if stage is None:
        raise Invalid(_("Say which stage."), field="stage")
    note = body.get("lost_note")
    if note is not None and not (isinstance(note, str) and len(note) <= LONGEST_NOTE):
        raise Invalid(_("A note is text of at most 500 characters."), field="lost_note")
    return {
        "stage": stage, "before": _id_in(body, "before"),
        "lost_reason": _id_in(body, "lost_reason"), "lost_note": note or "",
    }  # fmt: skip


def _id_in(body: dict[str, Any], name: str) -> int | None:
    value = body.get(name)
    if value in (None, ""):
        return None
    if isinstance(value, bool) or not isinstance(value, int | str) or not is_id_text(str(value)):
        raise Invalid(_("“%(name)s” takes an id.") % {"name": name}, field=name)
    return int(value)
