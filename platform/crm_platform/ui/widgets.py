"""Form widgets that Django has not: pickers, switch, colour, search box, file drop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django import forms
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from crm_platform.ui.render import HUES, icon

Label = Callable[[Any], str]


class DateInput(forms.DateInput):
    """A day, with the browser's picker."""

    input_type = "date"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, format="%Y-%m-%d")


class DateTimeInput(forms.DateTimeInput):
    """A day and a clock time, with the browser's picker."""

    input_type = "datetime-local"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, format="%Y-%m-%dT%H:%M")


class TimeInput(forms.TimeInput):
    """A clock time, with the browser's picker."""

    input_type = "time"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, format="%H:%M")


class MoneyInput(forms.TextInput):
    """An amount: a text box with a number pad on phones (`type=number` refuses pasted commas)."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"inputmode": "decimal", "class": "num", **(attrs or {})})

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> Any:
        """The amount without the thousands separators people paste."""
        value = super().value_from_datadict(data, files, name)
        return value.replace(",", "").replace("\uff0c", "").strip() if value else value


class Switch(forms.CheckboxInput):
    """An on/off setting."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"role": "switch", "class": "switch", **(attrs or {})})


class HuePicker(forms.RadioSelect):
    """One of the eight label colours."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, choices=[(n, str(n)) for n in range(1, HUES + 1)])

    def render(
        self,
        name: str,
        value: Any,
        attrs: dict[str, Any] | None = None,
        renderer: Any = None,
    ) -> SafeString:
        """Eight swatches; each says its name."""
        names = (_("Teal"), _("Blue"), _("Amber"), _("Pink"), _("Green"), _("Violet"), _("Sky"),
                 _("Red"))  # fmt: skip
        base = (attrs or {}).get("id", f"id_{name}")
        rows = (
            (n, base, n, name, n, " checked" if str(value or 1) == str(n) else "", label)
            for n, label in enumerate(names, start=1)
        )
        one = (
            '<label class="swatch" data-hue="{}"><input type="radio" id="{}_{}" name="{}"'
            ' value="{}"{}><span class="vh">{}</span></label>'
        )
        return format_html('<div class="swatches">{}</div>', format_html_join("", one, rows))


class Combo(forms.Widget):
    """A search box for one record; its value is the id, or `new:<text>` where that is allowed."""

    multiple = False

    def __init__(
        self, src: str | Callable[[], str], label: Label | None = None, *, create: bool = False,
        placeholder: str = "", attrs: dict[str, Any] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(attrs)
        self.src, self.label_of, self.create, self.placeholder = src, label, create, placeholder

    def _label(self, value: Any) -> str:
        if value in (None, ""):
            return ""
        text = str(value)
        if text.startswith("new:"):
            return text.removeprefix("new:")
        return self.label_of(value) if self.label_of else text

    def _text_box(self, name: str, text: str, attrs: dict[str, Any]) -> SafeString:
        known = {"id", "required", "disabled", "aria-describedby", "aria-invalid", "autofocus"}
        given = {**self.attrs, **attrs}
        extra = format_html_join(
            "", ' {}="{}"',
            ((k, v) for k, v in given.items() if k in known and v not in (None, False)),
        )  # fmt: skip
        box = given.get("id", f"id_{name}")
        return format_html(
            '<input type="text" name="{}-text" value="{}" placeholder="{}" role="combobox"'
            ' aria-expanded="false" aria-autocomplete="list" aria-controls="{}_list"'
            ' autocomplete="off" spellcheck="false"{}>'
            '<ul class="combo-list" id="{}_list" role="listbox" aria-label="{}" popover="manual">'
            "</ul>",
            name, text, self.placeholder or _("Type to search"), box, extra, box, _("Results"),
        )  # fmt: skip

    def _hidden(self, name: str, value: Any) -> SafeString:
        return format_html('<input type="hidden" name="{}" value="{}">', name, value or "")

    def render(
        self,
        name: str,
        value: Any,
        attrs: dict[str, Any] | None = None,
        renderer: Any = None,
    ) -> SafeString:
        """The element the script brings to life."""
        src = self.src() if callable(self.src) else self.src
        values = [v for v in (value or []) if v] if self.multiple else [value]
        if self.multiple:
            inner = format_html_join("", "{}", ((self._chip(name, v),) for v in values))
        else:
            inner = self._hidden(name, value)
        return format_html(
            '<crm-combo class="combo" data-name="{}" data-src="{}"{}{} data-none="{}" data-new="{}"'
            ' data-remove="{}">{}{}</crm-combo>',
            name, src, SafeString(" data-create" if self.create else ""),
            SafeString(" data-multiple" if self.multiple else ""), _("Nothing matches"),
            _("Create “{text}”"), _("Remove"), inner,
            self._text_box(name, "" if self.multiple else self._label(value), attrs or {}),
        )  # fmt: skip

    def _chip(self, name: str, value: Any) -> SafeString:
        return format_html(
            '<span class="chip">{}{}<button type="button" data-drop-chip aria-label="{}">'
            "{}</button></span>",
            self._label(value), self._hidden(name, value), _("Remove"), icon("x", 12),
        )  # fmt: skip

    def value_from_datadict(
        self,
        data: Mapping[str, Any],
        files: Any,
        name: str,
    ) -> Any:
        """The chosen id; without script, what was typed, where creating is allowed."""
        value = data.get(name)
        typed = (data.get(f"{name}-text") or "").strip()
        if not value and typed and self.create:
            return f"new:{typed}"
        return value


class MultiCombo(Combo):
    """A search box that gathers several records as chips."""

    multiple = True

    def value_from_datadict(
        self,
        data: Mapping[str, Any],
        files: Any,
        name: str,
    ) -> Any:
        """The chosen ids, in the order they were chosen."""
        values = data.getlist(name) if hasattr(data, "getlist") else data.get(name, [])
        return [value for value in values if value]


class FileDrop(forms.ClearableFileInput):
    """A file: drop it, or press to choose."""

    def __init__(
        self, accept: str = "", note: str = "", attrs: dict[str, Any] | None = None
    ) -> None:
        super().__init__({**({"accept": accept} if accept else {}), **(attrs or {})})
        self.note = note

    def render(
        self,
        name: str,
        value: Any,
        attrs: dict[str, Any] | None = None,
        renderer: Any = None,
    ) -> SafeString:
        """A native file input under a drawn zone; dropping works without script too."""
        box = forms.FileInput(self.attrs).render(name, None, attrs, renderer)
        return format_html(
            '<crm-drop class="drop">{}<span class="drop-t"><b>{}</b><small data-file>{}</small>'
            "</span>{}</crm-drop>",
            icon("upload", 22), _("Drop a file here, or press to choose"), self.note, box,
        )  # fmt: skip
