"""One form field as HTML: label, control, help and errors, wired for screen readers."""

from __future__ import annotations

from typing import Any

from django.forms import BaseForm, BoundField, widgets
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from crm_platform.ui.render import icon

# Django writes these three as type="text"; the browser's own picker is better, and wants ISO.
PICKERS = (
    (widgets.DateTimeInput, "datetime-local", "%Y-%m-%dT%H:%M"),
    (widgets.DateInput, "date", "%Y-%m-%d"),
    (widgets.TimeInput, "time", "%H:%M"),
)
WRAP = '<div class="fld{cls}">{label}{control}{hint}{errors}</div>'
CHECK = (
    '<div class="fld chk{cls}"><label class="check" for="{id}">{control}<span>{label}</span>'
    "</label>{hint}{errors}</div>"
)
GROUP = (
    '<fieldset class="fld opts{cls}"{aria}><legend>{label}</legend>{control}{hint}{errors}'
    "</fieldset>"
)


def _errors(bound: BoundField) -> SafeString | str:
    if not bound.errors:
        return ""
    lines = format_html_join("", "<span>{}</span>", ((text,) for text in bound.errors))
    return format_html(
        '<p class="err" id="{}_error" role="alert">{}{}</p>',
        bound.auto_id, icon("circle-alert", 13), lines,
    )  # fmt: skip


def _mark(bound: BoundField) -> SafeString | str:
    if not bound.field.required:
        return ""
    return format_html(' <span class="req" title="{}">*</span>', _("Required"))


def _use_picker(widget: widgets.Widget) -> None:
    """Give a plain date or time box its picker; the form's copy of the widget is ours to change."""
    for kind, input_type, iso in PICKERS:
        if isinstance(widget, kind) and widget.input_type == "text":
            widget.input_type, widget.format = input_type, iso
            return


def _attrs(bound: BoundField, hint: object, given: dict[str, Any]) -> dict[str, Any]:
    attrs = {name.replace("_", "-"): value for name, value in given.items()}
    widget = bound.field.widget
    _use_picker(widget)
    ids = [f"{bound.auto_id}_helptext"] if hint else []
    if bound.errors:
        ids.append(f"{bound.auto_id}_error")
    if ids and not getattr(widget, "use_fieldset", False):
        attrs["aria-describedby"] = " ".join(ids)
    return attrs


def _layout(bound: BoundField) -> str:
    widget = bound.field.widget
    if isinstance(widget, widgets.CheckboxInput):
        return CHECK
    return GROUP if getattr(widget, "use_fieldset", False) else WRAP


def field(
    bound: BoundField | str, *, label: str = "", hint: str = "", cls: str = "",
    attrs: dict[str, Any] | None = None,
) -> SafeString:  # fmt: skip
    """One field. `hint` and `label` replace the form's own; an absent field is nothing."""
    if not isinstance(bound, BoundField):
        return mark_safe("")
    if bound.is_hidden:
        return mark_safe(f"{bound}{_errors(bound)}")  # noqa: S308  (both are escaped already)
    help_text = hint or bound.help_text
    layout = _layout(bound)
    name = format_html("{}{}", label or bound.label or "", _mark(bound))
    parts: dict[str, Any] = {
        "cls": f" {cls}" if cls else "",
        "id": bound.id_for_label,
        "label": name,
        "control": bound.as_widget(attrs=_attrs(bound, help_text, attrs or {})),
        "errors": _errors(bound),
        "hint": "",
        "aria": "",
    }
    if help_text:
        parts["hint"] = format_html(
            '<p class="help" id="{}_helptext">{}</p>', bound.auto_id, conditional_escape(help_text)
        )
    if layout is WRAP:
        parts["label"] = format_html('<label for="{}">{}</label>', parts["id"], name)
    if layout is GROUP and (help_text or bound.errors):
        suffix = "error" if bound.errors else "helptext"
        parts["aria"] = format_html(' aria-describedby="{}_{}"', bound.auto_id, suffix)
    return format_html(layout, **parts)


def form_errors(form: BaseForm | None) -> SafeString | str:
    """What is wrong with the form as a whole, as one alert."""
    if form is None or not form.is_bound:
        return ""
    hidden = [text for bound in form.hidden_fields() for text in bound.errors]
    texts = [*form.non_field_errors(), *hidden]
    if not texts:
        return ""
    lines = format_html_join("", "<p>{}</p>", ((text,) for text in texts))
    return format_html(
        '<div class="callout" data-kind="bad" role="alert">{}<div>{}</div></div>',
        icon("circle-alert", 16), lines,
    )  # fmt: skip
