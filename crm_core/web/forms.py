"""Forms of the settings: shape only."""

from typing import Any
from zoneinfo import available_timezones

from babel.numbers import get_currency_name, list_currencies
from django import forms
from django.conf import settings
from django.utils.translation import get_language, gettext_lazy, pgettext_lazy, to_locale
from django.utils.translation import gettext as _

from crm_core.registry import record_types
from crm_core.web.services import FIELD_KINDS
from crm_platform.ui import widgets


def kind_labels() -> dict[str, str]:
    """The kinds of own fields in words."""
    return {
        "text": _("Text"),
        "long_text": _("Long text"),
        "integer": _("Whole number"),
        "decimal": _("Number"),
        "date": _("Date"),
        "boolean": _("Yes or no"),
        "choice": _("One of a list"),
        "multi_choice": _("Several of a list"),
        "email": _("Mail"),
        "phone": _("Phone"),
        "url": _("Web address"),
    }


_CODES = sorted(list_currencies())


class FieldForm(forms.Form):
    """A field of the company's own; what it is for and its kind are fixed once made."""

    record_type = forms.ChoiceField()
    label = forms.CharField(max_length=80)
    kind = forms.ChoiceField()
    options = forms.CharField(required=False, widget=forms.Textarea({"rows": 4}))
    is_required = forms.BooleanField(required=False, widget=widgets.Switch())
    help_text = forms.CharField(max_length=200, required=False)

    def __init__(self, *args: Any, is_new: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        labels = {
            "record_type": _("For"),
            "label": _("Name"),
            "kind": _("Kind"),
            "options": _("Options, one a line"),
            "is_required": _("Needed when a record is made"),
            "help_text": _("Hint shown below it"),
        }
        for name, label in labels.items():
            self.fields[name].label = label
        if not is_new:
            del self.fields["record_type"], self.fields["kind"]
            return
        words = kind_labels()
        record, kind = self.fields["record_type"], self.fields["kind"]
        assert isinstance(record, forms.ChoiceField)
        assert isinstance(kind, forms.ChoiceField)
        record.choices = [(t.name, str(t.label)) for t in record_types()]
        kind.choices = [(str(k), words[k]) for k in FIELD_KINDS]

    def clean_options(self) -> list[str]:
        """One option a line, without repeats."""
        lines = (line.strip()[:80] for line in self.cleaned_data["options"].splitlines())
        return list(dict.fromkeys(line for line in lines if line))[:200]


class TagForm(forms.Form):
    """A tag."""

    name = forms.CharField(max_length=40)
    hue = forms.IntegerField(min_value=1, max_value=8, widget=widgets.HuePicker(), initial=1)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].label, self.fields["hue"].label = _("Name"), _("Colour")


def currency_choices() -> list[tuple[str, str]]:
    """Every currency by code, with its name in the reader's language."""
    locale = to_locale(get_language() or "en")
    return [(code, f"{code} · {get_currency_name(code, locale=locale)}") for code in _CODES]


class CompanyForm(forms.Form):
    """What the company says of itself."""

    name = forms.CharField(max_length=120)
    language = forms.ChoiceField(choices=settings.LANGUAGES)
    time_zone = forms.ChoiceField(choices=[(zone, zone) for zone in sorted(available_timezones())])
    currency = forms.ChoiceField(choices=())
    accent_hue = forms.IntegerField(required=False, min_value=0, max_value=360)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        currency = self.fields["currency"]
        assert isinstance(currency, forms.ChoiceField)
        currency.choices = currency_choices()
        labels = {
            "name": _("Company name"),
            "language": _("Language of the company"),
            "time_zone": _("Time zone"),
            "currency": _("Currency"),
            "accent_hue": _("Accent colour (hue, 0 to 360)"),
        }
        for name, label in labels.items():
            self.fields[name].label = label


class AskForm(forms.Form):
    """What an owner asks of the operators."""

    message = forms.CharField(
        label=gettext_lazy("What do you ask us for?"), max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
    )  # fmt: skip


