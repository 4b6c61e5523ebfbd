"""Template tags of Tidewater. All are simple tags over `ui.render`: cheap enough for every row."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import Any

from django import template
from django.forms import BaseForm, BoundField
from django.http import QueryDict
from django.template import Context
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from crm_platform.ui import assets, fields, kept, render

register = template.Library()

FILTERS: tuple[Callable[..., Any], ...] = (
    render.ago, render.days_short, render.due_state, render.due_text, render.hue, render.initials,
    render.money, render.number, render.percent, render.short_money,
)  # fmt: skip
TAGS: dict[str, Callable[..., Any]] = {
    "avatar": render.avatar, "badge": render.badge, "chips": render.tag_chips,
    "day": render.day_tag, "from_to": render.from_to, "icon": render.icon,
    "icon_sprite": render.icon_sprite, "icon_use": render.icon_use, "moment": render.moment_tag,
    "money": render.money, "phone": render.phone, "short_money": render.short_money,
    "since": render.since_tag, "tag_chip": render.tag_chip,
}  # fmt: skip

for _filter in FILTERS:
    register.filter(_filter.__name__, _filter)
for _name, _tag in TAGS.items():
    register.simple_tag(_tag, name=_name)


@register.simple_tag
def field(
    bound: BoundField | str, label: str = "", hint: str = "", cls: str = "", **attrs: Any
) -> SafeString:
    """One form field: label, control, help, errors. Other arguments become attributes."""
    return fields.field(bound, label=label, hint=hint, cls=cls, attrs=attrs)


@register.simple_tag
def form_errors(form: BaseForm | None) -> SafeString | str:
    """What is wrong with the form as a whole."""
    return fields.form_errors(form)


@register.filter
def get(mapping: Mapping[Any, Any] | None, key: Any) -> Any:
    """The value of `key`, or nothing."""
    return mapping.get(key) if mapping else None


@register.filter
def jsonattr(value: Any) -> str:
    """`value` as JSON for a data attribute; the template escapes it."""
    return json.dumps(value or {}, ensure_ascii=False, default=str)


@register.simple_tag
def asset(path: str) -> str:
    """The address of a static file. Never raises, so error pages can use it."""
    return assets.url(path)


@register.simple_tag
def css_url(name: str) -> str:
    """The address of one of our own style sheets."""
    return assets.url(f"ui/css/{PurePosixPath(name).name}.css")


@register.simple_tag
def stylesheets() -> SafeString:
    """Links to all our CSS: one bundle where static files are collected, else each file."""
    return format_html_join(
        "\n  ", '<link rel="stylesheet" href="{}">', ((url,) for url in assets.stylesheets())
    )


@register.simple_tag
def module_preloads() -> SafeString:
    """Hints for the modules that app.js imports, so that they load side by side."""
    return format_html_join(
        "\n  ", '<link rel="modulepreload" href="{}">', ((url,) for url in assets.modules())
    )


@register.simple_tag(takes_context=True)
def query(context: Context, **changes: Any) -> str:
    """This page's query string with `changes`; None removes a name, a list repeats it."""
    request = context.get("request")
    params = request.GET.copy() if request else QueryDict(mutable=True)
    for name, value in changes.items():
        if value is None:
            params.pop(name, None)
        else:
            params.setlist(name, value if isinstance(value, list) else [str(value)])
    return f"?{params.urlencode()}"


class KeptNode(template.Node):
    """`{% kept key %}…{% endkept %}`: renders its content once a key (see `ui.kept`)."""

    def __init__(self, key: template.base.FilterExpression, nodelist: template.NodeList) -> None:
        self.key, self.nodelist = key, nodelist

    def render(self, context: Context) -> SafeString:
        key = self.key.resolve(context, ignore_failures=True)
        if not key:
            return self.nodelist.render(context)
        token = str(context.get("csrf_token") or "")

        def build() -> str:
            with context.push(csrf_token=kept.CSRF):
                return self.nodelist.render(context)

        return kept.keep(key, build, csrf_token=token)


@register.tag("kept")
def kept_tag(parser: template.base.Parser, token: template.base.Token) -> KeptNode:
    """Keep what is between the tags under a key; an empty key keeps nothing."""
    key = parser.compile_filter(token.split_contents()[1])
    nodelist = parser.parse(("endkept",))
    parser.delete_first_token()
    return KeptNode(key, nodelist)
