"""Answers that need the platform's rows: built once the company's unit of work is kept."""

from collections.abc import Callable
from typing import Any

from django.http import HttpResponse, JsonResponse

from api.errors import MEDIA_TYPE, document, problem_of
from crm_platform.kernel.errors import DomainError
from crm_platform.ui.afterwards import afterwards

Build = Callable[[], dict[str, Any] | HttpResponse]


def answer_afterwards(build: Build, *, status: int = 200) -> HttpResponse:
    """Answer with the JSON (or the file) that `build` gives; a refusal is a problem document."""

    def made() -> HttpResponse:
        try:
            found = build()
        except DomainError as refusal:
            told = problem_of(refusal)
            if told is None:
                raise
            return JsonResponse(document(told), status=told.status, content_type=MEDIA_TYPE)
        return found if isinstance(found, HttpResponse) else JsonResponse(found, status=status)

    return afterwards(made)
