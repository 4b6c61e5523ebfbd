"""What a request carries, as text that the database can hold; always JSON, in and out."""

import json
import re
from decimal import Decimal
from typing import IO, Any

from django.core.exceptions import RequestDataTooBig
from django.http import QueryDict
from django.utils.translation import gettext as _
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from api.errors import Malformed
from crm_platform.kernel.errors import Invalid

MOST_BYTES = 1024 * 1024
DEEPEST = 6
# PostgreSQL keeps no NUL; a lone surrogate is no character and has no UTF-8.
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class StrictJson(BaseParser):
    """JSON in UTF-8 of at most a megabyte, nested at most six deep; numbers stay exact."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None,
        parser_context: Any = None,
    ) -> Any:  # fmt: skip
        sent = stream.read(MOST_BYTES + 1)
        if len(sent) > MOST_BYTES:
            raise RequestDataTooBig
        try:
            found = json.loads(sent.decode(), parse_float=Decimal, parse_constant=_no_constant)
        except (ValueError, ArithmeticError, RecursionError):
            raise Malformed(_("The body is not JSON.")) from None
        _demand_plain(found)
        return found


def _no_constant(name: str) -> None:
    raise ValueError(name)


def _demand_plain(value: Any) -> None:
    """Refuse what is nested too deep or holds characters that cannot be kept."""
    level = [value]
    for _depth in range(DEEPEST):
        below: list[Any] = []
        for each in level:
            if isinstance(each, str):
                demand_storable(each)
            elif isinstance(each, dict):
                below += [*each.keys(), *each.values()]
            elif isinstance(each, list):
                below += each
        level = below
    if level:
        raise Malformed(_("The body is nested too deep."))


def demand_storable(text: str) -> None:
    """Refuse characters that PostgreSQL cannot keep.

    Raises:
        Invalid: there is one.
    """
    if UNSTORABLE.search(text):
        raise Invalid(_("The request holds a character that cannot be kept (NUL or half a pair)."))


def demand_storable_query(given: QueryDict) -> None:
    """`demand_storable` for every name and value behind the `?`."""
    for name, values in given.lists():
        for each in (name, *values):
            demand_storable(each)


class JsonOnly(DefaultContentNegotiation):
    """Answers are JSON whatever `Accept` says, so that a refusal never becomes a page."""

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        return renderers[0], renderers[0].media_type
