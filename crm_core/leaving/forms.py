"""The form that asks for a package."""

from django import forms
from django.utils.translation import gettext_lazy as _


class AskForm(forms.Form):
    """One's own password, once more."""

    password = forms.CharField(
        label=_("Your password"), max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )  # fmt: skip
