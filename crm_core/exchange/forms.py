"""The shape of what the wizard's pages send."""

from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm_core.exchange import encodings, limits
from crm_core.exchange.choices import ORDERS, ColumnChoice, Options
from crm_platform.kernel.limits import Limit, limit_of
from crm_platform.ui.widgets import FileDrop

ACCEPTED = ".csv,.tsv,.txt,.xlsx,.xls"


class UploadForm(forms.Form):
    """One file."""

    file = forms.FileField(
        label=gettext_lazy("File"), allow_empty_file=True, max_length=200,
        widget=FileDrop(accept=ACCEPTED),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        widget = self.fields["file"].widget
        assert isinstance(widget, FileDrop)
        widget.note = _("CSV, TSV or Excel, up to %(size)d MB and %(rows)s rows") % {
            "size": limit_of(Limit.IMPORT_MB), "rows": f"{limits.rows():,}",
        }  # fmt: skip


class ReadForm(forms.Form):
    """How the file is to be read, where our guess was wrong."""

    encoding = forms.ChoiceField(
        label=gettext_lazy("Encoding"), choices=list(encodings.ENCODINGS.items()), required=False
    )
    delimiter = forms.ChoiceField(
        label=gettext_lazy("Between cells"), required=False,
        choices=[
            (",", gettext_lazy("Comma")), (";", gettext_lazy("Semicolon")),
            ("\t", gettext_lazy("Tab")), ("|", gettext_lazy("Bar |")),
        ],
    )  # fmt: skip
    sheet = forms.ChoiceField(label=gettext_lazy("Sheet"), required=False)

    def __init__(self, *args: Any, sheets: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if sheets:
            sheet = self.fields["sheet"]
            assert isinstance(sheet, forms.ChoiceField)
            sheet.choices = [(name, name) for name in sheets]
            del self.fields["encoding"], self.fields["delimiter"]
        else:
            del self.fields["sheet"]
        for field in self.fields.values():
            field.widget.attrs["data-autosubmit"] = ""

    def clean_delimiter(self) -> str:
        # A browser may send the tab trimmed away.
        return self.cleaned_data["delimiter"] or "\t"


class OptionsForm(forms.Form):
    """What to do in doubtful cases."""

    identify = forms.ChoiceField(label=gettext_lazy("Rows are the same record when they share"))
    known = forms.ChoiceField(
        label=gettext_lazy("When the record is here already"),
        choices=[
            ("update", gettext_lazy("Fill in what the file says")),
            ("skip", gettext_lazy("Leave it as it is")),
        ],
    )  # fmt: skip
    links = forms.ChoiceField(
        label=gettext_lazy("When a company or contact is not here"),
        choices=[
            ("create", gettext_lazy("Add it")), ("empty", gettext_lazy("Leave the link empty")),
            ("fail", gettext_lazy("Do not import the row")),
        ],
    )  # fmt: skip
    owners = forms.ChoiceField(
        label=gettext_lazy("When a person is not here"),
        choices=[
            ("me", gettext_lazy("Take me instead")), ("empty", gettext_lazy("Leave it empty")),
            ("create", gettext_lazy("Add a colleague without sign-in")),
        ],
    )  # fmt: skip
    stages = forms.ChoiceField(
        label=gettext_lazy("When the pipeline lacks a stage"),
        choices=[
            ("fail", gettext_lazy("Do not import the row")),
            ("create", gettext_lazy("Add it as an open stage")),
        ],
    )  # fmt: skip
    lost_reason = forms.CharField(
        label=gettext_lazy("Reason of lost deals that have none"), max_length=80, required=False
    )

    def __init__(
        self, *args: Any, identifiers: list[tuple[str, str]], without: set[str], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        identify = self.fields["identify"]
        assert isinstance(identify, forms.ChoiceField)
        identify.choices = [("", _("Nothing: every row is a new record")), *identifiers]
        for field in self.fields.values():
            field.required = False  # each has its default
        for name in without:
            del self.fields[name]

    def refuse_choice(self, name: str, value: str) -> None:
        """Take away a choice the person's role does not grant."""
        field = self.fields.get(name)
        if isinstance(field, forms.ChoiceField):
            kept = [pair for pair in list(field.widget.choices) if pair[0] != value]
            field.choices = kept

    @property
    def options(self) -> Options:
        """What was chosen; nothing chosen means the default."""
        given = {name: self.cleaned_data[name] for name in self.fields}
        return Options(**{name: value for name, value in given.items() if value})


def columns_from(given: QueryDict, count: int) -> list[ColumnChoice]:
    """Where each column goes, as `to-0`, `order-0` and so on say."""
    return [
        ColumnChoice(
            to=given.get(f"to-{place}", "")[:80],
            order=order if (order := given.get(f"order-{place}", "dmy")) in ORDERS else "dmy",
        )
        for place in range(count)
    ]
