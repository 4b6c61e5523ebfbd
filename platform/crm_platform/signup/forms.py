"""The shape of the public forms."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from crm_platform.identity.forms import password_field, time_zone_choices
from crm_platform.signup.guesses import currency_choices


def slug_field() -> forms.CharField:
    attrs = {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
    return forms.CharField(label=_("Address name"), max_length=40, widget=forms.TextInput(attrs))


class SignUpForm(forms.Form):
    company_name = forms.CharField(
        label=_("Company name"), max_length=120,
        widget=forms.TextInput({"autocomplete": "organization", "autofocus": True}),
    )  # fmt: skip
    slug = slug_field()
    name = forms.CharField(
        label=_("Your name"), max_length=120, widget=forms.TextInput({"autocomplete": "name"})
    )
    email = forms.EmailField(
        label=_("Mail address"), max_length=254, widget=forms.EmailInput({"autocomplete": "email"})
    )
    password = password_field(
        _("Choose a password"), new=True,
        help_text=_("At least 10 characters; a few words do well."),
    )  # fmt: skip
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)
    time_zone = forms.ChoiceField(label=_("Time zone"))
    currency = forms.ChoiceField(label=_("Currency"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["time_zone"].choices = time_zone_choices()  # type: ignore[attr-defined]
        self.fields["currency"].choices = currency_choices()  # type: ignore[attr-defined]


class ConfirmForm(forms.Form):
    slug = forms.CharField(label=_("Address name"), max_length=40, required=False)


class FindForm(forms.Form):
    slug = slug_field()
