"""All objects as Stripe would show them, with lists, pages and expansion."""

import random
import string
from collections import defaultdict
from collections.abc import Callable

from tests.stripe_peer import errors

LETTERS = string.ascii_letters + string.digits
CHANCE = random.Random()  # noqa: S311  ids of no secret things
RANGES: dict[str, Callable[[int, int], bool]] = {
    "gt": lambda a, b: a > b, "gte": lambda a, b: a >= b, "lt": lambda a, b: a < b,
    "lte": lambda a, b: a <= b,
}  # fmt: skip


def random_word(length: int) -> str:
    return "".join(CHANCE.choices(LETTERS, k=length))


def copied(found):
    """A copy of a value made of dicts, lists and plain values."""
    if isinstance(found, dict):
        return {name: copied(each) for name, each in found.items()}
    return [copied(each) for each in found] if isinstance(found, list) else found


class Store:
    """Objects by kind and id, in the order in which they were made."""

    def __init__(self) -> None:
        self.kinds: dict[str, dict[str, dict]] = defaultdict(dict)
        self.kind_of: dict[str, str] = {}
        self.hidden: dict[str, dict] = defaultdict(dict)
        """What the peer knows of an object and Stripe does not show."""
        self.more: dict[tuple[str, str], Callable[[dict], object]] = {}
        """(kind, field) → what the field holds when, and only when, it is asked for by `expand`."""

    def put(self, found: dict) -> dict:
        self.kinds[found["object"]][found["id"]] = found
        self.kind_of[found["id"]] = found["object"]
        return found

    def drop(self, found: dict) -> None:
        del self.kinds[found["object"]][found["id"]]
        del self.kind_of[found["id"]]

    def get(self, ident: str | None) -> dict | None:
        """An object of whatever kind."""
        kind = self.kind_of.get(ident or "")
        return self.kinds[kind][ident] if kind else None

    def find(self, kind: str, ident: str, param: str = "id") -> dict:
        """An object, or Stripe's 404."""
        found = self.kinds[kind].get(ident)
        if found is None:
            raise errors.missing(kind, ident, param)
        return found

    def all(self, kind: str, **wanted) -> list[dict]:
        """Objects with these fields, oldest first."""
        return [
            each for each in self.kinds[kind].values()
            if all(each.get(name) == value for name, value in wanted.items())
        ]  # fmt: skip

    # -- lists ----------------------------------------------------------------------------------

    def page(self, rows: list[dict], params: dict, url: str) -> dict:
        """Newest first, with limit, starting_after, ending_before and created."""
        if "created" in params:
            rows = [each for each in rows if in_range(each["created"], params["created"])]
        return cut(list(reversed(rows)), params, url)

    # -- showing --------------------------------------------------------------------------------

    def shown(self, found: dict, expand: list[str] | None = None) -> dict:
        """A copy, with the fields of these paths replaced by the objects they name."""
        seen = copied(found)
        for path in expand or []:
            self._expand(seen, path.split("."), path)
        return seen

    def _expand(self, found, steps: list[str], path: str) -> None:
        if isinstance(found, list):
            for each in found:
                self._expand(each, steps, path)
            return
        if not isinstance(found, dict):
            return
        name, rest = steps[0], steps[1:]
        maker = self.more.get((found.get("object", ""), name))
        if maker is not None and not isinstance(found.get(name), dict):
            found[name] = copied(maker(found))
        if name not in found:
            raise errors.invalid(
                f"This property cannot be expanded ({name}). You may want to try expanding "
                f"'{path}' elsewhere.", "expand[]",
            )  # fmt: skip
        value = found[name]
        if isinstance(value, str):
            found[name] = copied(self.get(value)) or value
        elif isinstance(value, list):
            found[name] = [
                (copied(self.get(each)) or each) if isinstance(each, str) else each
                for each in value
            ]
        if rest:
            self._expand(found[name], rest, path)


def in_range(value: int, wanted: int | dict[str, int]) -> bool:
    """Whether it is that number, or meets gt, gte, lt and lte."""
    if isinstance(wanted, int):
        return value == wanted
    return all(RANGES[name](value, to) for name, to in wanted.items())


def cut(rows: list[dict], params: dict, url: str) -> dict:
    """The page of `rows`, already in the order of the list, that the cursors ask for."""
    limit = params.get("limit", 10)
    if not 1 <= limit <= 100:
        raise errors.invalid("This value must be between 1 and 100.", "limit")
    places = {each["id"]: place for place, each in enumerate(rows)}
    after, before = params.get("starting_after"), params.get("ending_before")
    for name, cursor in (("starting_after", after), ("ending_before", before)):
        if cursor is not None and cursor not in places:
            raise errors.missing("object", cursor, name)
    if before is not None:
        end = places[before]
        start = max(end - limit, 0)
        more = start > 0
    else:
        start = places[after] + 1 if after is not None else 0
        end = start + limit
        more = end < len(rows)
    return {"object": "list", "url": url, "has_more": more, "data": rows[start:end]}


def differences(before: dict, now: dict) -> dict:
    """`previous_attributes`: the former values of what is otherwise now."""
    found = {}
    for name in {*before, *now}:
        old, new = before.get(name), now.get(name)
        if old == new:
            continue
        nested = isinstance(old, dict) and isinstance(new, dict) and old.get("object") != "list"
        found[name] = differences(old, new) if nested else old
    return found
