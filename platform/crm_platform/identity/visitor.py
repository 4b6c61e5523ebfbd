"""Somebody who has not signed in."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Visitor:
    """Stands in `request.user` where nobody is signed in; has no rights and no row."""

    is_authenticated: bool = False
    is_anonymous: bool = True
    is_active: bool = False
    pk: None = None
    id: None = None
    name: str = ""
    email: str = ""
    language: str = ""
    time_zone: str = ""
    theme: str = ""
    density: str = ""


VISITOR = Visitor()