class CloseForm(forms.Form):
    """The company's name, typed by whoever closes it."""

    name = forms.CharField(label=gettext_lazy("The company's name, to be sure"), max_length=120)


def _hours() -> list[tuple[int, str]]:
    return [(hour, f"{hour:02}:00") for hour in range(24)]


class UpdatesForm(forms.Form):
    """When the company is updated. The days of waiting are bounded by the service."""

    goes_early = forms.TypedChoiceField(
        label=gettext_lazy("Turn"), coerce=lambda value: value == "early",
        choices=[("rest", gettext_lazy("With most companies")),
                 ("early", gettext_lazy("Early: among the first, once it has been tried out"))],
    )  # fmt: skip
    window_from = forms.TypedChoiceField(label=gettext_lazy("From"), coerce=int, choices=_hours)
    window_to = forms.TypedChoiceField(label=gettext_lazy("To"), coerce=int, choices=_hours)
    wait_until = forms.DateField(
        label=gettext_lazy("Not before"), required=False, widget=widgets.DateInput()
    )


class RenameForm(forms.Form):
    """Another address name with us."""

    slug = forms.CharField(label=gettext_lazy("Address name"), max_length=40)


class HostForm(forms.Form):
    """A host name, as a full name."""

    host = forms.CharField(
        label=gettext_lazy("Host name"), max_length=253,
        help_text=gettext_lazy("For instance crm.example.com"),
        widget=forms.TextInput({"autocomplete": "off", "autocapitalize": "none"}),
    )  # fmt: skip


TAX_KINDS = (
    ("", "–"), ("tw_vat", gettext_lazy("Taiwan (統一編號)")), ("eu_vat", gettext_lazy("EU VAT")),
    ("other", gettext_lazy("Another number")),
)  # fmt: skip


class BuyerForm(forms.Form):
    """What stands on invoices about who pays."""

    legal_name = forms.CharField(label=gettext_lazy("Invoices are made out to"), max_length=200)
    address = forms.CharField(
        label=pgettext_lazy("postal", "Address"), required=False, max_length=500,
        widget=forms.Textarea({"rows": 3}),
    )  # fmt: skip
    country = forms.CharField(
        label=gettext_lazy("Country"), required=False, max_length=2, min_length=2,
        help_text=gettext_lazy("Two letters, like TW or DE"),
    )  # fmt: skip
    email = forms.EmailField(
        label=gettext_lazy("Invoices go to"), required=False,
        help_text=gettext_lazy("Empty: to the owners"),
    )  # fmt: skip
    tax_id_kind = forms.ChoiceField(
        label=gettext_lazy("Kind of tax number"), choices=TAX_KINDS, required=False
    )
    tax_id = forms.CharField(label=gettext_lazy("Tax number"), required=False, max_length=40)


class RentForm(BuyerForm):
    """What to rent, for how many, and who pays."""

    price = forms.TypedChoiceField(label=gettext_lazy("Price"), coerce=int)
    seats = forms.IntegerField(
        label=gettext_lazy("Seats"), min_value=1, max_value=5000,
        help_text=gettext_lazy("One for everybody who may change something; viewers are free."),
    )  # fmt: skip
    way = forms.ChoiceField(
        label=gettext_lazy("Paid by"),
        choices=(("stripe", gettext_lazy("Card")), ("manual", gettext_lazy("Bank transfer"))),
        help_text=gettext_lazy("By card: you give it on the next page, at our payment service."),
    )  # fmt: skip
    coupon = forms.CharField(
        label=gettext_lazy("Coupon"), required=False, max_length=40,
        widget=forms.TextInput({"autocomplete": "off", "autocapitalize": "characters"}),
    )  # fmt: skip
    field_order = ("price", "seats", "way", "coupon")

    def __init__(
        self, *args: Any, prices: list[tuple[int, str]], has_card: bool, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["price"].choices = prices  # type: ignore[attr-defined]
        if has_card:
            self.fields["coupon"].help_text = _("Comes off bills paid by bank transfer.")
        else:
            del self.fields["way"]
