"""The shape of what people send; whether it may be done is asked in the services."""

import zoneinfo
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from crm_platform.identity import queries
from crm_platform.identity.labels import TOKEN_SCOPES, role_name
from crm_platform.identity.models import Role, Team, User

LONGEST_PASSWORD = 200
_NEW = {"autocomplete": "new-password"}
_CURRENT = {"autocomplete": "current-password"}


def password_field(label: Any, *, new: bool, help_text: Any = "") -> forms.CharField:
    return forms.CharField(
        label=label, max_length=LONGEST_PASSWORD, strip=False, help_text=help_text,
        widget=forms.PasswordInput(attrs=_NEW if new else _CURRENT),
    )  # fmt: skip


def time_zone_choices() -> list[tuple[str, str]]:
    """Places a person may choose from, by their usual names."""
    names = sorted(n for n in zoneinfo.available_timezones() if "/" in n and n[0].isupper())
    kept = [n for n in names if not n.startswith(("Etc/", "SystemV/", "US/", "posix/", "right/"))]
    return [("UTC", "UTC"), *((name, name.replace("_", " ")) for name in kept)]


class RoleChoice(forms.ModelChoiceField[Role]):
    """A role by its shown name."""

    def label_from_instance(self, obj: Role) -> str:
        return role_name(obj)


class TeamChoice(forms.ModelChoiceField[Team]):
    """A team in the tree, indented by its depth."""

    def label_from_instance(self, obj: Team) -> str:
        return "\u2003" * max(0, obj.path.count("/") - 2) + obj.name


def _teams() -> Any:
    return Team.objects.order_by("path")


class SignInForm(forms.Form):
    email = forms.EmailField(
        label=_("Mail address"), max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True}),
    )  # fmt: skip
    password = password_field(_("Password"), new=False)
    next = forms.CharField(required=False, max_length=2000, widget=forms.HiddenInput)


_CODE = {"autocomplete": "one-time-code", "autofocus": True, "spellcheck": "false"}


class CodeForm(forms.Form):
    code = forms.CharField(
        label=_("Code"), max_length=20, widget=forms.TextInput(_CODE),
        help_text=_("Six digits from your app, or one of your recovery codes."),
    )  # fmt: skip
    next = forms.CharField(required=False, max_length=2000, widget=forms.HiddenInput)


class EnrolForm(forms.Form):
    code = forms.CharField(
        label=_("The code your app shows"), max_length=20,
        widget=forms.TextInput({**_CODE, "inputmode": "numeric"}),
    )  # fmt: skip
    sealed = forms.CharField(max_length=500, widget=forms.HiddenInput)


class ForgotForm(forms.Form):
    email = forms.EmailField(
        label=_("Mail address"), max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True}),
    )  # fmt: skip


class ResetForm(forms.Form):
    password = password_field(
        _("New password"), new=True, help_text=_("At least 10 characters; a few words do well.")
    )


class AcceptForm(forms.Form):
    name = forms.CharField(
        label=_("Your name"), max_length=120, widget=forms.TextInput({"autocomplete": "name"})
    )
    password = password_field(
        _("Choose a password"), new=True,
        help_text=_("At least 10 characters; a few words do well."),
    )  # fmt: skip


class ProfileForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=120)
    title = forms.CharField(label=_("Job title"), max_length=120, required=False)
    phone = forms.CharField(
        label=_("Phone"),
        max_length=40,
        required=False,
        widget=forms.TextInput({"inputmode": "tel"}),
    )
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)
    time_zone = forms.ChoiceField(label=_("Time zone"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        same = ("", _("As the company"))
        self.fields["time_zone"].choices = [same, *time_zone_choices()]  # type: ignore[attr-defined]


class PreferencesForm(forms.Form):
    theme = forms.CharField(required=False, max_length=5)
    density = forms.CharField(required=False, max_length=7)
    language = forms.CharField(required=False, max_length=10)
    next = forms.CharField(required=False, max_length=2000)


class PasswordForm(forms.Form):
    old = password_field(_("Current password"), new=False)
    new = password_field(
        _("New password"), new=True, help_text=_("At least 10 characters; a few words do well.")
    )


class MailForm(forms.Form):
    email = forms.EmailField(label=_("New mail address"), max_length=254)
    password = password_field(_("Current password"), new=False)


class TokenForm(forms.Form):
    name = forms.CharField(label=_("What is it for?"), max_length=80)
    scope = forms.ChoiceField(label=_("It may"), choices=tuple(TOKEN_SCOPES.items()))
    days = forms.TypedChoiceField(
        label=_("Good for"), coerce=int, initial=90,
        choices=[(7, _("7 days")), (30, _("30 days")), (90, _("90 days")), (365, _("One year"))],
    )  # fmt: skip


class InviteForm(forms.Form):
    email = forms.EmailField(
        label=_("Mail address"), max_length=254, widget=forms.EmailInput({"autofocus": True})
    )
    role = RoleChoice(label=_("Role"), queryset=Role.objects.none(), empty_label=None)
    team = TeamChoice(
        label=_("Team"), queryset=Team.objects.none(), required=False, empty_label=_("No team")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].queryset = queries.roles()  # type: ignore[attr-defined]
        self.fields["team"].queryset = _teams()  # type: ignore[attr-defined]


class PlaceForm(forms.Form):
    role = RoleChoice(label=_("Role"), queryset=Role.objects.none(), empty_label=None)
    team = TeamChoice(
        label=_("Team"), queryset=Team.objects.none(), required=False, empty_label=_("No team")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].queryset = queries.roles()  # type: ignore[attr-defined]
        self.fields["team"].queryset = _teams()  # type: ignore[attr-defined]


class DeactivateForm(forms.Form):
    successor = forms.ModelChoiceField(
        label=_("Who takes over the records?"), queryset=User.objects.none(), required=False,
        empty_label=_("Nobody: leave them as they are"),
    )  # fmt: skip

    def __init__(self, *args: Any, person: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["successor"]
        field.queryset = queries.active_people().exclude(pk=person.pk)  # type: ignore[attr-defined]
        field.label_from_instance = lambda user: user.name  # type: ignore[attr-defined]


class TeamForm(forms.Form):
    name = forms.CharField(
        label=_("Name"), max_length=80, widget=forms.TextInput({"autofocus": True})
    )
    parent = TeamChoice(
        label=_("Below"), queryset=Team.objects.none(), required=False,
        empty_label=_("Nothing: at the top"),
    )  # fmt: skip

    def __init__(self, *args: Any, team: Team | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        others = _teams()
        if team is not None:
            others = others.exclude(path__startswith=team.path)
        self.fields["parent"].queryset = others  # type: ignore[attr-defined]


class CopyRoleForm(forms.Form):
    name = forms.CharField(
        label=_("Name"), max_length=80, widget=forms.TextInput({"autofocus": True})
    )
    role = RoleChoice(
        label=_("Begin with the rights of"), queryset=Role.objects.none(), empty_label=None
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        roles = queries.roles().exclude(key="owner")
        self.fields["role"].queryset = roles  # type: ignore[attr-defined]


class RoleForm(forms.Form):
    """The rights matrix: `level.<type>.<verb>`, boxes `abilities`, `limit.<type>.<field>`."""

    name = forms.CharField(label=_("Name"), max_length=80, required=False)
    abilities = forms.MultipleChoiceField(required=False)

    def __init__(self, *args: Any, abilities: list[tuple[str, Any]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["abilities"].choices = abilities  # type: ignore[attr-defined]

    def matrix(self, prefix: str) -> dict[str, dict[str, str]]:
        """What was sent as `prefix.<a>.<b>`, as `{a: {b: value}}`; empty values left out."""
        found: dict[str, dict[str, str]] = {}
        for key, value in self.data.items():
            kind, _dot, rest = key.partition(".")
            outer, dot, inner = rest.rpartition(".")
            if kind == prefix and dot and value:
                found.setdefault(outer, {})[inner] = str(value)
        return found
