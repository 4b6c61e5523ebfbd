"""Stripe's way to write nested values in a form: `items[0][price]=…&expand[]=…`."""

import re
from urllib.parse import parse_qsl

PARTS = re.compile(r"\[([^\]]*)\]")


def parse(text: str) -> dict:
    """Nested dicts and strings; what is written as a list becomes one."""
    tree: dict = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        first, bracket, _ = name.partition("[")
        _put(tree, [first, *(PARTS.findall(name) if bracket else [])], value)
    return {name: _lists(value) for name, value in tree.items()}


def _put(tree: dict, keys: list[str], value: str) -> None:
    for key in keys[:-1]:
        found = tree.setdefault(key or str(len(tree)), {})
        if not isinstance(found, dict):
            found = tree[key] = {}
        tree = found
    tree[keys[-1] or str(len(tree))] = value


def _lists(value):
    if not isinstance(value, dict):
        return value
    inner = {name: _lists(each) for name, each in value.items()}
    if inner and all(name.isdigit() for name in inner):
        return [inner[name] for name in sorted(inner, key=int)]
    return inner
