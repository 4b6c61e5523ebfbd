"""Forms of activities: shape only."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _

from crm_core.activities.record_types import kind_choices
from crm_core.fields import catalogue
from crm_platform.ui import widgets


class ComposerForm(forms.Form):
    """What the composer on a record page sends."""

    kind = forms.ChoiceField(choices=())
    name = forms.CharField(max_length=200, required=False)
    body = forms.CharField(required=False, widget=forms.Textarea({"rows": 2}))
    due_date = forms.DateField(required=False, widget=widgets.DateInput())
    due_time = forms.TimeField(required=False, widget=widgets.TimeInput())
    assignee = forms.ChoiceField(required=False)
    minutes = forms.IntegerField(required=False, min_value=0, max_value=1440)
    outcome = forms.CharField(max_length=80, required=False)
    done = forms.BooleanField(required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        assignee = self.fields["assignee"]
        assert isinstance(assignee, forms.ChoiceField)
        people = [p for p in catalogue.people().values() if p.is_active]
        assignee.choices = [("", "–"), *((str(p.id), p.name) for p in people)]
        kind = self.fields["kind"]
        assert isinstance(kind, forms.ChoiceField)
        kind.choices = [(choice.value, choice.label) for choice in kind_choices()]
        labels = {
            "kind": _("Kind"),
            "name": _("Subject"),
            "body": _("Text"),
            "due_date": _("Day"),
            "due_time": _("Time"),
            "assignee": _("Assigned to"),
            "minutes": _("Minutes"),
            "outcome": _("Outcome"),
            "done": _("Already done"),
        }
        for name, label in labels.items():
            self.fields[name].label = label
