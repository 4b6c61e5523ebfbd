"""Answers that need the platform's side, which a company's transaction may not touch."""

from collections.abc import Callable

from django.db import transaction
from django.http import HttpResponse
from django.utils import timezone, translation


def afterwards(build: Callable[[], HttpResponse]) -> HttpResponse:
    """Answer with what `build` gives once the company's unit of work is kept.

    `build` opens units of its own, one after the other: the platform's for what is asked or
    changed there, the company's to render. It runs in the reader's language and time zone, before
    anything is sent. Nothing runs when the unit is undone.
    """
    response = HttpResponse()
    language, zone = translation.get_language(), timezone.get_current_timezone()

    def fill() -> None:
        with translation.override(language), timezone.override(zone):
            made = build()
        response.status_code = made.status_code
        response.content = made.content
        for name, value in made.headers.items():
            response[name] = value
        response.cookies.update(made.cookies)
        response["Content-Length"] = str(len(made.content))

    transaction.on_commit(fill)
    return response
