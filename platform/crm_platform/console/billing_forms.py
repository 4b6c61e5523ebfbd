"""The shape of what operators send about money and plans."""

from collections.abc import Iterator, Sequence
from typing import Any

from django import forms
from django.forms import BoundField
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from billing.catalogue import LANGUAGES, PriceFacts
from billing.currencies import CURRENCIES
from billing.invoicing import owed
from billing.models import INTERVALS, Invoice, PlanVersion
from crm_platform.console import amounts
from crm_platform.console.billing_words import interval_word
from crm_platform.console.words import limit_word
from crm_platform.kernel.errors import Invalid
from crm_platform.kernel.limits import Limit
from crm_platform.ui import widgets


class AmountField(forms.CharField):
    """An amount as people write it; clean is counted units of `currency`, None when left empty."""

    def __init__(self, *, currency: str, **given: Any) -> None:
        widget = forms.TextInput({"inputmode": "decimal", "class": "num", "autocomplete": "off"})
        super().__init__(max_length=40, widget=widget, **given)
        self.currency = currency

    def clean(self, value: Any) -> int | None:
        text = super().clean(value)
        if not text:
            return None
        try:
            return amounts.read(text, self.currency)
        except Invalid as refusal:
            raise forms.ValidationError(str(refusal)) from refusal


class TransferForm(forms.Form):
    """`amount` is in the account's currency."""

    received_on = forms.DateField(label=_("Day received"), widget=widgets.DateInput())
    reference = forms.CharField(
        label=_("Bank reference"), max_length=120, help_text=_("As it stands on the statement.")
    )
    invoice = forms.TypedChoiceField(
        label=_("For invoice"), coerce=int, empty_value=None, required=False,
        help_text=_("It is paid first, then the oldest ones; what is left becomes balance."),
    )  # fmt: skip
    field_order = ("amount", "received_on", "reference", "invoice")

    def __init__(
        self, *args: Any, currency: str, invoices: Sequence[Invoice], **given: Any
    ) -> None:
        super().__init__(*args, **given)
        label = _("Amount in %(code)s") % {"code": currency}
        self.fields["amount"] = AmountField(currency=currency, label=label)
        choices = [("", _("The oldest open one"))] + [
            (each.pk, f"{each.number} · {amounts.said(owed(each), each.currency)}")
            for each in invoices
        ]
        self.fields["invoice"].choices = choices  # type: ignore[attr-defined]  # a choice's
        self.order_fields(self.field_order)


class CreditForm(forms.Form):
    """`amount` is in the invoice's currency."""

    reason = forms.CharField(
        label=_("Reason"), max_length=300, help_text=_("It stands on the credit note.")
    )
    field_order = ("amount", "reason")

    def __init__(self, *args: Any, currency: str, **given: Any) -> None:
        super().__init__(*args, **given)
        label = _("Amount in %(code)s") % {"code": currency}
        self.fields["amount"] = AmountField(currency=currency, label=label)
        self.order_fields(self.field_order)


class PlanForm(forms.Form):
    key = forms.SlugField(
        label=pgettext_lazy("plan", "Key"), max_length=40,
        help_text=_("Small letters, digits and hyphens; it never changes."),
    )  # fmt: skip
    name_en = forms.CharField(label=_("Name in English"), max_length=80)
    name_zh_hant = forms.CharField(
        label=_("Name in Traditional Chinese"), max_length=80, required=False
    )
    name_zh_hans = forms.CharField(
        label=_("Name in Simplified Chinese"), max_length=80, required=False
    )
    is_public = forms.BooleanField(
        label=_("Shown on the pricing page"), required=False, initial=True,
        widget=widgets.Switch(),
    )  # fmt: skip

    def names(self) -> dict[str, str]:
        """{language: name}, of the languages that were filled in."""
        given = {each: self.cleaned_data[f"name_{each.replace('-', '_')}"] for each in LANGUAGES}
        return {language: name for language, name in given.items() if name}


class DraftForm(forms.Form):
    """Prices by currency and interval, and limits; what is left empty is not offered."""

    def __init__(self, *args: Any, **given: Any) -> None:
        super().__init__(*args, **given)
        for code in CURRENCIES:
            for interval, _name in INTERVALS:
                key = f"{code}_{interval}"
                self.fields[key] = AmountField(currency=code, required=False)
                for end in ("least", "most"):
                    self.fields[f"{key}_{end}"] = forms.IntegerField(
                        min_value=1, max_value=100_000, required=False
                    )
        for kind in Limit:
            self.fields[kind.value] = forms.IntegerField(
                label=limit_word(kind.value), min_value=0, max_value=10**9, required=False
            )

    def rows(self) -> list[tuple[str, list[tuple[str, BoundField, BoundField, BoundField]]]]:
        """By currency: the interval's word, amount, fewest and most seats."""
        return [
            (code, [self._cell(code, each) for each, _name in INTERVALS]) for code in CURRENCIES
        ]

    def _cell(self, code: str, interval: str) -> tuple[str, BoundField, BoundField, BoundField]:
        key = f"{code}_{interval}"
        return interval_word(interval), self[key], self[f"{key}_least"], self[f"{key}_most"]

    def limit_fields(self) -> list[BoundField]:
        return [self[kind.value] for kind in Limit]

    def wrong(self) -> Iterator[tuple[str, str, str]]:
        """(currency, interval's word, sentence) of each refused cell of the table."""
        for code, cells in self.rows():
            for interval, *bounds in cells:
                for bound in bounds:
                    yield from ((code, interval, str(text)) for text in bound.errors)

    def prices(self) -> list[PriceFacts]:
        """The prices that were filled in."""
        found = []
        for code in CURRENCIES:
            for interval, _name in INTERVALS:
                key = f"{code}_{interval}"
                amount = self.cleaned_data[key]
                if amount is not None:
                    found.append(PriceFacts(
                        currency=code, interval=interval, unit_amount=amount,
                        least_seats=self.cleaned_data[f"{key}_least"] or 1,
                        most_seats=self.cleaned_data[f"{key}_most"],
                    ))  # fmt: skip
        return found

    def limits(self) -> dict[str, int]:
        """The limits that were filled in."""
        given = {kind.value: self.cleaned_data[kind.value] for kind in Limit}
        return {kind: value for kind, value in given.items() if value is not None}


def draft_values(version: PlanVersion) -> dict[str, Any]:
    """What the form of a draft begins with."""
    found: dict[str, Any] = dict(version.entitlements)
    for price in version.prices.all():
        key = f"{price.currency}_{price.interval}"
        found[key] = amounts.written(price.unit_amount, price.currency)
        found[f"{key}_least"] = price.least_seats if price.least_seats > 1 else None
        found[f"{key}_most"] = price.most_seats
    return found
