"""The shape of the public calculators; both are read from the address, so that sums can be sent."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from billing import comparing
from billing.catalogue import name_of
from billing.pricing import Offer, currencies_of
from billing.proration import MONTH, YEAR
from crm_platform.signup.guesses import named_currencies

MOST_USERS, MOST_AMOUNT = 100_000, 10_000_000
INTERVALS = (
    (MONTH, pgettext_lazy("price", "by the month")), (YEAR, pgettext_lazy("price", "by the year")),
)  # fmt: skip


def _whole(label: Any, *, least: int, most: int, help_text: Any = "") -> forms.IntegerField:
    return forms.IntegerField(
        label=label, min_value=least, max_value=most, help_text=help_text,
        widget=forms.NumberInput({"inputmode": "numeric", "class": "num"}),
    )  # fmt: skip


def given(asked: Mapping[str, Any], usual: Mapping[str, Any]) -> dict[str, Any]:
    """What the address says, else what is usual: a form so filled is always bound."""
    return {name: asked.get(name, value) for name, value in usual.items()}


class CalculatorForm(forms.Form):
    """Users × price."""

    users = _whole(_("Users who change things"), least=1, most=MOST_USERS)
    plan = forms.ChoiceField(label=_("Plan"))
    interval = forms.ChoiceField(label=pgettext_lazy("price", "Paid"), choices=INTERVALS)
    currency = forms.ChoiceField(label=_("Currency"))

    def __init__(self, *args: Any, offers: Sequence[Offer], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices: dict[str, Any] = {
            "plan": [(offer.key, name_of(offer.names)) for offer in offers],
            "currency": named_currencies(currencies_of(offers)),
        }
        for name, values in choices.items():
            self.fields[name].choices = values  # type: ignore[attr-defined]
        if len(offers) == 1:
            self.fields["plan"].widget = forms.HiddenInput()


class ComparisonForm(CalculatorForm):
    """The same users, and what a server of one's own takes."""

    years = _whole(
        _("Years for the break-even"), least=1, most=20,
        help_text=_("The table shows 1, 3 and 5 years in any case."),
    )  # fmt: skip
    server = _whole(_("Server, a month"), least=0, most=MOST_AMOUNT)
    backup = _whole(_("Backup storage, a month"), least=0, most=MOST_AMOUNT)
    admin_hours = _whole(
        _("Hours of administration, a month"), least=0, most=744,
        help_text=_("Updates, backups that are tried, certificates, questions."),
    )  # fmt: skip
    wage = _whole(
        _("An hour of an administrator"), least=0, most=MOST_AMOUNT,
        help_text=_("What the hour costs the company, not what is paid out."),
    )  # fmt: skip
    setup_days = _whole(
        _("Days to set it up"), least=0, most=1000, help_text=_("Of 8 hours each, once.")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Another currency comes with its own usual amounts: it is chosen by a link.
        self.fields["currency"].widget = forms.HiddenInput()

    def assumptions(self) -> comparing.Assumptions:
        """What was filled in (valid), in counted units."""
        found, code = self.cleaned_data, self.cleaned_data["currency"]
        return comparing.Assumptions(
            server_a_month=comparing.counted(found["server"], code),
            backup_a_month=comparing.counted(found["backup"], code),
            admin_hours_a_month=found["admin_hours"],
            hourly_wage=comparing.counted(found["wage"], code), setup_days=found["setup_days"],
        )  # fmt: skip
