"""Every address of a URLconf, read from the resolver, with its parameters filled in."""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, converters, get_resolver
from django.urls.resolvers import RegexPattern, RoutePattern
from django.utils.regex_helper import normalize

ROUTE_PART = re.compile(r"<(?:(?P<converter>[^>:]+):)?(?P<name>[^>]+)>")
NUMBERED = re.compile(r"(^|_)(pk|id)$")
MOST_FILLINGS = 40


class CannotFill(AssertionError):
    """A parameter of a kind this walk does not know: teach it, never skip it."""


@dataclass(frozen=True)
class Address:
    """One URL pattern. `route` names its parameters as `<converter:name>`."""

    urlconf: str
    route: str
    name: str
    parameters: tuple[tuple[str, str], ...]
    """`(name, converter)`, in order."""

    @property
    def is_api(self) -> bool:
        return self.route.startswith("api/")

    @property
    def has_numbers(self) -> bool:
        return any(converter in ("int", "uuid") for _name, converter in self.parameters)

    @property
    def has_words(self) -> bool:
        return any(converter == "str" for _name, converter in self.parameters)

    def paths(self, values: dict[str, list[Any]]) -> list[str]:
        """The address once for each combination of `values`, by converter (or `slug:<name>`)."""
        choices = [self._choices(name, kind, values) for name, kind in self.parameters]
        found = []
        for chosen in itertools.islice(itertools.product(*choices), MOST_FILLINGS):
            path = self.route
            for value in chosen:
                path = ROUTE_PART.sub(str(value).replace("\\", r"\\"), path, count=1)
            found.append(f"/{path}")
        return found

    def _choices(self, name: str, kind: str, values: dict[str, list[Any]]) -> list[Any]:
        for key in (f"{kind}:{name}", kind):
            if key in values:
                return values[key]
        raise CannotFill(
            f"The address “{self.route}” has a parameter “{name}” of the kind “{kind}”, which the"
            " isolation matrix cannot fill. Teach tests/isolation/probes.py its values."
        )


def every_address(urlconf: str) -> list[Address]:
    """All patterns of a URLconf, includes opened; the order of the URLconf."""
    found = list(_walk(get_resolver(urlconf).url_patterns, urlconf, "", ""))
    assert found, f"The URLconf {urlconf} has no address at all."
    return found


def _walk(patterns: Any, urlconf: str, prefix: str, namespace: str) -> Iterator[Address]:
    for each in patterns:
        route = prefix + _route_of(each.pattern)
        if isinstance(each, URLResolver):
            inner = f"{namespace}{each.namespace}:" if each.namespace else namespace
            yield from _walk(each.url_patterns, urlconf, route, inner)
        else:
            assert isinstance(each, URLPattern), f"{each!r} is no URL pattern we know."
            parameters = tuple(
                (match["name"], match["converter"] or "str") for match in ROUTE_PART.finditer(route)
            )
            name = f"{namespace}{each.name or route}"
            yield Address(urlconf, route, name, parameters)


def _route_of(pattern: Any) -> str:
    if isinstance(pattern, RoutePattern):
        known = set(converters.get_converters())
        for match in ROUTE_PART.finditer(str(pattern)):
            if (match["converter"] or "str") not in known:
                raise CannotFill(f"The route “{pattern}” uses an unknown converter.")
        return str(pattern)
    if isinstance(pattern, RegexPattern):
        return _route_of_regex(pattern)
    raise CannotFill(f"{pattern!r} is a sort of pattern the isolation matrix cannot walk.")


def _route_of_regex(pattern: RegexPattern) -> str:
    """`^deals/(?P<pk>[^/.]+)/$` as a route; DRF's routers make such."""
    text, names = normalize(pattern.regex.pattern)[-1]
    for name in names:
        kind = "int" if NUMBERED.search(name) else name if name == "format" else "str"
        text = text.replace(f"%({name})s", f"<{kind}:{name}>")
    return text
