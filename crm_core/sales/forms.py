"""Forms of selling: shape only."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _

from crm_core.sales import queries
from crm_core.sales.models import Stage
from crm_platform.ui import widgets


class MoveForm(forms.Form):
    """Where a card was dropped."""

    stage = forms.CharField(max_length=20)
    before = forms.IntegerField(required=False)
    version = forms.IntegerField(required=False)
    lost_reason = forms.IntegerField(required=False)
    lost_note = forms.CharField(max_length=500, required=False)


class LostForm(forms.Form):
    """Why a deal was lost."""

    lost_reason = forms.ChoiceField()
    lost_note = forms.CharField(max_length=500, required=False, widget=forms.Textarea({"rows": 2}))
    stage = forms.CharField(widget=forms.HiddenInput)
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        reason = self.fields["lost_reason"]
        assert isinstance(reason, forms.ChoiceField)
        reason.choices = [("", "–"), *((c.value, c.label) for c in queries.lost_reasons())]
        reason.label = _("Reason")
        self.fields["lost_note"].label = _("In a sentence, if you like")


class PipelineForm(forms.Form):
    """A pipeline's own facts."""

    name = forms.CharField(max_length=80)
    stale_days = forms.IntegerField(min_value=1, max_value=365, initial=14)
    is_default = forms.BooleanField(required=False, widget=widgets.Switch())

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].label = _("Name")
        self.fields["stale_days"].label = _("Days without change until a deal is marked stale")
        self.fields["is_default"].label = _("New deals begin here")


class StageForm(forms.Form):
    """A stage's facts."""

    name = forms.CharField(max_length=80)
    kind = forms.ChoiceField(choices=())
    probability = forms.IntegerField(min_value=0, max_value=100)
    hue = forms.IntegerField(min_value=1, max_value=8, widget=widgets.HuePicker(), initial=1)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kind = self.fields["kind"]
        assert isinstance(kind, forms.ChoiceField)
        kind.choices = [
            (Stage.Kind.OPEN, _("Open")),
            (Stage.Kind.WON, _("Won")),
            (Stage.Kind.LOST, _("Lost")),
        ]
        for name, label in (
            ("name", _("Name")),
            ("kind", _("A deal here is")),
            ("probability", _("Chance to win, percent")),
            ("hue", _("Colour")),
        ):
            self.fields[name].label = label


class RemoveStageForm(forms.Form):
    """Where the deals of a removed stage go."""

    to = forms.ChoiceField()

    def __init__(self, *args: Any, stage: Stage, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        to = self.fields["to"]
        assert isinstance(to, forms.ChoiceField)
        to.choices = [
            (str(row.pk), row.name)
            for row in Stage.objects.filter(pipeline_id=stage.pipeline_id).exclude(pk=stage.pk)
        ]
        to.label = _("Its deals move to")


class ReasonForm(forms.Form):
    """A reason to lose a deal."""

    name = forms.CharField(max_length=80)
