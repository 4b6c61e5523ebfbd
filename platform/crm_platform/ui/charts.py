"""Charts as SVG from the server: no script, no inline style; colours come from CSS classes.

Every chart carries its figures as a real table, for screen readers and for copying.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from crm_platform.ui.money import number

Format = Callable[[Any], str]
STEPS = 4
WIDTH, HEIGHT = 640, 240
LEFT, RIGHT, TOP, BOTTOM = 56, 12, 10, 28


@dataclass(frozen=True)
class Point:
    """One figure: its name, value, palette hue (0 = accent) and where a press leads."""

    label: str
    value: float
    hue: int = 0
    href: str = ""


@dataclass(frozen=True)
class Series:
    """A named row of figures over the labels of the axis."""

    name: str
    values: Sequence[float]
    hue: int = 0
    area: bool = False


@dataclass(frozen=True)
class Chart:
    """A drawn chart; `{{ chart }}` prints the figure, its legend and its table."""

    title: str
    svg: SafeString
    header: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    legend: SafeString | str = ""
    empty: bool = False

    def table(self) -> SafeString:
        """The same figures as a table."""
        head = format_html_join("", '<th scope="col">{}</th>', ((text,) for text in self.header))
        lines = []
        for first, *rest in self.rows:
            cells = format_html_join("", '<td class="r num">{}</td>', ((text,) for text in rest))
            lines.append(format_html('<tr><th scope="row">{}</th>{}</tr>', first, cells))
        body = format_html_join("", "{}", ((line,) for line in lines))
        return format_html(
            '<details class="data"><summary>{}</summary><div class="data-t"><table class="mini-t">'
            "<thead><tr>{}</tr></thead><tbody>{}</tbody></table></div></details>",
            _("Show as table"), head, body,
        )  # fmt: skip

    def __html__(self) -> str:
        if self.empty:
            return format_html('<p class="chart-none">{}</p>', _("No figures yet"))
        caption = format_html('<figcaption class="legend">{}</figcaption>', self.legend)
        return format_html(
            '<figure class="fig">{}{}</figure>{}',
            self.svg, caption if self.legend else "", self.table(),
        )  # fmt: skip

    __str__ = __html__


def nice_max(value: float, steps: int = STEPS) -> float:
    """The top of the axis, such that every grid line is a round number."""
    if value <= 0:
        return float(steps)
    raw = value / steps
    size = 10.0 ** math.floor(math.log10(raw))
    return steps * next(m * size for m in (1, 2, 2.5, 5, 10) if m * size >= raw - 1e-9)


def _svg(title: str, parts: Iterable[str], width: float, height: float) -> SafeString:
    body = mark_safe("".join(parts))  # noqa: S308  (each part is built by format_html)
    return format_html(
        '<svg viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>',
        f"{width:g}", f"{height:g}", title, body,
    )  # fmt: skip


def _text(cls: str, x: float, y: float, text: object) -> SafeString:
    return format_html(
        '<text class="{}" x="{}" y="{}">{}</text>', cls, f"{x:.1f}", f"{y:.1f}", text
    )


def _rect(point: Point, x: float, y: float, w: float, h: float, told: str) -> SafeString:
    hue = format_html(' data-hue="{}"', point.hue) if point.hue else ""
    return format_html(
        '<rect class="b"{} x="{}" y="{}" width="{}" height="{}" rx="{}"><title>{}</title></rect>',
        hue, f"{x:.1f}", f"{y:.1f}", f"{max(w, 0):.1f}", f"{max(h, 0):.1f}",
        "4" if min(w, h) > 8 else "2", told,
    )  # fmt: skip


def _grid(top_value: float, axis: Format) -> list[SafeString]:
    inner = HEIGHT - BOTTOM - TOP
    lines = []
    for k in range(STEPS + 1):
        y = TOP + inner * (1 - k / STEPS)
        line = '<line class="g" x1="{}" x2="{}" y1="{}" y2="{}"/>'
        lines.append(format_html(line, LEFT, WIDTH - RIGHT, f"{y:.1f}", f"{y:.1f}"))
        lines.append(_text("ax e", LEFT - 8, y, axis(top_value * k / STEPS)))
    return lines


def _named(point: Point) -> SafeString | str:
    if point.href:
        return format_html('<a href="{}">{}</a>', point.href, point.label)
    return conditional_escape(point.label)


def _every(count: int, most: int) -> int:
    """Label every n-th tick, so that labels never touch."""
    return max(1, math.ceil(count / most))


def bars(
    title: str, points: Sequence[Point], *, value: Format = number, axis: Format = number,
    what: str = "", figure: str = "",
) -> Chart:  # fmt: skip
    """Upright bars. `what` and `figure` head the table's two columns."""
    top_value = nice_max(max((float(p.value) for p in points), default=0))
    inner, slot = HEIGHT - BOTTOM - TOP, (WIDTH - LEFT - RIGHT) / max(len(points), 1)
    wide, step = min(56.0, slot * 0.6), _every(len(points), 12)
    parts: list[str] = [*_grid(top_value, axis)]
    for i, point in enumerate(points):
        high, cx = inner * float(point.value) / top_value, LEFT + slot * (i + 0.5)
        told = f"{point.label}: {value(point.value)}"
        parts.append(_rect(point, cx - wide / 2, TOP + inner - high, wide, high, told))
        if i % step == 0:
            parts.append(_text("ax m", cx, HEIGHT - 8, point.label))
    rows = tuple((_named(p), value(p.value)) for p in points)
    return Chart(title, _svg(title, parts, WIDTH, HEIGHT), (what, figure), rows, empty=not points)


