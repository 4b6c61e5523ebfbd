"""What views read from a request, noted while they read it; and values a browser would send."""

from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from typing import Any

from django.http import QueryDict

IGNORED = {"csrfmiddlewaretoken", "_method"}


@contextmanager
def noting_names() -> Iterator[set[str]]:
    """The names of query and form fields that views ask for during the block."""
    names: set[str] = set()
    watched = ("__getitem__", "getlist", "__contains__")
    kept = {name: getattr(QueryDict, name) for name in watched}

    def spy(original: Any) -> Any:
        def asked(self: QueryDict, key: Any, *args: Any, **kwargs: Any) -> Any:
            if isinstance(key, str) and key not in IGNORED:
                names.add(key)
            return original(self, key, *args, **kwargs)

        return asked

    own = {name for name in kept if name in QueryDict.__dict__}
    for name, original in kept.items():
        setattr(QueryDict, name, spy(original))
    try:
        yield names
    finally:
        for name, original in kept.items():
            if name in own:
                setattr(QueryDict, name, original)
            else:
                delattr(QueryDict, name)


class _Form(HTMLParser):
    """Collects what the page's controls would send."""

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self._select = self._area = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name = given.get("name") or ""
        if tag == "input" and name and given.get("type") not in ("checkbox", "radio", "file"):
            self.values.setdefault(name, given.get("value") or "")
        elif tag == "select":
            self._select = name
        elif tag == "textarea":
            self._area = name
        elif tag == "option" and self._select and given.get("value"):
            is_chosen = "selected" in given
            if is_chosen or not self.values.get(self._select):
                self.values[self._select] = given["value"] or ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = ""
        elif tag == "textarea":
            self._area = ""

    def handle_data(self, data: str) -> None:
        if self._area:
            self.values[self._area] = data.strip()


def form_values(html: str) -> dict[str, str]:
    """What the forms of a page would send, as it stands."""
    form = _Form()
    form.feed(html)
    return {name: value for name, value in form.values.items() if name not in IGNORED}


KNOWN = {
    "name": "Probe", "email": "probe@example.com", "label": "Probe", "language": "en",
    "time_zone": "UTC", "currency": "TWD", "probability": "50", "hue": "3", "stale_days": "9",
    "amount": "12", "scope": "read", "days": "30", "slug": "probe", "act": "save", "kind": "task",
    "version": "", "batch": "", "next": "/", "filter": "", "all": "", "q": "", "sort": "",
    "cols": "", "f": "", "after": "", "before": "", "query": "", "layout": "list", "record_type":
    "account", "industry": "b2b", "website": "https://example.com/", "password": "x", "old": "x",
    "new": "x", "done": "1", "on": "1", "off": "", "short": "", "first_name": "P", "theme": "dark",
    "density": "cosy", "accent_hue": "20", "body": "Probe", "only": "", "edit": "1", "in": "",
    "abilities": "", "format": "json", "page": "1", "limit": "", "cursor": "", "prefers": "",
    "company_name": "Probe",
}  # fmt: skip
"""What a browser would send under these names; an unknown name gets an id of one's own."""


def plausible(names: set[str], own_id: int, page_values: dict[str, str]) -> dict[str, str]:
    """A body that gets as far into a view as guessing can."""
    values = {}
    for name in names:
        if page_values.get(name):
            values[name] = page_values[name]
        elif name in KNOWN:
            values[name] = KNOWN[name]
        elif name.endswith(("_at", "_date")) or name == "birthday":
            values[name] = "2026-11-20"
        elif name.startswith(("is_", "may_")):
            values[name] = ""
        else:
            values[name] = str(own_id)
    return values


def api_bodies(schema: dict[str, Any]) -> dict[tuple[str, str], set[str]]:
    """`(method, path)` of an OpenAPI document → the names its body may hold."""
    found = {}
    for path, methods in schema["paths"].items():
        for method, facts in methods.items():
            if isinstance(facts, dict) and "requestBody" in facts:
                content = facts["requestBody"]["content"]["application/json"]["schema"]
                found[method.upper(), path] = set(_properties(schema, content))
    return found


def _properties(schema: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in part:
        return _properties(schema, schema["components"]["schemas"][part["$ref"].rpartition("/")[2]])
    found = dict(part.get("properties", {}))
    for each in [*part.get("allOf", []), *part.get("oneOf", []), *part.get("anyOf", [])]:
        found |= _properties(schema, each)
    return found
