"""The shape of what operators send."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from crm_platform.console.queries.operators import operator_roles
from crm_platform.console.words import role_word
from crm_platform.identity.models import Role


class SuspendForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=250)


class ReasonForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=300)


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
