"""The shape of what operators send."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from crm_platform.console.queries.operators import operator_roles
from crm_platform.console.words import limit_word, ring_word, role_word
from crm_platform.identity.models import Role
from crm_platform.kernel.limits import Limit
from crm_platform.ui import widgets
from tenants.models import Company
from tenants.upgrades.models import Setting
from tenants.upgrades.preflights import BIGGEST


class SuspendForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=250)


class NoteForm(forms.Form):
    body = forms.CharField(
        label=_("Note"), max_length=4000, widget=forms.Textarea({"rows": 3}),
        help_text=_("For operators only; the company never sees it."),
    )  # fmt: skip


class LimitForm(forms.Form):
    kind = forms.ChoiceField(label=_("Limit"), choices=lambda: [(k, limit_word(k)) for k in Limit])
    value = forms.IntegerField(
        label=_("At most"), min_value=0, required=False,
        help_text=_("Left empty, what its plan or the settings say holds again."),
    )  # fmt: skip
    expires_on = forms.DateField(
        label=_("Holds until"), required=False, widget=widgets.DateInput(),
        help_text=_("The last day; left empty, it holds until somebody changes it."),
    )  # fmt: skip
    reason = forms.CharField(label=_("Reason"), max_length=250)


def _hours() -> list[tuple[int, str]]:
    return [(hour, f"{hour:02}:00") for hour in range(24)]


class UpgradePlanForm(forms.Form):
    ring = forms.ChoiceField(label=_("Ring"))
    window_from = forms.TypedChoiceField(label=_("From"), coerce=int, choices=_hours)
    window_to = forms.TypedChoiceField(label=_("To"), coerce=int, choices=_hours)
    is_fixed = forms.BooleanField(
        label=_("The company may not change this"), required=False, widget=widgets.Switch()
    )
    ends_wait = forms.BooleanField(label=_("End its wait now"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rings = [(ring, ring_word(ring)) for ring in Company.Ring.values]
        self.fields["ring"].choices = rings  # type: ignore[attr-defined]  # a choice's


class UpgradeSettingForm(forms.Form):
    spares = forms.IntegerField(
        label=_("Spare schemas"), min_value=0, max_value=500,
        help_text=_("Finished schemas that wait for sign-ups; about twice the busiest hour's."),
    )  # fmt: skip
    parallel = forms.IntegerField(label=_("Workers at once"), min_value=1, max_value=16)
    early_percent = forms.IntegerField(
        label=_("Companies that go early, in percent"), min_value=0, max_value=100,
        help_text=_("The smallest fill up the early ring beside those who asked for it."),
    )  # fmt: skip
    longest_wait_days = forms.IntegerField(
        label=_("Longest wait, in days"), min_value=0, max_value=60,
        help_text=_("A company may put its upgrade off for so long."),
    )  # fmt: skip


class DryRunForm(forms.Form):
    biggest = forms.IntegerField(
        label=_("How many companies"), min_value=1, max_value=20, initial=BIGGEST,
        help_text=_("The biggest ones that wait for this release; each is copied for the time."),
    )  # fmt: skip


def setting_values(setting: Setting) -> dict[str, int]:
    """What the form begins with."""
    names = ("spares", "parallel", "early_percent", "longest_wait_days")
    return {name: getattr(setting, name) for name in names}


class SupportForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"), max_length=300, widget=forms.Textarea({"rows": 2}),
        help_text=_("The company reads it."),
    )  # fmt: skip
    minutes = forms.TypedChoiceField(
        label=_("For how long"), coerce=int,
        choices=[(30, _("30 minutes")), (60, _("1 hour")), (120, _("2 hours")),
                 (240, _("4 hours"))],
    )  # fmt: skip


class ApprovalForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=300)
    typed = forms.CharField(
        label=_("Type it"), max_length=60,
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false"}),
    )  # fmt: skip


class ReasonForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=300)


class RestoreForm(forms.Form):
    """Where a backup is restored, and why."""

    slug = forms.CharField(
        label=_("Address name of the new company"), max_length=40,
        help_text=_("Small letters, digits and hyphens."),
    )  # fmt: skip
    reason = forms.CharField(label=_("Reason"), max_length=250)


class WaveBackForm(ReasonForm):
    """A wave with upgraded companies, and why it goes back."""

    wave = forms.ChoiceField(label=_("Wave"))
    field_order = ["wave", "reason"]

    def __init__(self, *given: Any, waves: list[tuple[str, str]], **named: Any) -> None:
        super().__init__(*given, **named)
        self.fields["wave"].choices = waves  # type: ignore[attr-defined]  # a ChoiceField's


class _RoleChoice(forms.ModelChoiceField[Role]):
    def label_from_instance(self, obj: Role) -> str:
        return role_word(obj.key)


class OperatorRoleForm(forms.Form):
    role = _RoleChoice(label=_("Role"), queryset=Role.objects.none(), empty_label=None)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].queryset = operator_roles()  # type: ignore[attr-defined]  # a choice's


class InviteOperatorForm(OperatorRoleForm):
    email = forms.EmailField(label=_("Mail address"), max_length=254)
    field_order = ("email", "role")
