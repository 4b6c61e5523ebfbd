"""The shape of what operators send."""

from django import forms
from django.utils.translation import gettext_lazy as _


class SuspendForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=250)
