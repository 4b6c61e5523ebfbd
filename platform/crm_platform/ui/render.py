"""Small parts as plain functions, for templates and for Python alike."""

from __future__ import annotations

import functools
import html
import re
import zlib
from collections.abc import Iterable
from typing import Any
from uuid import UUID

import lucide
import phonenumbers
from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from crm_platform.ui.money import money, number, percent, short_money
from crm_platform.ui.times import (
    ago,
    day_tag,
    days_short,
    due_state,
    due_text,
    moment_tag,
    since_tag,
)

__all__ = [
    "ago", "avatar", "badge", "day_tag", "days_short", "due_state", "due_text", "escaped",
    "from_to", "hue",
    "icon", "icon_sprite", "icon_use", "initials", "moment_tag", "money", "number", "percent",
    "phone", "short_money", "since_tag", "tag_chip", "tag_chips",
]  # fmt: skip

HUES = 8
NOTHING = "–"
CJK = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0002fa1f]")
BODY = re.compile(r"<svg[^>]*>(.*)</svg>", re.DOTALL)
GAP = mark_safe('<span class="i-gap"></span>')


def escaped(value: object) -> str:
    """`value` as HTML, like Django's `conditional_escape` at a third of its time.

    For what is drawn hundreds of times a page; lazy strings are evaluated here.
    """
    if hasattr(value, "__html__"):
        return str(value.__html__())
    return html.escape(str(value))


@functools.lru_cache(maxsize=1024)
def _icon_body(name: str) -> str:
    """The drawing inside the SVG. An unknown name raises: a test draws every name we use."""
    svg = lucide._render_icon(name, None)  # noqa: SLF001  (its public tag is this call, plus DTL)
    found = BODY.search(" ".join(svg.split()))
    return found.group(1).strip() if found else ""


@functools.lru_cache(maxsize=2048)
def _icon(name: str, size: int, cls: str) -> SafeString:
    # Built from our own template text and the wheel's drawings only.
    return mark_safe(  # noqa: S308
        f'<svg class="i{" " + cls if cls else ""}" width="{size}" height="{size}"'
        f' viewBox="0 0 24 24" aria-hidden="true">{_icon_body(name)}</svg>'
    )


def icon(name: str, size: int = 16, cls: str = "") -> SafeString:
    """A Lucide icon, drawn inline. An empty name keeps the column, so that menus line up."""
    return _icon(str(name), int(size), escape(cls)) if name else GAP


@functools.lru_cache(maxsize=2048)
def icon_use(name: str, size: int = 16, cls: str = "") -> SafeString:
    """An icon by reference to `icon_sprite`: a tenth of the bytes, for what is drawn often."""
    return format_html(
        '<svg class="i{}" width="{}" height="{}" aria-hidden="true"><use href="#i-{}"/></svg>',
        f" {cls}" if cls else "", size, size, name,
    )  # fmt: skip


@functools.lru_cache(maxsize=64)
def icon_sprite(*names: str) -> SafeString:
    """The symbols that `icon_use` refers to; once a page."""
    symbols = "".join(
        f'<symbol id="i-{escape(name)}" viewBox="0 0 24 24">{_icon_body(name)}</symbol>'
        for name in names
    )
    return mark_safe(f'<svg class="sprite" aria-hidden="true">{symbols}</svg>')  # noqa: S308


def initials(name: str | None, company: bool = False) -> str:
    """Latin: two initials. Chinese: the last character of a person, the first of a company."""
    text = (name or "").strip()
    if not text:
        return "?"
    if CJK.search(text):
        return text[0] if company else text[-1]
    words = [word for word in text.split() if word[0].isalnum()]
    if not words:
        return text[0].upper()
    return (words[0][0] + (words[-1][0] if len(words) > 1 else "")).upper()


def hue(key: object) -> int:
    """A palette number from 1 to 8, always the same for the same id."""
    if isinstance(key, int):
        return key % HUES + 1
    if isinstance(key, UUID):
        return key.int % HUES + 1
    return zlib.crc32(str(key).encode()) % HUES + 1


@functools.lru_cache(maxsize=4096)
def avatar(
    name: str | None, hue_number: int | None = 1, size: str = "s", square: bool = False
) -> SafeString:
    """A disc with initials, square for companies. Decoration: write the name beside it."""
    return format_html(
        '<span class="av av-{}{}" data-hue="{}" aria-hidden="true">{}</span>',
        size, " av-sq" if square else "", hue_number or hue(name), initials(name, square),
    )  # fmt: skip


def badge(text: str, kind: str = "") -> SafeString:
    """A state in a word, with its meaning's colour."""
    return format_html('<span class="badge" data-kind="{}">{}</span>', kind, text)


@functools.lru_cache(maxsize=4096)
def tag_chip(label: str, hue_number: int | None = None) -> SafeString:
    """A tag in its colour."""
    return format_html('<span class="tag" data-hue="{}">{}</span>', hue_number or hue(label), label)


def tag_chips(tags: Iterable[Any]) -> SafeString:
    """Tags in a row: pairs (label, hue) or objects with `name` and `hue`."""
    pairs = (tag if isinstance(tag, tuple) else (tag.name, tag.hue) for tag in tags)
    return format_html_join("", "{}", ((tag_chip(label, number_),) for label, number_ in pairs))


@functools.lru_cache(maxsize=4096)
def _phone_text(value: str) -> str:
    try:
        parsed = phonenumbers.parse(value, None)
    except phonenumbers.NumberParseException:
        return value
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def phone(value: str | None) -> SafeString | str:
    """A number to read and to tap."""
    return _phone(value) if value else ""


@functools.lru_cache(maxsize=4096)
def _phone(value: str) -> SafeString:
    dial = re.sub(r"[^\d+,;*#]", "", value)
    return format_html('<a class="num" href="tel:{}">{}</a>', dial, _phone_text(value))


def from_to(old: object, new: object) -> SafeString:
    """A change in the history: old value struck out, new value after the arrow."""
    before, after = (NOTHING if value in (None, "") else value for value in (old, new))
    return format_html(
        '<span class="chg"><del>{}</del>{}<ins>{}</ins></span>',
        before, icon("arrow-right", 12), after,
    )  # fmt: skip
