"""What every view of the API shares: the reader, the versions, the refusals of the edge."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from django.utils.translation import gettext as _
from drf_spectacular.openapi import AutoSchema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import ViewSetMixin

from api.errors import Malformed, PreconditionRequired, Stale
from api.parsing import JsonOnly, StrictJson, demand_storable_query
from api.throttle import demand_allowance
from crm_core.audit.services import use_channel
from crm_platform.identity.models import User
from crm_platform.kernel.errors import Conflict, Invalid

ID = "[0-9]{1,18}"
_TAG = re.compile(r'(?:W/)?"([0-9]{1,9})"')


class Inspector(AutoSchema):
    """The schema's view of a view: lists bring their own envelope."""

    def _is_list_view(self, serializer: Any = None) -> bool:
        return False


class ApiView(APIView):
    """JSON in and out, refusals as problem documents, history that says `api`."""

    content_negotiation_class = JsonOnly
    parser_classes = [StrictJson]
    is_counted = True
    """Whether a request counts on the allowance of its key and company."""
    metadata_class = None
    schema = Inspector()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        use_channel("api")
        demand_storable_query(request.query_params)

    def check_throttles(self, request: Request) -> None:
        """Count the request; called by the framework once it knows who asks."""
        if self.is_counted:
            self._allowance = demand_allowance(request)

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        answer = super().finalize_response(request, response, *args, **kwargs)
        for name, value in getattr(self, "_allowance", {}).items():
            answer[name] = value
        return answer

    @property
    def user(self) -> User:
        return cast(User, self.request.user)


class ApiViewSet(ViewSetMixin, ApiView):
    """Several acts on one kind of thing."""

    lookup_value_regex = ID


def demand_no_query(request: Request, *known: str) -> None:
    """Refuse parameters nobody reads: a misspelt filter must not answer with everything.

    Raises:
        Invalid: names the first.
    """
    for name in request.query_params:
        if name not in known:
            raise Invalid(
                _("There is no parameter “%(name)s” here.") % {"name": name[:60]}, field=name[:60]
            )


def etag_of(version: int) -> str:
    return f'W/"{version}"'


def expected_version(request: Request, *, required: bool) -> int | None:
    """The version `If-Match` names; None: it is absent (where it may be), or `*` for any.

    Raises:
        PreconditionRequired: it is needed and absent.
        Malformed: it is no version of ours.
    """
    text = request.headers.get("If-Match", "").strip()
    if not text:
        if required:
            raise PreconditionRequired(
                _("Send If-Match with the ETag of the record you read, or * to overwrite.")
            )
        return None
    if text == "*":
        return None
    found = _TAG.fullmatch(text)
    if found is None:
        raise Malformed(_("If-Match takes one ETag, as in %(tag)s.") % {"tag": etag_of(3)})
    return int(found[1])


@contextmanager
def stale_if_changed(version: int | None) -> Iterator[None]:
    """A conflict about the version `If-Match` named is a failed precondition.

    Raises:
        Stale: somebody changed the record since.
    """
    try:
        yield
    except Conflict as conflict:
        if version is None:
            raise
        raise Stale(str(conflict)) from conflict
