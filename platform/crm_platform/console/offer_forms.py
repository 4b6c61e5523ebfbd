"""The shape of what operators send about coupons, credit and moves between versions."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from billing.currencies import CURRENCIES
from billing.models import INTERVALS, PlanVersion
from crm_platform.console import amounts
from crm_platform.console.billing_forms import AmountField
from crm_platform.console.billing_words import interval_word
from crm_platform.kernel.errors import Invalid
from crm_platform.ui import widgets


class CouponForm(forms.Form):
    """A percentage, or an amount in a currency; what is left empty is not limited."""

    code = forms.CharField(
        label=_("Coupon code"),
        max_length=40,
        help_text=_("Letters, digits and hyphens, like SPRING-26."),
    )
    percent = forms.IntegerField(label=_("Percent off"), min_value=1, max_value=100, required=False)
    amount = forms.CharField(label=_("Or an amount off"), max_length=40, required=False)
    currency = forms.ChoiceField(label=_("Currency"), required=False)
    periods = forms.IntegerField(
        label=_("For so many bills"), min_value=1, max_value=120, required=False,
        help_text=_("Left empty: for ever."),
    )  # fmt: skip
    interval = forms.ChoiceField(label=_("For prices by the"), required=False)
    plans = forms.TypedMultipleChoiceField(
        label=_("Plans"), coerce=int, required=False, widget=forms.CheckboxSelectMultiple(),
        help_text=_("None chosen: every plan."),
    )  # fmt: skip
    most = forms.IntegerField(
        label=_("How often it may be used"), min_value=1, max_value=1_000_000, required=False
    )
    valid_until = forms.DateField(
        label=_("Can be used until"), required=False, widget=widgets.DateInput()
    )
    partner = forms.CharField(
        label=_("Partner"), max_length=120, required=False,
        help_text=_("Who brings the companies that use it."),
    )  # fmt: skip

    def __init__(self, *args: Any, plans: Sequence[tuple[int, str]], **given: Any) -> None:
        super().__init__(*args, **given)
        choices: dict[str, Any] = {
            "currency": [("", "–"), *((code, code) for code in CURRENCIES)],
            "interval": [("", _("month or year")),
                         *((key, interval_word(key)) for key, _name in INTERVALS)],
            "plans": plans,
        }  # fmt: skip
        for name, found in choices.items():
            self.fields[name].choices = found  # type: ignore[attr-defined]  # a choice's

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        text, code = cleaned.get("amount", ""), cleaned.get("currency", "")
        cleaned["amount"] = None
        if text and not code:
            self.add_error("currency", _("Choose the currency of the amount."))
        elif text:
            try:
                cleaned["amount"] = amounts.read(text, code)
            except Invalid as refusal:
                self.add_error("amount", str(refusal))
        return cleaned


class CodeForm(forms.Form):
    code = forms.CharField(label=_("Coupon code"), max_length=40)


class CreditGrantForm(forms.Form):
    """`amount` is in the account's currency."""

    reason = forms.CharField(
        label=_("Reason"), max_length=300, help_text=_("Other operators read it.")
    )
    expires_on = forms.DateField(
        label=_("Good until"), required=False, widget=widgets.DateInput(),
        help_text=_("The last day; left empty, it does not end."),
    )  # fmt: skip
    partner = forms.CharField(label=_("Partner"), max_length=120, required=False)
    field_order = ("amount", "reason", "expires_on", "partner")

    def __init__(self, *args: Any, currency: str, **given: Any) -> None:
        super().__init__(*args, **given)
        label = _("Amount in %(code)s") % {"code": currency}
        self.fields["amount"] = AmountField(currency=currency, label=label)
        self.order_fields(self.field_order)


class MoveForm(forms.Form):
    """Where to, and from which day on (UTC)."""

    target = forms.TypedChoiceField(label=_("To"), coerce=int)
    holds_from = forms.DateField(label=_("From renewals on or after"), widget=widgets.DateInput())

    def __init__(
        self, *args: Any, targets: Sequence[tuple[PlanVersion, str]], **given: Any
    ) -> None:
        super().__init__(*args, **given)
        choices = [(version.pk, name) for version, name in targets]
        self.fields["target"].choices = choices  # type: ignore[attr-defined]  # a choice's

    def moment(self) -> dt.datetime:
        return dt.datetime.combine(self.cleaned_data["holds_from"], dt.time(), dt.UTC)
