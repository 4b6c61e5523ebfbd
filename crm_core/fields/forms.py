"""Forms made from fields: the shape only; services decide."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _

from crm_core.fields import catalogue
from crm_core.registry import Field, Kind, record_type
from crm_core.registry.queries import visible_to
from crm_platform.identity.models import User
from crm_platform.ui import widgets


def _link_label(user: User, target: str) -> Any:
    def label(value: Any) -> str:
        kind = record_type(target)
        rows = visible_to(user, kind).filter(pk=value) if str(value).isdigit() else None
        return (
            str(rows.values_list(kind.title_field, flat=True).first() or "")
            if rows is not None
            else ""
        )

    return label


def _options(field: Field) -> list[tuple[str, str]]:
    return [(choice.value, choice.label) for choice in catalogue.choices_of(field)]


def _select(field: Field) -> forms.Field:
    blank = [] if field.required else [("", "–")]
    return forms.ChoiceField(choices=[*blank, *_options(field)])


def _several(field: Field) -> forms.Field:
    return forms.MultipleChoiceField(choices=_options(field), widget=forms.CheckboxSelectMultiple)


def form_field(field: Field, user: User) -> forms.Field:
    """The control of one field. Text everywhere: what it means is read by `fields.values`."""
    made: forms.Field
    if field.kind in (Kind.TAGS, Kind.MULTI_CHOICE):
        made = _several(field)
    elif field.kind in (Kind.CHOICE, Kind.USER, Kind.TEAM):
        made = _select(field)
    elif field.kind == Kind.BOOLEAN:
        made = forms.BooleanField(widget=widgets.Switch())
    else:
        made = forms.CharField(widget=_widget(field, user))
    made.label = str(field.label)
    made.help_text = str(field.help_text)
    made.required = field.required and field.kind != Kind.BOOLEAN
    return made


def _widget(field: Field, user: User) -> forms.Widget:
    if field.kind == Kind.LINK:
        slug = record_type(field.target).slug
        return widgets.Combo(
            src=f"/{slug}/pick/", label=_link_label(user, field.target), create=True
        )
    found: dict[Kind, forms.Widget] = {
        Kind.LONG_TEXT: forms.Textarea({"rows": 4}),
        Kind.DATE: widgets.DateInput(),
        Kind.MOMENT: widgets.DateTimeInput(),
        Kind.MONEY: widgets.MoneyInput(),
        Kind.EMAIL: forms.EmailInput({"autocomplete": "off"}),
        Kind.PHONE: forms.TextInput({"type": "tel", "autocomplete": "off"}),
        Kind.URL: forms.TextInput({"inputmode": "url"}),
        Kind.INTEGER: forms.TextInput({"inputmode": "numeric"}),
        Kind.PERCENT: forms.TextInput({"inputmode": "numeric"}),
        Kind.DECIMAL: forms.TextInput({"inputmode": "decimal"}),
    }
    return found.get(field.kind, forms.TextInput({"autocomplete": "off"}))


class RecordForm(forms.Form):
    """A form over the fields given; `values()` is what a service takes."""

    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, fields: list[Field], user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kinds = {field.name: field for field in fields}
        for field in fields:
            self.fields[field.name] = form_field(field, user)

    def values(self) -> dict[str, Any]:
        """Values keyed by field name, only those the browser sent."""
        found: dict[str, Any] = {}
        for name, field in self.kinds.items():
            # An unticked box is not sent at all: for those, absence is the answer.
            absent_means_off = field.kind in (Kind.BOOLEAN, Kind.TAGS, Kind.MULTI_CHOICE)
            if name in self.data or absent_means_off:
                found[name] = self.cleaned_data[name]
        return found


class SaveViewForm(forms.Form):
    """Name and reach of a saved view."""

    name = forms.CharField(max_length=80)
    is_shared = forms.BooleanField(required=False, widget=widgets.Switch())
    is_pinned = forms.BooleanField(required=False, widget=widgets.Switch())
    query = forms.CharField(required=False, widget=forms.HiddenInput)
    layout = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, may_share: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].label = _("Name")
        self.fields["is_pinned"].label = _("Pin in the rail")
        self.fields["is_shared"].label = _("Share with everybody")
        if not may_share:
            del self.fields["is_shared"]