def stacked(
    title: str, labels: Sequence[str], series: Sequence[Series], *, value: Format = number,
    axis: Format = number, what: str = "",
) -> Chart:  # fmt: skip
    """Bars made of parts: each series in its hue, the first at the bottom."""
    sums = [sum(float(s.values[i]) for s in series) for i in range(len(labels))]
    top_value = nice_max(max(sums, default=0))
    inner, slot = HEIGHT - BOTTOM - TOP, (WIDTH - LEFT - RIGHT) / max(len(labels), 1)
    wide, step = min(48.0, slot * 0.6), _every(len(labels), 12)
    parts: list[str] = [*_grid(top_value, axis)]
    for i, label in enumerate(labels):
        y, cx = float(TOP + inner), LEFT + slot * (i + 0.5)
        for one in series:
            high = inner * float(one.values[i]) / top_value
            y -= high
            if high > 0:
                told = f"{label}, {one.name}: {value(one.values[i])}"
                parts.append(_rect(Point(label, 0, one.hue), cx - wide / 2, y, wide, high, told))
        if i % step == 0:
            parts.append(_text("ax m", cx, HEIGHT - 8, label))
    legend = format_html_join(
        "", '<span class="lg"><span class="dot"{}></span>{}</span>',
        ((format_html(' data-hue="{}"', s.hue) if s.hue else "", s.name) for s in series),
    )  # fmt: skip
    rows = tuple((label, *(value(s.values[i]) for s in series)) for i, label in enumerate(labels))
    header = (what, *(s.name for s in series))
    return Chart(title, _svg(title, parts, WIDTH, HEIGHT), header, rows, legend, not labels)


def _line(one: Series, index: int, at: list[tuple[float, float]], value: Format) -> list[str]:
    path = "M" + " L".join(f"{x:.1f},{y:.1f}" for x, y in at)
    cls, base = f"ln-{index}", HEIGHT - BOTTOM
    parts: list[str] = []
    if one.area:
        closed = f"{path} L{at[-1][0]:.1f},{base} L{at[0][0]:.1f},{base} Z"
        parts.append(format_html('<path class="area" d="{}"/>', closed))
    parts.append(format_html('<path class="ln {}" d="{}"/>', cls, path))
    for (x, y), figure in zip(at, one.values, strict=True):
        told = f"{one.name}: {value(figure)}"
        dot = '<circle class="pt {}" cx="{}" cy="{}" r="3.5"><title>{}</title></circle>'
        parts.append(format_html(dot, cls, f"{x:.1f}", f"{y:.1f}", told))
    return parts


def line(
    title: str, labels: Sequence[str], series: Sequence[Series], *, value: Format = number,
    axis: Format = number, what: str = "",
) -> Chart:  # fmt: skip
    """Lines over time. The first is solid in the accent, the second dashed and grey (a target)."""
    most = max((float(v) for s in series for v in s.values), default=0)
    top_value, inner = nice_max(most), HEIGHT - BOTTOM - TOP
    gap = (WIDTH - LEFT - RIGHT - 8) / max(len(labels) - 1, 1)
    step = _every(len(labels), 12)
    parts: list[str] = [*_grid(top_value, axis)]
    for i, label in enumerate(labels):
        if i % step == 0:
            parts.append(_text("ax m", LEFT + i * gap, HEIGHT - 8, label))
    for index, one in enumerate(series, start=1):
        at = [(LEFT + i * gap, TOP + inner * (1 - float(v) / top_value))
              for i, v in enumerate(one.values)]  # fmt: skip
        if at:
            parts += _line(one, index, at, value)
    legend = format_html_join(
        "", '<span class="lg ln ln-{}">{}</span>', ((i, s.name) for i, s in enumerate(series, 1))
    )
    rows = tuple((label, *(value(s.values[i]) for s in series)) for i, label in enumerate(labels))
    header = (what, *(s.name for s in series))
    return Chart(title, _svg(title, parts, WIDTH, HEIGHT), header, rows, legend, not labels)


def funnel(
    title: str, points: Sequence[Point], *, value: Format = number, what: str = "", figure: str = ""
) -> Chart:
    """Lying bars, widest first by nature: how many reach each step."""
    row, left = 38, 150
    height = row * max(len(points), 1)
    most = max((float(p.value) for p in points), default=0) or 1
    parts: list[str] = []
    for i, point in enumerate(points):
        wide = (WIDTH - left - 96) * float(point.value) / most
        middle = i * row + row / 2
        parts.append(_text("ax e", left - 10, middle, point.label))
        parts.append(_rect(point, left, i * row + 6, max(wide, 2), row - 12,
                           f"{point.label}: {value(point.value)}"))  # fmt: skip
        parts.append(_text("v", left + max(wide, 2) + 8, middle, value(point.value)))
    rows = tuple((_named(p), value(p.value)) for p in points)
    return Chart(title, _svg(title, parts, WIDTH, height), (what, figure), rows, empty=not points)


def spark(title: str, values: Sequence[float]) -> SafeString:
    """A word-sized line without axes; `title` says in words what it shows."""
    if len(values) < 2:
        return mark_safe("")
    low, high = float(min(values)), float(max(values))
    span, gap = (high - low) or 1, 96 / (len(values) - 1)
    at = (f"{i * gap:.1f},{26 - (float(v) - low) / span * 24:.1f}" for i, v in enumerate(values))
    return format_html(
        '<svg class="spark" viewBox="0 0 96 28" role="img" aria-label="{}"><path d="M{}"/></svg>',
        title, " L".join(at),
    )  # fmt: skip
